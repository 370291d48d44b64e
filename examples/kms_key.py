"""A private key that never leaves AWS KMS, as a signing key for IAM Roles Anywhere.

KMS itself has to be called with some credentials: those of the account that keeps the keys, say,
while the certificate opens another account. What they may do can be as little as kms:Sign and
kms:GetPublicKey on this one key.

    python kms_key.py --cert app-cert.pem --key-id alias/app-1 --kms-profile keys

prints who one is then. The trust anchor, the profile and the role come from the environment
(AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN …) or from ~/.aws/config, as always.

KMS hashes for each key in one way only, and AWS wants SHA-256: RSA keys and ECC_NIST_P256 will do,
ECC_NIST_P384 and P521 will not.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from typing import TYPE_CHECKING, NoReturn, Protocol, TypedDict

import boto3.session
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.serialization import load_der_public_key

import boto_rolesanywhere
from boto_rolesanywhere.errors import KeyDeviceError, PrivateKeyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

# What AWS takes, in KMS's words.
ALGORITHMS = ("ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256")


class PublicKeyAnswer(TypedDict):
    """The answer to GetPublicKey, as far as it is used."""

    PublicKey: bytes
    SigningAlgorithms: Sequence[str]


class SignAnswer(TypedDict):
    """The answer to Sign, as far as it is used."""

    Signature: bytes


class KmsClient(Protocol):
    """What is used of `boto3.client("kms")`."""

    def get_public_key(self, *, KeyId: str) -> PublicKeyAnswer:  # noqa: N803  # named by KMS
        """The public key, as DER, and how the private key may sign."""
        ...

    def sign(
        self,
        *,
        KeyId: str,  # noqa: N803  # all of them named by KMS
        Message: bytes,  # noqa: N803  # named by KMS
        MessageType: str,  # noqa: N803  # named by KMS
        SigningAlgorithm: str,  # noqa: N803  # named by KMS
    ) -> SignAnswer:
        """A signature: PKCS #1 v1.5, or (r, s) as DER."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class KmsKey:
    """A `SigningKey` in KMS.

    Args:
        key_id: id, ARN or alias of an asymmetric key of usage SIGN_VERIFY.
        connect: makes a client for KMS. It is called again in a forked child, since a child must
            not share its parent's connections.

    Raises:
        KeyDeviceError: KMS does not answer, or refuses.
        PrivateKeyError: the key cannot sign as AWS wants it.
    """

    def __init__(self, key_id: str, connect: Callable[[], KmsClient]) -> None:
        self.key_id = key_id
        self._connect = connect
        self._client: KmsClient | None = connect()
        self._pid = os.getpid()
        try:
            answer = self._client.get_public_key(KeyId=key_id)
        except (BotoCoreError, ClientError) as error:
            raise KeyDeviceError(
                f"KMS did not give the public key: {error}",
                code="signing-failed",
                where=key_id,
            ) from None
        self._public_key = load_der_public_key(answer["PublicKey"])
        usable = [name for name in ALGORITHMS if name in answer["SigningAlgorithms"]]
        if not usable:
            raise PrivateKeyError(
                f"the KMS key signs with {', '.join(answer['SigningAlgorithms'])} only",
                code="signing-failed",
                where=key_id,
                expected=" or ".join(ALGORITHMS),
                remedy="Create a key of the spec RSA_2048 or ECC_NIST_P256.",
            )
        self._algorithm = usable[0]

    def public_key(self) -> PublicKeyTypes:
        """The public key, fetched once."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Have KMS sign. It gets the digest alone, so `data` may be of any length."""
        client = self._own_client()
        try:
            answer = client.sign(
                KeyId=self.key_id,
                Message=hashlib.sha256(data).digest(),
                MessageType="DIGEST",
                SigningAlgorithm=self._algorithm,
            )
        except (BotoCoreError, ClientError) as error:
            raise KeyDeviceError(
                f"KMS did not sign: {error}", code="signing-failed", where=self.key_id
            ) from None
        return answer["Signature"]

    def close(self) -> None:
        """Close the connections to KMS."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _own_client(self) -> KmsClient:
        if self._client is None:
            raise PrivateKeyError(
                "the KMS key was closed", code="signing-failed", where=self.key_id
            )
        if self._pid != os.getpid():
            self._client = self._connect()
            self._pid = os.getpid()
        return self._client

    def __repr__(self) -> str:
        return f"<KmsKey {self.key_id}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KmsKey cannot be pickled: make one in the other process")


def main() -> None:
    """Print who one is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cert", required=True, help="the certificate of the KMS key")
    parser.add_argument("--key-id", required=True, help="id, ARN or alias of the KMS key")
    parser.add_argument("--kms-profile", help="the profile with whose credentials KMS is called")
    arguments = parser.parse_args()

    def connect() -> KmsClient:
        # A session of its own: boto3's default session may not be used from several threads.
        session = boto3.session.Session(profile_name=arguments.kms_profile)
        client: KmsClient = session.client("kms")
        return client

    key = KmsKey(arguments.key_id, connect)
    session = boto_rolesanywhere.get_session(cert=arguments.cert, key=key)
    print(session.client("sts").get_caller_identity()["Arn"])


if __name__ == "__main__":
    main()

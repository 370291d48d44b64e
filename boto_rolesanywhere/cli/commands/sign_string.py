"""``sign-string``: sign a fixed text, to see that a private key can be read and signs.

The text and the output are those of AWS's helper, so that the two can be compared. No service is
asked and no request is signed.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from boto_rolesanywhere.cli.flags import add_flags, prepare
from boto_rolesanywhere.cli.inputs import sources_from
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.errors import PassphraseError, RolesAnywhereError
from boto_rolesanywhere.settings.places import TOKEN, kind_of
from boto_rolesanywhere.signing_key import DigestSigningKey

if TYPE_CHECKING:
    import argparse

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from boto_rolesanywhere.identity.opening import Access
    from boto_rolesanywhere.settings.sources import CertificateSource, IdentitySources
    from boto_rolesanywhere.signing_key import Digest, SigningKey

DIGESTS: Final = ("SHA256", "SHA384", "SHA512")
FORMATS: Final = ("json", "text", "bin")

_TEXT: Final = b"AWS Roles Anywhere Credential Helper Signing Test"
_VERSION: Final = b"1"  # the helper's SIGN_STRING_TEST_VERSION
_PREFIX: Final = b"IAM RA"
_DESCRIPTION: Final = """\
Sign a fixed text with the private key and print the signature: a test of key,
passphrase, token or TPM that asks no service. The text is that of AWS's helper, so an
RSA key gives the same signature there and here; an EC signature differs each time.

The text: "AWS Roles Anywhere Credential Helper Signing Test", "1", and the SHA-256 of
"IAM RA" and the public key (RSA: PKCS #1 DER; EC: the uncompressed point)."""
_EPILOG: Final = """\
exit status: 0; 1 with one line on stderr and nothing on stdout; 2 for wrong usage

examples:
  boto-rolesanywhere sign-string --private-key workload.key --format text
  boto-rolesanywhere sign-string --private-key 'pkcs11:token=prod;object=web' \\
    --pkcs11-pin-file /etc/pki/pin"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser, calls=False)
    group = parser.add_argument_group("the signature")
    group.add_argument(
        "--digest",
        type=str.upper,
        choices=DIGESTS,
        default="SHA256",
        help="the hash to sign with (default: SHA256, which IAM Roles Anywhere takes)",
    )
    group.add_argument(
        "--format",
        type=str.lower,
        choices=FORMATS,
        default="json",
        help="json (a quoted hexadecimal string, the default), text (without quotes) or bin",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the signature, without a line break, as the helper does."""
    prepare(arguments)
    signature = sign_text(_open_key(sources_from(arguments)), arguments.digest)
    if arguments.format == "bin":
        sys.stdout.buffer.write(signature)
    elif arguments.format == "text":
        sys.stdout.write(signature.hex())
    else:
        sys.stdout.write(json.dumps(signature.hex()))
    return OK


def sign_text(key: SigningKey | PrivateKeyTypes, digest: Digest) -> bytes:
    """The signature of the fixed text."""
    from boto_rolesanywhere.certificates.public_keys import algorithm_for

    public_key = key.public_key()
    algorithm_for(public_key, where="the private key")
    text = fixed_text(public_key)
    kind: type[HashAlgorithm] = getattr(hashes, digest)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), kind())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(text, ec.ECDSA(kind()))
    if isinstance(key, DigestSigningKey):
        return key.sign_with(text, digest)
    # ML-DSA signs the text itself: no digest plays a part, as in the helper.
    # Only keys that take just the text are left, which the union type does not show.
    signature: bytes = key.sign(text)  # type: ignore[union-attr, call-arg]  # see above
    return signature


def fixed_text(public_key: PublicKeyTypes) -> bytes:
    """The text that the helper signs with this key."""
    if isinstance(public_key, rsa.RSAPublicKey):
        encoded = public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    elif isinstance(public_key, ec.EllipticCurvePublicKey):
        encoded = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        return _TEXT + _VERSION  # the helper adds nothing for other keys
    return _TEXT + _VERSION + sha256(_PREFIX + encoded).digest()


def _open_key(sources: IdentitySources) -> SigningKey | PrivateKeyTypes:
    """The key itself, without its certificate: that may be missing, or not good yet."""
    from boto_rolesanywhere.identity.opening import Access, open_key

    access = Access(sources.secret, sources.pkcs11_module, sources.tpm_tcti)
    place = sources.private_key or sources.certificate
    apart = kind_of(place) == TOKEN and sources.certificate != place
    return open_key(place, access, _public_keys(sources.certificate, access) if apart else ())


def _public_keys(certificate: CertificateSource, access: Access) -> list[PublicKeyTypes]:
    """The public keys of the configured certificate, which tell the key on a token from others."""
    from boto_rolesanywhere.certificates.reading import readable_public_key
    from boto_rolesanywhere.identity.opening import open_certificates

    try:
        contents = open_certificates(certificate, access=access)
    except PassphraseError:
        raise  # not tried once more for the key
    except RolesAnywhereError:
        return []
    keys = map(readable_public_key, contents.certificates)
    return [cast("PublicKeyTypes", key) for key in keys if key is not None]

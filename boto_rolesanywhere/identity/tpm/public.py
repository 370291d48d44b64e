"""The public half of a TPM key: as an object of `cryptography`, and whether it can sign for AWS.

Nothing here talks to a TPM: the public area comes from a file or has been read already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from boto_rolesanywhere.errors import PrivateKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.signing_key import Digest

# TPM 2.0 Library, Part 2, 6.3 (TPM_ALG_ID) and 8.3 (TPMA_OBJECT).
RSASSA: Final = 0x0014
ECDSA: Final = 0x0018
HASHES: Final[dict[Digest, int]] = {"SHA256": 0x000B, "SHA384": 0x000C, "SHA512": 0x000D}
_NO_SCHEME: Final = 0x0010
_SCHEMES: Final = {0x0001: RSASSA, 0x0023: ECDSA}
_USER_WITH_AUTH: Final = 1 << 6
_NO_DICTIONARY_ATTACK: Final = 1 << 10
_RESTRICTED: Final = 1 << 16
_SIGN: Final = 1 << 18

PublicArea: TypeAlias = Any  # tpm2_pytss's TPMT_PUBLIC, which has no types
_CREATE: Final = (
    "Create a signing key, for example: "
    "tpm2_create -C 0x81000001 -G ecc256:ecdsa-sha256 -u key.pub -r key.priv."
)


def public_key(area: PublicArea, *, where: str) -> tuple[PublicKeyTypes, int]:
    """The public key of a key that can sign for AWS, and the scheme (TPM_ALG_ID) of that."""
    if problem := _objection(area):
        raise PrivateKeyError(
            problem,
            code="tpm-key-cannot-sign",
            where=where,
            expected="an unrestricted RSA or EC signing key without a policy, free in its scheme "
            "or bound to rsassa-sha256 or ecdsa-sha256",
            remedy=_CREATE,
        )
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(area.to_der()), _SCHEMES[int(area.type)]
    except (ValueError, TypeError) as error:
        raise PrivateKeyError(
            f"the TPM key's public half is not understood: {error}",
            code="tpm-key-unreadable",
            where=where,
            expected="RSA, or EC on P-256, P-384 or P-521",
            remedy=_CREATE,
        ) from error


def counts_wrong_passwords(area: PublicArea) -> bool:
    """Whether a wrong password for this key counts towards the TPM's lock-out."""
    return not int(area.objectAttributes) & _NO_DICTIONARY_ATTACK


def _objection(area: PublicArea) -> str | None:
    attributes = int(area.objectAttributes)
    wanted = _SCHEMES.get(int(area.type))
    if wanted is None:
        return "the TPM object is not an asymmetric key"
    if not attributes & _SIGN:
        return "the TPM key may not sign"
    if attributes & _RESTRICTED:
        return "the TPM key is restricted to data that the TPM itself made (an attestation key)"
    if not attributes & _USER_WITH_AUTH:
        return "the TPM key is guarded by a policy"
    scheme = area.parameters.asymDetail.scheme  # in the part that RSA and EC keys have in common
    bound = int(scheme.scheme)
    if bound != _NO_SCHEME and (
        bound != wanted or int(scheme.details.anySig.hashAlg) != HASHES["SHA256"]
    ):
        return "the TPM key is bound to a signature scheme that AWS does not take"
    return None

"""The public half of a TPM key: as an object of `cryptography`, and whether it can sign for AWS.

Nothing here talks to a TPM: the public area comes from a file or has been read already.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

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
_RESTRICTED: Final = 1 << 16
_SIGN: Final = 1 << 18

# Fields of tpm2_pytss's TPMT_PUBLIC, which has no types. asymDetail is the part that RSA and EC
# keys have in common.
_type = attrgetter("type")
_to_der = attrgetter("to_der")
_attributes = attrgetter("objectAttributes")
_scheme = attrgetter("parameters.asymDetail.scheme.scheme")
_scheme_hash = attrgetter("parameters.asymDetail.scheme.details.anySig.hashAlg")


def public_key(area: object, *, where: str) -> PublicKeyTypes:
    """The public key of a TPMT_PUBLIC."""
    _check(area, where)
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(_to_der(area)())
    except (ValueError, TypeError) as error:
        raise PrivateKeyError(
            f"the TPM key's public half is not understood: {error}",
            code="tpm-key-unreadable",
            where=where,
            expected="RSA, or EC on P-256, P-384 or P-521",
            remedy=_CREATE,
        ) from error
    return key


def signature_scheme(area: object) -> int:
    """The scheme (TPM_ALG_ID) with which a checked key signs for AWS."""
    return _SCHEMES[int(_type(area))]


_CREATE: Final = (
    "Create a signing key, for example: "
    "tpm2_create -C 0x81000001 -G ecc256:ecdsa-sha256 -u key.pub -r key.priv."
)


def _check(area: object, where: str) -> None:
    problem = _objection(area)
    if problem:
        raise PrivateKeyError(
            problem,
            code="tpm-key-cannot-sign",
            where=where,
            expected="an unrestricted RSA or EC signing key without a policy, free in its scheme "
            "or bound to rsassa-sha256 or ecdsa-sha256",
            remedy=_CREATE,
        )


def _objection(area: object) -> str | None:
    attributes = int(_attributes(area))
    wanted = _SCHEMES.get(int(_type(area)))
    if wanted is None:
        return "the TPM object is not an asymmetric key"
    if not attributes & _SIGN:
        return "the TPM key may not sign"
    if attributes & _RESTRICTED:
        return "the TPM key is restricted to data that the TPM itself made (an attestation key)"
    if not attributes & _USER_WITH_AUTH:
        return "the TPM key is guarded by a policy"
    if int(_scheme(area)) != _NO_SCHEME and (
        int(_scheme(area)) != wanted or int(_scheme_hash(area)) != HASHES["SHA256"]
    ):
        return "the TPM key is bound to a signature scheme that AWS does not take"
    return None

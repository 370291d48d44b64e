"""From the encoding of a private key to an object of `cryptography`.

What that library reads by itself is left to it. Where the bytes came from, and which certificate
the key belongs to, is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError

from .encrypted import (
    UnsupportedEncryptionError,
    WrongPassphraseError,
    decrypt_pkcs8,
    decrypt_traditional,
    has_whole_iv,
)
from .mldsa import NAMES as MLDSA_NAMES
from .mldsa import load_mldsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.settings.sources import Secret

    from .pem import Block

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_CURVE = 0xA0
_GIVE_IT = (
    "Give it as the argument `passphrase`, by --pkcs8-password-file, in "
    "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE, or by rolesanywhere_private_key_passphrase_file or "
    "rolesanywhere_private_key_passphrase_env in the AWS config file."
)
_CONVERT = (
    "Convert it with `openssl pkcs8 -topk8 -in old.pem -out new.pem`, which encrypts it in the "
    "usual way."
)
_NAMED_CURVE = (
    "Convert it with `openssl ec -in old.pem -param_enc named_curve -out new.pem`, and have a "
    "certificate issued for the new file: it must name the curve too."
)


def decode_key(block: Block, where: str, secret: Secret | None) -> PrivateKeyTypes:
    """The private key in `block`, which stands in the file `where`.

    Args:
        block: as PEM or a recognised DER gave it.
        where: the file, for the error.
        secret: asked only if the key is encrypted.

    Raises:
        PassphraseError: it is encrypted, and the passphrase is missing or wrong.
        PrivateKeyError: it cannot be read.
    """
    if block.label == "ENCRYPTED PRIVATE KEY":
        decrypt, load = decrypt_pkcs8, _load_pkcs8
    elif "ENCRYPTED" in dict(block.headers).get("Proc-Type", ""):
        decrypt, load = decrypt_traditional, _load_traditional
    else:
        return _decode_plain(block.der, where)
    passphrase = ask_passphrase(secret, where)
    try:
        # From the library first: it knows more ciphers, old ones too, than are worth our code.
        return quietly(lambda: load(block, passphrase))
    except _library_errors() as error:
        said = str(error)
    try:
        plain = decrypt(block, passphrase)
    except WrongPassphraseError:
        raise wrong_passphrase(secret, passphrase, where) from None
    except UnsupportedEncryptionError as error:
        if _is_wrong_passphrase(said, error):
            raise wrong_passphrase(secret, passphrase, where) from None
        raise PrivateKeyError(
            f"it is encrypted in a way that cannot be read ({error})",
            code="key-encryption-unknown",
            where=where,
            remedy=_CONVERT,
        ) from None
    return _decode_plain(plain, where)


def ask_passphrase(secret: Secret | None, where: str, or_else: str = "") -> bytes:
    """The passphrase for the file `where`, which is encrypted (`or_else` …)."""
    passphrase = secret.reveal() if secret else None
    if secret is None or not passphrase:
        what = "and the passphrase is empty" if secret else "and no passphrase was given"
        raise PassphraseError(
            f"it is encrypted{or_else}, {what}",
            code="passphrase-missing",
            where=where,
            remedy=_GIVE_IT,
        )
    return passphrase


def wrong_passphrase(
    secret: Secret | None, passphrase: bytes, where: str, or_else: str = ""
) -> PassphraseError:
    """The error for a passphrase that does not open the file `where` (`or_else` …)."""
    origin = secret.origin if secret else "nowhere"
    return PassphraseError(
        f"the passphrase from {origin} is wrong{or_else and ', or the file damaged'}",
        code="passphrase-wrong",
        where=where,
        remedy="The passphrase ends with a line break, which may not belong to it."
        if passphrase.endswith((b"\n", b"\r"))
        else None,
    )


def error_summary(error: Exception) -> str:
    """The library's words, without the advice that follows, which is for programmers."""
    return str(error.args[0] if error.args else error).partition(". ")[0].strip(" .(\"'")


def _library_errors() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import UnsupportedAlgorithm

    # The last two: what a damaged header asks of the key derivation.
    return ValueError, TypeError, UnsupportedAlgorithm, OverflowError, MemoryError


def _is_wrong_passphrase(said: str, ours: UnsupportedEncryptionError) -> bool:
    """Whether the library could read what we cannot, and the passphrase did not open it.

    With a wrong passphrase the padding is right once in 256 times; then it `said` that what came
    out is no key, as it does of damage.
    """
    return "assword" in said or "decrypt" in said or (ours.old and "nknown" not in said)


def _load_pkcs8(block: Block, passphrase: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(block.der, passphrase)


def _load_traditional(block: Block, passphrase: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not has_whole_iv(block):  # the library would panic, which is no Exception
        raise ValueError("DEK-Info")
    return load_pem_private_key(block.to_pem(), passphrase)


def _decode_plain(encoded: bytes, where: str) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    algorithm, inner, explicit = _look_inside(encoded)
    if algorithm in MLDSA_NAMES:
        return load_mldsa(MLDSA_NAMES[algorithm], inner, where)
    if explicit:  # some versions of the library read it; a certificate with it is of no use
        raise PrivateKeyError(
            "it gives its EC curve as explicit parameters, not by name",
            code="key-curve-unnamed",
            where=where,
            expected="a key on P-256, P-384 or P-521, by name",
            remedy=_NAMED_CURVE,
        )
    try:
        return quietly(lambda: load_der_private_key(encoded, None))
    except _library_errors() as error:
        raise PrivateKeyError(
            f"its private key cannot be read ({error_summary(error)})",
            code="key-unreadable",
            where=where,
        ) from None


def _look_inside(encoded: bytes) -> tuple[str, bytes, bool]:
    """The algorithm and content of PKCS #8, and whether an EC curve is given by parameters."""
    try:
        fields = der.read_only(encoded).expect(der.SEQUENCE).children()
        if fields[1].tag == der.OCTET_STRING:  # SEC 1: version, key, [0] parameters
            return "", b"", any(f.tag == _CURVE and _is_explicit(f.children()[0]) for f in fields)
        algorithm = fields[1].children()  # PKCS #8: version, algorithm, key
        inner = fields[2].expect(der.OCTET_STRING).content
        explicit = der.oid(algorithm[0]) == _EC_PUBLIC_KEY and _is_explicit(algorithm[-1])
        return der.oid(algorithm[0]), inner, explicit
    except (der.DerError, IndexError):
        return "", b"", False  # PKCS #1, or nothing that can be read at all


def _is_explicit(parameters: der.Element) -> bool:
    return parameters.tag == der.SEQUENCE

"""From the encoding of a private key to an object of `cryptography`, which decrypts it too.

Where the bytes came from, and which certificate the key belongs to, is decided elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.public_keys import NEW_KEY, USABLE_KEYS
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError, RolesAnywhereError

from .mldsa import NAMES as MLDSA_NAMES
from .mldsa import load_mldsa
from .pem import Block
from .rsa_numbers import MOST_KEY_BYTES, MOST_NUMBER_BYTES, belong_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.settings.sources import Secret


Result = TypeVar("Result")

_PBES2: Final = "1.2.840.113549.1.5.13"
_GIVE_IT: Final = (
    "Give it as the argument `passphrase`, by --pkcs8-password-file, in "
    "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE, or by rolesanywhere_private_key_passphrase_file or "
    "rolesanywhere_private_key_passphrase_env in the AWS config file."
)
# What a wrong passphrase looks like, and what is said of it: nothing of the passphrase itself.
_ODD_PASSPHRASES: Final = (
    (rb"[\r\n]\Z", "ends with a line break, which may not belong to it"),
    (rb"(?s)\A(['\"]).*\1\Z", "stands in quotes, which may not belong to it"),
    (rb"\0", "has NULs in it: save its file as UTF-8, not as UTF-16"),
    (rb"[\r\n]", "has several lines, and all of them count"),
    (rb"\A\s|\s\Z", "begins or ends with a blank, which may not belong to it"),
    (rb"\A[A-Z_]{2,}=", "begins as a line of an env file does: the value alone belongs there"),
)
_CONVERT: Final = (
    "Convert it with `openssl pkcs8 -topk8 -in old.pem -out new.pem`, which encrypts it with AES "
    "(to read DES, RC2, Blowfish, CAST5 or SEED, add `-provider legacy -provider default`)."
)
_OR_UNREADABLE: Final = ", or the decrypted key cannot be read"
_OR_UNKNOWN: Final = ", or the key is encrypted in a way that cannot be read ({})"


def decode_key(block: Block, where: str, secret: Secret | None) -> PrivateKeyTypes:
    """The private key in `block` of the file `where`; `secret` is asked only if it is encrypted.

    Raises:
        PassphraseError: it is encrypted, and the passphrase is missing or wrong.
        PrivateKeyError: it cannot be read.
    """
    if block.is_encrypted:
        return until_right(secret, lambda: _decrypt(block, where, secret))
    return decode_plain(block.der, where)


def _decrypt(block: Block, where: str, secret: Secret | None) -> PrivateKeyTypes:
    from .costs import LIMITS, TooCostlyError, check_costs
    from .lenient_keys import load_encrypted_leniently

    _check_size(block.der, where)
    is_pkcs8 = block.label == "ENCRYPTED PRIVATE KEY"
    if not (is_pkcs8 or _has_whole_iv(block)):
        raise _unknown_encryption("its DEK-Info is damaged", where)
    passphrase = ask_passphrase(secret, where)
    try:
        if is_pkcs8:
            check_costs(block.der)
        return _load(block, passphrase)
    except TooCostlyError as error:
        raise PrivateKeyError(
            str(error), code="key-too-costly", where=where, expected=LIMITS, remedy=_CONVERT
        ) from None
    except Exception as error:  # noqa: BLE001  # the library's, of many kinds for what is damaged
        if "assword" in str(error):
            raise wrong_passphrase(secret, passphrase, where) from None
        # There the library reads more: other ciphers, odd encodings.
        if is_pkcs8 and (key := _refused_by_library(block.der, passphrase, where)):
            return key
        if _has_whole_iv(block) and (key := load_encrypted_leniently(block, passphrase)):
            return key
        raise _not_opened(str(error), block, secret, passphrase, where) from None


def _not_opened(
    reason: str, block: Block, secret: Secret | None, passphrase: bytes, where: str
) -> RolesAnywhereError:
    """The error for the library's `reason`, which is not that of a wrong passphrase."""
    from .lenient_keys import CIPHERS

    if "deserialize" in reason:  # by chance, one wrong passphrase in 256 decrypts
        alternative, remedy = _OR_UNREADABLE, None
    elif block.label == "ENCRYPTED PRIVATE KEY":
        alternative, remedy = _OR_UNKNOWN.format(_cipher(block)), _CONVERT
    elif _cipher(block) in CIPHERS:
        return wrong_passphrase(secret, passphrase, where)
    else:
        return _unknown_encryption(_cipher(block), where)
    return wrong_passphrase(secret, passphrase, where, alternative, remedy=remedy)


def _refused_by_library(encoded: bytes, passphrase: bytes, where: str) -> PrivateKeyTypes | None:
    """The key in an encrypted PKCS #8 that the library decrypts, and then refuses for its form."""
    from .pbes2 import decrypted
    from .pkcs12 import open_bag

    if key := open_bag(encoded, passphrase):
        return key
    plain = decrypted(encoded, passphrase)
    if plain is None or _look_inside(plain)[0] not in MLDSA_NAMES:
        return None
    return decode_plain(plain, where)


def _unknown_encryption(reason: str, where: str) -> PrivateKeyError:
    return PrivateKeyError(
        f"it is encrypted in a way that cannot be read ({reason})",
        code="key-encryption-unknown",
        where=where,
        remedy=_CONVERT,
    )


def _has_whole_iv(block: Block) -> bool:
    """Whether DEK-Info (RFC 1421, section 4.6.1.3) has an IV as long as the cipher's block.

    With a shorter one the library panics, and writes that to stderr.
    """
    cipher, _, iv = dict(block.headers).get("DEK-Info", "").partition(",")
    long = "AES" in cipher or len(iv.strip()) > 16  # noqa: PLR2004  # of other ciphers: 8 bytes
    digits = 32 if long else 16
    return re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", iv.strip()) is not None


def _check_size(encoded: bytes, where: str, *numbers: bytes) -> None:
    # The library tests the numbers of an RSA key for being prime: of large ones it takes hours.
    if len(encoded) > MOST_KEY_BYTES or any(len(number) > MOST_NUMBER_BYTES for number in numbers):
        raise PrivateKeyError(
            "it holds a private key larger than any that AWS takes",
            code="key-unusable",
            where=where,
            expected=USABLE_KEYS,
            remedy=NEW_KEY,
        )


def until_right(secret: Secret | None, attempt: Callable[[], Result]) -> Result:
    """What `attempt` gives; it is made again while a person who is asked gives a wrong passphrase.

    Raises:
        PassphraseError: the last attempt's.
    """
    while True:
        try:
            return attempt()
        except PassphraseError as error:  # noqa: PERF203  # a person takes longer
            wrong = error.code in ("passphrase-wrong", "passphrase-unusable")
            if secret is None or not wrong or not secret.ask_again():
                raise


def ask_passphrase(secret: Secret | None, where: str, alternative: str = "") -> bytes:
    """The passphrase for the file `where`.

    Args:
        secret: gives it.
        where: the file, for the error.
        alternative: what else the file may be than encrypted, such as `` or damaged``.

    Raises:
        PassphraseError: there is none, or it is empty.
    """
    passphrase = secret.reveal(f"Passphrase of {where}") if secret else None
    if secret is None or not passphrase:
        lack = "and the passphrase is empty" if secret else "and no passphrase was given"
        raise PassphraseError(
            f"it is encrypted{alternative}, {lack}",
            code="passphrase-missing",
            where=where,
            remedy=_GIVE_IT,
        )
    return passphrase


def wrong_passphrase(
    secret: Secret | None,
    passphrase: bytes,
    where: str,
    alternative: str = "",
    *,
    remedy: str | None = None,
) -> PassphraseError:
    """The error for a passphrase that does not open the file `where`.

    Args:
        secret: gave the passphrase.
        passphrase: what it gave.
        where: the file.
        alternative: what else may be wrong, such as ``, or the file is damaged``.
        remedy: what to do about that, unless the passphrase itself looks odd.
    """
    origin = secret.origin if secret else "nowhere"
    odd = next((words for shape, words in _ODD_PASSPHRASES if re.search(shape, passphrase)), None)
    return PassphraseError(
        f"the passphrase from {origin} is wrong{alternative}",
        code="passphrase-wrong",
        where=where,
        remedy=f"The passphrase {odd}." if odd else remedy,
    )


def _cipher(block: Block) -> str:
    """The cipher, or what else chooses how the key is encrypted, as the file names it."""
    if named := dict(block.headers).get("DEK-Info", ""):
        return named.partition(",")[0]
    try:
        algorithm = der.read_only(block.der).children()[0].children()
        name = der.oid(algorithm[0])
        if name == _PBES2:  # RFC 8018, appendix A.4: keyDerivationFunc, encryptionScheme
            name = der.oid(algorithm[1].children()[1].children()[0])
    except (der.DerError, IndexError):
        return "its head is damaged"
    return f"object identifier {name}"


def _load(block: Block, passphrase: bytes | None) -> PrivateKeyTypes:
    """The library's key, or its exception."""
    from cryptography.hazmat.primitives.serialization import (
        load_der_private_key,
        load_pem_private_key,
    )

    load, encoded = load_der_private_key, block.der
    if block.headers:
        load, encoded = load_pem_private_key, block.to_pem()
    key = quietly(lambda: load(encoded, passphrase, unsafe_skip_rsa_key_validation=True))
    if not belong_together(key):
        raise ValueError("the numbers of the RSA key do not belong together")
    return key


def decode_plain(encoded: bytes, where: str) -> PrivateKeyTypes:
    """The private key in PKCS #8, PKCS #1 or SEC 1. Raises PrivateKeyError as `decode_key` does."""
    encoded = _without_slips(encoded)
    algorithm, inner = _look_inside(encoded)
    _check_size(encoded, where, *_numbers(inner or encoded))
    if algorithm in MLDSA_NAMES:
        return load_mldsa(MLDSA_NAMES[algorithm], inner, where)
    try:
        key: PrivateKeyTypes | None = _load(Block("PRIVATE KEY", encoded), None)
    except Exception:  # noqa: BLE001  # as above
        from .lenient_keys import load_leniently

        key = load_leniently(encoded)
    if key is None:
        raise PrivateKeyError(
            "its private key cannot be read: it is damaged, or of a kind that AWS does not take",
            code="key-unreadable",
            where=where,
            expected=USABLE_KEYS,
        )
    return key


def _without_slips(encoded: bytes) -> bytes:
    """`data` in DER if it is BER, without bytes behind it; unchanged if it cannot be read."""
    try:
        return der.from_ber(der.read(encoded, shortest=False).raw)
    except der.DerError:
        return encoded


def _look_inside(encoded: bytes) -> tuple[str, bytes]:
    """The algorithm and content of PKCS #8; empty for PKCS #1 and SEC 1."""
    try:
        _, algorithm, key = der.read_only(encoded).expect(der.SEQUENCE).children()[:3]
        return der.oid(algorithm.children()[0]), key.expect(der.OCTET_STRING).content
    except (der.DerError, IndexError, ValueError):
        return "", b""


def _numbers(encoded: bytes) -> list[bytes]:
    """The numbers of an RSA or DSA key (RFC 8017, appendix A.1.2)."""
    try:
        fields = der.read_only(encoded).expect(der.SEQUENCE).children()
    except der.DerError:
        return []
    return [field.content for field in fields if field.tag == der.INTEGER]

"""What an input holds: certificates and keys, whatever container they came in.

Which of them are used, and whether AWS would take them, is decided elsewhere.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.odd import load_certificate
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.records import NamedTuple

from .pem import Block, PemError, as_plain_text, scan
from .private_keys import ask_passphrase, until_right, wrong_passphrase
from .recognise import PKCS12, UNKNOWN, by_content, recognise

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.settings.sources import Secret

    from .reading import Part

_CERTIFICATES: Final = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
_PKCS7: Final = {"PKCS7", "PKCS #7 SIGNED DATA", "CMS"}
_KEYS: Final = {
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
}
_PKCS7_CERTIFICATES: Final = 0xA0
_elements: Final = partial(der.split, shortest=False)  # of BER too
# A PKCS #12 file does not tell which.
_OR_DAMAGED: Final = " or damaged"
_OR_FILE_DAMAGED: Final = ", or the file is damaged"
_MOST_KEYS: Final = 16  # each is tried, which takes a second at the worst
_TAKE_APART: Final = (
    "Take it apart with `openssl pkcs12 -in old.p12 -noenc -out new.pem`, and name the new file."
)
_MOST_KINDS: Final = 8  # in an error
_TPM_KEY: Final = "TSS2 PRIVATE KEY"
_OPENSSH_KEY: Final = "OPENSSH PRIVATE KEY"
_PGP: Final = "PGP MESSAGE"
_AGE: Final = "AGE ENCRYPTED FILE"
_NAMES: Final = {
    "CERTIFICATE REQUEST": "certificate request",
    "NEW CERTIFICATE REQUEST": "certificate request",
    "X509 CRL": "certificate revocation list",
    "PUBLIC KEY": "public key",
    "RSA PUBLIC KEY": "public key",
    "EC PUBLIC KEY": "public key",
    "SSH2 PUBLIC KEY": "public key",
    **dict.fromkeys((_PGP, _AGE), "encrypted message"),
    _OPENSSH_KEY: "key in OpenSSH's own form",
    _TPM_KEY: "TPM key",
    UNKNOWN: "structure of another kind",
}


class Contents(NamedTuple):
    """What was found in one input.

    Attributes:
        where: the file, or how else it was given.
        certificates: in their order; of a token, those that its URI names.
        beside: the other certificates of a token, among which the intermediates are.
        keys: encoded private keys, to be decoded when needed: it may take a passphrase.
        opened: the private keys of a PKCS #12 file, which is opened as a whole.
        tpm_key: PEM of a key that a TPM has wrapped.
        inventory: everything that was found, in words.
        remedy: what to do about what was found, where that is known.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    keys: tuple[Block, ...] = ()
    opened: tuple[PrivateKeyTypes, ...] = ()
    tpm_key: bytes | None = None
    inventory: str = "nothing of use"
    remedy: str | None = None
    beside: tuple[x509.Certificate, ...] = ()
    where: str = ""

    def __repr__(self) -> str:
        # The library's repr of a certificate fails on names that it cannot read.
        return f"<Contents of {self.where}: {self.inventory}>"

    @property
    def has_key(self) -> bool:
        """Whether there is a private key of any kind."""
        return bool(self.keys or self.tpm_key or self.opened)


def open_contents(part: Part, secret: Secret | None) -> Contents:
    """Look into `part`.

    Args:
        part: PEM, DER, PKCS #7 or PKCS #12, recognised by what is in it.
        secret: asked only for a PKCS #12 file that does not open without.

    Raises:
        CertificateError, PrivateKeyError: it cannot be read.
        PassphraseError: a PKCS #12 file's passphrase is missing or wrong.
    """
    blocks = _blocks(part)
    for block in blocks:
        if block.label == PKCS12:
            return _open_pkcs12(block.der, part, secret)
    certificates = tuple(found for block in blocks for found in _certificates(block, part))
    keys = tuple(block for block in blocks if block.label in _KEYS)
    if len(keys) > _MOST_KEYS:
        raise part.error(
            f"it holds {len(keys)} private keys",
            code="key-too-costly",
            expected=f"at most {_MOST_KEYS}",
        )
    tpm_key = next((block.to_pem() for block in blocks if block.label == _TPM_KEY), None)
    counts = Counter({"certificate": len(certificates), "private key": len(keys)})
    counts.update(_other_names(blocks))
    return Contents(
        certificates,
        keys,
        tpm_key=tpm_key,
        inventory=_in_words(counts),
        remedy=_remedy(blocks),
        where=part.where,
    )


def _blocks(part: Part) -> tuple[Block, ...]:
    if blocks := recognise(part.data):
        return blocks
    text = as_plain_text(part.data)
    try:
        blocks = tuple(by_content(block) for block in scan(text))
    except PemError as error:
        raise part.error(str(error), code="pem-damaged", remedy=error.remedy) from None
    if not blocks:
        from .foreign import foreign

        form, remedy = foreign(text)
        raise part.error(
            f"it is {form}",
            code="content-unrecognised",
            expected=f"a {part.role} in PEM or DER",
            remedy=remedy,
        )
    return blocks


def _certificates(block: Block, part: Part) -> tuple[x509.Certificate, ...]:
    try:
        if block.label in _PKCS7:
            return _pkcs7_certificates(block.der)
        if block.label in _CERTIFICATES:
            # OpenSSL's TRUSTED CERTIFICATE has its own data after the certificate.
            return (load_certificate(_first(block.der)),)
    except (ValueError, IndexError) as error:
        raise part.error(
            f"a certificate in it cannot be read: {error}", code="certificate-unreadable"
        ) from None
    return ()


def _first(encoded: bytes) -> bytes:
    try:
        return der.read(encoded, shortest=False).raw
    except der.DerError:
        raise ValueError("it is damaged or cut short") from None


def _pkcs7_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

    try:
        return tuple(quietly(lambda: load_der_pkcs7_certificates(data)))
    except Exception:  # noqa: BLE001  # the library's, of many kinds; it refuses all for one odd one
        # RFC 2315, section 9.1: version, digestAlgorithms, contentInfo, [0] certificates.
        content = _elements(_elements(der.read(data, shortest=False).content)[1].content)[0]
        fields = _elements(content.content)[3:]
        held = [field.content for field in fields if field.tag == _PKCS7_CERTIFICATES]
        # A certificate is a SEQUENCE; an attribute certificate has a tag of its own.
        return tuple(
            load_certificate(each.raw)
            for certificates in held
            for each in _elements(certificates)
            if each.tag == der.SEQUENCE
        )


def _open_pkcs12(data: bytes, part: Part, secret: Secret | None) -> Contents:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    from .costs import LIMITS, TooCostlyError, check_costs
    from .pkcs12 import other_keys
    from .pkcs12_walk import take_apart

    def load(passphrase: bytes | None) -> Contents:
        try:
            key, first, others = quietly(lambda: load_key_and_certificates(data, passphrase))
            certificates = (*([first] if first else []), *others)
            keys = (key, *other_keys(data, passphrase or b"", key)) if key else ()
        except Exception:  # the library's, of many kinds for what is damaged
            bags = take_apart(data, passphrase or b"", part.where)
            if bags is None:
                raise
            keys, certificates = bags
        counts = Counter({"certificate": len(certificates), "private key": len(keys)})
        return Contents(certificates, opened=keys, inventory=_in_words(counts), where=part.where)

    try:
        check_costs(data)
    except ValueError as error:
        costly = isinstance(error, TooCostlyError)
        raise part.error(
            str(error) if costly else f"what this PKCS #12 file holds cannot be read ({error})",
            code="key-too-costly" if costly else "pkcs12-unreadable",
            expected=LIMITS if costly else None,
            remedy=_TAKE_APART,
        ) from None
    unreadable = part.error(
        "what this PKCS #12 file holds cannot be read: it is damaged, or encrypted unusually",
        code="pkcs12-unreadable",
        remedy=_TAKE_APART,
    )
    try:
        return load(None)  # also opens what has an empty passphrase
    except Exception as error:  # noqa: BLE001  # the library's, of many kinds for what is damaged
        if not _is_about_passphrase(error):
            raise unreadable from None

    def attempt() -> Contents:
        passphrase = ask_passphrase(secret, part.where, _OR_DAMAGED)
        _require_text(passphrase, secret, part)
        try:
            return load(passphrase)
        except Exception as error:  # noqa: BLE001  # as above
            if not _is_about_passphrase(error):
                raise unreadable from None
            raise wrong_passphrase(secret, passphrase, part.where, _OR_FILE_DAMAGED) from None

    return until_right(secret, attempt)


def _require_text(passphrase: bytes, secret: Secret | None, part: Part) -> None:
    """Refuse what the library answers with an exception of no kind to catch."""
    try:
        if "\0" not in passphrase.decode():
            return
    except UnicodeDecodeError:
        pass
    origin = secret.origin if secret else "nowhere"
    raise PassphraseError(
        f"the passphrase from {origin} is no text in UTF-8",
        code="passphrase-unusable",
        where=part.where,
        expected="for a PKCS #12 file: UTF-8 without NUL (what PowerShell's > writes is UTF-16)",
    )


def _is_about_passphrase(error: Exception) -> bool:
    """Whether the library says "password", which it does for a wrong one and for damage alike."""
    return "assword" in str(error)


def _other_names(blocks: tuple[Block, ...]) -> list[str]:
    others = [block.label for block in blocks if block.label not in _CERTIFICATES | _PKCS7 | _KEYS]
    return [_NAMES.get(label, f"block {label!r}") for label in others]


def _in_words(counts: Counter[str]) -> str:
    """Such as ``2 certificates and 1 private key``; not all of very many."""
    there = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
    if len(there) > _MOST_KINDS:
        there[_MOST_KINDS:] = [f"{len(there) - _MOST_KINDS} other things"]
    return " and ".join(there) or "nothing of use"


def _remedy(blocks: tuple[Block, ...]) -> str | None:
    labels = {block.label for block in blocks}
    if _OPENSSH_KEY in labels:
        return "Convert a copy of it with `ssh-keygen -p -m PEM -f copy`."
    for label, remedy in ((_PGP, "gpg -o new -d old"), (_AGE, "age -d -o new old")):
        if label in labels:
            return f"Decrypt it: `{remedy}`."
    if any("REQUEST" in label for label in labels):
        return "A request goes to the CA; what the CA sends back is the certificate."
    return None

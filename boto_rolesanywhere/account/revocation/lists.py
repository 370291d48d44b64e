"""A certificate revocation list, read from PEM or DER, whichever the content is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.certificates.names import comparable
from boto_rolesanywhere.certificates.odd_lists import load_list
from boto_rolesanywhere.certificates.reading import extension_of, quietly
from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.identity.files.foreign import foreign
from boto_rolesanywhere.identity.files.pem import PemError, as_plain_text, looks_like_pem, scan
from boto_rolesanywhere.identity.files.recognise import UNKNOWN, recognise
from boto_rolesanywhere.identity.notices import warn_once

if TYPE_CHECKING:
    from datetime import datetime

MAX_BYTES: Final = 300_000  # ImportCrl, of the PEM
_LABEL: Final = "X509 CRL"


@dataclass(frozen=True)
class RevocationList:
    """A list as its CA made it.

    Attributes:
        crl: the list itself.
        where: the file, URL or name it came from; for messages.
        is_pem: whether it was read from PEM; else from DER.
    """

    crl: x509.CertificateRevocationList = field(repr=False)
    where: str
    is_pem: bool

    @property
    def issuer(self) -> str:
        """The CA's name, as RFC 4514 writes it."""
        return quietly(self.crl.issuer.rfc4514_string) or "an empty issuer"

    def is_of(self, name: bytes) -> bool:
        """Whether the DER `name` is the issuer's, compared as in RFC 5280, section 7.1."""
        return comparable(self.crl.issuer.public_bytes()) == comparable(name)

    @property
    def number(self) -> int | None:
        """The CRL number (RFC 5280, section 5.2.3); None if the list has none."""
        found = extension_of(self.crl, x509.CRLNumber)
        return None if found is None else found.crl_number

    @property
    def this_update(self) -> datetime:
        """When the CA made it."""
        return self.crl.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When the CA makes the next one at the latest; None if the list does not say."""
        return self.crl.next_update_utc

    @cached_property
    def entries(self) -> int:
        """How many certificates it revokes."""
        return len(self.crl)

    @cached_property
    def pem(self) -> bytes:
        """The list as ImportCrl takes it."""
        return self.crl.public_bytes(Encoding.PEM)

    def entry(self, serial_number: int) -> x509.RevokedCertificate | None:
        """The entry of this serial number; None if there is none."""
        if serial_number < 0:  # no list can name it
            return None
        return self.crl.get_revoked_certificate_by_serial_number(serial_number)

    def is_signed_by(self, issuer: x509.Certificate) -> bool:
        """Whether its signature verifies with the certificate's key; the names do not count."""
        try:
            # Its annotation names only the kinds of keys that can sign.
            return self.crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # see above
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return False


def read_list(data: bytes, where: str) -> RevocationList:
    """Read one list.

    Raises:
        CertificateError: it is none, or there are several.
    """
    text = as_plain_text(data)
    is_pem = looks_like_pem(text)
    try:
        encoded = _only_block(text, where) if is_pem else data
        crl, slips = load_list(encoded)
    except (PemError, ValueError) as error:
        reason, remedy = _what_else(data, error)
        raise CertificateError(
            f"it is not a certificate revocation list ({reason})",
            code="crl-unreadable",
            where=where,
            expected="a CRL in PEM or DER",
            remedy=remedy,
        ) from None
    if slips:
        warn_once(f"{where}: {'; '.join(slips)}. The list is used as it is; AWS may refuse it.")
    return RevocationList(crl, where, is_pem)


def counted(entries: int) -> str:
    """The number of entries, in words."""
    return f"{entries} {'entry' if entries == 1 else 'entries'}"


def _what_else(data: bytes, error: Exception) -> tuple[str, str | None]:
    """What the content is, if it is no list, and what to do about it."""
    text = as_plain_text(data)
    if not text.strip():
        return "it is empty", None
    if looks_like_pem(text):
        return str(error).partition("\n")[0], None
    if not (blocks := recognise(data)):
        return foreign(data)
    label = blocks[0].label
    if label in (_LABEL, UNKNOWN):
        return str(error).partition("\n")[0] or type(error).__name__, None
    return f"it is {label}, in DER", None


def _only_block(text: bytes, where: str) -> bytes:
    found = scan(text)
    blocks = [block for block in found if block.label == _LABEL]
    if not blocks:
        raise ValueError(f"it holds {', '.join(block.label for block in found)}")
    if len(blocks) != 1:
        raise CertificateError(
            f"it holds {len(blocks)} blocks {_LABEL!r}",
            code="crl-unreadable",
            where=where,
            expected="one revocation list",
        )
    return blocks[0].der

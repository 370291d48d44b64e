"""Certificate revocation lists that `cryptography` refuses for a slip of their encoding.

As for certificates (`odd`), a twin without the slips is read. The list's own bytes are imported,
and the signature is checked over them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from . import der
from .chain import verifies
from .plain import StandIn
from .reading import quietly
from .twin_values import Mender, elements, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

_EXTENSIONS: Final = 0xA0
_TIMES: Final = {0x17, 0x18}


class OddList(StandIn):
    """Stands in for a list that `cryptography` refuses.

    Attributes:
        slips: what is odd, each as a clause that names the field.
    """

    __slots__ = ("_twin", "slips", "tbs_certlist_bytes")

    def __init__(self, encoded: bytes) -> None:
        """Read `encoded`.

        Raises:
            ValueError: it is no list. The message says so in a clause.
        """
        super().__init__(encoded)
        self.tbs_certlist_bytes, self._twin, self.slips = _twin(encoded)

    def public_bytes(self, encoding: Encoding) -> bytes:
        """The list as it was found, in DER or PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding as Encodings

        encoded = super().public_bytes(encoding)
        return (
            encoded if encoding is Encodings.DER else encoded.replace(b"CERTIFICATE", b"X509 CRL")
        )

    def is_signature_valid(self, key: object) -> bool:
        """Whether the key made the signature."""
        return verifies(key, self._twin, self.tbs_certlist_bytes)

    def __len__(self) -> int:
        return len(self._twin)

    def __iter__(self) -> Iterator[x509.RevokedCertificate]:
        return iter(self._twin)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a list has
        return getattr(self._twin, name)


def load_list(encoded: bytes) -> tuple[x509.CertificateRevocationList, tuple[str, ...]]:
    """The list `encoded`, and what is odd about it. Bytes behind it are passed over.

    Raises:
        ValueError: it is no list. The message says so in a clause.
    """
    try:
        whole = der.read(encoded, shortest=False).raw
    except der.DerError:
        raise ValueError("it is damaged or cut short") from None
    try:
        return _loaded(whole), ()
    except ValueError:
        odd = OddList(whole)
        return cast("x509.CertificateRevocationList", odd), odd.slips


def _loaded(encoded: bytes) -> x509.CertificateRevocationList:
    from cryptography import x509

    crl = quietly(lambda: x509.load_der_x509_crl(encoded))
    # Read here, if they can be; an entry that cannot be read raises.
    quietly(lambda: (crl.issuer.rfc4514_string(), list(crl), crl.last_update_utc))
    return crl


def _twin(encoded: bytes) -> tuple[bytes, x509.CertificateRevocationList, tuple[str, ...]]:
    mender = _ListMender()
    try:
        signed, algorithm, signature = elements(only(encoded).content)
        fields = elements(signed.expect(der.SEQUENCE).content)
        inside = b"".join(mender.fields(fields))
        outside = mender.algorithm("its signature algorithm", algorithm)
        bits = mender.normal("its signature", signature)
        twin = _loaded(der.sequence(der.sequence(inside), outside, bits))
    except (ValueError, IndexError):
        raise ValueError(
            "its structure is not that of a list, or a value in it is damaged"
        ) from None
    if any(each.raw != der.sequence(each.content) for each in (only(encoded), signed)):
        mender.note("its structure", "a length that is not in its shortest form")
    return signed.raw, twin, tuple(mender.slips)


class _ListMender(Mender):
    """Puts the fields of a TBSCertList right (RFC 5280, section 5.1)."""

    def fields(self, fields: tuple[der.Element, ...]) -> Iterator[bytes]:
        """Version, algorithm, issuer, times, entries, and extensions."""
        sequences = 0
        for field in fields:
            if field.tag == der.SEQUENCE:
                sequences += 1
                yield (self.algorithm, self.name, self._entries)[sequences - 1](
                    ("its signature algorithm", "its issuer", "an entry")[sequences - 1], field
                )
            elif field.tag == _EXTENSIONS:
                yield der.encode(_EXTENSIONS, self._extensions("it", only(field.content)))
            elif field.tag in _TIMES:
                yield self.normal("its date", field)
            else:
                yield self.normal("its version", field)

    def _entries(self, field: str, entries: der.Element) -> bytes:
        self.check_length("its list of entries", entries)
        return der.sequence(*(self._entry(field, each) for each in elements(entries.content)))

    def _entry(self, field: str, entry: der.Element) -> bytes:
        serial, time, *extensions = elements(entry.content)
        parts = (self.normal(field, serial), self.normal(field, time))
        return der.sequence(*parts, *(self._extensions(field, each) for each in extensions))

    def _extensions(self, field: str, extensions: der.Element) -> bytes:
        self.check_length(field, extensions)
        return der.sequence(
            *(self._extension(field, each) for each in elements(extensions.content))
        )

    def _extension(self, field: str, extension: der.Element) -> bytes:
        oid, *critical, value = elements(extension.content)
        if critical and not any(critical[0].content):
            self.note(field, "critical FALSE written out, which DER leaves out")
            critical = []
        parts = (oid, *critical, value)
        return der.sequence(*(self.normal(field, each) for each in parts))

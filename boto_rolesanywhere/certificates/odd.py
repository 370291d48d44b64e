"""Certificates that `cryptography` refuses for a slip of their encoding.

OpenSSL and Java pass over such slips, and so may AWS. `read_odd` makes a twin without the slips,
which `cryptography` reads; what is sent and what is signed stay the certificate's own bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .plain import StandIn, read_plain
from .reading import KNOWN_CRITICAL, quietly, readable_public_key

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes


class OddCertificate(StandIn):
    """Stands in for one that `cryptography` refuses.

    Values are read from the twin, ``tbs_certificate_bytes`` too. What leaves the process is the
    certificate itself: `public_bytes`, `fingerprint`, `signed_bytes` and ``signature``.

    Attributes:
        slips: what is odd, each as a clause that names the field.
        signed_bytes: the part over which the issuer made its signature.
    """

    __slots__ = ("_twin", "signed_bytes", "slips")

    def __init__(
        self, encoded: bytes, signed_bytes: bytes, twin: x509.Certificate, slips: tuple[str, ...]
    ) -> None:
        """Hold `encoded`, which was read as `twin`."""
        super().__init__(encoded)
        self._twin = twin
        self.signed_bytes = signed_bytes
        self.slips = slips

    def fingerprint(self, algorithm: hashes.HashAlgorithm) -> bytes:
        """The digest of the certificate as it was found."""
        from cryptography.hazmat.primitives.hashes import Hash

        digest = Hash(algorithm)
        digest.update(self._encoded)
        return digest.finalize()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the twin has
        return getattr(self._twin, name)

    def __repr__(self) -> str:
        return f"<OddCertificate: {'; '.join(self.slips)}>"


def read_odd(encoded: bytes) -> OddCertificate:
    """The certificate `encoded`, and what is odd about it.

    Raises:
        ValueError: its encoding is damaged. The message says in a clause which field is.
    """
    from .twin import make

    return OddCertificate(encoded, *make(encoded))


def load_certificate(encoded: bytes) -> x509.Certificate:
    """The certificate `encoded`: plain, or as `cryptography` reads it, or odd if it refuses it.

    Raises:
        ValueError: as `read_odd`.
    """
    if plain := read_plain(encoded):
        return cast("x509.Certificate", plain)
    from cryptography import x509

    try:
        certificate = quietly(lambda: x509.load_der_x509_certificate(encoded))
        quietly(lambda: _touch(certificate))
    except ValueError:
        return cast("x509.Certificate", read_odd(encoded))
    return certificate


def _touch(certificate: x509.Certificate) -> None:
    """Have the library read now what it would read on demand, so that it raises here."""
    _ = (certificate.subject, certificate.issuer)
    unknown = [
        each.oid.dotted_string
        for each in certificate.extensions
        if each.critical and each.oid.dotted_string not in KNOWN_CRITICAL
    ]
    if unknown:
        raise ValueError(f"critical and not known: {unknown}")
    _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    if readable_public_key(certificate) is None:
        raise ValueError("its key cannot be read")


def slips_of(certificate: object) -> tuple[str, ...]:
    """What is odd about a certificate that `load_certificate` gave."""
    return certificate.slips if isinstance(certificate, OddCertificate) else ()


def readable(certificate: x509.Certificate) -> tuple[x509.Certificate, tuple[str, ...]]:
    """`certificate` in a form whose names and extensions can be read, and what is odd about it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    odd: object = certificate
    try:
        if not isinstance(odd, OddCertificate):
            quietly(lambda: _touch(certificate))
            return certificate, ()
    except ValueError:
        try:
            odd = read_odd(certificate.public_bytes(Encoding.DER))
        except ValueError:
            return certificate, ()
    return cast("x509.Certificate", odd), odd.slips

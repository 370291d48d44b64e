"""Reading an `x509.Certificate` that may be odd: its values without exceptions or warnings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, TypeVar, cast

from . import der

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

Result = TypeVar("Result")
Extension = TypeVar("Extension", bound="x509.ExtensionType")

# The extensions that OpenSSL knows when they are critical. RFC 5280, section 4.2, has a certificate
# with another one refused by a reader that does not know it; whether AWS does so is a guess.
KNOWN_CRITICAL: Final = frozenset(
    (
        *(f"2.5.29.{last}" for last in (15, 17, 19, 30, 31, 32, 33, 36, 37, 54)),
        *(f"1.3.6.1.5.5.7.1.{last}" for last in (7, 8, 14)),
        "2.16.840.1.113730.1.1",
    )
)
_FEW_BITS = 8000  # of a number that `str` gives


def quietly(call: Callable[[], Result]) -> Result:
    """The result of `call`, also where the program turns `cryptography`'s warnings into errors.

    `cryptography` warns of odd but readable certificates. The warning filters belong to the whole
    process, so they are changed only if the call fails otherwise.

    Raises:
        ValueError: the library cannot read it. For that the library has exceptions of many kinds:
            TypeError, KeyError, some of its own, and a panic of its Rust part, which would be no
            `Exception`. What else `call` raises is passed on, UnsupportedAlgorithm too.
    """
    try:
        return _with_one_exception(call)
    except Warning:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _with_one_exception(call)


def _with_one_exception(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from None
    except BaseException as error:
        kind = type(error)
        if kind.__name__ == "PanicException":  # PyO3 gives no way to import it
            raise ValueError("the cryptography library failed on it") from None
        if kind.__module__.startswith("cryptography.x509"):
            raise ValueError(str(error)) from None
        raise


def serial_number(certificate: x509.Certificate) -> int:
    """The serial number, even if RFC 5280 (4.1.2.2: positive, at most 20 bytes) forbids it."""
    return quietly(lambda: certificate.serial_number)


def decimal(serial_number: int) -> str:
    """A serial number in decimal; `str` gives no more than 4,300 digits."""
    if serial_number.bit_length() <= _FEW_BITS:
        return str(serial_number)
    from decimal import Decimal

    return f"{Decimal(serial_number):f}"


def readable_public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """The public key; None if `cryptography` cannot read it."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return quietly(certificate.public_key)
    except (ValueError, UnsupportedAlgorithm):
        return None


def names_der(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """The DER of issuer and subject, also where `cryptography` cannot read what stands in them."""
    if names := getattr(certificate, "names_der", None):  # of a plain one, read before
        return cast("tuple[bytes, bytes]", names)
    _, _, issuer, _, subject, *_ = fields_of(certificate)
    return issuer.raw, subject.raw


def fields_of(certificate: x509.Certificate) -> tuple[der.Element, ...]:
    """The fields of the TBSCertificate (RFC 5280, section 4.1) after its version.

    They are serial number, signature algorithm, issuer, validity, subject and key, then the
    optional ones. The library has parsed the certificate, so the first six are there.
    """
    signed = der.read_only(certificate.tbs_certificate_bytes, shortest=False).expect(der.SEQUENCE)
    fields = der.split(signed.content, shortest=False)
    return fields[1:] if fields[0].tag == 0xA0 else fields  # noqa: PLR2004  # [0] version


def extension_of(
    holder: x509.Certificate | x509.CertificateRevocationList | x509.RevokedCertificate,
    kind: type[Extension],
) -> Extension | None:
    """The value of an extension; None if it is not there, or none of them can be read."""
    from cryptography import x509

    try:
        return quietly(lambda: holder.extensions).get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def distribution_points(certificate: x509.Certificate) -> tuple[str, ...]:
    """The HTTP URLs of a certificate's CRL distribution points (RFC 5280, section 4.2.1.13)."""
    from cryptography import x509

    points = extension_of(certificate, x509.CRLDistributionPoints) or ()
    names = [name for point in points for name in point.full_name or ()]
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return tuple(uri for uri in uris if uri.lower().startswith(("http://", "https://")))

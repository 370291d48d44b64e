"""Everything for which AWS would refuse an end-entity certificate, found without asking AWS.

The rules are those of the IAM Roles Anywhere User Guide, "Trust model" (end-entity certificates).
Each finding says what is wrong and what to do; the caller decides whether to go on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.records import NamedTuple

from . import der
from .public_keys import NEW_KEY, USABLE_KEYS, algorithm_for, describe_key
from .reading import fields_of, quietly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

Code = Literal[
    "malformed",
    "version",
    "key",
    "expired",
    "not-yet-valid",
    "ca",
    "key-usage",
    "hash",
    "subject",
]

_SHA256_BYTES: Final = 32
# RFC 5280, section 4.2.1.3: bits 0 and 5, of which the first is the octet's highest.
_DIGITAL_SIGNATURE, _KEY_CERT_SIGN = 0x80, 0x04
_BASIC_CONSTRAINTS, _KEY_USAGE = "2.5.29.19", "2.5.29.15"
_EC_PUBLIC_KEY, _RSASSA_PSS = "1.2.840.10045.2.1", "1.2.840.113549.1.1.10"
# The lengths of a certificate may be longer than DER allows.
_elements: Final = partial(der.split, shortest=False)
_only: Final = partial(der.read_only, shortest=False)


class Finding(NamedTuple):
    """One thing for which AWS would refuse a certificate.

    Attributes:
        code: short and stable, for machines.
        text: what is wrong, as a clause about the certificate ("it …").
        remedy: what to do, as a sentence.
    """

    code: Code
    text: str
    remedy: str


def problems(certificate: x509.Certificate, now: datetime) -> tuple[Finding, ...]:
    """Everything for which AWS would refuse `certificate` as an end-entity certificate.

    Never raises, whatever the certificate contains.
    """
    return tuple(_find(certificate, now))


def authority_problems(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    """Everything for which AWS would refuse `certificate` as a trust anchor."""
    if certificate.version.name != "v3" or not is_ca(certificate):
        yield Finding(
            "ca",
            "it is not a CA's (basicConstraints does not say CA:TRUE)",
            "A trust anchor is a CA certificate: give the one that is registered with AWS.",
        )
    elif not _signs_certificates(certificate):
        remedy = "Have the CA certificate made with keyUsage keyCertSign: AWS asks for it."
        yield Finding("key-usage", "its keyUsage lacks keyCertSign", remedy)
    yield from _find_hash(certificate)
    for finding in _find_time(certificate, now):
        remedy = f"{finding.remedy} Update the trust anchor with the renewed one."
        yield finding._replace(remedy=remedy)


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether its basicConstraints say CA:TRUE, whatever its other extensions are."""
    try:
        return any(_Tbs(certificate).find_ca())
    except der.DerError:
        return False


def _signs_certificates(certificate: x509.Certificate) -> bool:
    """Whether its keyUsage has keyCertSign, as a trust anchor's must."""
    try:
        return _Tbs(certificate).has_usage(_KEY_CERT_SIGN)
    except der.DerError:
        return False


def _find(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    if certificate.version.name != "v3":
        yield Finding(
            "version",
            f"it is an X.509 {certificate.version.name} certificate, not v3",
            "Have it issued as v3: with openssl, give -extfile or -copy_extensions.",
        )
    yield from _find_key(certificate)
    yield from _find_time(certificate, now)
    yield from _find_hash(certificate)
    try:
        tbs = _Tbs(certificate)
        found = [*tbs.find_subject(), *tbs.find_key_form(), *tbs.find_ca(), *tbs.find_key_usage()]
    except der.DerError as error:
        found = [
            Finding("malformed", f"it is malformed: {error}", "Have the certificate issued anew.")
        ]
    yield from found


def _find_key(certificate: x509.Certificate) -> Iterator[Finding]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = quietly(certificate.public_key)
        algorithm_for(key)
    except CertificateError:
        yield Finding("key", f"its key is {describe_key(key)}; AWS takes {USABLE_KEYS}", NEW_KEY)
    except (ValueError, UnsupportedAlgorithm):
        yield Finding("key", f"its public key cannot be read; AWS takes {USABLE_KEYS}", NEW_KEY)


def _find_time(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    span = f"(valid from {_utc(start)} to {_utc(end)}); this machine's clock says {_utc(now)}"
    if now > end:
        yield Finding(
            "expired",
            f"it has expired {span}",
            "Renew the certificate; if the clock is wrong, set it.",
        )
    if now < start:
        yield Finding(
            "not-yet-valid",
            f"it is not valid yet {span}",
            "Set the clock if it is wrong; otherwise wait until the certificate is valid.",
        )


def _find_hash(certificate: x509.Certificate) -> Iterator[Finding]:
    """The hash of the CA's signature, if AWS takes only stronger ones."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        used = certificate.signature_hash_algorithm  # None: Ed25519, ML-DSA, which hash inside
    except (UnsupportedAlgorithm, ValueError):
        return  # an algorithm newer than this library is not a weak one
    if used is not None and used.digest_size < _SHA256_BYTES:
        weak = used.name.upper().replace("SHA", "SHA-")
        yield Finding(
            "hash", f"its CA signed it with {weak}", "Have it issued with SHA-256 or stronger."
        )


class _Tbs:
    """The parts of a TBSCertificate (RFC 5280, section 4.1) that `cryptography` hides.

    `cryptography` parses all extensions or none, so an odd subject alternative name would hide
    keyUsage; and it turns explicit curve parameters into a named curve.
    """

    def __init__(self, certificate: x509.Certificate) -> None:
        _, _, _, _, self.subject, key, *rest = fields_of(certificate)
        self.key_algorithm = _elements(_elements(key.content)[0].content)
        self.extensions = dict(_extensions(rest))

    def value(self, oid: str, name: str, tag: int) -> bytes:
        """What an extension's value, an element with this tag, holds."""
        try:
            # OpenSSL passes over bytes behind the value.
            value = der.read(self.extensions[oid], shortest=False)
            return der.read_only(der.from_ber(value.raw)).expect(tag).content
        except der.DerError:
            raise der.DerError(f"its {name} cannot be read") from None

    def find_subject(self) -> Iterator[Finding]:
        if not self.subject.content:
            yield Finding(
                "subject", "its subject is empty", "Have it issued with a subject, such as a CN."
            )

    def find_key_form(self) -> Iterator[Finding]:
        kind = der.oid(self.key_algorithm[0])
        if kind == _RSASSA_PSS:
            yield Finding(
                "key",
                "its key is for RSASSA-PSS alone, and AWS wants PKCS #1 v1.5 signatures",
                "Make the key with -algorithm RSA, and have a certificate issued for it.",
            )
        if (
            kind == _EC_PUBLIC_KEY
            and self.key_algorithm[1:2]
            and self.key_algorithm[1].tag != der.OID
        ):
            yield Finding(
                "key",
                "its EC key gives the curve as explicit parameters, not by name",
                "Convert the key with `openssl ec -in key.pem -param_enc named_curve -out new.pem`"
                ", and have a certificate issued for it.",
            )

    def find_ca(self) -> Iterator[Finding]:
        if _BASIC_CONSTRAINTS not in self.extensions:
            return
        inner = _elements(self.value(_BASIC_CONSTRAINTS, "basicConstraints", der.SEQUENCE))
        if inner and inner[0].tag == der.BOOLEAN and any(inner[0].content):
            yield Finding(
                "ca",
                "it is a CA's (basicConstraints says CA:TRUE)",
                "Use an end-entity certificate that this CA issued, with CA:FALSE.",
            )

    def find_key_usage(self) -> Iterator[Finding]:
        if self.has_usage(_DIGITAL_SIGNATURE):
            return
        has_none = _KEY_USAGE not in self.extensions
        yield Finding(
            "key-usage",
            "it has no keyUsage, and AWS asks for it"
            if has_none
            else "its keyUsage lacks digitalSignature",
            "Have it issued with keyUsage = critical, digitalSignature.",
        )

    def has_usage(self, bit: int) -> bool:
        if _KEY_USAGE not in self.extensions:
            return False
        bits = self.value(_KEY_USAGE, "keyUsage", der.BIT_STRING)
        if bits[:1] > b"\7":  # the first octet counts the unused bits
            raise der.DerError("its keyUsage cannot be read")
        return len(bits) > 1 and bool(bits[1] & bit)


def _extensions(fields: Sequence[der.Element]) -> Iterator[tuple[str, bytes]]:
    for field in fields:
        if field.tag != 0xA3:  # noqa: PLR2004  # [3] extensions; the others are unique identifiers
            continue
        for extension in _elements(_only(field.content).expect(der.SEQUENCE).content):
            parts = _elements(extension.content)  # extnID, critical (may be left out), extnValue
            yield der.oid(parts[0]), parts[-1].expect(der.OCTET_STRING).content


def _utc(time: datetime) -> str:
    from datetime import timezone

    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def check_certificate(
    certificate: x509.Certificate, *, now: datetime, where: str | None = None
) -> None:
    """Raise CertificateError with everything for which AWS would refuse `certificate`."""
    found = problems(certificate, now)
    if found:
        raise CertificateError(
            "AWS would refuse this certificate: " + "; ".join(finding.text for finding in found),
            code=f"certificate-{found[0].code}",
            where=where,
            remedy=" ".join(dict.fromkeys(finding.remedy for finding in found)),
        )

"""A certificate revocation list: what it says, and whether AWS would take it.

The rules are those of the IAM Roles Anywhere User Guide, "Revocation" (ImportCrl takes PEM, up to
300,000 bytes). Users have seen AWS refuse a list without entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.descriptions import describe_issuer, describe_subject
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.errors import CertificateError, RolesAnywhereError

from .verdict import Concern, of_error, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from .verdict import Verdict

_MAX_BYTES: Final = 300_000
_LABEL: Final = "X509 CRL"


def check_crl(
    file: str,
    path: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
    now: datetime,
) -> Iterator[Verdict]:
    """Look the certificates up in the list, and judge the list itself."""
    try:
        listed = _read(file)
    except RolesAnywhereError as error:
        yield of_error("crl", error)
        return
    crl = listed.crl
    text = f"{quietly(crl.issuer.rfc4514_string) or 'an empty issuer'}, {_count(len(crl))}"
    concerns = [*_revoked(path, crl), *_origin(path, known, crl), *_use(listed, now)]
    if not concerns:
        text += ", the certificate is not among them"
    yield summed_up("crl", text, concerns)


@dataclass(frozen=True, slots=True)
class _List:
    crl: x509.CertificateRevocationList
    pem: bool
    size: int


def _read(place: str) -> _List:
    from cryptography import x509

    from boto_rolesanywhere.identity.files.pem import PemError, as_plain_text, looks_like_pem, scan
    from boto_rolesanywhere.identity.files.reading import read_part

    data = read_part(place, "revocation list").data
    pem = looks_like_pem(as_plain_text(data))
    try:
        if pem:
            blocks = [block for block in scan(as_plain_text(data)) if block.label == _LABEL]
            if len(blocks) != 1:
                problem = f"it holds {len(blocks)} blocks {_LABEL!r}"
                raise CertificateError(
                    problem, code="crl-unreadable", where=place, expected="one revocation list"
                )
            encoded = blocks[0].der
        else:
            encoded = data
        crl = quietly(lambda: x509.load_der_x509_crl(encoded))
        quietly(lambda: (crl.issuer.rfc4514_string(), list(crl)))  # read here, if it can be
    except (PemError, ValueError, TypeError, x509.InvalidVersion) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        problem = f"it is not a certificate revocation list ({reason})"
        raise CertificateError(
            problem, code="crl-unreadable", where=place, expected="a CRL in PEM"
        ) from None
    return _List(crl, pem, len(data))


def _count(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


def _revoked(
    path: Sequence[x509.Certificate], crl: x509.CertificateRevocationList
) -> Iterator[Concern]:
    for certificate in path:
        if certificate.serial_number < 0:  # no list can name it
            continue
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None and describe_issuer(certificate) == crl.issuer.rfc4514_string():
            yield Concern(
                "fail",
                f"{describe_subject(certificate)} was revoked on"
                f" {entry.revocation_date_utc:%Y-%m-%d}"
                f" (serial number {certificate.serial_number:x})",
                "Have a new certificate issued.",
            )


def _origin(
    path: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
    crl: x509.CertificateRevocationList,
) -> Iterator[Concern]:
    """Whether the issuer of these certificates issued and signed the list."""
    if not path:
        return
    issuer = crl.issuer.rfc4514_string()
    if not any(describe_issuer(certificate) == issuer for certificate in path):
        yield Concern(
            "warn",
            "its issuer issued none of the certificates that are sent",
            "Use the list of the CA that issued the certificate.",
        )
        return
    issuers = [certificate for certificate in known if describe_subject(certificate) == issuer]
    if not issuers:
        yield Concern(
            "warn",
            "its signature is not checked, since its issuer's certificate is not here",
            "Give --trust-anchor-certificate FILE, or the intermediates.",
        )
    elif not any(_signed_by(crl, certificate) for certificate in issuers):
        yield Concern(
            "warn",
            "its signature does not verify with its issuer's certificate",
            "Get the list from the CA again: AWS takes it only from the trust anchor's CA.",
        )


def _signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        # Its annotation names only the kinds of keys that can sign.
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # see above
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _use(listed: _List, now: datetime) -> Iterator[Concern]:
    """Whether AWS would import the list, and whether it is current."""
    if not listed.pem:
        yield Concern(
            "warn",
            "it is DER, and ImportCrl takes PEM",
            "Convert it with `openssl crl -inform DER -in list.crl -out list.pem`.",
        )
    if not len(listed.crl):
        yield Concern(
            "warn",
            "it is empty, and AWS refuses to import an empty list",
            "Import it once the first certificate is revoked.",
        )
    if listed.size > _MAX_BYTES:
        yield Concern(
            "warn",
            f"it has {listed.size} bytes, and ImportCrl takes {_MAX_BYTES}",
            "Leave out entries whose certificates have expired.",
        )
    start, end = listed.crl.last_update_utc, listed.crl.next_update_utc
    if now < start:
        yield Concern(
            "warn",
            f"it is of {start:%Y-%m-%d}, which is still to come",
            "Look at the CA's clock and at this machine's.",
        )
    if end is not None and now > end:
        yield Concern(
            "warn",
            f"a newer one was due on {end:%Y-%m-%d}",
            "Have the CA make a new list, and import that.",
        )

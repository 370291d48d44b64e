"""A certificate revocation list: what it says, and whether AWS would take it.

The rules are those of the IAM Roles Anywhere User Guide, "Revocation" (ImportCrl takes PEM, up to
300,000 bytes). Users have seen AWS refuse a list without entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.account.revocation.lists import counted, read_list
from boto_rolesanywhere.account.revocation.rules import objections
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.reading import names_der
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.files.reading import read_part

from .verdict import Concern, of_error, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.account.revocation.lists import RevocationList

    from .verdict import Verdict


def check_crl(
    file: str,
    path: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
    now: datetime,
) -> Iterator[Verdict]:
    """Look the certificates up in the list, and judge the list itself."""
    try:
        listed = read_list(read_part(file, "revocation list").data, file)
    except RolesAnywhereError as error:
        yield of_error("crl", error)
        return
    text = f"{listed.issuer}, {counted(listed.entries)}"
    concerns = [*_revoked(path, listed), *_origin(path, known, listed), *_use(listed, now)]
    if not concerns:
        text += ", the certificate is not among them"
    yield summed_up("crl", text, concerns)


def _revoked(path: Sequence[x509.Certificate], listed: RevocationList) -> Iterator[Concern]:
    for certificate in path:
        entry = listed.entry(certificate.serial_number)
        if entry is not None and listed.is_of(names_der(certificate)[0]):
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
    listed: RevocationList,
) -> Iterator[Concern]:
    """Whether the issuer of these certificates issued and signed the list."""
    if not path:
        return
    if not any(listed.is_of(names_der(certificate)[0]) for certificate in path):
        yield Concern(
            "warn",
            "its issuer issued none of the certificates that are sent",
            "Use the list of the CA that issued the certificate.",
        )
        return
    issuers = [certificate for certificate in known if listed.is_of(names_der(certificate)[1])]
    if not issuers:
        yield Concern(
            "warn",
            "its signature is not checked, since its issuer's certificate is not here",
            "Give --trust-anchor-certificate FILE, or the intermediates.",
        )
    elif not any(listed.is_signed_by(certificate) for certificate in issuers):
        yield Concern(
            "warn",
            "its signature does not verify with its issuer's certificate",
            "Get the list from the CA again: AWS takes it only from the trust anchor's CA.",
        )


def _use(listed: RevocationList, now: datetime) -> Iterator[Concern]:
    """Whether AWS would import the list, and whether it is current."""
    if not listed.is_pem:
        yield Concern(
            "warn",
            "it is DER, and ImportCrl takes PEM",
            "Convert it with `openssl crl -inform DER -in list.crl -out list.pem`.",
        )
    if not listed.entries:
        yield Concern(
            "warn",
            "it is empty, and AWS refuses to import an empty list",
            "Import it once the first certificate is revoked.",
        )
    for objection in objections(listed, now, whole=True):
        yield Concern("warn", objection.problem, objection.remedy or "")

"""An authority issues what AWS takes, remembers it, and lists what it revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from key_types import QUICK

from boto_rolesanywhere.authority.authority import Authority, Wish
from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.folder import create_root
from boto_rolesanywhere.authority.keys import KeyType, generate_key
from boto_rolesanywhere.authority.records import Record
from boto_rolesanywhere.authority.revocation import REASONS
from boto_rolesanywhere.certificates.rules import problems
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority

BEGIN = datetime(2026, 6, 1, tzinfo=timezone.utc)


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def authority(tmp_path: Path, time: Time) -> Authority:
    return create_root(tmp_path / "ca", "Example CA", clock=time)


def wish(name: str = "app1", days: int = 90, san: tuple[str, ...] = ()) -> Wish:
    return Wish(
        name=name, subject=name_of(name), san=general_names(san), lifetime=timedelta(days=days)
    )


def listed(authority: Authority, **options: timedelta) -> dict[int, str | None]:
    """The serial numbers of a new list, each with its reason."""
    found = {}
    for entry in authority.sign_list(**options):
        reasons = [
            each.value for each in entry.extensions if isinstance(each.value, x509.CRLReason)
        ]
        found[entry.serial_number] = reasons[0].reason.value if reasons else None
    return found


def number(signed: x509.CertificateRevocationList) -> int:
    return signed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.mark.parametrize("key_type", QUICK)
def test_aws_has_nothing_against_what_is_issued(tmp_path: Path, key_type: KeyType) -> None:
    authority = create_root(tmp_path / "ca", "Example CA", key_type=key_type, clock=lambda: BEGIN)

    issued = authority.issue(wish(san=("DNS:app1.example.com",)), key_type=key_type)
    authority.revoke(issued.serial_number)
    signed = authority.sign_list()

    assert problems(issued.certificate, BEGIN) == ()
    issued.certificate.verify_directly_issued_by(authority.certificate)
    assert issued.private_key.public_key() == issued.certificate.public_key()
    assert signed.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]  # of a CA
    san = issued.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert san.value.get_values_for_type(x509.DNSName) == ["app1.example.com"]


def test_nothing_holds_longer_than_its_ca(authority: Authority, time: Time) -> None:
    time.now = authority.certificate.not_valid_after_utc - timedelta(days=3)

    issued = authority.issue(wish(days=90))

    assert issued.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
    time.now = authority.certificate.not_valid_after_utc
    with pytest.raises(CertificateError) as caught:
        authority.issue(wish())
    assert caught.value.code == "authority-ended"
    assert len(authority.records()) == 1


def test_a_clock_that_is_far_behind_issues_nothing(authority: Authority, time: Time) -> None:
    time.now = BEGIN - timedelta(minutes=4)
    authority.issue(wish())
    time.now = BEGIN - timedelta(days=365)

    with pytest.raises(CertificateError, match="begins later") as caught:
        authority.issue(wish())

    assert caught.value.code == "authority-ended"
    assert "clock" in str(caught.value)


def test_a_clock_a_little_behind_takes_a_new_certificate(authority: Authority) -> None:
    issued = authority.issue(wish())

    assert issued.certificate.not_valid_before_utc == BEGIN - timedelta(minutes=5)
    assert issued.certificate.not_valid_after_utc == BEGIN + timedelta(days=90)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (lambda it: it.issue(Wish(name="a", subject=x509.Name([]))), "certificate-subject"),
        (
            lambda it: it.certify(wish(), ed25519.Ed25519PrivateKey.generate().public_key()),
            "certificate-key",
        ),
        (lambda it: it.revoke(7), "authority-certificate-unknown"),
        (lambda it: it.revoke(7, "because"), "authority-value-unusable"),
        (lambda it: it.latest("app1"), "authority-certificate-unknown"),
    ],
)
def test_what_is_refused_is_not_recorded(
    authority: Authority, refused: Callable[[Authority], object], code: str
) -> None:
    with pytest.raises((CertificateError, ConfigurationError)) as caught:
        refused(authority)

    assert caught.value.code == code
    assert authority.records() == ()


def test_an_authority_below_is_recorded_and_issues_no_further_ones(authority: Authority) -> None:
    key = generate_key("P-256")
    below = authority.issue_authority(
        "Issuing", name_of("Issuing"), key.public_key(), timedelta(days=9)
    )

    constraints = below.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = below.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert authority.find(below.serial_number) == authority.records()[0]


def test_the_newest_of_a_name_is_found(authority: Authority) -> None:
    authority.issue(wish())
    second = authority.issue(wish())
    authority.issue(wish("app2"))

    assert authority.latest("app1") == second.certificate


def test_a_line_of_openssls_alone_cannot_be_renewed(authority: Authority) -> None:
    authority.take_over([Record(serial_number=1, name="old", subject="CN=old", not_after=BEGIN)])

    with pytest.raises(ConfigurationError, match="line of openssl's alone") as caught:
        authority.latest("old")

    assert caught.value.code == "authority-certificate-unknown"


def test_a_list_has_what_is_revoked_and_counts_up(authority: Authority, time: Time) -> None:
    first, second = authority.issue(wish()), authority.issue(wish("app2"))
    authority.issue(wish("app3"))
    assert authority.newest_list() is None
    assert listed(authority) == {}

    authority.revoke(first.serial_number, "keyCompromise")
    time.now += timedelta(days=1)
    authority.revoke(second.serial_number)

    assert listed(authority) == {first.serial_number: "keyCompromise", second.serial_number: None}
    newest = authority.newest_list()
    assert newest is not None
    assert number(newest) == 2
    assert newest.last_update_utc == time.now
    assert newest.next_update_utc == time.now + timedelta(days=7)
    entry = newest.get_revoked_certificate_by_serial_number(first.serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == BEGIN
    assert newest.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]  # of a CA


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_listed(authority: Authority, reason: str) -> None:
    serial = authority.issue(wish()).serial_number
    authority.revoke(serial, reason)

    assert listed(authority) == {serial: None if reason == "unspecified" else reason}


def test_an_ended_certificate_stays_for_one_list_more(authority: Authority, time: Time) -> None:
    serial = authority.issue(wish(days=10)).serial_number
    authority.revoke(serial)

    time.now += timedelta(days=16)
    assert list(listed(authority, lifetime=timedelta(days=7))) == [serial]
    time.now += timedelta(days=1)
    assert list(listed(authority, lifetime=timedelta(days=7))) == []


def test_the_first_revocation_counts(authority: Authority, time: Time) -> None:
    serial = authority.issue(wish()).serial_number
    first = authority.revoke(serial, "superseded")
    time.now += timedelta(days=1)

    assert authority.revoke(serial, "keyCompromise") == first
    assert (first.revoked_at, first.reason) == (BEGIN, "superseded")


def test_what_another_program_recorded_is_taken_over_once(authority: Authority) -> None:
    def record(serial: int, revoked_at: datetime | None = None) -> Record:
        return Record(
            serial_number=serial,
            name=f"app{serial}",
            subject=f"CN=app{serial}",
            not_after=BEGIN + timedelta(days=9),
            revoked_at=revoked_at,
        )

    assert authority.take_over([record(1), record(2)], list_number=30) == (2, 0)
    # It went on: one more certificate, and one of those that were there is revoked.
    later = [record(1, BEGIN), record(2), record(3, BEGIN)]
    assert authority.take_over(later, list_number=30) == (1, 1)
    assert authority.take_over(later) == (0, 0)

    assert set(listed(authority)) == {1, 3}
    newest = authority.newest_list()
    assert newest is not None
    assert number(newest) == 31


@pytest.mark.parametrize("slip", ["issuer", "serial number"])
def test_another_cas_certificate_is_not_taken_over(authority: Authority, slip: str) -> None:
    issuer = CertificateAuthority("Another CA") if slip == "issuer" else None
    foreign = issuer.issue("app9") if issuer else authority.issue(wish("app9"))
    serial = foreign.serial_number + (slip == "serial number")
    ours = [Record(serial_number=1, name="app1", subject="CN=app1", not_after=BEGIN)]
    theirs = Record(
        serial_number=serial,
        name="app9",
        subject="CN=app9",
        not_after=BEGIN,
        der=foreign.certificate.public_bytes(Encoding.DER),
    )

    with pytest.raises(CertificateError, match="not this CA's") as caught:
        authority.take_over([*ours, theirs])

    assert caught.value.code == "authority-certificate-unknown"
    assert authority.find(1) is None  # all of it, or nothing


def test_a_revocation_made_here_outlasts_an_import(authority: Authority) -> None:
    issued = authority.issue(wish())
    authority.revoke(issued.serial_number, "keyCompromise")
    (record,) = authority.records()

    theirs = Record(
        serial_number=record.serial_number,
        name=record.name,
        subject=record.subject,
        not_after=record.not_after,
    )

    assert authority.take_over([theirs]) == (0, 0)
    assert authority.records() == (record,)


def test_a_repr_shows_no_key(authority: Authority) -> None:
    authority.issue(wish())

    assert repr(authority) == f"<Authority CN=Example CA in {authority.folder}>"

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from sessions import keys_from

from boto_rolesanywhere.create_session.denials import DENIALS, find_denial
from boto_rolesanywhere.create_session.diagnosis import clock_finding, service_time
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.faults import ErrorStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Untrusted certificate. Insufficient certificate", "keyUsage lacks digitalSignature"),
        ("Untrusted signing certificate", "another CA than the trust anchor's"),
        ("Invalid signature", "clock is off"),
        ("Unable to assume role for arn:aws:iam::123456789012:role/x", "trust policy"),
        (
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "above the role's maximum",
        ),
        ("Not authorized to set roleSessionName", "does not accept role session names"),
        ("Invalid or empty profile provided.", "deleted or disabled"),
        ("Requested Role isn't one of those listed in the Profile.", "not attached"),
        ("Specified Trust Anchor wasn't found.", "ARN is wrong"),
        ("Certificate revoked", "enabled CRL"),
    ],
)
def test_each_string_of_the_service_is_explained(message: str, cause: str) -> None:
    denial = find_denial(message)

    assert denial is not None
    assert cause in denial.causes[0]
    assert denial.remedy.endswith(".")


@pytest.mark.parametrize(
    "message",
    [
        "Unable to assume role for x. Some attributes failed to be mapped into session tags. SAN:",
        "Unable to assume role. Some attributes failed to be mapped into session tags. Issuer: [",
        "some attributes fail to be mapped into session tags: [...]; subject: [CN]. SAN:[]",
    ],
)
def test_attributes_that_could_not_become_tags_are_the_cause(message: str) -> None:
    denial = find_denial(message)

    assert denial is not None
    assert denial.code == "denied-role-not-assumable"
    assert "could not become session tags" in denial.causes[0]
    assert "delete-attribute-mapping" in denial.remedy


def test_a_denied_role_is_told_which_values_are_no_session_tags() -> None:
    ca = CertificateAuthority()
    with Emulator(ca) as emulator:
        said = "Unable to assume role. Some attributes failed to be mapped into session tags."
        emulator.inject(ErrorStatus(403, "AccessDeniedException", said))

        with pytest.raises(SessionDeniedError) as refusal:
            keys_from(emulator, ca.issue(subject="CN=John (EMP1),O=Example"))

    (told,) = [finding for finding in refusal.value.findings if "session tag" in finding]
    assert told.startswith("no session tag x509Subject/CN: STS refuses '(' ')' in a value")


@pytest.mark.parametrize(
    "message",
    [
        "Unable to assume role. Some attributes failed to be mapped into session tags. Issuer: []",
        "Unable to assume role for arn:aws:iam::123456789012:role/x",
    ],
)
def test_a_denied_role_names_trusted_identity_propagation_among_the_causes(message: str) -> None:
    denial = find_denial(message)

    assert denial is not None
    assert any("trusted identity propagation" in cause for cause in denial.causes)


def test_an_unknown_string_is_not_explained() -> None:
    assert find_denial("Something new") is None
    assert find_denial("") is None


def test_no_entry_hides_another() -> None:
    for denial in DENIALS:
        assert find_denial(denial.text) is denial


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (0, None),
        (20, None),
        (-20, None),
        (45, "0 min 45 s ahead of the service's"),
        (-125, "2 min 5 s behind the service's"),
        (720, "12 min 0 s ahead of the service's, which is more than the 5 minutes allowed"),
    ],
)
def test_a_clock_that_is_off_is_said_with_amount_and_side(offset: int, words: str | None) -> None:
    finding = clock_finding(NOW + timedelta(seconds=offset), NOW)

    assert finding == (words and f"this machine's clock is {words}")


def test_a_refused_certificate_is_told_where_it_names_its_revocation_list() -> None:
    ca, url = CertificateAuthority(), "http://ca.example/list.crl"
    names = [x509.UniformResourceIdentifier(url)]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    issued = ca.issue("web-1", extensions=[(points, False)])
    with Emulator(ca) as emulator:
        emulator.import_crl(ca.crl([issued]))

        with pytest.raises(SessionDeniedError) as refusal:
            keys_from(emulator, issued)

    assert refusal.value.code == "denied-certificate-revoked"
    assert any(url in finding for finding in refusal.value.findings)


def test_an_alias_is_told_when_nothing_is_found_behind_it() -> None:
    ca = CertificateAuthority()
    with Emulator(ca) as emulator:
        alias = emulator.trust_anchor_arn.replace(":trust-anchor/", ":alias/trust-anchor/")

        with pytest.raises(SessionDeniedError) as refusal:
            keys_from(emulator, ca.issue("web-1"), anchor=alias)

    assert refusal.value.code == "denied-trust-anchor-unknown"
    assert any("alias" in finding for finding in refusal.value.findings)


def test_without_the_services_time_nothing_is_said_of_the_clock() -> None:
    assert clock_finding(NOW, None) is None


def test_a_date_header_is_read() -> None:
    assert service_time("Fri, 02 Jan 2026 03:04:05 GMT") == NOW


# The strategy adds the zone, and takes a bound without one.
@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(timezone.utc)))  # noqa: DTZ001
def test_any_date_header_is_read_as_it_was_written(time: datetime) -> None:
    assert service_time(format_datetime(time, usegmt=True)) == time.replace(microsecond=0)


@given(st.none() | st.text(max_size=40))
def test_any_date_header_gives_an_aware_time_or_none(header: str | None) -> None:
    time = service_time(header)

    assert time is None or time.tzinfo is not None

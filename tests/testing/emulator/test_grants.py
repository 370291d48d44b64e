"""Anchors, profiles, roles, names and durations: who gets which session."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import (
    CertificateAuthority,
    Emulator,
    IssuedCertificate,
    Profile,
    Role,
    TrustAnchor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Client

ACCOUNT = "123456789012"
PREFIX = f"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}"
DENIED = "AccessDeniedException"
NO_ANCHOR = (403, DENIED, "Specified Trust Anchor wasn't found.")
NO_PROFILE = (403, DENIED, "Invalid or empty profile provided.")
NOT_LISTED = (403, DENIED, "Requested Role isn't one of those listed in the Profile.")
NO_NAMES = (403, DENIED, "Not authorized to set roleSessionName")
TOO_LONG = (
    403,
    DENIED,
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
)


def unable(arn: str) -> tuple[int, str, str]:
    return 403, DENIED, f"Unable to assume role for {arn}"


def in_query(emulator: Emulator, **others: str) -> str:
    arns = {
        "trustAnchorArn": emulator.trust_anchor_arn,
        "profileArn": emulator.profile_arn,
        "roleArn": emulator.role_arn,
        **others,
    }
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in arns.items())


def test_arns_may_stand_in_the_query(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    assert client.create(issued, query=in_query(emulator), body=b"").status == 201
    body = json.dumps({"durationSeconds": 900, "cert": "ignored", "instanceProperties": None})
    answer = client.create(issued, query=in_query(emulator), body=body.encode())
    assert answer.status == 201
    assert answer.lifetime == 900
    assert emulator.requests[-1].role_arn == emulator.role_arn


def test_the_duration_may_stand_in_the_query(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    query = in_query(emulator, durationSeconds="901")
    assert client.create(issued, query=query, body=b"").lifetime == 901


@pytest.mark.parametrize(
    "changes",
    [
        {"trustAnchorArn": None},
        {"profileArn": None},
        {"roleArn": None},
        {"trustAnchorArn": ""},
        {"trustAnchorArn": 7},
        {"trustAnchorArn": f"{PREFIX}:profile/x"},
        {"profileArn": f"{PREFIX}:trust-anchor/x"},
        {"roleArn": f"arn:aws:iam::{ACCOUNT}:user/x"},
        {"durationSeconds": 899},
        {"durationSeconds": 43201},
        {"durationSeconds": 1000.5},
        {"durationSeconds": True},
        {"durationSeconds": "soon"},
        {"durationSeconds": "901"},
        {"roleSessionName": "x"},
        {"roleSessionName": "x" * 65},
        {"roleSessionName": "with space"},
        {"roleSessionName": 17},
        {"body": b"{"},
        {"body": b"[]"},
    ],
    ids=str,
)
def test_missing_and_malformed_parameters(
    client: Client, issued: IssuedCertificate, changes: dict[str, object]
) -> None:
    status, code, message = client.create(issued, **changes).refusal
    assert (status, code) == (400, "ValidationException")
    assert message


def test_the_first_profile_and_role_can_be_given(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    arns = {
        "trust_anchor_arn": "arn:aws-cn:rolesanywhere:cn-north-1:999:trust-anchor/a",
        "profile_arn": "arn:aws-cn:rolesanywhere:cn-north-1:999:profile/p",
        "role_arn": "arn:aws-cn:iam::999:role/path/Name",
    }
    with Emulator(ca, **arns) as emulator:
        assert (emulator.region, emulator.account) == ("cn-north-1", "999")
        answer = client_of(emulator).create(issued)
    assert answer.status == 201
    assert answer.session["roleArn"] == arns["role_arn"]
    user = answer.session["assumedRoleUser"]
    assert user["arn"].startswith("arn:aws-cn:sts::999:assumed-role/Name/")
    assert answer.json["subjectArn"].startswith("arn:aws-cn:rolesanywhere:cn-north-1:999:subject/")


def test_an_unknown_anchor(client: Client, issued: IssuedCertificate) -> None:
    other = f"{PREFIX}:trust-anchor/other"
    assert client.create(issued, trustAnchorArn=other).refusal == NO_ANCHOR


def test_an_anchor_of_another_region(
    client: Client, emulator: Emulator, ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    arn = f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:trust-anchor/a"
    emulator.add(TrustAnchor(arn=arn, certificates=(ca.certificate,)))
    assert client.create(issued, trustAnchorArn=arn).refusal == NO_ANCHOR


def test_a_disabled_anchor_is_refused_and_an_enabled_one_works_again(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    enabled = emulator.trust_anchor
    emulator.add(replace(enabled, enabled=False))
    # The words are a guess.
    assert client.create(issued).refusal == (403, DENIED, "Specified Trust Anchor is disabled.")
    emulator.add(enabled)
    assert client.create(issued).status == 201


def test_a_removed_anchor_profile_or_role_is_gone(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca) as emulator:
        client = client_of(emulator)
        emulator.remove(emulator.role_arn)
        with pytest.raises(ConfigurationError, match="the first role was removed"):
            assert emulator.role
        assert client.create(issued).refusal == unable(emulator.role_arn)
        emulator.remove(emulator.profile_arn)
        assert client.create(issued).refusal == NO_PROFILE
        emulator.remove(emulator.trust_anchor_arn)
        assert client.create(issued).refusal == NO_ANCHOR


def test_each_anchor_trusts_its_own_authority(
    client_of: Callable[[Emulator], Client],
) -> None:
    first, second = CertificateAuthority("First"), CertificateAuthority("Second")
    arn = f"{PREFIX}:trust-anchor/second"
    anchor = TrustAnchor(arn=arn, certificates=(second.certificate,))
    with Emulator(first, trust_anchors=[anchor]) as emulator:
        client = client_of(emulator)
        untrusted = (403, DENIED, "Untrusted signing certificate")
        assert client.create(first.issue()).status == 201
        assert client.create(second.issue()).refusal == untrusted
        assert client.create(second.issue(), trustAnchorArn=arn).status == 201
        assert client.create(first.issue(), trustAnchorArn=arn).refusal == untrusted


def test_aliases_mean_what_they_name(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    anchor, profile = f"{PREFIX}:alias/trust-anchor/main", f"{PREFIX}:alias/profile/main"
    assert client.create(issued, trustAnchorArn=anchor).refusal == NO_ANCHOR
    assert client.create(issued, profileArn=profile).refusal == NO_PROFILE
    emulator.add(replace(emulator.trust_anchor, aliases=(anchor,)))
    emulator.add(replace(emulator.profile, aliases=(profile,)))
    assert client.create(issued, trustAnchorArn=anchor, profileArn=profile).status == 201


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"role_arns": ()}], ids=["disabled", "without roles"]
)
def test_a_profile_that_gives_nothing(
    client: Client, emulator: Emulator, issued: IssuedCertificate, changes: dict[str, object]
) -> None:
    emulator.add(replace(emulator.profile, **changes))
    assert client.create(issued).refusal == NO_PROFILE


@pytest.mark.parametrize(
    "arn",
    [
        f"{PREFIX}:profile/unknown",
        f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:profile/p",
        "arn:aws:rolesanywhere:eu-west-1:999999999999:profile/p",
    ],
)
def test_an_unknown_profile_or_one_of_another_region_or_account(
    client: Client, emulator: Emulator, issued: IssuedCertificate, arn: str
) -> None:
    if not arn.endswith("unknown"):
        emulator.add(Profile(arn=arn, role_arns=(emulator.role_arn,)))
    assert client.create(issued, profileArn=arn).refusal == NO_PROFILE


def test_a_role_must_be_in_the_profile_with_its_path(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    full, short = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("team/App", "App"))
    emulator.add(Role(arn=full))
    assert client.create(issued, roleArn=full).refusal == NOT_LISTED
    emulator.add(replace(emulator.profile, role_arns=(full,)))
    assert client.create(issued, roleArn=short).refusal == NOT_LISTED
    answer = client.create(issued, roleArn=full)
    assert f"{ACCOUNT}:assumed-role/App/" in answer.session["assumedRoleUser"]["arn"]


def test_a_trust_policy_that_does_not_let_the_certificate_in(
    client: Client, emulator: Emulator, ca: CertificateAuthority
) -> None:
    role = emulator.role
    wanted = {"x509Subject/CN": "app-1", "x509SAN/DNS": "app-1.example.com"}
    right = ca.issue("app-1", san=("DNS:app-1.example.com", "DNS:second.example.com"))
    emulator.add(replace(role, required_tags=wanted))
    assert client.create(right).status == 201
    assert client.create(ca.issue("app-2", san=("DNS:app-1.example.com",))).refusal == unable(
        role.arn
    )
    assert client.create(ca.issue("app-1")).refusal == unable(role.arn)
    emulator.add(replace(emulator.profile, attribute_mappings={"x509Subject": ("CN",)}))
    assert client.create(right).refusal == unable(role.arn)  # no longer mapped
    emulator.add(replace(role, required_source_arn=emulator.trust_anchor_arn))
    assert client.create(right).status == 201
    emulator.add(replace(role, required_source_arn=f"{PREFIX}:trust-anchor/other"))
    assert client.create(right).refusal == unable(role.arn)
    emulator.add(replace(role, trusts_service=False))
    assert client.create(right).refusal == unable(role.arn)


def test_a_session_name_needs_the_profiles_consent(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    assert client.create(issued, roleSessionName="batch-7").refusal == NO_NAMES
    emulator.add(replace(emulator.profile, accept_role_session_name=True))
    user = client.create(issued, roleSessionName="batch-7").session["assumedRoleUser"]
    assert user["arn"].endswith(":assumed-role/RolesAnywhere/batch-7")
    assert user["assumedRoleId"].endswith(":batch-7")


def test_the_deprecated_session_name_is_not_looked_at(
    client: Client, issued: IssuedCertificate
) -> None:
    user = client.create(issued, sessionName="old").session["assumedRoleUser"]
    assert not user["arn"].endswith("/old")


def test_by_default_the_session_is_named_by_the_serial_number(
    client: Client, ca: CertificateAuthority
) -> None:
    issued = ca.issue("app", serial_number=0xABC)
    answer = client.create(issued)
    assert answer.session["assumedRoleUser"]["arn"].endswith("/0abc")
    assert answer.session["sourceIdentity"] == "CN=app"


def test_the_same_role_and_subject_have_the_same_ids(
    client: Client, ca: CertificateAuthority
) -> None:
    first, second, other = (client.create(ca.issue(name)) for name in ("app", "app", "other"))

    def role_id(answer: object) -> str:
        return answer.session["assumedRoleUser"]["assumedRoleId"].partition(":")[0]

    assert role_id(first) == role_id(second)
    assert len(role_id(first)) == 21
    assert first.json["subjectArn"] == second.json["subjectArn"] != other.json["subjectArn"]
    keys = {answer.session["credentials"]["accessKeyId"] for answer in (first, second, other)}
    assert len(keys) == 3
    assert 0 < first.session["packedPolicySize"] < 100


@pytest.mark.parametrize(
    ("profile", "asked", "lifetime"),
    [
        (3600, None, 3600),
        (3600, 900, 900),
        (900, 3600, 900),
        (43200, None, 43200),
        (43200, 43200, 43200),
    ],
)
def test_the_shorter_of_profile_and_request_holds(
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    client_of: Callable[[Emulator], Client],
    profile: int,
    asked: int | None,
    lifetime: int,
) -> None:
    with Emulator(ca, profile_duration=profile, role_max_duration=43200) as emulator:
        assert client_of(emulator).create(issued, durationSeconds=asked).lifetime == lifetime


def test_the_roles_maximum_is_not_exceeded(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca, profile_duration=7200) as emulator:
        client = client_of(emulator)
        assert client.create(issued).refusal == TOO_LONG
        assert client.create(issued, durationSeconds=3601).refusal == TOO_LONG
        assert client.create(issued, durationSeconds=3600).lifetime == 3600


def test_lifetimes_can_be_limited_below_the_services_minimum(
    client: Client, emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.max_lifetime = 5
    assert 4 <= client.create(issued, durationSeconds=900).lifetime <= 5
    emulator.max_lifetime = None
    assert client.create(issued, durationSeconds=900).lifetime == 900


def test_other_paths_and_methods_are_no_operation(
    client: Client, issued: IssuedCertificate
) -> None:
    for changes in ({"path": "/session"}, {"path": "/"}, {"method": "PUT"}, {"method": "GET"}):
        status, code, _ = client.create(issued, **changes).refusal
        assert (status, code) == (404, "UnknownOperationException")

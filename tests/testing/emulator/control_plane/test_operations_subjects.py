"""Subjects, and what they asked for."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timezone

import pytest
from control_plane_calls import MISSING, NOBODY, ROLE, Administrator, refusal
from sessions import keys_from

from boto_rolesanywhere.errors import ServiceError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.emulator.subjects import Subjects


def test_subjects_are_those_who_asked(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    issued = ca.issue("app1")
    for role in (emulator.role_arn, ROLE):
        failed = role == ROLE
        with pytest.raises(ServiceError) if failed else nullcontext():
            keys_from(emulator, issued, role=role)
        (summary,) = admin.list_subjects()["subjects"]
        detail = admin.get_subject(subjectId=summary["subjectId"])["subject"]
        (credential,) = detail["credentials"]
        assert credential["failed"] is failed
    assert summary["x509Subject"] == issued.certificate.subject.rfc4514_string()
    assert credential["x509CertificateData"].encode() == issued.certificate_pem
    assert credential["serialNumber"] == str(issued.certificate.serial_number)
    assert refusal(admin.get_subject, subjectId=NOBODY) == MISSING


def test_tip_denies_a_certificate_without_the_field(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    tip = {"status": "ENABLED", "subjectSource": "x509SAN/URI", "subjectType": "workload"}
    admin.update_profile(profileId=emulator.profile_arn, tipConfiguration=tip)

    def session(**names: tuple[str, ...]) -> object:
        issued = ca.issue("app1", **names)  # type: ignore[arg-type]  # one name or several
        return keys_from(emulator, issued)

    assert session(san=("URI:spiffe://example/app1",))
    with pytest.raises(ServiceError, match="trusted identity propagation"):
        session()
    admin.delete_attribute_mapping(
        profileId=emulator.profile_arn, certificateField="x509SAN", specifiers=["URI"]
    )
    with pytest.raises(ServiceError, match="trusted identity propagation"):
        session(san=("URI:spiffe://example/app1",))


def test_a_sessions_record_says_what_limits_it(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    tip = {"status": "ENABLED", "subjectType": "workload"}  # from x509Subject/CN by default
    profile = admin.create_profile(
        name="app",
        roleArns=[ROLE],
        sessionPolicy=policy,
        managedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        tipConfiguration=tip,
    )["profile"]
    admin.delete_attribute_mapping(profileId=profile["profileId"], certificateField="x509Issuer")
    issued = ca.issue("app1")
    keys_from(emulator, issued, profile=profile["profileArn"], role=ROLE)
    record = emulator.requests[-1]
    assert (record.operation, record.outcome) == ("CreateSession", "created")
    assert record.session_policy == policy
    assert record.managed_policy_arns == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert record.principal_tags == {"x509Subject/CN": "app1"}
    assert record.origin_identity == {"Subject": "app1", "SubjectType": "workload"}
    assert [each.operation for each in emulator.requests[:2]] == [
        "CreateProfile",
        "DeleteAttributeMapping",
    ]


def test_who_is_refused_is_a_subject_unless_nobody_vouches(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    revoked = ca.issue("revoked")
    emulator.import_crl(ca.crl((revoked,)))
    for each in (revoked, CertificateAuthority("Other").issue("stranger")):
        with pytest.raises(ServiceError):
            keys_from(emulator, each)
    names = [subject["x509Subject"] for subject in admin.list_subjects()["subjects"]]
    assert names == ["CN=revoked"]


def test_of_very_many_subjects_the_last_stay(ca: CertificateAuthority) -> None:
    subjects, now = Subjects(), datetime(2026, 11, 28, tzinfo=timezone.utc)
    one = ca.issue("one").certificate
    several = [ca.issue("two").certificate for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("boto_rolesanywhere.testing.emulator.subjects.MOST_SUBJECTS", 1)
        patch.setattr("boto_rolesanywhere.testing.emulator.subjects.MOST_CREDENTIALS", 2)
        for certificate in (one, *several):
            subjects.note(certificate, "arn:aws:rolesanywhere:r:1", now, failed=False)
    (left,) = subjects.all()
    detail = subjects.one(str(left["subjectId"]))
    assert detail is not None
    serials = [each["serialNumber"] for each in detail["credentials"]]  # type: ignore[attr-defined]
    assert serials == [str(each.serial_number) for each in several[1:]]

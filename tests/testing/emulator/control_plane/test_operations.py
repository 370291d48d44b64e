"""The control plane, asked by boto3's own client as an administrator asks the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from sessions import keys_from

from boto_rolesanywhere.errors import ServiceError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults
from boto_rolesanywhere.testing.emulator.control_plane.operations import OPERATIONS
from boto_rolesanywhere.testing.emulator.subjects import Subjects

ROLE = "arn:aws:iam::123456789012:role/app1"
Administrator = Any


def client(emulator: Emulator, secret: str = "any", **options: object) -> Administrator:
    return boto3.client(
        "rolesanywhere",
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        aws_access_key_id="AKIDADMIN",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **options),
    )


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as emulator:
        yield emulator


@pytest.fixture
def admin(emulator: Emulator) -> Administrator:
    return client(emulator)


def bundle(ca: CertificateAuthority) -> dict[str, object]:
    data = {"x509CertificateData": ca.certificate_pem.decode()}
    return {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data}


def refusal(call: Callable[..., object], **parameters: object) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


INVALID, MISSING = (400, "ValidationException"), (404, "ResourceNotFoundException")
NOBODY = "01234567-89ab-cdef-0123-456789abcdef"


def test_every_operation_of_botocores_model_is_there() -> None:
    model = botocore.session.Session().get_service_model("rolesanywhere")
    assert set(OPERATIONS) == set(model.operation_names)


def test_what_was_made_gives_sessions(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    own = CertificateAuthority("Own CA")
    anchor = admin.create_trust_anchor(name="own", source=bundle(own))["trustAnchor"]
    profile = admin.create_profile(name="app", roleArns=[ROLE], durationSeconds=900)["profile"]

    def session(authority: CertificateAuthority = own) -> object:
        issued = authority.issue("app1")
        arns = {"anchor": anchor["trustAnchorArn"], "profile": profile["profileArn"]}
        return keys_from(emulator, issued, role=ROLE, **arns)

    assert session()
    with pytest.raises(ServiceError, match="Untrusted signing certificate"):
        session(ca)
    admin.disable_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    with pytest.raises(ServiceError, match="disabled"):
        session()
    admin.enable_trust_anchor(trustAnchorId=anchor["trustAnchorArn"])
    admin.disable_profile(profileId=profile["profileId"])
    with pytest.raises(ServiceError, match="Invalid or empty profile"):
        session()
    admin.enable_profile(profileId=profile["profileId"])
    assert session()
    admin.delete_profile(profileId=profile["profileId"])
    with pytest.raises(ServiceError, match="Invalid or empty profile"):
        session()


def test_a_trust_anchor_keeps_all_that_it_was_given(
    ca: CertificateAuthority, admin: Administrator
) -> None:
    made = admin.create_trust_anchor(
        name="on premises",
        source=bundle(ca),
        enabled=False,
        crlDpRevocationEnabled=True,
        aliasName="onprem",
        tags=[{"key": "made-by", "value": "test"}],
        notificationSettings=[
            {"enabled": False, "event": "CA_CERTIFICATE_EXPIRY", "threshold": 10, "channel": "ALL"}
        ],
    )["trustAnchor"]
    assert made["enabled"] is False
    assert made["crlDpRevocationEnabled"] is True
    assert made["aliasArn"].endswith(":alias/trust-anchor/onprem")
    assert admin.get_trust_anchor(trustAnchorId=made["aliasArn"])["trustAnchor"] == made
    tags = admin.list_tags_for_resource(resourceArn=made["trustAnchorArn"])["tags"]
    assert tags == [{"key": "made-by", "value": "test"}]
    by_event = {each["event"]: each for each in made["notificationSettings"]}
    assert by_event["CA_CERTIFICATE_EXPIRY"]["threshold"] == 10
    assert by_event["CA_CERTIFICATE_EXPIRY"]["configuredBy"] == "123456789012"
    assert by_event["END_ENTITY_CERTIFICATE_EXPIRY"]["configuredBy"] == (
        "rolesanywhere.amazonaws.com"
    )
    changed = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="other")
    assert changed["trustAnchor"]["previousAliasName"] == "onprem"
    assert changed["trustAnchor"]["source"] == made["source"]
    held = admin.get_trust_anchor(trustAnchorId=made["trustAnchorId"])["trustAnchor"]
    assert "previousAliasName" not in held  # of the update's own answer alone
    gone = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], aliasName="")
    assert "aliasName" not in gone["trustAnchor"]
    assert gone["trustAnchor"]["previousAliasName"] == "other"
    again = admin.update_trust_anchor(trustAnchorId=made["trustAnchorId"], name="other")
    assert "previousAliasName" not in again["trustAnchor"]
    assert refusal(admin.get_trust_anchor, trustAnchorId=made["aliasArn"]) == MISSING


def test_notification_settings_are_put_and_reset(emulator: Emulator, admin: Administrator) -> None:
    anchor = emulator.trust_anchor_arn.rpartition("/")[2]
    setting = {"enabled": True, "event": "END_ENTITY_CERTIFICATE_EXPIRY", "threshold": 7}

    def threshold(answer: Any) -> int:  # noqa: ANN401  # boto3's
        settings = answer["trustAnchor"]["notificationSettings"]
        return next(each["threshold"] for each in settings if each["event"] == setting["event"])

    put = admin.put_notification_settings(trustAnchorId=anchor, notificationSettings=[setting])
    assert threshold(put) == 7
    key = {"event": setting["event"]}
    reset = admin.reset_notification_settings(trustAnchorId=anchor, notificationSettingKeys=[key])
    assert threshold(reset) == 45
    assert len(reset["trustAnchor"]["notificationSettings"]) == 2


def test_a_profile_keeps_all_that_it_was_given(admin: Administrator) -> None:
    given = {
        "name": "app",
        "roleArns": [ROLE],
        "sessionPolicy": '{"Version":"2012-10-17","Statement":[]}',
        "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "durationSeconds": 7200,
        "requireInstanceProperties": True,
        "acceptRoleSessionName": True,
        "aliasName": "apps/one",
        "tipConfiguration": {
            "status": "ENABLED",
            "subjectSource": "x509Subject/CN",
            "subjectType": "workload",
        },
    }
    made = admin.create_profile(**given)["profile"]
    assert given.items() <= made.items()
    identifier = made["profileId"]
    mapped = admin.put_attribute_mapping(
        profileId=identifier, certificateField="x509Subject", mappingRules=[{"specifier": "CN"}]
    )["profile"]["attributeMappings"]
    rules = {each["certificateField"]: each["mappingRules"] for each in mapped}
    assert rules["x509Subject"] == [{"specifier": "CN"}]
    left = admin.delete_attribute_mapping(
        profileId=identifier, certificateField="x509SAN", specifiers=["DNS", "URI"]
    )["profile"]["attributeMappings"]
    rules = {each["certificateField"]: each["mappingRules"] for each in left}
    assert rules["x509SAN"] == [{"specifier": "Name/*"}]
    changed = admin.update_profile(profileId=identifier, roleArns=[])["profile"]
    assert changed["roleArns"] == []
    assert changed["sessionPolicy"] == given["sessionPolicy"]


def test_without_a_duration_it_is_an_hour(admin: Administrator) -> None:
    made = admin.create_profile(name="app", roleArns=[])["profile"]
    assert made["durationSeconds"] == 3600


def test_lists_come_in_pages(admin: Administrator) -> None:
    for number in range(5):
        admin.create_profile(name=f"p{number}", roleArns=[])
    pages = list(admin.get_paginator("list_profiles").paginate(pageSize=2))
    assert [len(page["profiles"]) for page in pages] == [2, 2, 2]  # with the emulator's first
    names = [profile["name"] for page in pages for profile in page["profiles"]]
    assert names[1:] == [f"p{number}" for number in range(5)]
    for odd in ("!", "WzFd", "WzEsMl0="):  # no Base64, [1], [1,2]
        assert refusal(admin.list_profiles, nextToken=odd) == INVALID
    for size in (0, -1, 1001):
        assert refusal(admin.list_profiles, pageSize=size) == INVALID


def test_what_is_deleted_meanwhile_hides_nothing_from_the_next_page(admin: Administrator) -> None:
    made = [admin.create_profile(name=f"p{n}", roleArns=[])["profile"] for n in range(4)]
    first = admin.list_profiles(pageSize=3)
    admin.delete_profile(profileId=made[0]["profileId"])
    admin.delete_profile(profileId=made[1]["profileId"])  # the last one of the first page
    second = admin.list_profiles(pageSize=3, nextToken=first["nextToken"])
    assert [profile["name"] for profile in second["profiles"]] == ["p2", "p3"]
    assert "nextToken" not in second


def test_names_are_not_unique_and_aliases_are(admin: Administrator) -> None:
    first = admin.create_profile(name="app", roleArns=[], aliasName="app")["profile"]
    second = admin.create_profile(name="app", roleArns=[])["profile"]
    assert first["profileArn"] != second["profileArn"]
    assert refusal(admin.create_profile, name="b", roleArns=[], aliasName="app") == INVALID
    assert refusal(admin.update_profile, profileId=second["profileId"], aliasName="app") == INVALID


class TestRevocationLists:
    def test_one_that_is_imported_is_disabled_until_it_is_enabled(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        issued = ca.issue("app1")
        imported = admin.import_crl(
            name="all", crlData=ca.crl((issued,)), trustAnchorArn=emulator.trust_anchor_arn
        )["crl"]
        assert imported["enabled"] is False

        def session() -> object:
            return keys_from(emulator, issued)

        assert session()
        admin.enable_crl(crlId=imported["crlId"])
        with pytest.raises(ServiceError, match="Certificate revoked"):
            session()
        updated = admin.update_crl(crlId=imported["crlId"], crlData=ca.crl((1,)))["crl"]
        assert updated["enabled"] is True
        assert session()
        assert admin.get_crl(crlId=imported["crlArn"])["crl"]["crlData"] == updated["crlData"]

    def test_the_same_name_adds_one_and_two_is_the_most(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        given = {
            "name": "all",
            "crlData": ca.crl((1,)),
            "trustAnchorArn": emulator.trust_anchor_arn,
        }
        first, second = (admin.import_crl(**given)["crl"] for _ in range(2))
        assert first["crlId"] != second["crlId"]
        assert refusal(admin.import_crl, **given) == INVALID
        admin.delete_crl(crlId=first["crlId"])
        assert admin.import_crl(**given)

    def test_what_aws_refuses_is_refused(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        anchor = emulator.trust_anchor_arn
        for data in (ca.crl(()), b"no list", ca.crl((1,)) + b"\n" * 300_000):
            unchecked = client(emulator, parameter_validation=False)
            assert (
                refusal(unchecked.import_crl, name="x", crlData=data, trustAnchorArn=anchor)
                == INVALID
            )
        admin.update_trust_anchor(trustAnchorId=anchor, aliasName="onprem")
        alias = admin.get_trust_anchor(trustAnchorId=anchor)["trustAnchor"]["aliasArn"]
        assert (
            refusal(admin.import_crl, name="x", crlData=ca.crl((1,)), trustAnchorArn=alias)
            == MISSING
        )


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


def test_tags_are_added_removed_and_limited(emulator: Emulator, admin: Administrator) -> None:
    arn = emulator.profile_arn
    admin.tag_resource(resourceArn=arn, tags=[{"key": f"k{n}", "value": "v"} for n in range(200)])
    one_more = [{"key": "one", "value": "more"}]
    assert refusal(admin.tag_resource, resourceArn=arn, tags=one_more) == (
        400,
        "TooManyTagsException",
    )
    admin.untag_resource(resourceArn=arn, tagKeys=["k0"])
    admin.tag_resource(resourceArn=arn, tags=one_more)
    tags = admin.list_tags_for_resource(resourceArn=arn)["tags"]
    assert len(tags) == 200
    assert one_more[0] in tags
    elsewhere = arn.rpartition("/")[0] + "/" + NOBODY
    assert refusal(admin.list_tags_for_resource, resourceArn=elsewhere) == MISSING


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_profile", {"name": "", "roleArns": []}),
        ("create_profile", {"name": "a/b", "roleArns": []}),
        ("create_profile", {"name": "a", "roleArns": ["no ARN"]}),
        ("create_profile", {"name": "a", "roleArns": [ROLE] * 251}),
        ("create_profile", {"name": "a", "roleArns": [], "durationSeconds": 899}),
        ("create_profile", {"name": "a", "roleArns": [], "durationSeconds": 43201}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "1a"}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "a//b"}),
        ("create_profile", {"name": "a", "roleArns": [], "aliasName": "AWS/x"}),
        ("create_profile", {"name": "a", "roleArns": [], "managedPolicyArns": ["x"] * 51}),
        ("create_profile", {"name": "a", "roleArns": [], "tags": [{"key": "", "value": ""}]}),
        ("create_profile", {"name": "a", "roleArns": [], "tipConfiguration": {"status": "X"}}),
        ("create_trust_anchor", {"name": "a", "source": {"sourceType": "X", "sourceData": {}}}),
        (
            "create_trust_anchor",
            {
                "name": "a",
                "source": {
                    "sourceType": "CERTIFICATE_BUNDLE",
                    "sourceData": {"x509CertificateData": "x" * 204_801},
                },
            },
        ),
    ],
)
def test_values_out_of_their_limits_are_refused(
    operation: str, parameters: dict[str, object], emulator: Emulator
) -> None:
    unchecked = client(emulator, parameter_validation=False)
    assert refusal(getattr(unchecked, operation), **parameters) == INVALID


def test_there_are_as_many_of_a_kind_as_the_quota_allows(
    ca: CertificateAuthority, emulator: Emulator, admin: Administrator
) -> None:
    for number in range(49):
        emulator.add(
            replace(emulator.trust_anchor, arn=f"{emulator.trust_anchor_arn}{number}", about={})
        )
    assert refusal(admin.create_trust_anchor, name="51st", source=bundle(ca)) == INVALID
    admin.delete_trust_anchor(trustAnchorId=emulator.trust_anchor_arn)
    assert admin.create_trust_anchor(name="50th", source=bundle(ca))

    for number in range(249):
        emulator.add(replace(emulator.profile, arn=f"{emulator.profile_arn}{number}", about={}))
    assert refusal(admin.create_profile, name="251st", roleArns=[]) == INVALID
    admin.delete_profile(profileId=emulator.profile_arn)
    assert admin.create_profile(name="250th", roleArns=[])
    pages = admin.get_paginator("list_profiles").paginate()
    assert sum(len(page["profiles"]) for page in pages) == 250


def test_what_is_not_there_is_not_found(admin: Administrator) -> None:
    for operation, parameter in (
        ("get_trust_anchor", "trustAnchorId"),
        ("delete_profile", "profileId"),
        ("enable_crl", "crlId"),
        ("update_profile", "profileId"),
    ):
        assert refusal(getattr(admin, operation), **{parameter: NOBODY}) == MISSING


def test_an_anchor_of_a_private_ca(ca: CertificateAuthority) -> None:
    arn = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/1"
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": arn}}
    with Emulator(private_cas={arn: ca.certificate_pem.decode()}.get) as emulator:
        made = client(emulator).create_trust_anchor(name="pca", source=source)["trustAnchor"]
        assert made["source"] == source
    with Emulator() as emulator:
        assert refusal(client(emulator).create_trust_anchor, name="p", source=source) == INVALID


def test_a_signature_is_asked_for_where_administrators_are_named(ca: CertificateAuthority) -> None:
    with Emulator(ca, administrators={"AKIDADMIN": "the secret"}) as emulator:
        admin = client(emulator, "the secret")
        arn = emulator.trust_anchor_arn
        assert admin.get_trust_anchor(trustAnchorId=arn)  # slashes and colons in the path
        assert admin.list_tags_for_resource(resourceArn=arn)
        assert admin.create_profile(name="a", roleArns=[])
        wrong = client(emulator, "another").list_profiles
        assert refusal(wrong) == (403, "InvalidSignatureException")
        stranger = boto3.client(
            "rolesanywhere",
            endpoint_url=emulator.endpoint_url,
            region_name=emulator.region,
            aws_access_key_id="AKIDOTHER",
            aws_secret_access_key="the secret",
        )
        assert refusal(stranger.list_profiles) == (403, "UnrecognizedClientException")


def test_one_call_a_second_and_group(ca: CertificateAuthority) -> None:
    now = datetime(2026, 11, 28, tzinfo=timezone.utc)
    with Emulator(ca, control_plane_rate=1, clock=lambda: now) as emulator:
        admin = client(emulator)
        admin.list_profiles()
        admin.list_trust_anchors()
        assert refusal(admin.list_profiles) == (429, "ThrottlingException")


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


def test_a_fault_can_wait_for_one_operation(emulator: Emulator, admin: Administrator) -> None:
    fault = faults.ErrorStatus(503, retry_after_seconds=7)
    emulator.inject(fault, operation="CreateProfile", times=2)
    assert admin.list_profiles()
    for _ in range(2):
        with pytest.raises(admin.exceptions.ServiceUnavailableException) as caught:
            admin.create_profile(name="a", roleArns=[])
        assert caught.value.response["retryAfterSeconds"] == 7
    assert admin.create_profile(name="a", roleArns=[])


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


def test_what_the_emulator_started_with_shows_as_much(
    emulator: Emulator, admin: Administrator
) -> None:
    anchor = admin.get_trust_anchor(trustAnchorId=emulator.trust_anchor_arn)["trustAnchor"]
    profile = admin.get_profile(profileId=emulator.profile_arn)["profile"]
    made = admin.create_profile(name="a", roleArns=[])["profile"]
    assert set(profile) | {"requireInstanceProperties"} == set(made)
    assert profile["createdBy"] == made["createdBy"] == "123456789012"
    assert {"createdAt", "updatedAt", "name", "crlDpRevocationEnabled"} <= set(anchor)

"""Setup against the emulator and moto: what it makes, what it leaves, where it may be killed."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from aws_account import REGION, Account, Killed, Watched
from botocore.loaders import Loader

from boto_rolesanywhere.account.setup import NEW, Setup
from boto_rolesanywhere.account.tags import ADOPTED, ANCHOR, SETUP
from boto_rolesanywhere.account.tags import REGION as REGION_TAG
from boto_rolesanywhere.account.teardown import removals_for_role, remove
from boto_rolesanywhere.account.wanted import (
    Notification,
    TrustedIdentity,
    Wanted,
    WantedAnchor,
    WantedProfile,
    WantedRole,
)
from boto_rolesanywhere.errors import ConfigurationError, ServiceError, ThrottledError
from boto_rolesanywhere.testing import CertificateAuthority, faults

POLICY: Final[dict[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
}
CA: Final = CertificateAuthority("Example CA")


def small(ca: CertificateAuthority = CA, role: str = "app1", anchor: str = "example-ca") -> Wanted:
    """What the command wants without options."""
    return Wanted(
        anchor=WantedAnchor(
            name=anchor,
            alias=anchor,
            bundle=ca.certificate_pem.decode(),
            tags={SETUP: anchor},
        ),
        role=WantedRole(
            name=role,
            certificates=({"x509Subject/CN": role},),
            tags={SETUP: role, ANCHOR: anchor, REGION_TAG: REGION},
        ),
        profile=WantedProfile(name=role, alias=role, tags={SETUP: role, ANCHOR: anchor}),
    )


def whole(account: Account) -> Wanted:
    """Everything that can be asked for."""
    wanted = small()
    return Wanted(
        anchor=replace(
            wanted.anchor,
            crl_distribution_points=True,
            notifications=(
                Notification("CA_CERTIFICATE_EXPIRY", 90),
                Notification("END_ENTITY_CERTIFICATE_EXPIRY", enabled=False),
            ),
        ),
        role=replace(
            wanted.role,
            path="/apps/",
            policy_arns=(account.policy("reading"), account.policy("writing")),
            inline_policy=POLICY,
            max_session_duration=7200,
        ),
        profile=replace(
            wanted.profile,
            duration=7200,
            session_policy=POLICY,
            managed_policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
            accept_session_name=True,
            mappings={"x509Subject": ("CN", "OU"), "x509SAN": ("DNS",)},
            trusted_identity=TrustedIdentity("x509Subject/CN"),
        ),
    )


def run(account: Account, wanted: Wanted, **options: bool) -> tuple[Watched, Setup]:
    """One run to its end."""
    watched = account.watched()
    setup = Setup(watched.administrator, wanted, **options)
    setup.run()
    return watched, setup


def made(account: Account, wanted: Wanted) -> tuple[Any, Any, Any]:
    """The trust anchor, profile and role that setup made, of which there must be one each."""
    tagged = [one for one in account.control_plane().values() if SETUP in one["tags"]]
    (anchor,) = (one for one in tagged if "trustAnchorId" in one)
    (profile,) = (one for one in tagged if "profileId" in one)
    return anchor, profile, account.roles()[wanted.role.name]


def test_it_makes_what_is_asked_for(account: Account) -> None:
    wanted = whole(account)
    watched, setup = run(account, wanted)

    anchor, profile, role = made(account, wanted)
    assert anchor["aliasName"] == "example-ca"
    assert anchor["enabled"]
    assert anchor["crlDpRevocationEnabled"]
    assert anchor["tags"] == wanted.anchor.tags
    told = {one["event"]: one for one in anchor["notificationSettings"]}
    assert told["CA_CERTIFICATE_EXPIRY"]["threshold"] == 90
    assert not told["END_ENTITY_CERTIFICATE_EXPIRY"]["enabled"]
    assert role["Path"] == "/apps/"
    assert role["MaxSessionDuration"] == 7200
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": anchor["trustAnchorArn"]},
        "StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app1"},
    }
    assert [one["PolicyName"] for one in role["AttachedManagedPolicies"]] == ["reading", "writing"]
    assert [one["PolicyDocument"] for one in role["RolePolicyList"]] == [POLICY]
    assert profile["aliasName"] == "app1"
    assert profile["roleArns"] == [role["Arn"]]
    assert profile["durationSeconds"] == 7200
    assert json.loads(profile["sessionPolicy"]) == POLICY
    assert profile["managedPolicyArns"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert profile["acceptRoleSessionName"]
    assert profile["tipConfiguration"]["status"] == "ENABLED"
    mappings = {
        one["certificateField"]: {rule["specifier"] for rule in one["mappingRules"]}
        for one in profile["attributeMappings"]
    }
    assert mappings["x509Subject"] == {"CN", "OU"}
    assert mappings["x509SAN"] == {"DNS"}
    assert [part.arn for part in setup.parts] == [
        anchor["trustAnchorArn"],
        role["Arn"],
        profile["profileArn"],
    ]
    assert watched.writes == [
        "CreateTrustAnchor",
        "CreateRole",
        "AttachRolePolicy",
        "AttachRolePolicy",
        "PutRolePolicy",
        "CreateProfile",
        "DeleteAttributeMapping",
        "PutAttributeMapping",
        "DeleteAttributeMapping",
    ]


@pytest.mark.parametrize("size", ["small", "whole"])
def test_a_second_run_writes_nothing(account: Account, size: str) -> None:
    wanted = small() if size == "small" else whole(account)
    run(account, wanted)
    before = account.everything()
    watched, setup = run(account, wanted)

    assert watched.writes == []
    assert account.everything() == before
    assert all(not part.changes for part in setup.parts)


@pytest.mark.parametrize("size", ["small", "whole"])
def test_setup_and_teardown_leave_the_account_as_it_was(account: Account, size: str) -> None:
    run_before = small(CertificateAuthority("Other"), "other", "other-ca")
    run(account, run_before)
    wanted = small() if size == "small" else whole(account)
    before = account.everything()

    run(account, wanted)
    watched = account.watched()
    remove(
        watched.administrator,
        removals_for_role(watched.administrator, "app1", lambda _: None),
        lambda _: None,
    )

    assert account.everything() == before


def test_a_plan_writes_nothing_and_says_it_all(account: Account) -> None:
    wanted = whole(account)
    before = account.everything()
    lines: list[str] = []
    watched = account.watched()
    setup = Setup(watched.administrator, wanted, plan=True, tell=lines.append)
    arns = setup.run()

    assert watched.writes == []
    assert account.everything() == before
    assert arns == (NEW, NEW, "arn:aws:iam::123456789012:role/apps/app1")
    planned = [change.operation for part in setup.parts for change in part.changes]
    performed, _ = run(account, wanted)
    assert planned == performed.writes
    assert "trust anchor example-ca: make it" in lines

    setup = Setup(account.watched().administrator, wanted, plan=True)
    setup.run()
    assert [part.changes for part in setup.parts] == [[], [], []]


def test_it_finds_what_it_made_by_alias_or_tag(account: Account) -> None:
    wanted = small()
    run(account, wanted)
    anchor, profile, _ = made(account, wanted)
    client = account.client("rolesanywhere")
    # Somebody renames both; and takes the alias of one.
    client.update_trust_anchor(trustAnchorId=anchor["trustAnchorId"], name="renamed")
    client.update_profile(profileId=profile["profileId"], aliasName="")
    watched, _ = run(account, wanted)

    assert watched.writes == ["UpdateTrustAnchor", "UpdateProfile"]
    again = made(account, wanted)
    assert [again[0]["name"], again[1]["aliasName"]] == ["example-ca", "app1"]
    assert again[0]["trustAnchorArn"] == anchor["trustAnchorArn"]


def test_a_name_alone_makes_nothing_ours(account: Account) -> None:
    client = account.client("rolesanywhere")
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": CA.certificate_pem.decode()},
    }
    client.create_trust_anchor(name="example-ca", source=source)
    client.create_profile(name="app1", roleArns=[])
    before = account.everything()
    _, setup = run(account, small())

    assert {key: text for key, text in account.everything().items() if key in before} == before
    (note,) = setup.notes
    assert "trusts the same CA, and setup did not make it" in note


def test_an_alias_of_anothers_is_refused_before_anything_is_made(account: Account) -> None:
    account.client("rolesanywhere").create_profile(name="x", aliasName="app1", roleArns=[])
    before = account.everything()

    with pytest.raises(ConfigurationError) as refused:
        run(account, small())

    assert refused.value.code == "name-taken"
    assert account.everything() == before


def test_a_role_of_anothers_is_refused_or_adopted(account: Account) -> None:
    iam = account.client("iam")
    iam.create_role(
        RoleName="app1",
        AssumeRolePolicyDocument="{}",
        Tags=[{"Key": "of", "Value": "somebody"}],
    )
    iam.attach_role_policy(RoleName="app1", PolicyArn=account.policy("theirs"))
    before = account.everything()
    with pytest.raises(ConfigurationError) as refused:
        run(account, small())
    assert refused.value.code == "name-taken"
    assert account.everything() == before

    watched, setup = run(account, small(), adopt_role=True)

    assert "TagRole" in watched.writes
    assert "UpdateAssumeRolePolicy" in watched.writes
    assert "theirs" in setup.parts[1].notes[0]
    role = account.roles()["app1"]
    tags = {one["Key"]: one["Value"] for one in role["Tags"]}
    assert tags["of"] == "somebody"
    assert tags[ADOPTED] == "true"
    assert len(role["AttachedManagedPolicies"]) == 1
    assert run(account, small())[0].writes == []  # from now on it is known

    administrator = account.watched().administrator
    removals = removals_for_role(administrator, "app1", lambda _: None)
    remove(administrator, removals, lambda _: None)
    kept = account.roles()["app1"]
    assert kept["Tags"] == [{"Key": "of", "Value": "somebody"}]
    assert len(kept["AttachedManagedPolicies"]) == 1


def test_a_role_of_another_region_is_refused(account: Account) -> None:
    wanted = small()
    run(account, wanted)
    tag = {"Key": REGION_TAG, "Value": "us-east-1"}
    account.client("iam").tag_role(RoleName="app1", Tags=[tag])

    with pytest.raises(ConfigurationError, match="us-east-1") as refused:
        run(account, wanted)
    assert refused.value.code == "name-taken"


def test_a_path_cannot_be_changed(account: Account) -> None:
    run(account, small())
    moved = replace(small(), role=replace(small().role, path="/x/"))

    with pytest.raises(ConfigurationError, match="path cannot be changed"):
        run(account, moved)


def test_tags_and_policies_of_others_are_left(account: Account) -> None:
    wanted = small()
    run(account, wanted)
    anchor, profile, _ = made(account, wanted)
    client, iam = account.client("rolesanywhere"), account.client("iam")
    theirs = [{"key": "of", "value": "somebody"}]
    for arn in (anchor["trustAnchorArn"], profile["profileArn"]):
        client.tag_resource(resourceArn=arn, tags=theirs)
    policy = account.policy("theirs")
    iam.attach_role_policy(RoleName="app1", PolicyArn=policy)
    iam.put_role_policy(RoleName="app1", PolicyName="theirs", PolicyDocument=json.dumps(POLICY))
    tag = {"Key": "of", "Value": "somebody"}
    iam.tag_role(RoleName="app1", Tags=[tag])
    before = account.everything()

    run(account, wanted)
    assert account.everything() == before
    watched, _ = run(account, wanted, detach_others=True)
    assert watched.writes == ["DetachRolePolicy"]


def test_a_new_ca_certificate_is_taken_over(account: Account) -> None:
    run(account, small())
    run(account, small(CertificateAuthority("New")))

    anchor, _, _ = made(account, small())
    data = anchor["source"]["sourceData"]["x509CertificateData"]
    assert data != CA.certificate_pem.decode()


def test_what_is_disabled_stays_so_and_is_told(account: Account) -> None:
    run(account, small())
    anchor, _, _ = made(account, small())
    client = account.client("rolesanywhere")
    client.disable_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    watched, setup = run(account, small())

    assert watched.writes == []
    assert "disabled" in setup.parts[0].notes[0]


def test_two_roles_share_a_trust_anchor(account: Account) -> None:
    run(account, small())
    watched, _ = run(account, small(role="app2"))

    assert watched.writes == ["CreateRole", "CreateProfile"]


def test_one_ca_under_two_names_is_told(account: Account) -> None:
    run(account, small())
    _, setup = run(account, small(role="app2", anchor="second"))

    assert "--anchor example-ca uses it" in setup.notes[0]


def test_denied_half_way_it_says_what_there_is_and_goes_on(account: Account) -> None:
    wanted = small()

    def deny(**_: object) -> tuple[Any, dict[str, Any]]:
        answer = {"Error": {"Code": "AccessDenied", "Message": "not you"}}
        status = type("Answer", (), {"status_code": 403})()
        return status, {**answer, "ResponseMetadata": {"HTTPStatusCode": 403}}

    administrator = account.watched().administrator
    events = administrator.client("iam").meta.events
    events.register("before-call.iam.CreateRole", deny)
    setup = Setup(administrator, wanted)
    with pytest.raises(ServiceError, match=r"iam:CreateRole, iam:TagRole") as refused:
        setup.run()
    events.unregister("before-call.iam.CreateRole", deny)

    assert refused.value.code == "administrator-denied"
    assert [(part.kind, part.exists) for part in setup.parts] == [
        ("trust anchor", True),
        ("role", False),
    ]
    again, _ = run(account, wanted)
    assert again.writes == ["CreateRole", "CreateProfile"]


def test_throttled_calls_are_repeated(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)
    account.emulator.inject(faults.ErrorStatus(429, "ThrottlingException"), times=3)

    run(account, small())
    made(account, small())
    assert len(waits) == 3

    account.emulator.inject(faults.ErrorStatus(429, "ThrottlingException"), times=None)
    with pytest.raises(ThrottledError) as throttled:
        run(account, small())
    assert throttled.value.code == "throttled"
    assert len(waits) == 3 + 7


NEW_IN_2026 = ("aliasName", "crlDpRevocationEnabled", "tipConfiguration")


@pytest.fixture
def old_botocore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the service as it was before 2026."""
    model = deepcopy(Loader().load_service_model("rolesanywhere", "service-2"))
    for shape in model["shapes"].values():
        for member in NEW_IN_2026:
            shape.get("members", {}).pop(member, None)
    folder = tmp_path / "models" / "rolesanywhere" / "2018-05-10"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))


def test_an_old_botocore_goes_by_the_tag(old_botocore: None, account: Account) -> None:
    before = account.everything()
    _, setup = run(account, small())
    again, _ = run(account, small())

    assert "knows no aliases" in setup.notes[0]
    assert again.writes == []
    made(account, small())
    take_away(account)
    assert account.everything() == before


@pytest.mark.parametrize(
    "asked",
    [
        replace(small(), anchor=replace(small().anchor, crl_distribution_points=False)),
        replace(small(), profile=replace(small().profile, trusted_identity=False)),
    ],
)
def test_what_an_old_botocore_cannot_do_is_refused(
    old_botocore: None, account: Account, asked: Wanted
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        run(account, asked)

    assert refused.value.code == "botocore-too-old"
    assert account.writes() == []


def test_every_point_may_be_its_last(account: Account) -> None:
    wanted = whole(account)
    before = account.everything()
    run(account, wanted)
    expected = timeless(made(account, wanted))
    take_away(account)
    assert account.everything() == before

    point = 0
    while killed(account, wanted, point):
        run(account, wanted)
        assert timeless(made(account, wanted)) == expected, point
        take_away(account)
        point += 1
    take_away(account)
    assert account.everything() == before
    assert point > 20


def test_a_killed_teardown_is_taken_up_by_the_next(account: Account) -> None:
    before = account.everything()
    point, done = 0, False
    while not done:
        run(account, small())
        try:
            take_away(account, account.watched(kill_at=point))
            done = True
        except Killed:
            with suppress(ConfigurationError):  # all was gone already
                take_away(account)
        assert account.control_plane().keys() | account.roles().keys() == before.keys(), point
        point += 1
    assert point > 20


def killed(account: Account, wanted: Wanted, point: int) -> bool:
    """Whether a run got no further than to this point."""
    try:
        Setup(account.watched(kill_at=point).administrator, wanted).run()
    except Killed:
        return True
    return False


def test_kills_in_a_row_leave_no_orphan(account: Account) -> None:
    wanted = whole(account)
    before = account.everything()
    kills = int(os.environ.get("SETUP_KILLS", "20"))
    chance = random.Random(kills)
    done = 0
    while done < kills:
        # Some runs get to their end; what a killed teardown has left is taken up, too.
        watched = account.watched(kill_at=chance.randrange(60))
        try:
            if chance.random() < 0.7:
                Setup(watched.administrator, wanted).run()
            else:
                take_away(account, watched)
        except Killed:
            done += 1
        except ConfigurationError as error:
            assert error.code == "nothing-to-remove"  # noqa: PT017  # only now and then

    run(account, wanted)
    made(account, wanted)
    take_away(account)
    assert account.everything() == before


def take_away(account: Account, watched: Watched | None = None) -> None:
    administrator = (watched or account.watched()).administrator
    remove(administrator, removals_for_role(administrator, "app1", lambda _: None), lambda _: None)


def timeless(detail: Any) -> Any:  # noqa: ANN401  # JSON
    """Without what differs each time something is made."""
    if isinstance(detail, dict):
        kept = {
            key: timeless(value)
            for key, value in detail.items()
            if key not in {"createdAt", "CreateDate", "RoleId"}
        }
        return {
            key: value
            for key, value in kept.items()
            if not key.endswith(("Id", "trustAnchorArn", "profileArn", "aws:SourceArn"))
        }
    return [timeless(value) for value in detail] if isinstance(detail, list | tuple) else detail

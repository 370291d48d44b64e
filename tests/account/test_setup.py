"""Setup against the emulator and moto: what it makes, and what it leaves."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from aws_account import Account
from botocore.loaders import Loader
from setups import CA, POLICY, made, run, small, take_away, whole

from boto_rolesanywhere.account.setup import NEW, Setup
from boto_rolesanywhere.account.teardown import removals_for_role, remove
from boto_rolesanywhere.account.wanted import TrustedIdentity, Wanted
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority


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


def test_a_path_cannot_be_changed(account: Account) -> None:
    run(account, small())
    moved = replace(small(), role=replace(small().role, path="/x/"))

    with pytest.raises(ConfigurationError, match="path cannot be changed"):
        run(account, moved)


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


def test_what_the_profile_does_not_map_is_refused_before_anything_changes(account: Account) -> None:
    mapped = replace(small().profile, mappings={"x509Subject": ("OU",)})
    fleet = replace(small().role, certificates=({"x509Subject/OU": "it"},))
    run(account, replace(small(), role=fleet, profile=mapped))
    before = account.everything()

    with pytest.raises(ConfigurationError, match="x509Subject/CN is not mapped") as caught:
        run(account, small())

    assert (caught.value.code, account.everything()) == ("trust-condition-unusable", before)
    run(account, replace(small(), role=fleet))  # as it is mapped


def test_what_trusted_identity_needs_stays_mapped(account: Account) -> None:
    identity = TrustedIdentity("x509SAN/URI")
    run(account, replace(small(), profile=replace(small().profile, trusted_identity=identity)))
    names = replace(small().profile, mappings={"x509SAN": ("DNS",)})

    with pytest.raises(ConfigurationError, match="x509SAN/URI is not mapped"):
        run(account, replace(small(), profile=names))

    run(account, replace(small(), profile=replace(names, trusted_identity=False)))


def test_two_roles_share_a_trust_anchor(account: Account) -> None:
    run(account, small())
    watched, _ = run(account, small(role="app2"))

    assert watched.writes == ["CreateRole", "CreateProfile"]


def test_one_ca_under_two_names_is_told(account: Account) -> None:
    run(account, small())
    _, setup = run(account, small(role="app2", anchor="second"))

    assert "--anchor example-ca uses it" in setup.notes[0]


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

"""``boto-rolesanywhere trust-policy`` as a process: what it prints, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import processes
import pytest

from boto_rolesanywhere.testing import CertificateAuthority

ANCHOR: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0"
ALIAS: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:alias/trust-anchor/main"
ROLE: Final = "arn:aws:iam::123456789012:role/app1"
TAG: Final = "aws:PrincipalTag/"
Json = dict[str, Any]


class Folder:
    """A folder with a certificate, and the command in it."""

    def __init__(self, path: Path, ca: CertificateAuthority) -> None:
        self.path = path
        sans = ["DNS:app1.example.com", "URI:spiffe://example.com/app1"]
        issued = ca.issue(subject="CN=app1,OU=Payments,O=Example & Sons!", san=sans)
        (path / "cert.pem").write_bytes(issued.certificate_pem)

    def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        done = processes.run(
            "trust-policy",
            "cert.pem",
            *arguments,
            strict=True,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.path,
        )
        return done.returncode, done.stdout, done.stderr

    def policy(self, *arguments: str) -> Json:
        status, out, err = self.run(*arguments)
        assert (status, err) == (0, "")
        found: Json = json.loads(out)
        return found


@pytest.fixture
def folder(tmp_path: Path, ca: CertificateAuthority) -> Folder:
    return Folder(tmp_path, ca)


def tight(**values: str) -> Json:
    tags = {TAG + key.replace("_", "/"): value for key, value in values.items()}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "rolesanywhere.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                "Condition": {"ArnEquals": {"aws:SourceArn": ANCHOR}, "StringEquals": tags},
            }
        ],
    }


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ([], tight(x509Subject_CN="app1")),
        (
            ["--match", "OU,SAN/DNS"],
            tight(x509Subject_OU="Payments", x509SAN_DNS="app1.example.com"),
        ),
        (
            ["--match", "x509san/uri, Issuer/cn"],
            tight(x509SAN_URI="spiffe://example.com/app1", x509Issuer_CN="Test root CA"),
        ),
    ],
)
def test_the_policy_is_for_the_certificate(match: list[str], wanted: Json, folder: Folder) -> None:
    assert folder.policy("--trust-anchor-arn", ANCHOR, *match) == wanted


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--trust-anchor-arn", ALIAS],
            "the ARN of an alias never matches in a policy of IAM; expected arn:aws:rolesanywhere:",
        ),
        (
            ["--trust-anchor-arn", ANCHOR, "--match", "O"],
            "--match: AWS makes no session tag x509Subject/O of this value: STS refuses '&' '!' in",
        ),
        (
            ["--trust-anchor-arn", ANCHOR, "--match", "CN,L"],
            "has no x509Subject/L; expected one of OU, CN, Issuer/CN, SAN/DNS, SAN/URI.",
        ),
        (["--trust-anchor-arn", ANCHOR, "--match", "CN,"], "--match: '' is nothing"),
        (["--trust-anchor-arn", ANCHOR, "--match", "a/CN"], "--match: 'a/CN' is nothing"),
        (["--trust-anchor-arn", ANCHOR, "--pass-tags"], "--pass-tags: it has no effect here"),
        (["--chained-from", ROLE, "--correct", "p.json"], "--correct: it has no effect here"),
        (["--trust-anchor-arn", ANCHOR, "--context", "a=b"], "--context: it has no effect here"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(arguments: list[str], told: str, folder: Folder) -> None:
    status, out, err = folder.run(*arguments)

    assert (status, out) == (2 if "no effect" in told else 1, "")
    assert told in err


def test_a_profile_that_maps_no_common_name_is_heeded(folder: Folder) -> None:
    mappings = [{"certificateField": "x509Subject", "mappingRules": [{"specifier": "OU"}]}]
    (folder.path / "profile.json").write_text(json.dumps({"attributeMappings": mappings}))

    status, _, err = folder.run(
        "--trust-anchor-arn", ANCHOR, "--attribute-mappings", "profile.json"
    )

    assert status == 1
    assert "the profile's attribute mappings leave it out; expected one of OU." in err


def test_a_tag_that_aws_does_not_document_is_warned_of(
    tmp_path: Path, ca: CertificateAuthority
) -> None:
    folder = Folder(tmp_path, ca)
    issued = ca.issue(subject="CN=app1,DC=example")
    (tmp_path / "cert.pem").write_bytes(issued.certificate_pem)

    status, _, err = folder.run("--trust-anchor-arn", ANCHOR, "--match", "DC")

    assert status == 0
    assert f"AWS does not document the name of {TAG}x509Subject/DC" in err


def spoil(policy: Json, change: Callable[[Json], object]) -> str:
    change(policy["Statement"][0])
    return json.dumps(policy)


def test_a_policy_is_corrected(folder: Folder) -> None:
    wrong = spoil(
        tight(x509Subject_CN="app1"),
        lambda entry: entry.update(
            Sid="Mine", Action="sts:AssumeRole", Condition={"ArnLike": {"aws:SourceArn": ALIAS}}
        ),
    )

    status, out, err = folder.run("--trust-anchor-arn", ANCHOR, "--correct", "-", stdin=wrong)

    assert status == 0
    (statement,) = json.loads(out)["Statement"]
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": ANCHOR}}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    told = [
        line.removeprefix("boto-rolesanywhere: statement 1 (Mine): ") for line in err.split("\n")
    ]
    alias = f"aws:SourceArn was {ALIAS}, an alias, which no condition of IAM ever matches"
    assert told == [
        f"{alias}; it is {ANCHOR} now",
        "sts:TagSession was missing: CreateSession needs it",
        "sts:SetSourceIdentity was missing: CreateSession needs it",
        "",
    ]


def test_a_right_policy_is_printed_as_it_is(folder: Folder) -> None:
    right = tight(x509Subject_CN="app1")
    (folder.path / "p.json").write_text(json.dumps(right))

    status, out, err = folder.run("--trust-anchor-arn", ANCHOR, "--correct", "p.json")

    assert status == 0
    assert json.loads(out) == right
    assert err == "boto-rolesanywhere: p.json: nothing in it had to be changed\n"


def test_what_is_meant_is_named_and_left(folder: Folder) -> None:
    policy = tight(x509Subject_CN="app1")
    policy["Statement"][0]["Condition"]["IpAddress"] = {"aws:SourceIp": "10.0.0.0/8"}
    policy["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sts:TagSession",
            "Condition": {"StringEquals": {f"{TAG}x509Subject/OU": "Payments"}},
        }
    )
    text = json.dumps(policy)

    arguments = ["--trust-anchor-arn", ANCHOR, "--correct", "-"]
    status, out, err = folder.run(*arguments, stdin=text)

    assert status == 1
    assert json.loads(out) == policy
    assert "sts:AssumeRole is undecided by statement 1" in err
    assert "sts:TagSession is denied by statement 2" in err
    assert "statement 1: left as it is: IpAddress aws:SourceIp '10.0.0.0/8'" in err
    assert "statement 2: left as it is: StringEquals" in err

    policy["Statement"].pop()
    text = json.dumps(policy)
    status, _, _ = folder.run(*arguments, "--context", "aws:SourceIp=10.1.2.3", stdin=text)
    assert status == 0


def test_a_chain_goes_on_with_the_source_identity(folder: Folder) -> None:
    status, out, err = folder.run("--chained-from", ROLE)

    assert status == 0
    assert json.loads(out)["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            "Condition": {"StringEquals": {"aws:SourceIdentity": "CN=app1"}},
        }
    ]
    permissions = json.loads(err.partition("permissions itself: ")[2])
    assert permissions["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:SetSourceIdentity"]


def test_a_source_identity_that_a_renewal_changes_is_said(
    folder: Folder, ca: CertificateAuthority
) -> None:
    without = ca.issue(subject="OU=Payments", serial_number=0xAB)
    (folder.path / "cert.pem").write_bytes(without.certificate_pem)

    _, out, err = folder.run("--chained-from", ROLE)

    assert '"aws:SourceIdentity": "ID=ab"' in out
    assert "a renewed certificate has another" in err


def test_tags_are_passed_on_where_that_is_asked_for(folder: Folder) -> None:
    _, out, err = folder.run("--chained-from", ROLE, "--pass-tags")

    assert "sts:TagSession" in json.loads(out)["Statement"][0]["Action"]
    assert "sts:TagSession" in err

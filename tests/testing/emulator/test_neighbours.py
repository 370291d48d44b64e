"""The emulator beside IAM and AWS Private CA, which moto plays."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from private_cas import certificate_of, create_ca, create_root
from repository import DOCS

from boto_rolesanywhere.session import get_session
from boto_rolesanywhere.testing import (
    CertificateAuthority,
    Emulator,
    IssuedCertificate,
    TrustAnchor,
)
from boto_rolesanywhere.testing.emulator.neighbours import private_cas_at, roles_at

from .conftest import Client

REGION = "eu-west-1"
Iam = Any  # boto3's client
KEYS = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": REGION}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "rolesanywhere.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
}


def trust(**condition: dict[str, str]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**TRUST, "Condition": condition}]})


@pytest.fixture
def iam(moto_url: str) -> Iterator[Iam]:
    client = boto3.client("iam", endpoint_url=moto_url, **KEYS)
    yield client
    for role in client.list_roles()["Roles"]:
        client.delete_role(RoleName=role["RoleName"])


def test_a_role_of_iam_lets_in_whom_its_trust_policy_names(
    iam: Iam,
    moto_url: str,
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    client_of: Callable[[Emulator], Client],
) -> None:
    role = iam.create_role(
        RoleName="app", Path="/apps/", AssumeRolePolicyDocument=trust(), MaxSessionDuration=7200
    )["Role"]["Arn"]
    other = role.replace("/apps/", "/")
    with Emulator(ca, roles=roles_at(moto_url, REGION)) as emulator:
        client = client_of(emulator)
        admin = boto3.client("rolesanywhere", endpoint_url=emulator.endpoint_url, **KEYS)
        arns = [role, other, f"{other}2"]
        admin.update_profile(profileId=emulator.profile_arn, roleArns=arns, durationSeconds=7200)

        assert client.create(issued, roleArn=role).status == 201
        for absent in (other, f"{other}2"):  # without its path, or at all
            assert "Unable to assume role" in client.create(issued, roleArn=absent).refusal[2]

        for condition, allowed in (
            ({"ArnEquals": {"aws:SourceArn": emulator.trust_anchor_arn}}, True),
            ({"ArnEquals": {"aws:SourceArn": emulator.trust_anchor_arn + "0"}}, False),
            ({"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app-1"}}, True),
            ({"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app-2"}}, False),
            ({"StringLike": {"sts:SourceIdentity": "CN=app-*"}}, True),
        ):
            policy = trust(**condition)
            iam.update_assume_role_policy(RoleName="app", PolicyDocument=policy)
            assert (client.create(issued, roleArn=role).status == 201) is allowed, condition
        iam.update_role(RoleName="app", MaxSessionDuration=3600)
        assert "exceeds the MaxSessionDuration" in client.create(issued, roleArn=role).refusal[2]


def test_nobody_answers_for_iam(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca, roles=roles_at("http://127.0.0.1:1", REGION)) as emulator:
        client, arn = client_of(emulator), f"{emulator.role_arn}2"
        admin = boto3.client("rolesanywhere", endpoint_url=emulator.endpoint_url, **KEYS)
        admin.update_profile(profileId=emulator.profile_arn, roleArns=[emulator.role_arn, arn])
        assert client.create(issued).status == 201  # registered with the emulator itself
        assert client.create(issued, roleArn=arn).refusal[2] == f"Unable to assume role for {arn}"


def test_a_trust_anchor_of_a_private_ca_has_its_certificate(moto_url: str) -> None:
    pca = boto3.client("acm-pca", endpoint_url=moto_url, **KEYS)
    arn, unready = create_root(pca), create_ca(pca)
    with Emulator(private_cas=private_cas_at(moto_url, REGION)) as emulator:
        admin = boto3.client("rolesanywhere", endpoint_url=emulator.endpoint_url, **KEYS)

        def create(ca_arn: str) -> dict[str, Any]:
            source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": ca_arn}}
            made: dict[str, Any] = admin.create_trust_anchor(name="pca", source=source)
            return made["trustAnchor"]

        anchor = create(arn)
        held = emulator._service.registry.find(TrustAnchor, anchor["trustAnchorArn"])
        assert held is not None
        (certificate,) = held.certificates
        assert certificate.public_bytes(Encoding.PEM).strip() == certificate_of(pca, arn).strip()
        for absent in (unready, arn[:-1]):
            with pytest.raises(admin.exceptions.ValidationException):
                create(absent)


def exports(section: str) -> dict[str, str]:
    """What the page's first block of a section exports."""
    text = (DOCS / "testing.md").read_text(encoding="utf-8").partition(f"\n## {section}\n")[2]
    block = re.search(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block
    return dict(re.findall(r"^export (\w+)=(\S+)", block[1], re.MULTILINE))


@pytest.mark.parametrize("each_service", [False, True], ids=["one variable", "one a service"])
def test_beside_moto_as_the_page_says(
    tmp_path: Path,
    moto_url: str,
    monkeypatch: pytest.MonkeyPatch,
    iam: Iam,
    each_service: bool,
) -> None:
    pki = tmp_path / "pki"
    command = [sys.executable, "-m", "boto_rolesanywhere.testing.emulator", "--json", "--tls"]
    options = ["--write", pki, "--iam-endpoint", moto_url, "--private-ca-endpoint", moto_url]
    process = subprocess.Popen([*command, *map(str, options)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        made = json.loads(process.stdout.readline())
        variables = exports("Emulator and moto side by side")
        assert set(variables) == {
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_ROLESANYWHERE",
            "AWS_CA_BUNDLE",
        }
        variables["AWS_ENDPOINT_URL_ROLESANYWHERE"] = made["endpoint_url"]
        variables["AWS_CA_BUNDLE"] = str(tmp_path / variables["AWS_CA_BUNDLE"])
        del variables["AWS_ENDPOINT_URL"]
        own = [f"_{name}" for name in ("IAM", "STS", "S3", "ACM_PCA")] if each_service else [""]
        variables |= {f"AWS_ENDPOINT_URL{name}": moto_url for name in own}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        walk(pki)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0


def walk(pki: Path) -> None:
    """From nothing to a list of S3 buckets; no client is told where its service is."""
    admin = boto3.Session(**KEYS)
    arn = admin.client("iam").create_role(RoleName="walker", AssumeRolePolicyDocument=trust())[
        "Role"
    ]["Arn"]
    admin.client("s3").create_bucket(
        Bucket="walked", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    plane = admin.client("rolesanywhere")
    (anchor,) = plane.list_trust_anchors()["trustAnchors"]
    profile = plane.create_profile(name="walker", roleArns=[arn], enabled=True)["profile"]
    session = get_session(
        cert=pki / "client-cert.pem",
        key=pki / "client-key.pem",
        anchor=anchor["trustAnchorArn"],
        profile=profile["profileArn"],
        role=arn,
    )
    assert "walked" in [each["Name"] for each in session.client("s3").list_buckets()["Buckets"]]
    assert session.client("sts").get_caller_identity()["Account"]
    (subject,) = plane.list_subjects()["subjects"]
    assert subject["lastSeenAt"] <= datetime.now(timezone.utc)
    admin.client("s3").delete_bucket(Bucket="walked")

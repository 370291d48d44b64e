"""A certificate is taken back: from the CA to AWS, and on to the sessions that it has got."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import processes
import pytest
from commands import arns, ended
from cryptography import x509
from pages import Reader, blocks
from revocation_account import NOW, WEEK, der, made_list

from boto_rolesanywhere import get_session
from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.revocation.ending import POLICY_NAME
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CA, two certificates of it, and an administrator's credentials."""
    folder = tmp_path / "workshop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, value in (
        ("AWS_ROLESANYWHERE_CA", str(folder / "ca")),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ):
        monkeypatch.setenv(name, value)
    ended("ca", "init", "--name", "Example CA")
    for name in ("app1", "app2"):
        ended("ca", "issue", name)
    return folder


@pytest.fixture
def service(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The emulator, with the workshop's CA as the trust anchor."""
    with Emulator((workshop / "ca" / "trust-anchor.pem").read_bytes()) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", running.endpoint_url)
        yield running


def asked(emulator: Emulator, name: str, *, status: int = 0) -> str:
    """What credential-process answers for NAME.pem and NAME.key."""
    flags = ("--certificate", f"{name}.pem", "--private-key", f"{name}.key")
    done = ended("credential-process", *flags, *arns(emulator), "--no-cache", status=status)
    return done.stdout + done.stderr


def changes(emulator: Emulator) -> list[str]:
    """The requests since the last time that change a list, or its tags."""
    made = [
        f"{each.method} {each.path}"
        for each in emulator.requests
        if each.method in ("PATCH", "POST") and each.path != "/sessions"
    ]
    emulator.clear_requests()
    return made


def revoke(emulator: Emulator, *words: str, status: int = 0) -> str:
    done = ended("revoke", *words, "--trust-anchor", emulator.trust_anchor_arn, status=status)
    return done.stdout + done.stderr


def crl(action: str, emulator: Emulator, *words: str, status: int = 0) -> str:
    done = ended("crl", action, *words, "--trust-anchor", emulator.trust_anchor_arn, status=status)
    return done.stdout + done.stderr


def test_one_command_takes_a_certificate_back(workshop: Path, service: Emulator) -> None:
    assert "SessionToken" in asked(service, "app1")

    told = revoke(service, "app1.pem", "--reason", "keyCompromise")

    assert "for the reason keyCompromise" in told
    assert "is imported and enabled" in told
    assert '"aws:SourceIdentity": "CN=app1"' in told
    assert '"aws:TokenIssueTime"' in told
    assert "denied-certificate-revoked" in asked(service, "app1", status=1)
    assert "SessionToken" in asked(service, "app2")
    assert changes(service) == ["POST /crls"]

    again = revoke(service, "app1.pem")
    assert "was revoked before" in again
    assert changes(service) == []
    assert "since" in crl("status", service, "app1.pem", status=5)
    assert "on no list" in crl("status", service, "app2.pem")


def test_a_revoked_certificate_is_refused_at_once_and_in_the_words_that_clients_print(
    workshop: Path, service: Emulator
) -> None:
    # AWS's helper (1.8.0) prints of this answer: "operation error RolesAnywhere: CreateSession,
    # https response error StatusCode: 403, RequestID: …, AccessDeniedException: Certificate
    # revoked". It is made of the status, two headers and the message.
    session = get_session(
        *("app1.pem", "app1.key"),
        anchor=service.trust_anchor_arn,
        profile=service.profile_arn,
        role=service.role_arn,
        endpoint_url=service.endpoint_url,
    )

    revoke(service, "app1.pem")
    since = time.monotonic()
    with pytest.raises(SessionDeniedError) as caught:
        session.get_credentials().get_frozen_credentials()

    assert time.monotonic() - since < 1
    response = caught.value.response
    assert response["Error"] == {"Code": "AccessDeniedException", "Message": "Certificate revoked"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert len(response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]) == 36


def test_live_sessions_are_ended_on_the_roles_that_are_named(
    workshop: Path, service: Emulator, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", moto_url)
    administrator = Administrator(region="eu-west-1")
    policy = '{"Version":"2012-10-17","Statement":[]}'
    for role in ("ending-1", "ending-2"):
        administrator.call("iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=policy)

    roles = ("--end-sessions", "ending-1", "--end-sessions", "ending-2")
    report = json.loads(revoke(service, "app1.pem", *roles, "--json"))

    assert report["refusedByAws"] is True
    assert report["endedOn"] == ["ending-1", "ending-2"]
    assert report["sourceIdentity"] == "CN=app1"
    for role in ("ending-1", "ending-2"):
        held = administrator.call("iam", "GetRolePolicy", RoleName=role, PolicyName=POLICY_NAME)[
            "PolicyDocument"
        ]
        assert held == report["policy"]
    (statement,) = report["policy"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"]["StringEquals"] == {"aws:SourceIdentity": "CN=app1"}


def test_a_revocation_that_does_not_reach_aws_is_not_lost(
    workshop: Path, service: Emulator
) -> None:
    away = {"AWS_ENDPOINT_URL_ROLESANYWHERE": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    arguments = ("revoke", "app1.pem", "--trust-anchor", service.trust_anchor_arn)
    failed = ended(*arguments, status=1, **away)
    assert "is revoked" in failed.stdout
    assert "endpoint-unreachable" in failed.stderr

    assert "was revoked before" in revoke(service, "app1.pem")
    assert "denied-certificate-revoked" in asked(service, "app1", status=1)


def test_the_certificate_of_another_ca_is_refused(workshop: Path, service: Emulator) -> None:
    (workshop / "foreign.pem").write_bytes(CertificateAuthority().issue("app1").certificate_pem)

    assert "authority-certificate-unknown" in revoke(service, "foreign.pem", status=1)
    assert changes(service) == []


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        ("missing", 1, "file-missing"),
        ("expired", 3, "crl-not-current"),
        ("foreign", 3, "crl-issuer-foreign"),
        ("in-the-way", 4, "crl-in-the-way"),
    ],
)
def test_the_exit_status_tells_faults_apart(
    ca: CertificateAuthority,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    status: int,
    word: str,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    file = tmp_path / "ca.crl"
    if fault == "in-the-way":
        emulator.import_crl(made_list(ca, [1]))
    if fault != "missing":
        authority = CertificateAuthority("Foreign CA") if fault == "foreign" else ca
        end = NOW - timedelta(hours=1) if fault == "expired" else NOW + WEEK
        file.write_bytes(der(made_list(authority, [1, 2], start=NOW - WEEK, end=end, number=2)))

    text = crl("sync", emulator, "--from", str(file), status=status)
    document = json.loads(crl("sync", emulator, "--json", "--from", str(file), status=status))

    assert f"[{word}]" in text
    assert document["status"] == status
    assert document["sources"][0]["code"] == word
    assert changes(emulator) == []


def test_the_status_page_and_its_document(
    ca: CertificateAuthority,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    administrator = Administrator(region=emulator.region)
    anchor_id = emulator.trust_anchor_arn.rpartition("/")[2]
    update = {"trustAnchorId": anchor_id, "crlDpRevocationEnabled": True}
    assert "no list is imported" in crl("status", emulator)
    administrator.call("rolesanywhere", "UpdateTrustAnchor", **update)
    (tmp_path / "ca.crl").write_bytes(made_list(ca, [0xABC], number=5))
    crl("sync", emulator, "--from", str(tmp_path / "ca.crl"))

    page = crl("status", emulator)
    assert "crlDpRevocationEnabled is on" in page
    assert "list number 5 of CN=Test root CA, 1 entry, next update" in page
    assert "kept by crl sync" in page
    document = json.loads(crl("status", emulator, "--json", "0a:bc", status=5))
    assert document["crlDpRevocationEnabled"] is True
    assert document["lists"][0]["list"]["number"] == 5
    assert document["lists"][0]["concerns"] == []
    assert document["certificate"]["revoked"] is True
    assert document["certificate"]["by"][0]["crlArn"] == document["lists"][0]["crlArn"]

    crl_id = document["lists"][0]["crlArn"].rpartition("/")[2]
    expired = made_list(ca, [0xABC], start=NOW - WEEK, end=NOW - timedelta(minutes=1), number=6)
    administrator.call("rolesanywhere", "UpdateCrl", crlId=crl_id, crlData=expired)
    assert "its next update is over" in crl("status", emulator, status=3)
    administrator.call("rolesanywhere", "DisableCrl", crlId=crl_id)
    assert "a list that is disabled" in crl("status", emulator, "abc", status=3)


def test_watching_tells_systemd_and_ends_when_it_is_asked_to(
    workshop: Path, service: Emulator, tmp_path: Path
) -> None:
    ended("ca", "revoke", "app1.pem")
    arguments = ("--watch", "--from", "ca", "--trust-anchor", service.trust_anchor_arn)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        environ = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with processes.Process(
            "crl", "sync", *arguments, env=environ, stdout=-1, text=True
        ) as process:
            ready = manager.recv(4096).decode()
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
        stopping = manager.recv(4096).decode()

    assert ready.startswith("READY=1\nSTATUS=list number 1 of CN=Example CA")
    assert stopping == "STOPPING=1"
    assert (process.returncode, "is imported and enabled" in out) == (0, True)
    assert "denied-certificate-revoked" in asked(service, "app1", status=1)


def test_who_came_with_which_certificate(workshop: Path, service: Emulator) -> None:
    ended("ca", "issue", "short", "--days", "10")
    for name in ("app1", "short"):
        asked(service, name)
    region = ("--region", service.region)

    page = ended("subjects", *region).stdout
    assert "CN=app1" in page
    assert "failed: false" in page
    (found,) = json.loads(ended("subjects", *region, "--expiring", "30", "--json", status=3).stdout)
    certificate = x509.load_pem_x509_certificate((workshop / "short.pem").read_bytes())
    assert found["x509Subject"] == "CN=short"
    assert found["certificates"][0]["serialNumber"] == f"{certificate.serial_number:x}"
    assert found["certificates"][0]["failed"] is False

    assert "warn" in ended("subjects", *region, "--expiring", "30", status=3).stdout

    ended("ca", "renew", "short")
    asked(service, "short")
    assert "warn" not in ended("subjects", *region, "--expiring", "30").stdout
    (found,) = json.loads(ended("subjects", *region, "--expiring", "30", "--json").stdout)
    assert [each["laterSeen"] for each in found["certificates"]] == [True]


def test_doctor_names_the_subject(workshop: Path, service: Emulator) -> None:
    flags = ("--certificate", "app1.pem", "--private-key", "app1.key", *arns(service))
    done = ended("doctor", *flags, "--json", status=1)  # no STS is there
    verdicts = {each["name"]: each for each in json.loads(done.stdout)["verdicts"]}
    page = ended("doctor", *flags, status=1).stdout

    (subject,) = json.loads(ended("subjects", "--region", service.region, "--json").stdout)
    arn = subject["subjectArn"]
    assert {"label": "subject", "text": arn} in verdicts["create-session"]["details"]
    assert arn in page


def test_the_pages_are_right(
    workshop: Path, service: Emulator, reader: Reader, moto_url: str
) -> None:
    """Somebody types them in the workshop's folder, as the account's administrator."""
    variables = {
        "ANCHOR": service.trust_anchor_arn,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL_IAM": moto_url,
        "AWS_ROLESANYWHERE_CA": str(workshop / "ca"),
    }
    (reader.folder / "app1.pem").write_bytes((workshop / "app1.pem").read_bytes())
    typist = Reader(reader.folder, service, variables)
    policy = '{"Version":"2012-10-17","Statement":[]}'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_IAM", moto_url)
        Administrator(region="eu-west-1").call(
            "iam", "CreateRole", RoleName="app1-role", AssumeRolePolicyDocument=policy
        )
    asked(service, "app1")
    for page in ("crl.md", "revoke.md", "revocation.md", "subjects.md"):
        for block in blocks(page, "revocation"):
            if "ca.crl" in block:
                ended("ca", "crl", "--out", str(typist.folder))
                (typist.folder / "ca-crl.der").rename(typist.folder / "ca.crl")
            typist.type(block)

    assert "denied-certificate-revoked" in asked(service, "app1", status=1)

"""``boto-rolesanywhere inspect`` as a process: its output, exit status and complaints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import processes
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from boto_rolesanywhere import cli

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0"
CN = "aws:PrincipalTag/x509Subject/CN"


def issue(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(0xA1B)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30, minutes=5))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(not ca, *([False] * 4), ca, ca, *([False] * 2)), critical=True)
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    root, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    certificates = {
        "root": issue("Root", root, "Root", root, ca=True),
        "middle": issue("Issuing", middle, "Root", root, ca=True),
        "leaf": issue("web-1", leaf, "Issuing", middle, ca=False),
    }
    pem = {name: one.public_bytes(Encoding.PEM) for name, one in certificates.items()}
    for name, data in pem.items():
        (folder / f"{name}.pem").write_bytes(data)
    (folder / "full.pem").write_bytes(pem["root"] + b"some text\n" + pem["middle"] + pem["leaf"])
    encryption = BestAvailableEncryption(b"open sesame")
    (folder / "leaf.p12").write_bytes(
        serialize_key_and_certificates(
            b"web-1", leaf, certificates["leaf"], [certificates["middle"]], encryption
        )
    )
    (folder / "leaf.der").write_bytes(certificates["leaf"].public_bytes(Encoding.DER))
    (folder / "allows.json").write_text(policy({"StringEquals": {CN: "web-1"}}))
    (folder / "refuses.json").write_text(policy({"StringEquals": {CN: "db-1"}}))
    return folder


def policy(condition: dict[str, object]) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "rolesanywhere.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition | {"ArnEquals": {"aws:SourceArn": ANCHOR}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def run(
    *arguments: str | Path,
    stdin: str = "",
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    return processes.run(
        *arguments,
        strict=True,
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | (environment or {}),
    )


def test_a_full_chain_file_in_any_order(files: Path) -> None:
    done = run("inspect", files / "full.pem")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        f"Certificate {files}/full.pem",
        "subject CN=web-1",
        "serial number 0a1b (hex)",
        "2587 (decimal)",
        "key EC P-256, signs with AWS4-X509-ECDSA-SHA256",
        "ok keyUsage digitalSignature",
        "session name 0a1b (default)",
        "SourceIdentity CN=web-1",
        "x509Subject/CN web-1",
        "x509Issuer/CN Issuing",
    ):
        assert line in lines
    assert [line for line in lines if line.startswith("1 CN=Issuing, until ")]
    assert any(line.endswith("UTC, 30 days left") for line in lines)
    assert "Trust policy" not in done.stdout


def test_the_certificate_flag_der_and_intermediates(files: Path) -> None:
    done = run("inspect", "--certificate", files / "leaf.der", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["chain"]) == (0, [])
    more = ("--intermediates", files / "full.pem", "--json")
    found = json.loads(run("inspect", files / "leaf.pem", *more).stdout)
    assert [one["subject"] for one in found["chain"]] == ["CN=Issuing"]
    assert "trustPolicy" not in found


@pytest.mark.parametrize("form", ["", "_ENV", "_FILE"])
def test_a_pkcs12_file_opens_with_the_passphrase_of_the_environment(
    files: Path, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "passphrase"
    file.write_text("open sesame\n")
    value = {"": "open sesame", "_ENV": "OPENS_IT", "_FILE": str(file)}[form]
    environment = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE" + form: value}
    environment["OPENS_IT"] = "open sesame"
    done = run("inspect", files / "leaf.p12", "--json", environment=environment)
    assert [one["subject"] for one in json.loads(done.stdout)["chain"]] == ["CN=Issuing"]
    done = run("inspect", files / "leaf.p12")
    assert done.returncode == 1
    assert "passphrase" in done.stderr


def test_a_certificate_that_aws_would_refuse(files: Path) -> None:
    done = run("inspect", files / "middle.pem")
    assert done.returncode == 1
    assert "FAIL basicConstraints" in done.stdout
    assert "CA:TRUE" in done.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "status", "line"),
    [
        ("allows", ["--trust-anchor-arn", ANCHOR], 0, "ok sts:AssumeRole allowed by statement 1"),
        (
            "allows",
            [],
            1,
            "warn sts:TagSession undecided: it depends on statement 1",
        ),
        (
            "refuses",
            ["--trust-anchor-arn", ANCHOR],
            1,
            "FAIL sts:SetSourceIdentity denied: no statement allows it",
        ),
    ],
)
def test_a_trust_policy_decides_the_exit_status(
    files: Path, name: str, arguments: list[str], status: int, line: str
) -> None:
    done = run("inspect", files / "leaf.pem", "--trust-policy", files / f"{name}.json", *arguments)
    assert (done.returncode, done.stderr) == (status, "")
    assert line in [" ".join(row.split()) for row in done.stdout.splitlines()]


def test_it_says_which_condition_fails_on_which_value(files: Path) -> None:
    done = run(
        "inspect",
        files / "leaf.pem",
        "--trust-policy",
        "-",
        "--trust-anchor-arn",
        ANCHOR,
        stdin=(files / "refuses.json").read_text(),
    )
    shown = " ".join(done.stdout.split())
    assert f"FAIL StringEquals {CN} policy 'db-1' session 'web-1'" in shown
    assert "ok ArnEquals aws:SourceArn" in shown
    assert "from standard input" in shown


def test_without_a_trust_anchor_it_asks_for_one(files: Path) -> None:
    done = run("inspect", files / "leaf.pem", "--trust-policy", files / "allows.json")
    assert "give --trust-anchor-arn" in done.stdout


def test_context_and_session_name_are_facts(files: Path) -> None:
    text = policy(
        {
            "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
            "StringEquals": {"sts:RoleSessionName": "${aws:PrincipalTag/x509Subject/CN}"},
        }
    )
    given = ["inspect", str(files / "leaf.pem"), "--trust-policy", "-", "--json"]
    given += ["--trust-anchor-arn", ANCHOR, "--context", "aws:SourceIp=203.0.113.9"]
    assert run(*given, stdin=text).returncode == 1
    done = run(*given, "--role-session-name", "web-1", stdin=text)
    assert done.returncode == 0
    assert json.loads(done.stdout)["trustPolicy"]["allowed"] is True


def test_the_session_name_is_the_serial_number_or_what_is_asked_for(files: Path) -> None:
    serial = json.loads(run("inspect", files / "leaf.pem", "--json").stdout)["sessionName"]
    assert f"{serial} (default)" in run("inspect", files / "leaf.pem").stdout

    named = run("inspect", files / "leaf.pem", "--role-session-name", "web-1").stdout

    assert "web-1 (as asked for, if the profile accepts one)" in named
    assert f"{serial} (default)" not in named


def test_attribute_mappings_are_applied(files: Path, tmp_path: Path) -> None:
    mappings = tmp_path / "profile.json"
    mappings.write_text('{"profile": {"attributeMappings": []}}')
    done = run(
        "inspect",
        files / "leaf.pem",
        "--attribute-mappings",
        mappings,
        "--trust-policy",
        files / "allows.json",
        "--trust-anchor-arn",
        ANCHOR,
    )
    assert done.returncode == 1
    assert "the profile's attribute mappings leave it out" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["inspect", "none.pem"], "", "none.pem: there is no such file"),
        (["inspect", "allows.json"], "", "allows.json: "),
        (["inspect", "leaf.pem", "--intermediates", "gone"], "", "gone: there is no such file"),
        (["inspect", "leaf.pem", "--trust-policy", "gone"], "", "gone: it cannot be read"),
        (["inspect", "leaf.pem", "--trust-policy", "-"], "{", "standard input: line 1"),
        (["inspect", "leaf.pem", "--trust-policy", "leaf.pem"], "", "leaf.pem: line 1"),
        (["inspect", "leaf.pem", "--context", "x"], "", "--context: it is 'x'"),
        (["inspect", "leaf.pem", "--attribute-mappings", "leaf.pem"], "", "leaf.pem: it is not"),
        (["inspect", "leaf.pem", "--trust-anchor-arn", "arn:x"], "", "trust anchor ARN: "),
    ],
)
def test_what_cannot_be_used_is_one_line_on_stderr(
    files: Path, arguments: list[str], stdin: str, message: str
) -> None:
    done = run(*arguments, stdin=stdin, folder=files)
    assert (done.returncode, done.stdout) == (2 if "--context" in arguments else 1, "")
    assert done.stderr.startswith("boto-rolesanywhere: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage: boto-rolesanywhere COMMAND"),
        (["inspekt"], "there is no command 'inspekt'. Did you mean inspect?"),
        (["zzz"], "there is no command 'zzz'. There are: credential-process, "),
        (["--jsn"], "there is no option '--jsn'"),
        (["inspect"], "one of the arguments FILE --certificate is required"),
        (["inspect", "a", "--certificate", "b"], "not allowed with argument"),
        (["inspect", "a", "--js"], "there is no flag --js (did you mean --json?)"),
    ],
)
def test_wrong_usage_is_status_2_and_leaves_stdout_empty(
    arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_teaches(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    for name, (_, summary) in cli.COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert summary in done.stdout
    assert "example:" in done.stdout


def test_every_command_has_its_own_help() -> None:
    for name in cli.COMMANDS:
        for arguments in ([name, "--help"], ["help", name]):
            done = run(*arguments)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith(f"usage: boto-rolesanywhere {name}")


def test_inspects_help_documents_the_exit_status() -> None:
    assert "exit status:" in run("inspect", "--help").stdout


def test_the_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; from boto_rolesanywhere.cli import main; main(['--version']);"
        "print(sorted({'argparse', 'cryptography', 'botocore', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("boto-rolesanywhere ")
    assert done.stdout.splitlines()[1] == "[]"


def test_a_reader_that_goes_away_is_no_error(files: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = processes.run("inspect", files / "leaf.pem", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interruption_is_quiet(files: Path, tmp_path: Path) -> None:
    waiting = tmp_path / "policy"
    os.mkfifo(waiting)
    command = ("inspect", files / "leaf.pem", "--trust-policy", waiting)
    with (
        processes.Process(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        waiting.open("wb"),  # opens only when the process reads from the other end
    ):
        while process.poll() is None:  # a signal between open() and read() does not end the read()
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                output = process.communicate(timeout=10)
    assert (process.returncode, output) == (130, (b"", b""))


def test_a_name_in_a_certificate_cannot_steer_the_terminal(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    place = tmp_path / "odd.pem"
    odd = issue("a\x1b]0;title\x07\nb", key, "Root", key, ca=False)
    place.write_bytes(odd.public_bytes(Encoding.PEM))
    done = run("inspect", place)
    assert "\x1b" not in done.stdout
    assert "CN=a\\x1b]0;title\\x07\\nb" in done.stdout

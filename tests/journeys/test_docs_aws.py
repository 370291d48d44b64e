"""Pages about AWS's side, and the demo: typed against the control plane, IAM and S3 on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from botocore.session import Session
from installed import AWS_CLI, require
from pages import Reader, blocks, text_of
from repository import DOCS, ROOT

from boto_rolesanywhere.errors import SessionDeniedError

if TYPE_CHECKING:  # slow to load
    from moto.cloudtrail.responses import CloudTrailResponse

# One after another in the account of one reader: what setup makes, teardown takes as there.
ROUNDS: Final = (["first-credentials.md"], ["setup.md", "teardown.md"])
LOGS: Final = "what-aws-logs.md"
EVENTS: Final = (  # as CloudTrail's LookupEvents lists them
    {"EventId": "1", "EventName": "CreateSession", "EventSource": "rolesanywhere.amazonaws.com"},
    {"EventId": "2", "EventName": "ListBuckets", "EventSource": "s3.amazonaws.com"},
)
# Columns that AWS documents for Athena's table of a trail's logs: those that the page asks for.
LOGGED: Final = {
    **dict.fromkeys(("eventtime", "eventsource", "eventname", "sourceipaddress"), "varchar"),
    "useridentity": "struct<type:varchar,principalid:varchar,arn:varchar,accountid:varchar>",
}
DEMO: Final = (sys.executable, str(ROOT / "scripts" / "run_demo.py"))


@pytest.fixture
def administrator(reader: Reader, moto_url: str) -> Reader:
    """A reader with an AWS account that has nothing, and the keys of its administrator."""
    urllib.request.urlopen(f"{moto_url}/moto-api/reset", data=b"").close()
    (reader.folder / ".aws").mkdir()
    credentials = "[default]\naws_access_key_id = admin\naws_secret_access_key = admin\n"
    (reader.folder / ".aws" / "credentials").write_text(credentials)
    reader.variables.update(AWS_ENDPOINT_URL=moto_url, AWS_DEFAULT_REGION="eu-west-1")
    return reader


@pytest.mark.parametrize("pages", ROUNDS, ids=lambda pages: pages[0])
def test_what_pages_tell_an_administrator_works(pages: list[str], administrator: Reader) -> None:
    for page in pages:
        for block in blocks(page, "aws"):
            administrator.type(block)


def lookup_events(self: CloudTrailResponse) -> str:
    """What moto lacks: the events with an attribute, which must be one that AWS's model names."""
    (asked,) = json.loads(self.body)["LookupAttributes"]
    operation = Session().get_service_model("cloudtrail").operation_model("LookupEvents")
    attribute = operation.input_shape.members["LookupAttributes"].member
    assert asked["AttributeKey"] in attribute.members["AttributeKey"].enum
    found = [each for each in EVENTS if each.get(asked["AttributeKey"]) == asked["AttributeValue"]]
    return json.dumps({"Events": found})


def test_what_aws_logs_is_asked_for_with_the_commands_of_its_page(
    administrator: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.cloudtrail.responses import CloudTrailResponse

    require((AWS_CLI / "bin" / "aws").exists(), "the AWS CLI")
    administrator.install("aws", AWS_CLI / "bin" / "aws")
    issued = administrator.emulator.ca.issue("app1")  # type: ignore[union-attr]  # it has one
    for name, content in (("app.pem", issued.certificate_pem), ("app.key", issued.private_key_pem)):
        (administrator.folder / name).write_bytes(content)
    administrator.access_key("app.pem", "app.key")
    monkeypatch.setattr(CloudTrailResponse, "lookup_events", lookup_events, raising=False)

    printed = [administrator.type(block) for block in blocks(LOGS, "aws")]

    assert json.loads(printed[0]) == {"Events": [EVENTS[0]]}
    assert '"x509Subject": "CN=app1"' in printed[1]
    kept = administrator.type(
        "aws events list-targets-by-rule --rule certificates-that-end; aws events list-rules"
        "; aws cloudwatch describe-alarms"
    )
    assert '"Arn": "arn:aws:sns:eu-west-1:123456789012:certificates"' in kept
    assert "Roles Anywhere Certificate Expiration State Change" in kept
    assert '"AlarmName": "roles-anywhere-refusals"' in kept


def test_the_query_of_the_page_finds_what_one_certificate_did(reader: Reader) -> None:
    from sqlglot.executor import execute  # slow to load

    (query,) = re.findall(r"```sql\n(.*?)```", text_of(LOGS), re.DOTALL)
    (serial,) = re.findall(r"/([0-9a-f]{40})", query)
    ca = reader.emulator.ca
    assert ca is not None
    events = []
    for number in (int(serial, 16), 7):
        (reader.folder / "app.pem").write_bytes(ca.issue(serial_number=number).certificate_pem)
        name = reader.type("boto-rolesanywhere inspect app.pem --json | jq -r .sessionName").strip()
        arn = f"arn:aws:sts::123456789012:assumed-role/RolesAnywhere/{name}"
        events += [
            dict.fromkeys(LOGGED, f"{number} at {hour}") | {"useridentity": {"arn": arn}}
            for hour in ("10", "09")
        ]

    found = execute(query, {"cloudtrail_logs": LOGGED}, "athena", {"cloudtrail_logs": events})

    assert found.columns == ("eventtime", "eventsource", "eventname", "sourceipaddress")
    assert found.rows == [(f"{int(serial, 16)} at {hour}",) * 4 for hour in ("09", "10")]


def test_the_aws_cli_does_by_hand_what_pages_tell(administrator: Reader) -> None:
    require((AWS_CLI / "bin" / "aws").exists(), "the AWS CLI")
    administrator.install("aws", AWS_CLI / "bin" / "aws")
    emulator = administrator.emulator
    ca = emulator.ca
    assert ca is not None
    administrator.variables["ANCHOR"] = emulator.trust_anchor_arn
    (administrator.folder / "workload.pem").write_bytes(ca.issue("app1").certificate_pem)

    administrator.type(blocks("trust-policy.md")[0])
    (made,) = blocks("trust-policy.md", "cli")
    administrator.type(made)
    (judged,) = blocks("inspect.md", "cli")
    assert "session  'app1'" in administrator.type(judged)  # ends with 0 if the policy allows it

    first, later = blocks("certificates.md", "cli")
    for number, block in ((7, first), (8, later)):
        (administrator.folder / "ca-crl.pem").write_bytes(ca.crl([number]))
        administrator.type(block)
        lost = ca.issue("lost", serial_number=number)
        (administrator.folder / "lost.pem").write_bytes(lost.certificate_pem)
        (administrator.folder / "lost.key").write_bytes(lost.private_key_pem)
        with pytest.raises(SessionDeniedError, match="Certificate revoked"):
            administrator.access_key("lost.pem", "lost.key")


def test_no_page_is_left_out() -> None:
    of_administrators = {page.name for page in DOCS.glob("*.md") if blocks(page.name, "aws")}

    assert of_administrators == {LOGS, *(page for pages in ROUNDS for page in pages)}


def test_nothing_secret_travels_between_three_machines(administrator: Reader) -> None:
    administrator.type(blocks("first-credentials.md", "aws")[0])
    ca = administrator.folder / ".boto-rolesanywhere" / "ca" / "trust-anchor.pem"
    shutil.copy(ca, administrator.folder)
    request, issue, setup, use = blocks("first-credentials.md", "machines")
    administrator.type(request)
    administrator.type(issue)

    printed = administrator.type(setup)

    profile = printed[printed.index("[profile app2]") :]
    (administrator.folder / ".aws" / "config").write_text(profile)
    (administrator.folder / ".aws" / "credentials").unlink()
    assert "Nothing failed" in administrator.type(use)


def test_the_demo_types_what_the_readme_says_and_lets_one_play_on(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(boto-rolesanywhere ca init.*?)```", readme, re.DOTALL)
    with subprocess.Popen(
        [*DEMO, "--keep"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        lines = []
        while not lines or "doctor" not in lines[-1]:
            lines.append(demo.stdout.readline())
            assert lines[-1], "".join(lines[:-1])
        *_, folder, endpoints, files, doctor = lines
        played = subprocess.run(
            ["sh", "-eu", "-c", f"{folder}{endpoints}{files}{doctor}"],
            capture_output=True,
            text=True,
            check=False,
        )
        demo.send_signal(signal.SIGINT)
        demo.communicate()

    typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ boto-rolesanywhere")]
    assert "".join(typed[:3]) == re.sub(r"\\\n *", "", commands)
    assert "\tsensor-data\n" in lines
    assert "Certificate revoked" in "".join(lines)
    assert endpoints.strip().startswith("export AWS_ENDPOINT_URL=")
    assert "Nothing failed" in played.stdout, played.stdout + played.stderr
    assert demo.returncode == 0
    (kept,) = tmp_path.glob("rolesanywhere-*")
    assert (kept / "app1.pem").is_file()

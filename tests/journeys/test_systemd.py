"""The units of examples/systemd, started by a real systemd on a machine that has nothing else.

Nothing in a unit is changed: the programs are where it says, and a drop-in names the emulator and
moto as AWS's endpoints.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import pytest
from booted_machine import PATIENCE, BootedMachine, booted_machine, python_program
from installed import AWS_CLI, ROOT, require
from pages import blocks

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority

ROLES_ANYWHERE = "http://127.0.0.1:8001"
S3 = "http://127.0.0.1:8002"
ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
ARNS = {
    "trust_anchor": f"{ARN}:trust-anchor/10000000-0000-4000-8000-000000000000",
    "profile": f"{ARN}:profile/20000000-0000-4000-8000-000000000000",
    "role": "arn:aws:iam::123456789012:role/RolesAnywhere",
}
DROP_IN = f"""[Service]
Environment=AWS_ENDPOINT_URL_ROLESANYWHERE={ROLES_ANYWHERE} AWS_ENDPOINT_URL_S3={S3}
RestartSec=100ms
"""
MOTO = """
import signal, sys, urllib.request
from moto.server import ThreadedMotoServer

url = sys.argv[1]
server = ThreadedMotoServer("127.0.0.1", int(url.rpartition(":")[2]), verbose=False)
server.start()
urllib.request.urlopen(urllib.request.Request(url + "/sensor-data", method="PUT"))
print("ready", flush=True)
signal.pause()
"""
GET = """
import sys, boto3
keys = dict(aws_access_key_id="reader", aws_secret_access_key="any")
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", **keys)
print(s3.get_object(Bucket="sensor-data", Key="today")["Body"].read().decode(), end="")
"""
LIST = "/etc/boto-rolesanywhere/ca.crl"
ADMINISTRATOR = """[profile crl-sync]
region = eu-west-1
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret
"""
CONFIG = "crl-sync.config"
PAIR = ("app-cert.pem", "app-key.pem")
SERVER = "boto-rolesanywhere.service"
# These are put in their place as docs/renewal.md tells.
RENEWING = ("renew-certificate.service", "renew-certificate.timer")
DOWNLOADED = "/opt/units"
# systemd starts the service of a persistent timer at once if its time passed while it was off, but
# for its delay.
MISSED = """
undelayed=/run/systemd/system/$0.timer.d
mkdir -p $undelayed /var/lib/systemd/timers
printf '[Timer]\\nRandomizedDelaySec=0\\n' > $undelayed/undelayed.conf
touch --date='8 days ago' /var/lib/systemd/timers/stamp-$0.timer
"""
CA = "--ca /var/lib/boto-rolesanywhere/ca"
RENEWED = "/etc/boto-rolesanywhere/app1.pem"


@pytest.fixture(scope="module")
def machine(
    ca: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BootedMachine]:
    """Booted, with the units and what they need; AWS's endpoints answer, and a bucket is there."""
    folder = tmp_path_factory.mktemp("machine")
    anchor = folder / "ca.pem"
    anchor.write_bytes(ca.certificate_pem)
    emulator = [sys.executable, "-m", "boto_rolesanywhere.testing.emulator", "--json"]
    emulator += ["--ca", str(anchor), "--port", ROLES_ANYWHERE.rpartition(":")[2]]
    emulator += [f"--{name.replace('_', '-')}-arn={arn}" for name, arn in ARNS.items()]
    with (
        booted_machine(folder, installed(folder) | configured(folder, ca)) as machine,
        machine.neighbour(*emulator) as service,
        machine.neighbour(sys.executable, "-c", MOTO, S3) as s3,
    ):
        assert json.loads(service.readline())["endpoint_url"] == ROLES_ANYWHERE
        assert s3.readline() == "ready\n"
        put(machine, "first", (*PAIR, CONFIG))
        yield machine


def put(machine: BootedMachine, which: str, names: Sequence[str] = PAIR) -> None:
    """Put certificate and key, or other files, where the units have them, each in one step."""
    for name in names:
        there = f"/etc/boto-rolesanywhere/{name}"
        machine.run("install", "--mode=600", f"/opt/{which}/{name}", f"{there}.new")
        machine.run("mv", f"{there}.new", there)


def installed(folder: Path) -> dict[str, Path]:
    """The programs, where the units look for them."""
    dependencies = Path(boto3.__file__).parents[1]
    own = Path(boto_rolesanywhere.__file__).parents[1]  # elsewhere, of an editable installation
    cli = next(iter(AWS_CLI.glob("lib/python*/site-packages")), None)
    require(cli is not None, "the AWS CLI")
    assert cli is not None
    command = folder / "boto-rolesanywhere"
    aws = folder / "aws"
    python = folder / "python"
    python_program(command, "-m boto_rolesanywhere", "/opt/own:/opt/dependencies")
    python_program(aws, "-m awscli", "/opt/cli")
    python_program(python, "", "/opt/own:/opt/dependencies")
    return {
        "/opt/own/boto_rolesanywhere": own / "boto_rolesanywhere",
        "/opt/dependencies": dependencies,
        "/opt/cli": cli,
        "/usr/local/bin/boto-rolesanywhere": command,
        "/usr/local/bin/aws": aws,
        "/opt/gets3buckets/bin/python": python,
        "/opt/gets3buckets/gets3buckets.py": ROOT / "examples" / "gets3buckets.py",
    }


def configured(folder: Path, ca: CertificateAuthority) -> dict[str, Path]:
    """The units with their configuration, certificate and key, and files to copy."""
    for which in ("first", "second"):
        ca.issue("app").write(folder / which, name="app")
        (folder / which / CONFIG).write_text(f"{ADMINISTRATOR}# the {which}\n")
    config = folder / "config"
    arns = folder / "arns"
    drop_in = folder / "drop-in"
    measurement = folder / "measurement"
    rows = [f"rolesanywhere_{name}_arn = {arn}" for name, arn in ARNS.items()]
    config.write_text("\n".join(["[profile reader]", *rows]))
    rows = [f"AWS_ROLESANYWHERE_{name.upper()}_ARN={arn}" for name, arn in ARNS.items()]
    arns.write_text("\n".join(rows))
    drop_in.write_text(DROP_IN)
    measurement.write_text("21.5 C")
    files = {
        "crl-sync.env": f"CRL_TRUST_ANCHOR={ARNS['trust_anchor']}\nCRL_SOURCE={LIST}\n",
        "ca.crl": ca.crl([7]).decode(),
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    units = (ROOT / "examples" / "systemd").iterdir()
    return {
        "/etc/boto-rolesanywhere/config": config,
        "/etc/boto-rolesanywhere/arns": arns,
        **{f"/opt/{which}": folder / which for which in ("first", "second")},
        **{f"/etc/boto-rolesanywhere/{name}": folder / name for name in files},
        "/etc/systemd/system/service.d/endpoints.conf": drop_in,
        "/var/lib/measurements/today": measurement,
        **{f"/etc/systemd/system/{unit.name}": unit for unit in units if unit.name not in RENEWING},
        **{f"{DOWNLOADED}/{name}": ROOT / "examples" / "systemd" / name for name in RENEWING},
        # What cron asks before it runs a command.
        **{folder: Path(folder) for folder in ("/etc/pam.d", "/etc/security")},
    }


def stored(machine: BootedMachine) -> str:
    """The copy of the file in S3."""
    with machine.neighbour(sys.executable, "-c", GET, S3) as printed:
        return printed.read()


def shown(machine: BootedMachine, unit: str, *names: str) -> dict[str, str]:
    output = machine.run("systemctl", "show", unit, *(f"--property={name}" for name in names))
    return dict(line.split("=", 1) for line in output.splitlines())


def test_any_program_gets_credentials_from_the_serving_unit(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", "s3-sync")

    assert stored(machine) == "21.5 C"
    assert shown(machine, SERVER, "ActiveState", "StatusText")["ActiveState"] == "active"


def test_nobody_but_root_and_the_service_itself_reads_a_secret(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", SERVER)

    process = shown(machine, SERVER, "MainPID")["MainPID"]
    status = machine.run("cat", f"/proc/{process}/status")
    (user,) = re.findall(r"^Uid:\t(\d+)", status, flags=re.MULTILINE)
    key, token = "/etc/boto-rolesanywhere/app-key.pem", "/run/boto-rolesanywhere/reader.token"
    assert int(user) > 0
    assert re.search(r"^NoNewPrivs:\t1$", status, flags=re.MULTILINE)
    assert re.search(r"^CapBnd:\t0+$", status, flags=re.MULTILINE)
    assert machine.run("stat", "--format=%u %a", key) == "0 600\n"
    assert machine.run("stat", "--format=%u %a", token) == f"{user} 600\n"


def test_a_killed_server_comes_back_with_the_same_token(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", SERVER)
    token = machine.run("cat", "/run/boto-rolesanywhere/reader.token")
    before = shown(machine, SERVER, "MainPID")

    machine.run("systemctl", "kill", "--signal=KILL", SERVER)
    machine.run("systemctl", "start", "s3-sync")

    assert shown(machine, SERVER, "MainPID") != before
    assert machine.run("cat", "/run/boto-rolesanywhere/reader.token") == token


def test_stopping_ends_it_cleanly(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", SERVER)

    machine.run("systemctl", "stop", SERVER)

    assert shown(machine, SERVER, "Result", "ExecMainStatus") == {
        "Result": "success",
        "ExecMainStatus": "0",
    }
    machine.run("test", "!", "-e", "/run/private/boto-rolesanywhere")


def test_a_python_service_needs_no_server(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", "gets3buckets")

    told, end = "", time.monotonic() + PATIENCE
    while "sensor-data" not in told and time.monotonic() < end:
        told = machine.run("journalctl", "--no-pager", "--output=cat", "--unit=gets3buckets")
    assert "Hello, Amazon S3! Let's list your buckets:\n\tsensor-data\n" in told


def test_a_list_gets_to_aws_and_is_kept_there(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", "crl-sync")  # returns when the service says that it is ready
    assert "list number 1 of" in shown(machine, "crl-sync", "StatusText")["StatusText"]
    machine.run("systemctl", "stop", "crl-sync")
    assert shown(machine, "crl-sync", "Result")["Result"] == "success"
    machine.run("sh", "-c", MISSED, "crl-sync-once")

    machine.run("systemctl", "start", "crl-sync-once.timer")

    told, end = "", time.monotonic() + PATIENCE
    while "is imported already" not in told and time.monotonic() < end:
        told = machine.run("journalctl", "--no-pager", "--output=cat", "--unit=crl-sync*")
    assert "is imported and enabled" in told
    assert "is imported already" in told
    machine.run("systemctl", "stop", "crl-sync-once.timer")


# The units that have copies: the files, and one of them by its name in the unit's credentials.
COPIES = {
    SERVER: (PAIR, "certificate"),
    "gets3buckets.service": (PAIR, "certificate"),
    "crl-sync.service": ((CONFIG,), "config"),
}


def test_every_unit_that_goes_on_with_a_copy_is_tried() -> None:
    units = (ROOT / "examples" / "systemd").glob("*.service")
    texts = {unit.name: unit.read_text() for unit in units}
    assert set(COPIES) == {
        name
        for name, text in texts.items()
        if "LoadCredential=" in text and "Type=oneshot" not in text
    }


@pytest.mark.parametrize("unit", COPIES)
def test_a_replaced_file_restarts_what_has_a_copy_of_the_old(
    machine: BootedMachine, unit: str
) -> None:
    names, credential = COPIES[unit]
    machine.run("systemctl", "start", unit)

    # Put back too: each test leaves the machine as it was.
    for which in ("second", "first"):
        put(machine, which, names)
        there = machine.run("cat", f"/opt/{which}/{names[0]}")
        end = time.monotonic() + PATIENCE
        copy = f"cat /run/credentials/{unit}/{credential} || true"  # not there while it starts
        while machine.run("sh", "-c", copy) != there:
            assert time.monotonic() < end
            time.sleep(0.1)
    machine.run("systemctl", "stop", unit)


def test_the_token_outlives_a_restart(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", SERVER)
    token = machine.run("cat", "/run/boto-rolesanywhere/reader.token")

    machine.run("systemctl", "restart", SERVER)
    machine.run("systemctl", "start", "s3-sync")  # which waits for the server

    assert machine.run("cat", "/run/boto-rolesanywhere/reader.token") == token


@pytest.fixture
def issued(machine: BootedMachine) -> Iterator[str]:
    """A CA of the machine's own, which issued app1; gives this certificate."""
    machine.run("sh", "-c", f"boto-rolesanywhere ca init {CA} --name 'Example CA'")
    issue = f"boto-rolesanywhere ca issue app1 {CA} --out /etc/boto-rolesanywhere"
    machine.run("sh", "-c", issue)
    yield machine.run("cat", RENEWED)
    machine.run("sh", "-c", f"rm -r /var/lib/boto-rolesanywhere {RENEWED.removesuffix('pem')}*")


def await_another(machine: BootedMachine, certificate: str) -> None:
    end = time.monotonic() + PATIENCE
    while machine.run("cat", RENEWED) == certificate:
        assert time.monotonic() < end, machine.run("journalctl", "--no-pager", "--lines=40")
        time.sleep(0.1)


def test_the_timer_renews_a_certificate(machine: BootedMachine, issued: str) -> None:
    (block,) = blocks("renewal.md", "systemd")
    machine.run("sh", "-c", MISSED, "renew-certificate")

    told = machine.run("sh", "-euc", f"cd {DOWNLOADED}\n{block}")

    assert "renew-certificate.service" in told
    await_another(machine, issued)
    machine.run("systemctl", "disable", "--now", *RENEWING)


def test_cron_renews_a_certificate(machine: BootedMachine, issued: str) -> None:
    require(shutil.which("cron") is not None, "cron")
    (block,) = blocks("renewal.md", "cron")
    machine.run("sh", "-euc", f"mkdir -p /etc/cron.d /var/spool/cron/crontabs\n{block}")
    at_once = "$ s/^17 4 \\* \\* 1/@reboot/"
    machine.run("sed", "--in-place", at_once, "/etc/cron.d/renew-certificate")

    machine.run("systemctl", "start", "cron")

    await_another(machine, issued)
    machine.run("systemctl", "stop", "cron")

"""`teardown`: what it shows, what goes, and what killed runs of setup leave."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import processes
import pytest
from aws_account import Account
from commands import ended
from setup_commands import INIT, SETUP_APP1

from boto_rolesanywhere.account.tags import SETUP

pytestmark = pytest.mark.usefixtures("account")


def test_teardown_shows_and_needs_a_yes(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    made = account.everything()

    shown = ended("teardown", "--role", "app1", "--plan").stdout
    assert all(arn in shown for arn in made.keys() - before.keys() if arn.startswith("arn:"))
    assert "confirmation-missing" in ended("teardown", "--role", "app1", status=1).stderr
    assert account.everything() == made
    ended("teardown", "--role", "app1", "--yes")
    assert account.everything() == before
    assert "nothing-to-remove" in ended("teardown", "--role", "app1", "--yes", status=1).stderr


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_at_a_terminal_it_asks(account: Account, workshop: Path, answer: str, status: int) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    master, slave = os.openpty()
    os.write(master, answer.encode())
    with processes.Process(
        "teardown", "--role", "app1", stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        _, err = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)

    assert process.returncode == status
    assert b"Remove all of this? [y/N]" in err
    assert (account.everything() == before) == (status == 0)


def test_a_shared_trust_anchor_goes_with_the_last_role(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    ended("setup", "--role", "app2", "--print-profile")

    first = ended("teardown", "--role", "app1", "--yes").stdout
    assert "the trust anchor example-ca stays: app2 trust it" in first
    last = ended("teardown", "--role", "app2", "--yes").stdout
    assert "trust anchor example-ca: arn:" in last
    assert account.everything() == before


def test_a_shared_profile_goes_with_the_last_role(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    ended(*SETUP_APP1)
    ended("setup", "--role", "app2", "--role-profile", "app1", "--print-profile")

    first = ended("teardown", "--role", "app1", "--yes").stdout
    assert ": take app1 out of it\n" in first
    assert "the profile app1 stays: it has the roles app2, too" in first
    profiles = account.client("rolesanywhere").list_profiles()["profiles"]
    assert ["arn:aws:iam::123456789012:role/app2"] in [each["roleArns"] for each in profiles]
    ended("teardown", "--role", "app2", "--yes")
    assert account.everything() == before


def test_lists_go_by_their_tag(account: Account, workshop: Path) -> None:
    ended(*INIT)
    ended(*SETUP_APP1, "--json")
    ended("ca", "issue", "app1")
    ended("ca", "revoke", "app1.pem")
    ended("ca", "crl")
    data = (Path.home() / ".boto-rolesanywhere" / "ca" / "ca-crl.pem").read_bytes()
    client = account.client("rolesanywhere")
    (anchor,) = (
        arn
        for arn, one in account.control_plane().items()
        if "trustAnchorId" in one and SETUP in one["tags"]
    )
    for name, tags in (("ours", [{"key": SETUP, "value": "example-ca"}]), ("theirs", [])):
        client.import_crl(name=name, crlData=data, trustAnchorArn=anchor, tags=tags)

    shown = ended("teardown", "--all", "--yes")

    assert "revocation list ours: arn:" in shown.stdout
    assert "stays: it has no tag of setup's" in shown.stdout
    assert "revocation list ours: remove it" in shown.stderr


def test_killed_processes_leave_nothing_unfound(account: Account, workshop: Path) -> None:
    ended(*INIT)
    before = account.everything()
    chance = random.Random(7)
    killed = 0
    for _ in range(int(os.environ.get("SETUP_KILLS", "6"))):
        with processes.Process(*SETUP_APP1, stdout=-3, stderr=-3) as process:
            time.sleep(chance.uniform(0, 1.2))
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        if chance.random() < 0.3:
            processes.run("teardown", "--all", "--yes", stdout=-3, stderr=-3)
    assert killed

    ended(*SETUP_APP1)
    made = [one for one in account.control_plane().values() if SETUP in one["tags"]]
    assert len(made) == 2
    ended("teardown", "--role", "app1", "--yes")
    assert account.everything() == before

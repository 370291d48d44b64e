"""Several `ca` at once, and some that are killed: no serial number is lost or comes twice."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Final

import processes
import pytest
from ca_commands import ca
from cryptography import x509

from boto_rolesanywhere.authority.folder import open_authority
from boto_rolesanywhere.authority.pair import alone_in
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources

pytestmark = pytest.mark.usefixtures("ca_in_workshop")

AT_ONCE: Final = 4


def test_kills_lose_and_repeat_no_serial(workshop: Path) -> None:
    # CA_KILLS=200 pytest -s -k kills_lose: the same for longer.
    ca("init", "--name", "Example CA")
    kills = int(os.environ.get("CA_KILLS", "40"))
    begin = time.monotonic()
    ca("issue", "first")
    whole = time.monotonic() - begin
    chance = random.Random(kills)
    ended = 0
    for batch in range(0, kills, AT_ONCE):
        running = [
            processes.Process("ca", "issue", f"app{number}", stdout=-3, stderr=-3)
            for number in range(batch, min(batch + AT_ONCE, kills))
        ]
        for process in running:
            # Some are killed in the middle of it, some wait for another's step, few are done.
            time.sleep(chance.uniform(0, 3 * whole / AT_ONCE))
            process.send_signal(signal.SIGKILL)
        ended += [process.wait(60) for process in running].count(0)

    records = open_authority(workshop / "ca").records()

    serials = [record.serial_number for record in records]
    written = sorted(workshop.glob("app*.pem"))
    assert len(set(serials)) == len(serials)
    for path in written:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert certificate.serial_number in serials, path
        sources = IdentitySources(certificate=path, private_key=path.with_suffix(".key"))
        assert open_identity(sources, now=utc_now()).certificate == certificate
    names = {record.name for record in records}
    assert len(names) == len(serials)
    assert {path.stem for path in written} <= names
    print(  # noqa: T201
        f"{kills} kills in {time.monotonic() - begin:.1f} s: {ended} were done before,"
        f" {len(serials) - 1} recorded, {len(written)} written"
    )
    ca("issue", "last")


def test_many_at_once_all_issue(workshop: Path) -> None:
    ca("init", "--name", "Example CA")

    running = [processes.Process("ca", "issue", f"app{number}", stdout=-3) for number in range(16)]

    assert [process.wait(60) for process in running] == [0] * 16
    assert len({each["serialNumber"] for each in json.loads(ca("list", "--json"))}) == 16


def test_an_older_list_takes_no_newer_ones_place(workshop: Path) -> None:
    ca("init", "--name", "Example CA")
    authority = open_authority(workshop / "ca")

    with alone_in(workshop / "ca"):
        late = processes.Process("ca", "crl", stdout=-1, text=True)
        deadline = time.monotonic() + 30
        while authority.newest_list() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        authority.sign_list()
    out, _ = late.communicate(timeout=30)

    assert "list number 2," in out
    written = x509.load_der_x509_crl((workshop / "ca" / "ca-crl.der").read_bytes())
    assert written == authority.newest_list()

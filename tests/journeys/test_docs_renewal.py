"""The page on renewal, typed with the programs of others that renew."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone

from acme_client import certbot
from open_bao import vault
from pages import PROFILE, ROLE, TRUST_ANCHOR, Reader, blocks

from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.identity.rotation import RotatingIdentity
from boto_rolesanywhere.settings.config import resolve

HOUR = 3600


def running_program(reader: Reader, **files: str) -> Callable[[], int]:
    """Asks a program that keeps running for credentials, an hour later each time.

    Gives the serial number of the certificate with which it got them.
    """
    config = resolve(
        {name: str(reader.folder / file) for name, file in files.items()}
        | {"anchor": TRUST_ANCHOR, "profile": PROFILE, "role": ROLE}
        | {"endpoint_url": reader.emulator.endpoint_url},
        environ={},
        section={},
    )
    assert config is not None
    hours = 0

    def later() -> float:
        return time.monotonic() + hours * HOUR

    identity = RotatingIdentity(config.sources, lambda: datetime.now(timezone.utc))
    creator = SessionCreator(config, identity)
    credentials = SessionCredentials(creator.create, monotonic=later, wall=later)

    def ask() -> int:
        nonlocal hours
        hours += 1
        assert credentials.get_frozen_credentials().access_key
        serial = reader.emulator.requests[-1].certificate_serial
        assert serial is not None
        return serial

    return ask


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_vaults_agent_renews_and_a_running_program_takes_the_new_certificate(
    reader: Reader,
) -> None:
    authority, _, _ = blocks("existing-ca.md", "vault")
    *prepared, configured, started = blocks("renewal.md", "agent")
    file = reader.folder / "app1.pem"
    with vault(reader):
        for block in (authority, *prepared, configured.replace("72h", "5s")):
            reader.type(block)
        reader.trust("ca.pem")
        del reader.variables["VAULT_TOKEN"]
        with subprocess.Popen(
            ["sh", "-c", f"exec {started}"], cwd=reader.folder, env=reader.environment()
        ) as agent:
            try:
                wait_until(file.exists)
                first = file.read_bytes()
                ask = running_program(reader, cert="app1.pem")
                assert ask() == reader.certificate("app1.pem").serial_number
                assert file.stat().st_mode & 0o777 == 0o600
                reader.type("openssl verify -CAfile ca.pem app1.pem")  # less lenient

                wait_until(lambda: file.read_bytes() != first)
                assert ask() == reader.certificate("app1.pem").serial_number
            finally:
                agent.terminate()
    assert len({record.certificate_serial for record in reader.emulator.requests}) == 2


def test_certbot_renews_and_a_running_program_takes_the_new_certificate(reader: Reader) -> None:
    authority, _, _ = blocks("existing-ca.md", "vault")
    (speaks_acme, _) = blocks("existing-ca.md", "acme")
    hook, issued, renewed = blocks("renewal.md", "acme")
    with vault(reader), certbot(reader) as names:
        reader.type(authority)
        reader.type(speaks_acme.replace("enabled=true", f"enabled=true dns_resolver={names}"))
        reader.trust("ca.pem")
        for block in (hook, issued):
            reader.type(block.replace("/etc/pki", str(reader.folder)))
        ask = running_program(reader, cert="app1.pem")
        first = ask()
        reader.type(renewed)

    assert ask() == reader.certificate("app1.pem").serial_number != first
    assert (reader.folder / "app1.pem").stat().st_mode & 0o777 == 0o600

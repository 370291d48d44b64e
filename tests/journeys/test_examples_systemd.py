"""The units of examples/systemd: systemd reads them, and their commands run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from functools import partial, reduce
from pathlib import Path

import pytest
from deployments import ADMINISTRATOR, PROGRAM, arns, asked, brought, environment
from repository import EXAMPLES

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

UNITS = sorted((EXAMPLES / "systemd").iterdir())


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a unit's [Service] section, each with all its values."""
    settings: dict[str, list[str]] = {}
    for line in (EXAMPLES / "systemd" / name).read_text().splitlines():
        if found := re.match(r"(\w+)=(.*)", line):
            settings.setdefault(found[1], []).append(found[2])
    return settings


def unit_environment(name: str, credentials: Path) -> dict[str, str]:
    words = " ".join(unit(name)["Environment"]).replace("%d", str(credentials)).split()
    return dict(word.split("=", 1) for word in words)


def hand_over(name: str, paths: IssuedPaths, folder: Path) -> None:
    """As LoadCredential= does it."""
    folder.mkdir()
    for credential in unit(name)["LoadCredential"]:
        title = credential.split(":")[0]
        source = paths.certificate if title == "certificate" else paths.private_key
        shutil.copy(source, folder / title)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_the_units(path: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    for other in UNITS:  # since one requires the other
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", other.read_text(), flags=re.MULTILINE
        )
        (tmp_path / other.name).write_text(text)

    done = subprocess.run(
        [analyze, "verify", tmp_path / path.name], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_python_service_of_systemd_lists_buckets(
    emulator: Emulator, paths: IssuedPaths, moto_url: str, tmp_path: Path
) -> None:
    name = "gets3buckets.service"
    hand_over(name, paths, tmp_path / "credentials")
    environ = environment(emulator, AWS_ENDPOINT_URL_S3=moto_url, **arns(emulator))
    environ |= unit_environment(name, tmp_path / "credentials")
    script = Path(unit(name)["ExecStart"][0].split()[1]).name

    done = subprocess.run(
        [sys.executable, EXAMPLES / script, "--once"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Hello, Amazon S3!" in done.stdout, done.stderr
    assert emulator.created == 1


def test_the_serving_unit_gives_the_client_units_url_and_token(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path
) -> None:
    name = "boto-rolesanywhere.service"
    hand_over(name, paths, tmp_path / "credentials")
    config = tmp_path / "config"
    rows = (f"{key.removeprefix('AWS_').lower()} = {arn}" for key, arn in arns(emulator).items())
    config.write_text("\n".join(["[profile reader]", *rows]))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environ = environment(emulator, RUNTIME_DIRECTORY=str(runtime))
    environ |= unit_environment(name, tmp_path / "credentials")
    environ |= {"AWS_CONFIG_FILE": str(config)}
    command = shlex.split(unit(name)["ExecStart"][0])[1:]
    client = unit_environment("s3-sync.service", tmp_path)

    answer = asked(command, environ, runtime / "reader.token", client)

    assert answer["AccessKeyId"] == emulator.requests[0].access_key_id


def test_the_timers_unit_renews_the_certificate_in_its_place(tmp_path: Path) -> None:
    command = shlex.split(unit("renew-certificate.service")["ExecStart"][0])[1:]
    folders = {"/var/lib/boto-rolesanywhere": tmp_path / "lib", "/etc/boto-rolesanywhere": tmp_path}
    for folder, here in folders.items():
        command = [word.replace(folder, str(here)) for word in command]
    ca, out = command[command.index("--ca") + 1], command[command.index("--out") + 1]
    (tmp_path / "lib").mkdir()
    ran = partial(subprocess.run, check=True, capture_output=True)
    ran([*PROGRAM, "ca", "init", "--name", "Example CA", "--ca", ca])
    ran([*PROGRAM, "ca", "issue", "app1", "--ca", ca, "--out", out])
    before = (tmp_path / "app1.pem").read_bytes()

    ran([*PROGRAM, *command])

    assert (tmp_path / "app1.pem").read_bytes() != before
    assert set(folders) == set(unit("renew-certificate.service")["ReadWritePaths"][0].split())


@pytest.mark.parametrize("name", ["crl-sync.service", "crl-sync-once.service"])
def test_the_units_bring_a_list_to_aws(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path, name: str
) -> None:
    (tmp_path / "config").write_text(ADMINISTRATOR)
    (tmp_path / "ca.crl").write_bytes(ca.crl([7]))
    values = {"CRL_TRUST_ANCHOR": emulator.trust_anchor_arn, "CRL_SOURCE": str(tmp_path / "ca.crl")}
    command = reduce(
        lambda text, item: text.replace(f"${{{item[0]}}}", item[1]),
        values.items(),
        unit(name)["ExecStart"][0],
    )
    assert unit(name)["LoadCredential"][0].startswith("config:")

    told = brought(
        shlex.split(command)[1:], environment(emulator) | unit_environment(name, tmp_path)
    )

    assert "is imported and enabled" in told

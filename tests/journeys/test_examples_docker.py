"""The files of examples/docker: what they copy and mount is used, and their commands run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deployments import PROGRAM, arns, environment
from installed import PROGRAMS, require
from repository import EXAMPLES

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


def test_the_image_runs_what_it_copies_and_holds_no_key(
    emulator: Emulator, paths: IssuedPaths, moto_url: str, tmp_path: Path
) -> None:
    dockerfile = (EXAMPLES / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
    lines = re.findall(r"^COPY .*", dockerfile, flags=re.MULTILINE)
    copied = re.findall(r"^COPY (\S+) (\S+)", dockerfile, flags=re.MULTILINE)
    variables = dict(re.findall(r"(AWS_\w+)=(\S+)", dockerfile))
    (command,) = re.findall(r"^CMD (.*)", dockerfile, flags=re.MULTILINE)
    compose = yaml.safe_load((EXAMPLES / "docker" / "compose.yaml").read_text())
    service = compose["services"]["gets3buckets"]
    (volume,) = service["volumes"]

    root = EXAMPLES.parent
    assert ("examples/gets3buckets.py", "/app/gets3buckets.py") in copied
    assert all((root / source).exists() for line in lines for source in line.split()[1:-1])
    assert not [line for line in lines if "key" in line or ".pem" in line]
    assert {str(Path(file).parent) for file in variables.values()} == {volume["target"]}
    assert set(service["environment"]) == set(arns(emulator))

    (_, script) = json.loads(command)
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / Path(script).name), "--once"],
        env=environment(
            emulator,
            AWS_ENDPOINT_URL_S3=moto_url,
            AWS_ROLESANYWHERE_CERTIFICATE=str(paths.certificate),
            AWS_ROLESANYWHERE_PRIVATE_KEY=str(paths.private_key),
            **arns(emulator),
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert emulator.created == 1


@pytest.mark.parametrize(("slip", "status"), [("volumes:", 0), ("volume:", 1)])
def test_the_compose_file_is_one(tmp_path: Path, slip: str, status: int) -> None:
    checker = PROGRAMS / "bin" / "check-jsonschema"
    require(checker.exists(), "check-jsonschema")
    text = (EXAMPLES / "docker" / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("volumes:", slip))
    command = [checker, "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yaml"]

    assert subprocess.run(command, capture_output=True, check=False).returncode == status


MOUNTING = """
set -e
for pair in $MOUNTS; do mount --bind "${pair%%:*}" "${pair#*:}"; done
"$@"
echo first >&2
read -r _
exec "$@"
"""


def test_the_container_sees_a_certificate_that_is_replaced(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    """Mounts as Docker makes them of the Compose file, the program in them, and a rotation."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("only root mounts, with unshare")
    compose = yaml.safe_load((EXAMPLES / "docker" / "compose.yaml").read_text())
    mounts = compose["services"]["gets3buckets"]["volumes"]
    here = tmp_path / "container"
    places = {}
    for mount in mounts:
        source = tmp_path / Path(mount["source"]).name
        target = here / mount["target"].lstrip("/")
        ca.issue("first").write(source, name="app")
        target.mkdir(parents=True)
        places[source] = target
    image = (EXAMPLES / "docker" / "Dockerfile").read_text()
    variables = {
        name: str(here / file.lstrip("/")) for name, file in re.findall(r"(AWS_\w+)=(/\S+)", image)
    }
    environ = environment(emulator, **arns(emulator), **variables)
    environ["MOUNTS"] = " ".join(f"{source}:{target}" for source, target in places.items())
    command = [*PROGRAM, "credential-process", "--no-cache"]

    with subprocess.Popen(
        [unshare, "--mount", "sh", "-c", MOUNTING, "sh", *command],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "first\n"
        renewed = [replaced(ca, source) for source in places]
        told = process.communicate("go on\n", timeout=60)[1]

    assert process.returncode == 0, told
    assert emulator.requests[-1].certificate_serial in renewed
    assert emulator.requests[0].certificate_serial not in renewed


def replaced(ca: CertificateAuthority, folder: Path) -> int:
    """Put a new certificate and key in the places of the old; gives the serial number."""
    issued = ca.issue("second")
    paths = issued.write(folder.with_name("next"), name="app")
    for new in (paths.private_key, paths.certificate):
        new.rename(folder / new.name)
    return issued.certificate.serial_number

"""The files of examples/ that are no Python: read as their tools read them, and their commands run.

Neither a Docker engine nor a cluster is needed: commands and variables are taken out of the files,
the paths of containers and units are put where the test has them, and the program is run for real.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from configparser import RawConfigParser
from functools import partial, reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from installed import PROGRAMS, require
from repository import DOCS, EXAMPLES

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

UNITS = sorted((EXAMPLES / "systemd").iterdir())
ADMINISTRATOR = """\
[profile crl-sync]
region = eu-west-1
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret
"""
PROGRAM = [sys.executable, "-m", "boto_rolesanywhere"]


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


def environment(emulator: Emulator, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_ENDPOINT_URL_ROLESANYWHERE": emulator.endpoint_url, **more}


def arns(emulator: Emulator) -> dict[str, str]:
    return {
        "AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN": emulator.trust_anchor_arn,
        "AWS_ROLESANYWHERE_PROFILE_ARN": emulator.profile_arn,
        "AWS_ROLESANYWHERE_ROLE_ARN": emulator.role_arn,
    }


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


def test_the_cron_job_brings_a_list_to_aws(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    job = yaml.safe_load((EXAMPLES / "kubernetes" / "crl-sync.yaml").read_text())
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
    (tmp_path / "config").write_text(ADMINISTRATOR)
    (tmp_path / "ca.crl").write_bytes(ca.crl([7]))
    here = {
        "http://pki.example.com/ca.crl": str(tmp_path / "ca.crl"),
        "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/CHANGE-ME": (
            emulator.trust_anchor_arn
        ),
    }
    assert set(here) <= set(container["args"])
    command = [here.get(word, word) for word in container["args"]]
    (variable,) = container["env"]
    assert variable == {"name": "AWS_CONFIG_FILE", "value": "/aws/config"}

    told = brought(command, environment(emulator, AWS_CONFIG_FILE=str(tmp_path / "config")))

    assert json.loads(told)["sources"][0]["state"] == "imported"


def brought(command: list[str], environ: dict[str, str]) -> str:
    """The first line that a `crl sync` prints; one that goes on is ended then."""
    with subprocess.Popen(
        [*PROGRAM, *command], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "--watch" in command:
            process.terminate()
    assert process.returncode == 0
    return line


def test_the_sidecar_gives_the_programs_url_and_token(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path
) -> None:
    settings, pod = kubernetes("sidecar.yaml")
    (sidecar,) = pod["spec"]["initContainers"]
    (program,) = pod["spec"]["containers"]
    mounts = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for c in (sidecar, program) for mount in c["volumeMounts"]} == mounts
    config = tmp_path / "config"
    config.write_text(mounted(settings["data"]["config"], emulator, paths))
    volume = tmp_path / "token"
    volume.mkdir()
    volume.chmod(0o777)  # as an emptyDir is
    command = [re.sub("^/token", str(volume), word) for word in sidecar["args"]]
    environ = environment(emulator, AWS_CONFIG_FILE=str(config))
    client = {row["name"]: row["value"] for row in program["env"]}
    file = client["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
    token = Path(re.sub("^/token", str(volume), file))
    assert file in sidecar["startupProbe"]["exec"]["command"]

    answer = asked(command, environ, token, client)

    assert answer["AccessKeyId"] == emulator.requests[0].access_key_id


def test_the_deployments_service_lists_buckets_with_its_variables(
    emulator: Emulator, paths: IssuedPaths, moto_url: str
) -> None:
    settings, deployment = kubernetes("deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (volume,) = pod["volumes"]
    (mount,) = container["volumeMounts"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], "/pki")
    assert "subPath" not in mount
    assert set(arns(emulator)) <= set(settings["data"])
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    files = {"/pki/tls.crt": paths.certificate, "/pki/tls.key": paths.private_key}
    variables = {
        name: str(files.get(value, value)) for name, value in settings["data"].items()
    } | arns(emulator)

    done = subprocess.run(
        [sys.executable, EXAMPLES / Path(container["command"][1]).name, "--once"],
        env=environment(emulator, AWS_ENDPOINT_URL_S3=moto_url, **variables),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Hello, Amazon S3!" in done.stdout, done.stderr
    assert emulator.created == 1


def test_cert_manager_is_asked_for_what_aws_asks_for() -> None:
    issuer, certificate = kubernetes("certificate.yaml")
    spec = certificate["spec"]

    assert spec["commonName"]  # the subject is not empty
    assert "digital signature" in spec["usages"]
    assert not spec.get("isCA")
    assert spec["privateKey"]["rotationPolicy"] == "Always"
    assert int(spec["duration"].rstrip("h")) > 2 * int(spec["renewBefore"].rstrip("h"))
    assert spec["issuerRef"] == {"name": issuer["metadata"]["name"], "kind": issuer["kind"]}
    for name, path in (
        ("sidecar.yaml", ("spec",)),
        ("deployment.yaml", ("spec", "template", "spec")),
    ):
        pod = reduce(lambda part, key: part[key], path, kubernetes(name)[1])
        secrets = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        assert [secret["secretName"] for secret in secrets] == [spec["secretName"]]


def test_the_page_shows_the_certificate_as_the_file_has_it() -> None:
    text = (DOCS / "existing-ca.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    whole = kubernetes("certificate.yaml")[1]

    assert yaml.safe_load(shown)["spec"].items() <= whole["spec"].items()


def kubernetes(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes" / name).read_text()))


def mounted(config: str, emulator: Emulator, paths: IssuedPaths) -> str:
    parser = RawConfigParser()
    parser.read_string(config)
    (section,) = parser.sections()
    parser[section].update(
        {
            "rolesanywhere_certificate": str(paths.certificate),
            "rolesanywhere_private_key": str(paths.private_key),
            **{key.removeprefix("AWS_").lower(): arn for key, arn in arns(emulator).items()},
        }
    )
    rows = (f"{key} = {value}" for key, value in parser[section].items())
    return "\n".join([f"[{section}]", *rows])


def asked(
    command: list[str], environ: dict[str, str], token: Path, client: dict[str, str]
) -> dict[str, Any]:
    """Run a `serve` command on a free port, and ask it as the client's variables say."""
    path = client["AWS_CONTAINER_CREDENTIALS_FULL_URI"].removeprefix("http://127.0.0.1:9911")
    with subprocess.Popen(
        [*PROGRAM, *command, "--port", "0"], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert url is not None
        request = urllib.request.Request(url[0] + path)
        request.add_header("Authorization", token.read_text())
        with urllib.request.urlopen(request) as response:
            answer: dict[str, Any] = json.load(response)
        process.terminate()
    return answer


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


@pytest.mark.parametrize("name", ["deployment.yaml", "sidecar.yaml"])
def test_a_pod_sees_a_secret_that_is_replaced(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path, name: str
) -> None:
    """The Secret's volume as a kubelet fills it: a new folder each time, behind a link."""
    path = ("spec",) if name == "sidecar.yaml" else ("spec", "template", "spec")
    pod: Any = reduce(lambda part, key: part[key], path, kubernetes(name)[1])
    containers = [*pod.get("initContainers", []), *pod["containers"]]
    mounts = [mount for each in containers for mount in each["volumeMounts"]]
    (mount,) = [mount for mount in mounts if mount["name"] == "pki"]
    assert "subPath" not in mount
    volume = tmp_path / "pki"
    volume.mkdir()
    for file in ("tls.crt", "tls.key"):
        (volume / file).symlink_to(f"..data/{file}")
    filled(volume, ca.issue("app").write(tmp_path / "one"), "..1")
    session = boto_rolesanywhere.get_session(
        str(volume / "tls.crt"),
        str(volume / "tls.key"),
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
    )
    credentials: Any = session.get_credentials()
    credentials.get_frozen_credentials()
    renewed = ca.issue("app")
    filled(volume, renewed.write(tmp_path / "two"), "..2")

    credentials._create()  # a renewal, whenever it comes

    first, last = (emulator.requests[at].certificate_serial for at in (0, -1))
    assert (first == last, last) == (False, renewed.certificate.serial_number)


def filled(volume: Path, paths: IssuedPaths, folder: str) -> None:
    (volume / folder).mkdir()
    shutil.copy(paths.certificate, volume / folder / "tls.crt")
    shutil.copy(paths.private_key, volume / folder / "tls.key")
    (volume / "..data_tmp").symlink_to(folder)
    (volume / "..data_tmp").rename(volume / "..data")


def replaced(ca: CertificateAuthority, folder: Path) -> int:
    """Put a new certificate and key in the places of the old; gives the serial number."""
    issued = ca.issue("second")
    paths = issued.write(folder.with_name("next"), name="app")
    for new in (paths.private_key, paths.certificate):
        new.rename(folder / new.name)
    return issued.certificate.serial_number

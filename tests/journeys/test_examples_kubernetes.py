"""The manifests of examples/kubernetes: what they mount is used, and their commands run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployments import ADMINISTRATOR, arns, asked, brought, environment
from repository import DOCS, EXAMPLES

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


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

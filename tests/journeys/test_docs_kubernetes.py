"""The manifests of examples/ and what the pages tell to type about Kubernetes, with kubectl.

It talks to tests/clients/kubernetes_api.py, which holds objects to the published schemas.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

import pytest
from installed import PROGRAMS, require
from pages import PROFILE, ROLE, TRUST_ANCHOR, Reader, blocks
from repository import DOCS, EXAMPLES, ROOT

MANIFESTS: Final = EXAMPLES / "kubernetes"
API: Final = ROOT / "tests" / "clients" / "kubernetes_api.py"
# What is made of each manifest, and a field that its schema must know.
MADE: Final = {
    "certificate.yaml": (
        ["issuer.cert-manager.io/example-ca", "certificate.cert-manager.io/workload"],
        "commonName",
    ),
    "crl-sync.yaml": (["cronjob.batch/crl-sync"], "concurrencyPolicy"),
    "deployment.yaml": (["configmap/s3-reports", "deployment.apps/s3-reports"], "envFrom"),
    "sidecar.yaml": (["configmap/rolesanywhere", "pod/s3-sync"], "startupProbe"),
}


@pytest.fixture
def operator(reader: Reader) -> Iterator[Reader]:
    """A reader with kubectl, and an API that it may bring objects to."""
    kubectl = PROGRAMS / "bin" / "kubectl"
    require(kubectl.exists(), "kubectl")
    with subprocess.Popen(
        [PROGRAMS / "bin" / "python", API], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as api:
        assert api.stdout is not None
        reader.install("kubectl", kubectl, "--server", api.stdout.readline().strip())
        yield reader
        api.kill()


def kept(operator: Reader, kind: str, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(operator.type(f"kubectl get {kind} {name} -o json"))
    return value


def commands(name: str) -> str:
    """Those that the comment of a manifest tells to type."""
    text = (MANIFESTS / name).read_text()
    (block,) = re.findall(r"^#\n((?:#   .*\n)+)#$", text, re.MULTILINE)
    return str(block).replace("#   ", "")


def test_each_manifest_is_one_of_these() -> None:
    assert set(MADE) == {path.name for path in MANIFESTS.iterdir()}


@pytest.mark.parametrize("name", MADE)
def test_a_manifest_is_taken_and_a_field_that_is_none_is_refused(
    name: str, operator: Reader
) -> None:
    made, field = MADE[name]
    text = (MANIFESTS / name).read_text()
    assert f"{field}:" in text
    (operator.folder / "slip.yaml").write_text(text.replace(f"{field}:", f"{field}s:"))
    shutil.copy(MANIFESTS / name, operator.folder)

    refused = operator.type("! kubectl apply -f slip.yaml 2>&1")
    told = operator.type(f"kubectl apply -f {name}")

    assert f"{field}s" in refused
    assert "BadRequest" in refused
    changes = [re.sub(" (created|configured|unchanged)$", "", line) for line in told.splitlines()]
    assert changes == made


def test_the_page_brings_to_a_cluster_what_its_program_needs(
    operator: Reader, moto_url: str
) -> None:
    arns = {"trust-anchor/CHANGE-ME": TRUST_ANCHOR, "profile/CHANGE-ME": PROFILE}
    text = (MANIFESTS / "deployment.yaml").read_text()
    for end, arn in arns.items():
        text = re.sub(rf"arn:\S+{end}", arn, text)
    (operator.folder / "deployment.yaml").write_text(text)
    operator.type(
        'boto-rolesanywhere ca init --name "Example CA" && cp ~/.boto-rolesanywhere/ca/*.pem .'
    )
    operator.trust("trust-anchor.pem")

    (brought,) = blocks("kubernetes.md", "kubectl")
    operator.type(brought)

    # As a node does: the Secret's files in the volume's folder, the ConfigMap as variables.
    pod = kept(operator, "deployment", "s3-reports")["spec"]["template"]["spec"]
    (volume,) = pod["volumes"]
    (pki,) = (mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"])
    for file, content in kept(operator, "secret", volume["secret"]["secretName"])["data"].items():
        (operator.folder / file).write_bytes(b64decode(content))
        (operator.folder / file).chmod(volume["secret"]["defaultMode"])
    (source,) = pod["containers"][0]["envFrom"]
    settings = kept(operator, "configmap", source["configMapRef"]["name"])["data"]
    assert settings["AWS_ROLESANYWHERE_ROLE_ARN"] == ROLE
    operator.variables["AWS_ENDPOINT_URL_S3"] = moto_url
    for setting, value in settings.items():
        operator.variables[setting] = value.replace(pki, str(operator.folder))
    program, doctor = blocks("kubernetes.md", "kubernetes")
    assert operator.type(program).startswith("[")
    assert "Nothing failed" in operator.type(doctor)

    issue, _, again = brought.partition("\n")
    assert issue == "boto-rolesanywhere ca issue app1"
    operator.type(f"boto-rolesanywhere ca renew app1\n{again}")
    renewed = (operator.folder / "app1.pem").read_bytes()
    data = kept(operator, "secret", volume["secret"]["secretName"])["data"]
    assert b64decode(data["tls.crt"]) == renewed != (operator.folder / "tls.crt").read_bytes()


def test_the_jobs_secret_has_the_config_that_it_reads(operator: Reader) -> None:
    shutil.copy(MANIFESTS / "crl-sync.yaml", operator.folder)
    (operator.folder / "config").write_text("[profile crl-sync]\n")

    operator.type(commands("crl-sync.yaml") + "kubectl apply -f crl-sync.yaml")

    job = kept(operator, "cronjob", "crl-sync")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (volume,), (container,) = job["volumes"], job["containers"]
    (mount,), (variable,) = container["volumeMounts"], container["env"]
    folder, _, file = variable["value"].rpartition("/")
    assert (mount["name"], mount["mountPath"]) == (volume["name"], folder)
    data = kept(operator, "secret", volume["secret"]["secretName"])["data"]
    assert b64decode(data[file]) == b"[profile crl-sync]\n"


def test_the_issuers_secret_holds_the_trust_anchor(operator: Reader) -> None:
    shutil.copy(MANIFESTS / "certificate.yaml", operator.folder)
    operator.type(commands("certificate.yaml") + "kubectl apply -f certificate.yaml")
    issuer = kept(operator, "issuer", "example-ca")
    assert (
        kept(operator, "secret", issuer["spec"]["ca"]["secretName"])["type"] == "kubernetes.io/tls"
    )

    (asked,) = blocks("existing-ca.md", "kubectl")
    operator.type(asked)

    assert operator.certificate("ca.pem") == operator.certificate("pki/trust-anchor.pem")


def test_a_manifest_that_a_page_shows_is_taken(operator: Reader) -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in DOCS.glob("*.md")}
    shown = {
        f"{page.stem}-{at}.yaml": manifest
        for page, text in texts.items()
        for at, manifest in enumerate(re.findall(r"```yaml\n(apiVersion: .*?)```", text, re.DOTALL))
    }
    assert shown
    for name, manifest in shown.items():
        (operator.folder / name).write_text(manifest)

    told = operator.type("".join(f"kubectl apply -f {name}\n" for name in shown))

    assert len(told.splitlines()) == len(shown)

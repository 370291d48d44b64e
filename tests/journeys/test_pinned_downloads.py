"""Lists name each download of CI and the examples by its hash, and fit their sources."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = [
    ROOT / "tests" / "requirements.lock",
    ROOT / "tests" / "hardware.lock",
    ROOT / "tests" / "build.lock",
    ROOT / "tests" / "floor.lock",
    ROOT / "tests" / "clients" / "requirements.lock",
    *sorted((ROOT / "tests" / "aiobotocores").glob("*.lock")),
    ROOT / "scripts" / "uv.lock",
    ROOT / "scripts" / "audit.lock",
]

OLDEST_AIO = ROOT / "tests" / "aiobotocores" / "aioboto3.lock"


def pinned(lock: Path) -> dict[str, str]:
    """The releases of a lock, with the text of their hashes."""
    text = lock.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split()[0]: line for line in lines}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_release_has_its_hashes_and_no_index(lock: Path) -> None:
    releases = pinned(lock)

    assert releases
    for release, line in releases.items():
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.+]+", release)
        assert "--hash=sha256:" in line
    assert "://" not in lock.read_text()


def test_the_lock_is_of_the_tools_that_are_asked_for() -> None:
    locked = set(pinned(ROOT / "tests" / "requirements.lock"))
    asked = (ROOT / "tests" / "requirements.txt").read_text().lower()
    names = {re.sub(r"\[.*\]", "", name) for name in re.findall(r"(?m)^[^#\s]+==\S+", asked)}

    assert len(names) > 5
    assert names <= locked


def test_each_dependency_of_the_package_is_locked() -> None:
    locked = {line.split("==")[0] for lock in (*LOCKS[:2], OLDEST_AIO) for line in pinned(lock)}
    metadata = (ROOT / "setup.cfg").read_text()

    names = re.findall(r"(?m)^    ([\w-]+)>=", metadata)

    assert {"boto3", "filelock", "tpm2-pytss"} <= set(names) <= locked


def test_the_oldest_releases_that_are_tried_are_those_that_the_package_allows() -> None:
    locked = dict(release.split("==") for release in pinned(ROOT / "tests" / "floor.lock"))
    aio = dict(release.split("==") for release in pinned(OLDEST_AIO))
    locked["aiobotocore"] = aio["aiobotocore"]
    floors = dict(re.findall(r"(?m)^    ([\w-]+)>=([\d.]+)$", (ROOT / "setup.cfg").read_text()))
    built_apart = {"python-pkcs11", "tpm2-pytss"}

    assert built_apart < set(floors)
    for name in set(floors) - built_apart:
        assert Version(locked[name]) == Version(floors[name])


def test_nothing_that_the_tests_install_is_fetched_without_a_hash() -> None:
    script = (ROOT / "scripts" / "test").read_text().replace("\\\n", " ")
    calls = re.findall(r"(?m)^ *scripts/python-env .*", script)

    assert len(calls) > 4
    assert all("--require-hashes" in call or "--no-deps" in call for call in calls)
    (built,) = [call for call in calls if "hardware.lock" in call]
    assert "--no-build-isolation" in built


def test_the_lock_of_npm_has_hashes_and_no_registry() -> None:
    lock = json.loads((ROOT / "tests" / "clients" / "package-lock.json").read_text())
    asked = json.loads((ROOT / "tests" / "clients" / "package.json").read_text())
    top = lock["packages"].pop("")

    assert top["dependencies"] == asked["dependencies"]
    assert all(entry["integrity"].startswith("sha512-") for entry in lock["packages"].values())
    assert not [entry for entry in lock["packages"].values() if "resolved" in entry]


def test_examples_name_images_by_digest() -> None:
    dockerfile = (ROOT / "examples" / "docker" / "Dockerfile").read_text()
    stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)", dockerfile))
    bases = set(re.findall(r"(?m)^FROM (\S+)", dockerfile)) - stages
    compose = yaml.safe_load((ROOT / "examples" / "docker" / "compose.yaml").read_text())
    manifests = (ROOT / "examples" / "kubernetes" / "sidecar.yaml").read_text()

    assert bases == {"${PYTHON_IMAGE}"}
    assert re.search(r"(?m)^ARG PYTHON_IMAGE=python:\S+@sha256:[0-9a-f]{64}$", dockerfile)
    assert "image" not in compose["services"]["gets3buckets"]  # built from the Dockerfile
    images = re.findall(r"image: (\S+)", manifests)
    assert len(images) == 2
    assert all("@sha256:" in image for image in images)


AUDIT = ROOT / "scripts" / "audit.py"
UNKNOWN = {"name": "a", "skip_reason": "Dependency not found on PyPI"}
SAFE = {"name": "b", "version": "1", "vulns": []}
BAD = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1"}, {"id": "CVE-2"}]}


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (None, 0, "NOT audited: no service of known vulnerabilities can be reached"),
        ([UNKNOWN], 0, "NOT audited: the service that was reached knows none of the packages"),
        ([SAFE, UNKNOWN], 0, "1 packages audited, 1 not known, 0 vulnerable"),
        ([SAFE, BAD], 1, "c 2: PYSEC-1, CVE-2"),
    ],
)
def test_an_audit_fails_for_findings_alone_and_says_what_was_not_looked_up(
    tmp_path: Path, answer: list[dict[str, object]] | None, status: int, words: str
) -> None:
    # In the place of pip-audit, which needs the network: what it prints.
    printed = "" if answer is None else json.dumps({"dependencies": answer})
    (tmp_path / "pip_audit.py").write_text(f"print({printed!r})")

    done = subprocess.run(
        [sys.executable, str(AUDIT), "floor", "pinned.txt"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status
    assert words in done.stdout

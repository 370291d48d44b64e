"""The suite tests what users install: the wheel, not the folder beside the tests."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

from repository import ROOT

import boto_rolesanywhere


def test_the_installed_wheel_is_under_test() -> None:
    home = Path(boto_rolesanywhere.__file__).resolve()

    assert ("site-packages" in home.parts) == bool(os.environ.get("BOTO_ROLESANYWHERE_WHEEL"))


def test_the_wheel_carries_its_types_and_the_service_model() -> None:
    files = resources.files("boto_rolesanywhere")

    assert (files / "py.typed").is_file()
    model = files / "create_session" / "data" / "service-2.json"
    assert '"CreateSession"' in model.read_text(encoding="utf-8")


def test_the_wheel_carries_the_explanation_of_each_error() -> None:
    folder = resources.files("boto_rolesanywhere") / "explanations"
    inside = {file.name for file in folder.iterdir()}
    written = {file.name for file in (ROOT / "boto_rolesanywhere" / "explanations").iterdir()}

    assert len(inside) > 90
    assert inside == written
    assert all((folder / name).read_text("utf-8").count("\n\n") == 3 for name in inside)


def test_the_version_is_that_of_the_metadata() -> None:
    assert boto_rolesanywhere.__version__ == metadata.version("boto_rolesanywhere")


def test_only_three_packages_are_needed_at_run_time() -> None:
    requirements = metadata.requires("boto_rolesanywhere") or []

    needed = {text.split(">")[0] for text in requirements if "extra ==" not in text}
    assert needed == {"boto3", "botocore", "cryptography"}


def test_every_public_name_is_there_and_listed() -> None:
    for name in boto_rolesanywhere.__all__:
        assert getattr(boto_rolesanywhere, name) is not None
    assert dir(boto_rolesanywhere) == sorted(boto_rolesanywhere.__all__)


def test_the_first_command_of_the_readme_installs_the_checkout(tmp_path: Path) -> None:
    """And so works before there is a release. What it would download is left out here."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pip, install, *what = shlex.split(re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)[0])
    assert (pip, install) == ("pip", "install")
    inside = ("boto_rolesanywhere", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
    for name in inside:  # pip builds beside what it reads
        (tmp_path / name).symlink_to(ROOT / name)
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", "made"]

    subprocess.run([sys.executable, "-m", pip, install, *offline, *what], cwd=tmp_path, check=True)

    done = subprocess.run(
        [tmp_path / "made" / "bin" / "boto-rolesanywhere", "version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "made")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert boto_rolesanywhere.__version__ in done.stdout


def test_a_release_has_its_addresses() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    urls = metadata.metadata("boto_rolesanywhere").get_all("Project-URL") or []
    assert "(unreleased)" in changes or urls

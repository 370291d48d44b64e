"""The suite tests what users install: the wheel, not the folder beside the tests."""

from __future__ import annotations

import os
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

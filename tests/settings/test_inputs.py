"""What goes wrong with the AWS config file itself is named for what it is."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from boto_rolesanywhere.errors import ConfigurationError, NoSuchProfileError
from boto_rolesanywhere.settings.inputs import look_up

SECTION = "[profile onprem]\nregion = eu-west-1\n"


def failure(config: Path, monkeypatch: pytest.MonkeyPatch) -> ConfigurationError:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(ConfigurationError) as caught:
        look_up(botocore.session.Session(), profile_name="onprem")
    return caught.value


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16-LE", "UTF-16-BE"])
def test_a_byte_order_mark_is_named(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_bytes(f"\ufeff{SECTION}".encode(encoding))
    error = failure(config, monkeypatch)
    assert error.problem.startswith(f"it begins with a byte order mark ({encoding})")
    assert error.where == str(config)


@pytest.mark.parametrize(
    "content", ["# gr\xfc\xdfe\n".encode("latin-1"), "# x".encode("utf-16-le")]
)
def test_another_encoding_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_bytes(content + SECTION.encode())
    error = failure(config, monkeypatch)
    assert (error.problem, error.expected) == ("it is not in UTF-8", "plain UTF-8")


@pytest.mark.parametrize("title", ["onprem", "Profile onprem", " profile onprem ", "Onprem"])
def test_a_section_that_is_nearly_the_profiles_is_pointed_at(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(SECTION.replace("profile onprem", title))
    error = failure(config, monkeypatch)
    assert isinstance(error, NoSuchProfileError)
    assert f"The file has a section [{title}]: call it [profile onprem]." in str(error)


def test_a_folder_in_place_of_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = failure(tmp_path, monkeypatch)
    assert f"{tmp_path} is a folder; AWS_CONFIG_FILE names a file." in str(error)

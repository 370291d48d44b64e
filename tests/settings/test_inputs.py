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


def test_a_section_without_the_word_profile_is_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(SECTION.replace("profile ", ""))
    error = failure(config, monkeypatch)
    assert isinstance(error, NoSuchProfileError)
    assert "The file has a section [onprem]: call it [profile onprem]." in str(error)


def test_a_folder_in_place_of_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = failure(tmp_path, monkeypatch)
    assert f"{tmp_path} is a folder; AWS_CONFIG_FILE names a file." in str(error)

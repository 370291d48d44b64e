"""Access keys that do not expire are never lost to a session's credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.profile_writer import change_credentials

SESSION = {
    "aws_access_key_id": "ASIANEW",
    "aws_secret_access_key": "new",
    "aws_session_token": "token",
}
WRITTEN = "aws_access_key_id = ASIANEW\naws_secret_access_key = new\naws_session_token = token\n"
LONG_LIVED = "aws_access_key_id = AKIAOLD\naws_secret_access_key = old\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


@pytest.mark.parametrize(
    "section",
    [
        LONG_LIVED,
        "AWS_ACCESS_KEY_ID: AKIAOLD\n",
        "aws_secret_access_key=old\n",
        f"{LONG_LIVED}aws_session_token =\n",
    ],
)
def test_long_lived_keys_are_not_overwritten(file: Path, section: str) -> None:
    before = f"[work]\n{section}"
    file.write_text(before)

    with pytest.raises(ConfigurationError, match="--replace-long-lived-keys") as caught:
        change_credentials(file, "work", SESSION)

    assert caught.value.code == "long-lived-keys"
    assert file.read_text() == before
    assert "AKIAOLD" not in str(caught.value)


@pytest.mark.parametrize(
    "section",
    [
        "",
        "region = eu-west-1\n",
        "aws_access_key_id =\naws_secret_access_key =\n",
        f"{LONG_LIVED}aws_session_token = t\n",
        f"{LONG_LIVED}aws_security_token = t\n",
    ],
)
def test_a_section_of_none_or_a_sessions_is_written(file: Path, section: str) -> None:
    file.write_text(f"[other]\n{LONG_LIVED}[work]\n{section}")

    change_credentials(file, "work", SESSION)

    assert "ASIANEW" in file.read_text()
    assert "long-lived" not in file.read_text()


def test_replaced_keys_are_kept_in_a_section_of_their_own(file: Path) -> None:
    file.write_text(f"[work]\n{LONG_LIVED}region = x\n")

    change_credentials(file, "work", SESSION, replace_long_lived=True)

    ID, SECRET, TOKEN = WRITTEN.splitlines(keepends=True)  # noqa: N806  # as elsewhere
    assert file.read_text() == (
        f"[work]\n{ID}{SECRET}region = x\n{TOKEN}\n[work-long-lived]\n{LONG_LIVED}"
    )


def test_no_kept_section_is_overwritten_and_none_made_twice(file: Path) -> None:
    other = LONG_LIVED.replace("OLD", "OLDER")
    file.write_text(f"[work-long-lived]\n{other}[work]\n{LONG_LIVED}")

    change_credentials(file, "work", SESSION, replace_long_lived=True)
    once = file.read_text()
    file.write_text(once.replace(WRITTEN, LONG_LIVED))
    change_credentials(file, "work", SESSION, replace_long_lived=True)

    assert file.read_text().replace("aws_session_token", "") == once.replace(
        "aws_session_token", ""
    )
    assert once.count("AKIAOLDER") == 1
    assert once.endswith(f"[work-long-lived-2]\n{LONG_LIVED}")

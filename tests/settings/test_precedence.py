"""What is found before our settings: judged as botocore's own chain finds it."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError

from boto_rolesanywhere.settings.precedence import ahead_of_process

CONFIG = """
[default]
{line}
credential_process = sh -c 'echo {{}}'

[profile other]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = other
"""
FIRST = {
    "role": ("role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = other", {}, "role_arn"),
    "web": (
        "role_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /token",
        {},
        "web_identity_token_file",
    ),
    "web variable": (
        "",
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
        },
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
    "sso": (
        "sso_account_id = 1\nsso_role_name = x\nsso_start_url = https://x\nsso_region = eu-west-1",
        {},
        "sso_account_id",
    ),
    "keys": ("", {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}, "AWS_ACCESS_KEY_ID"),
    "half a key": ("", {"AWS_ACCESS_KEY_ID": "x"}, "(without AWS_SECRET_ACCESS_KEY)"),
    "stored": ("", {"AWS_SHARED_CREDENTIALS_FILE": "stored"}, "aws_access_key_id of [default]"),
    "nothing": ("region = eu-west-1", {}, ""),
    "empty": ("", {"AWS_ACCESS_KEY_ID": "", "AWS_WEB_IDENTITY_TOKEN_FILE": ""}, ""),
}


@pytest.mark.parametrize("case", FIRST)
def test_it_is_what_botocore_takes_first(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, variables, named = FIRST[case]
    (tmp_path / "config").write_text(CONFIG.format(line=line))
    (tmp_path / "stored").write_text("[default]\naws_access_key_id=a\naws_secret_access_key=b\n")
    monkeypatch.chdir(tmp_path)
    for name, value in {"AWS_CONFIG_FILE": "config", **variables}.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session()

    found = ahead_of_process(os.environ, session.get_scoped_config(), "default")

    assert named in " ".join(found)
    assert bool(found) == bool(named) == (_method(session) != "custom-process")


def _method(session: botocore.session.Session) -> str | None:
    """Which provider answers. The process of the profile gives no credentials: an error."""
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        return str(error.kwargs.get("provider"))
    return credentials.method if credentials else None

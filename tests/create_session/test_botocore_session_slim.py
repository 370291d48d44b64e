"""A botocore without the data that the call needs, as in a program that was made smaller."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.config import Config as ClientConfig
from botocore.loaders import Loader

import boto_rolesanywhere
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority


@pytest.mark.parametrize("left_out", ["rolesanywhere", "partitions.json"])
def test_a_botocore_that_was_made_smaller_is_named_with_what_it_lacks(
    left_out: str, ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for each in Path(Loader.BUILTIN_DATA_PATH).iterdir():
        if each.name != left_out:
            (data / each.name).symlink_to(each)
    monkeypatch.setattr(Loader, "BUILTIN_DATA_PATH", str(data))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "own"))  # whose loader is not kept yet
    paths = ca.issue("app").write(tmp_path / "pki")
    arn = "arn:aws:rolesanywhere:eu-west-1:123456789012"
    session = boto_rolesanywhere.get_session(
        str(paths.certificate),
        str(paths.private_key),
        f"{arn}:trust-anchor/a",
        f"{arn}:profile/p",
        "arn:aws:iam::123456789012:role/R",
        client_config=ClientConfig(connect_timeout=1),
    )

    with pytest.raises(ConfigurationError, match=r"botocore's data of .* is missing") as raised:
        session.get_credentials().get_frozen_credentials()  # type: ignore[union-attr]  # it has some

    assert str(data) in str(raised.value)
    assert left_out in str(raised.value)

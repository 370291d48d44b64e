"""`aio.install`: profiles and variables give credentials to sessions of aiobotocore."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aio_sessions import keys_of
from aiobotocore.session import AioSession
from emulated_profile import profile_lines
from sessions import set_variables

from boto_rolesanywhere import aio
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


class TestInstall:
    def test_a_profile_gives_credentials_and_others_go_on(
        self,
        emulator: Emulator,
        ca: CertificateAuthority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        paths = ca.issue("app").write(tmp_path / "pki")
        set_variables(monkeypatch, paths, emulator)
        session = AioSession()
        aio.install(session)
        aio.install(session)
        assert asyncio.run(keys_of(session))[0].startswith("ASIA")

        for name in ("CERTIFICATE", "PRIVATE_KEY", "TRUST_ANCHOR_ARN", "PROFILE_ARN", "ROLE_ARN"):
            monkeypatch.delenv(f"AWS_ROLESANYWHERE_{name}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        other = AioSession()
        aio.install(other)
        assert asyncio.run(keys_of(other))[0] == "AKIAOTHER"

    def test_a_role_is_assumed_with_a_source_profile_of_ours(
        self,
        emulator: Emulator,
        ca: CertificateAuthority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        moto_url: str,
    ) -> None:
        paths = ca.issue("app").write(tmp_path / "pki")
        config = tmp_path / "config"
        config.write_text(
            f"""[profile onprem]
{profile_lines(paths, emulator)}[profile work]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/Work
source_profile = onprem
"""
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
        session = AioSession(profile="work")
        aio.install(session)

        assert asyncio.run(keys_of(session))[0].startswith("ASIA")
        assert emulator.created == 1

    def test_what_has_no_effect_is_said(
        self,
        emulator: Emulator,
        ca: CertificateAuthority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        set_variables(monkeypatch, ca.issue("app").write(tmp_path / "pki"), emulator)
        session = AioSession()
        session.set_credentials("AKIAGIVEN", "secret")
        aio.install(session)

        (said,) = caplog.messages
        assert "the credentials that the session already has" in said

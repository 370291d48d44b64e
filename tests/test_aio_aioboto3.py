"""aioboto3 takes a session of aiobotocore; its own sessions are taken too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aioboto3
import pytest
from aio_sessions import aio_session, arguments, keys_of, type_page
from sessions import set_variables

import boto_rolesanywhere
from boto_rolesanywhere import aio
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


async def use(session: aioboto3.Session, moto_url: str) -> None:
    name = {"Bucket": "aioboto3", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    async with session.client("s3", endpoint_url=moto_url) as s3:
        await s3.create_bucket(**name)
        await s3.put_object(Bucket="aioboto3", Key="a", Body=b"content")
    async with session.resource("s3", endpoint_url=moto_url) as s3:
        found = await (await s3.Object("aioboto3", "a")).get()
        assert await found["Body"].read() == b"content"


def test_clients_and_resources(ca: CertificateAuthority, emulator: Emulator, moto_url: str) -> None:
    session = aioboto3.Session(botocore_session=aio_session(emulator, ca.issue("app")))

    asyncio.run(use(session, moto_url))
    assert emulator.created == 1


def test_a_session_of_its_own_gets_the_credentials(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    given = aioboto3.Session(region_name="us-east-1")
    inner = aio.get_session(**arguments(emulator, ca.issue("app"), botocore_session=given))

    assert inner is given._session
    assert given.region_name == "us-east-1"
    assert asyncio.run(keys_of(given))[0].startswith("ASIA")  # type: ignore[arg-type]  # as one


def test_installed_in_a_session_of_its_own(
    ca: CertificateAuthority,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    set_variables(monkeypatch, ca.issue("app").write(tmp_path / "pki"), emulator)
    session = aioboto3.Session()
    aio.install(session)

    assert asyncio.run(keys_of(session))[0].startswith("ASIA")  # type: ignore[arg-type]  # as one


def test_the_other_side_names_the_way(ca: CertificateAuthority, emulator: Emulator) -> None:
    given = arguments(emulator, ca.issue("app"), botocore_session=aioboto3.Session())
    with pytest.raises(ConfigurationError, match=r"Use boto_rolesanywhere\.aio"):
        boto_rolesanywhere.get_session(**given)
    with pytest.raises(ConfigurationError, match=r"Use boto_rolesanywhere\.aio"):
        boto_rolesanywhere.install(aioboto3.Session())


def test_the_page_is_as_it_says(tmp_path: Path, moto_url: str) -> None:
    (printed,) = type_page(tmp_path, moto_url, "aioboto3")

    assert printed.startswith("arn:aws:sts::")

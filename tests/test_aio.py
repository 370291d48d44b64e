"""aiobotocore: sessions and clients that sign with credentials of the role."""

from __future__ import annotations

import asyncio
import gc
import inspect
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aio_sessions import aio_session, keys_of, type_page
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config

import boto_rolesanywhere
from boto_rolesanywhere import aio
from boto_rolesanywhere.errors import EndpointError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults


def test_a_session_gives_credentials_of_the_role(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    session = aio_session(emulator, issued)
    assert type(session) is AioSession
    assert emulator.requests == []

    async def use() -> None:
        credentials = await session.get_credentials()
        frozen = await credentials.get_frozen_credentials()
        assert frozen.access_key == emulator.requests[0].access_key_id
        assert await credentials.get_access_key() == frozen.access_key
        assert await credentials.get_secret_key() == frozen.secret_key
        assert await credentials.get_token() == frozen.token
        assert await credentials.get_account_id() == frozen.account_id == emulator.account
        assert (await credentials.get_rolesanywhere_session()).source_identity == "CN=app"
        assert not credentials.refresh_needed()
        assert frozen.secret_key not in repr([credentials, frozen, vars(credentials)])

    asyncio.run(use())
    assert emulator.created == 1
    assert session.get_config_variable("region") == "eu-west-1"


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_MAX_ATTEMPTS"])
def test_an_empty_variable_does_not_count(
    emulator: Emulator,
    issued: IssuedCertificate,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "")

    async def use() -> None:
        credentials = await aio_session(emulator, issued).get_credentials()
        assert (await credentials.get_frozen_credentials()).access_key

    asyncio.run(use())


def test_the_arguments_are_those_of_the_other_side() -> None:
    ours = inspect.signature(boto_rolesanywhere.get_session).parameters
    theirs = inspect.signature(aio.get_session).parameters

    assert list(ours) == list(theirs)
    assert [each.default for each in ours.values()] == [each.default for each in theirs.values()]
    assert [each.kind for each in ours.values()] == [each.kind for each in theirs.values()]


def test_a_client_signs_with_them(
    emulator: Emulator, issued: IssuedCertificate, moto_url: str
) -> None:
    async def use() -> dict[str, Any]:
        session = aio_session(emulator, issued)
        async with session.create_client("s3", endpoint_url=moto_url) as s3:
            await s3.create_bucket(
                Bucket="aio", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
            )
            await s3.put_object(Bucket="aio", Key="a", Body=b"content")
            found = await s3.get_object(Bucket="aio", Key="a")
            assert await found["Body"].read() == b"content"
        async with session.create_client("sts", endpoint_url=moto_url) as sts:
            answer: dict[str, Any] = await sts.get_caller_identity()
            return answer

    assert asyncio.run(use())["Account"]
    assert emulator.created == 1


def test_options_of_aiobotocore_alone_do_no_harm(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = AioSession()
    given.set_default_client_config(AioConfig(connector_args={"force_close": True}, read_timeout=9))
    session = aio_session(
        emulator,
        issued,
        botocore_session=given,
        client_config=AioConfig(connector_args={"ttl_dns_cache": 5}, connect_timeout=3),
    )

    assert session is given
    assert asyncio.run(keys_of(session))


def test_options_that_botocore_has_count(emulator: Emulator, issued: IssuedCertificate) -> None:
    config = AioConfig(proxies={"http": "http://127.0.0.1:9"}, retries={"total_max_attempts": 1})
    session = aio_session(emulator, issued, client_config=config)

    with pytest.raises(EndpointError, match="proxy"):
        asyncio.run(keys_of(session))
    assert emulator.requests == []


def test_another_region_is_asked_when_the_first_fails(
    ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    role = "arn:aws:iam::123456789012:role/Both"
    with (
        Emulator(ca, region="eu-west-1", role_arn=role) as first,
        Emulator(ca, region="eu-central-1", role_arn=role) as second,
    ):
        first.inject(faults.ErrorStatus(503, "ServiceUnavailableException", "no"))
        session = aio_session(
            first,
            issued,
            anchor=[first.trust_anchor_arn, second.trust_anchor_arn],
            profile=[first.profile_arn, second.profile_arn],
            endpoint_url=[first.endpoint_url, second.endpoint_url],
            client_config=Config(retries={"total_max_attempts": 1}),
        )

        async def use() -> str | None:
            credentials = await session.get_credentials()
            made = await credentials.get_rolesanywhere_session()
            region: str | None = made.region
            return region

        assert asyncio.run(use()) == "eu-central-1"


@pytest.mark.parametrize("cached", [False, True])
def test_clients_sign_by_the_services_time(
    emulator: Emulator, issued: IssuedCertificate, tmp_path: Path, *, cached: bool
) -> None:
    emulator.clock_offset = timedelta(hours=2)
    cache = str(tmp_path) if cached else False

    async def use() -> datetime:
        if cached:  # another program's session: this one learns no time by a call of its own
            await keys_of(aio_session(emulator, issued, cache=cache))
            gc.collect()
        session = aio_session(emulator, issued, cache=cache, clock_correction=True)
        options = AioConfig(signature_version="s3v4")
        async with session.create_client("s3", config=options) as s3:
            url = await s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
        return datetime.strptime(parse_qs(urlsplit(url).query)["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")

    ahead = asyncio.run(use()) - datetime.now(timezone.utc)
    assert abs(ahead - timedelta(hours=2)) < timedelta(minutes=5)


def test_the_page_is_as_it_says(tmp_path: Path, moto_url: str) -> None:
    made, installed = type_page(tmp_path, moto_url, "aio")

    assert "async-data" in made
    assert "async-data" in installed

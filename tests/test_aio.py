"""aiobotocore: one call for all tasks and loops, and none of it in the loop."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.session
import pytest
from aio_sessions import Key, aio_session, arguments, keys_of, type_page
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config
from sessions import set_variables

import boto_rolesanywhere
from boto_rolesanywhere import aio
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    EndpointError,
    SessionDeniedError,
)
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults

PATIENCE = 30  # seconds
LONGEST_PAUSE = 0.05  # seconds that the loop may stand still


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


def test_a_hundred_tasks_at_a_cold_start_make_one_call(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    async def use() -> set[tuple[str, str, str]]:
        one = aio_session(emulator, issued)
        others = [aio_session(emulator, issued) for _ in range(10)]
        tasks = [keys_of(one) for _ in range(90)] + [keys_of(each) for each in others]
        return set(await asyncio.gather(*tasks))

    assert len(asyncio.run(use())) == 1
    assert emulator.created == 1


def test_a_hundred_tasks_share_one_failure(emulator: Emulator, issued: IssuedCertificate) -> None:
    for _ in range(3):
        emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", "Certificate revoked"))

    async def use() -> list[object]:
        session = aio_session(emulator, issued)
        return await asyncio.gather(*[keys_of(session) for _ in range(100)], return_exceptions=True)

    failures = asyncio.run(use())

    assert {type(each) for each in failures} == {SessionDeniedError}
    assert {str(each) for each in failures} == {str(failures[0])}
    assert len(set(map(id, failures))) == 100  # each with a traceback of its own
    assert len(emulator.requests) == 1


def test_it_shares_with_the_other_side(emulator: Emulator, issued: IssuedCertificate) -> None:
    given = arguments(emulator, issued)
    made = boto_rolesanywhere.get_session(**given)
    credentials = made.get_credentials()
    assert credentials is not None

    assert asyncio.run(keys_of(aio.get_session(**given)))[0] == credentials.access_key
    assert emulator.created == 1


def test_one_session_is_used_from_two_loops(emulator: Emulator, issued: IssuedCertificate) -> None:
    """The second waits for a call that began in the first, which has another loop by then."""
    go_on = threading.Event()
    session = aio_session(emulator, issued, key=Key(issued, lambda: go_on.wait(PATIENCE)))
    got: list[tuple[str, str, str]] = []
    loops = [
        threading.Thread(target=lambda: got.append(asyncio.run(keys_of(session)))) for _ in range(2)
    ]
    for loop in loops:
        loop.start()

    async def third() -> tuple[str, str, str]:
        waiting = asyncio.ensure_future(keys_of(session))
        await asyncio.sleep(0)
        go_on.set()
        return await waiting

    got.append(asyncio.run(third()))
    for loop in loops:
        loop.join()

    assert len(got) == 3
    assert len(set(got)) == 1
    assert emulator.created == 1


def test_a_task_that_is_cancelled_cancels_nothing_else(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    go_on, called = threading.Event(), threading.Event()

    def wait() -> None:
        called.set()
        go_on.wait(PATIENCE)

    async def use() -> tuple[str, str, str]:
        session = aio_session(emulator, issued, key=Key(issued, wait))
        first, second = (asyncio.ensure_future(keys_of(session)) for _ in range(2))
        while not called.is_set():  # noqa: ASYNC110  # set by a thread
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(keys_of(session), 0)
        go_on.set()
        return await second

    assert asyncio.run(use())[0] == emulator.requests[0].access_key_id
    assert emulator.created == 1


def test_a_key_that_takes_its_time_does_not_stop_the_loop(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    turns = threading.Event()

    async def turn() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        turns.set()

    def wait_for_the_loop() -> None:  # for ever, if the loop is where this runs
        assert turns.wait(PATIENCE)

    async def use() -> None:
        session = aio_session(
            emulator, issued, key=Key(issued, wait_for_the_loop), cert=issued.certificate_pem
        )
        reading = asyncio.ensure_future(keys_of(session))
        await asyncio.sleep(0)
        await turn()
        await reading

    asyncio.run(use())
    assert emulator.created == 1


SEEN: list[tuple[str, int]] = []


def _see(event: str, given: tuple[Any, ...]) -> None:
    if event == "open" and "pki" in str(given[0]):
        SEEN.append((Path(str(given[0])).name, threading.get_ident()))
    elif event == "socket.connect":
        SEEN.append(("connect", threading.get_ident()))


@pytest.mark.parametrize("way", ["get_session", "install"])
def test_neither_file_nor_connection_is_opened_in_the_loop(
    emulator: Emulator,
    ca: CertificateAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    paths = ca.issue("app").write(tmp_path / "pki")
    set_variables(monkeypatch, paths, emulator)
    SEEN.clear()
    sys.addaudithook(_see)

    async def use() -> int:
        session = AioSession()
        if way == "install":
            aio.install(session)
        else:
            aio.get_session(botocore_session=session)
        await keys_of(session)
        return threading.get_ident()

    loop_thread = asyncio.run(use())

    assert {paths.certificate.name, paths.private_key.name, "connect"} <= {name for name, _ in SEEN}
    assert loop_thread not in {thread for _, thread in SEEN}


def test_the_loop_itself_is_busy_for_less_than_50_milliseconds(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    """Processor time of the loop's thread, which what else the machine does leaves as it is."""

    async def use() -> float:
        await keys_of(aio_session(emulator, issued, duration=901))  # loads what is loaded once
        gc.collect()
        gc.disable()  # of other tests' garbage
        try:
            began = time.thread_time()
            await keys_of(aio_session(emulator, issued))
            return time.thread_time() - began
        finally:
            gc.enable()

    assert asyncio.run(use()) < LONGEST_PAUSE
    assert emulator.created == 2


def test_a_later_read_needs_no_thread(
    emulator: Emulator, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use() -> None:
        session = aio_session(emulator, issued)
        before = await keys_of(session)
        monkeypatch.delattr(threading.Thread, "start")
        assert await keys_of(session) == before

    asyncio.run(use())


def test_while_a_renewal_is_under_way_nobody_waits(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    """As on the other side: what is held is used meanwhile."""
    go_on = threading.Event()
    go_on.set()

    async def use() -> None:
        key = Key(issued, lambda: go_on.wait(PATIENCE))
        session = aio_session(emulator, issued, key=key)
        before = await keys_of(session)
        credentials = await session.get_credentials()
        state = credentials._shared._state
        due = state.held.monotonic - state.held.windows.advisory - 1
        state.held = state.held._replace(monotonic=due)
        assert credentials.refresh_needed()

        go_on.clear()
        assert set(await asyncio.gather(*[keys_of(session) for _ in range(100)])) == {before}
        go_on.set()
        while await keys_of(session) == before:  # noqa: ASYNC110  # a thread renews
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(use(), PATIENCE))
    assert emulator.created == 2


def test_errors_of_settings_come_at_once_and_those_of_files_at_the_first_use(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    with pytest.raises(ConfigurationError, match="ARN"):
        aio_session(emulator, issued, role="nonsense")
    with pytest.raises(ConfigurationError, match="argument verify"):
        aio_session(emulator, issued, verify="/no/such.pem")
    session = aio_session(emulator, issued, cert="/no/such/certificate.pem")
    for _ in range(2):
        with pytest.raises(CertificateError, match=r"no/such/certificate\.pem"):
            asyncio.run(keys_of(session))


def test_the_issuer_of_an_untrusted_certificate_is_told_behind_a_proxy_with_a_password(
    ca: CertificateAuthority,
    issued: IssuedCertificate,
    connect_proxy,  # noqa: ANN001  # its class is in conftest
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect_proxy.login = "Basic dXNlcjpodW50ZXIy"
    monkeypatch.setenv("HTTPS_PROXY", connect_proxy.url.replace("//", "//user:hunter2@"))
    with Emulator(ca, tls=True) as emulator:
        connect_proxy.target = ("127.0.0.1", int(emulator.endpoint_url.rsplit(":", 1)[1]))
        session = aio_session(emulator, issued, endpoint_url=None)
        with pytest.raises(EndpointError, match="issued by CN=Emulator TLS CA") as raised:
            asyncio.run(keys_of(session))

    assert "hunter2" not in str(raised.value)


def test_what_failed_is_tried_again(
    emulator: Emulator, ca: CertificateAuthority, tmp_path: Path
) -> None:
    session = aio_session(emulator, ca.issue("app"), cert=str(tmp_path / "c"), key=tmp_path / "k")
    with pytest.raises(CertificateError):
        asyncio.run(keys_of(session))
    issued = ca.issue("app")
    (tmp_path / "c").write_bytes(issued.certificate_pem)
    (tmp_path / "k").write_bytes(issued.private_key_pem)

    assert asyncio.run(keys_of(session))


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
region = eu-west-1
rolesanywhere_certificate = {paths.certificate}
rolesanywhere_private_key = {paths.private_key}
rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}
rolesanywhere_profile_arn = {emulator.profile_arn}
rolesanywhere_role_arn = {emulator.role_arn}
rolesanywhere_endpoint_url = {emulator.endpoint_url}
[profile work]
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


SYNC_SIDE = [boto_rolesanywhere.install, boto_rolesanywhere.RolesAnywhereProvider]


@pytest.mark.parametrize("take", SYNC_SIDE)
def test_the_other_side_names_the_way(take: Any) -> None:  # noqa: ANN401  # a function or a class
    with pytest.raises(ConfigurationError, match=r"AioSession.*Use boto_rolesanywhere\.aio"):
        take(AioSession())


def test_the_other_sides_get_session_names_the_way(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = AioSession()
    with pytest.raises(ConfigurationError, match=r"AioSession.*Use boto_rolesanywhere\.aio"):
        boto_rolesanywhere.get_session(**arguments(emulator, issued, botocore_session=given))
    assert given._credentials is None


@pytest.mark.parametrize("make", [botocore.session.Session, boto3.Session, lambda: 5])
def test_this_side_refuses_what_is_not_awaited(make: Any) -> None:  # noqa: ANN401  # a function
    for take in (aio.install, aio.AioRolesAnywhereProvider):
        with pytest.raises(ConfigurationError, match="expected a session of aiobotocore"):
            take(make())
    with pytest.raises(ConfigurationError, match=r"boto_rolesanywhere\.get_session"):
        aio.get_session(botocore_session=make())


def test_the_page_is_as_it_says(tmp_path: Path, moto_url: str) -> None:
    made, installed = type_page(tmp_path, moto_url, "aio")

    assert "async-data" in made
    assert "async-data" in installed

"""The event loop goes on: no file, connection or signature holds it up."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from aio_sessions import PATIENCE, Key, aio_session, keys_of
from aiobotocore.session import AioSession
from sessions import set_variables

from boto_rolesanywhere import aio
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

LONGEST_PAUSE = 0.05  # seconds that the loop may stand still


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

"""One call for all tasks and loops of aiobotocore, and for both sides; one failure for all."""

from __future__ import annotations

import asyncio
import threading

import pytest
from aio_sessions import PATIENCE, Key, aio_session, arguments, keys_of

import boto_rolesanywhere
from boto_rolesanywhere import aio
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import Emulator, IssuedCertificate, faults


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

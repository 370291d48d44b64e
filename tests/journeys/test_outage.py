"""A service that hangs while credentials are good, with all parts real but the clock."""

from __future__ import annotations

import os

import pytest
from forked import in_child
from sessions import session_at

from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.faults import Hang


@pytest.fixture
def held(emulator: Emulator, ca: CertificateAuthority) -> SessionCredentials:
    issued = ca.issue("app")
    session = session_at(emulator, cert=issued.certificate_pem, key=issued.private_key_pem)
    credentials = session.get_credentials()
    assert isinstance(credentials, SessionCredentials)
    assert credentials.get_frozen_credentials().access_key
    return credentials


def grow_older(credentials: SessionCredentials, seconds: float) -> None:
    state = credentials._state
    clock = state._monotonic
    state._monotonic = lambda: clock() + seconds


def test_no_reader_waits_while_the_service_hangs_and_all_have_what_it_gives_later(
    emulator: Emulator, held: SessionCredentials
) -> None:
    first = held.get_frozen_credentials()
    emulator.inject(Hang(), times=1)
    grow_older(held, 2700)

    # A reader that waited would wait until the test ends.
    assert {held.get_frozen_credentials() for _ in range(100)} == {first}
    attempt = held._attempt
    assert attempt is not None
    assert not attempt.future.done()
    emulator.wait_for_requests(2)
    emulator.release()
    attempt.wait(30)
    assert held.get_frozen_credentials() != first
    assert emulator.created == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_that_is_forked_meanwhile_goes_on_and_renews_for_itself(
    emulator: Emulator, held: SessionCredentials
) -> None:
    first = held.get_frozen_credentials()
    emulator.inject(Hang(), times=1)
    grow_older(held, 2700)
    assert held.get_frozen_credentials() == first
    emulator.wait_for_requests(2)

    def renewed() -> bool:
        assert held.get_frozen_credentials() == first  # begins an attempt of its own
        attempt = held._attempt
        assert attempt is not None
        attempt.wait(30)
        return held.get_frozen_credentials() != first

    assert in_child(renewed)
    emulator.release()

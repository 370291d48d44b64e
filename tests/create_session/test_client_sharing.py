"""One client for each endpoint and its options, and no connection that nobody uses."""

from __future__ import annotations

import gc
import os
import resource
import threading
from pathlib import Path
from weakref import ref

import pytest
from botocore.config import Config as ClientConfig
from forked import in_child
from sessions import session_at

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.testing import Emulator, IssuedCertificate, faults


def _unasked() -> Identity:
    raise AssertionError


def creator(emulator: Emulator, role: str = "App", **options: object) -> SessionCreator:
    session = private_session(None)
    config = config_of(
        look_up(
            session,
            arguments=Arguments(
                cert=b"unread",
                key=b"unread",
                anchor=emulator.trust_anchor_arn,
                profile=emulator.profile_arn,
                role=f"arn:aws:iam::123456789012:role/{role}",
                endpoint_url=str(options.pop("endpoint_url", emulator.endpoint_url)),
                region=str(options.pop("region", "eu-west-1")),
            ),
        )
    )
    assert config is not None
    return SessionCreator(config, _unasked, session=session, **options)  # type: ignore[arg-type]  # of several types


def test_what_goes_to_one_endpoint_by_the_same_options_shares_a_client(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = creator(emulator)
    shared = first._own_transport()
    assert creator(emulator, role="Other")._own_transport() is shared

    others = [
        creator(emulator, endpoint_url="http://127.0.0.1:9"),
        creator(emulator, region="eu-north-1"),
        creator(emulator, verify=False),
        creator(emulator, client_config=ClientConfig(read_timeout=5)),
        creator(emulator, deadline=5.0),
    ]
    transports = [shared, *(each._own_transport() for each in others)]
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    transports.append(creator(emulator)._own_transport())
    assert len(set(map(id, transports))) == len(transports)


def test_a_client_is_let_go_with_the_last_who_uses_it(emulator: Emulator) -> None:
    one, other = creator(emulator), creator(emulator)
    held = ref(one._own_transport())
    assert other._own_transport() is held()

    del one
    gc.collect()
    assert held() is not None
    del other
    gc.collect()
    assert held() is None


def test_a_child_has_connections_of_its_own(emulator: Emulator) -> None:
    one = creator(emulator)
    parents = one._own_transport()

    def others() -> bool:
        here = one._own_transport()
        return here is not parents and creator(emulator)._own_transport() is here

    assert in_child(others)
    assert one._own_transport() is parents


def connections() -> int:
    """The sockets of this process."""
    links = map(os.path.realpath, Path("/proc/self/fd").iterdir())
    return sum("socket:" in link for link in links)


def test_no_connection_stays_open_after_calls_at_once(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    cert, key = issued.certificate_pem, issued.private_key_pem

    def calls_leave_nothing() -> bool:
        before = connections()
        sessions = [
            session_at(emulator, cert=cert, key=key, duration=900 + number) for number in range(8)
        ]
        threads = [
            threading.Thread(target=lambda made=made: made.get_credentials().access_key)
            for made in sessions
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return connections() == before

    assert in_child(calls_leave_nothing)  # where the emulator's own sockets do not change
    assert emulator.created == 8


def test_an_answer_that_is_cut_off_leaves_no_connection(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.inject(faults.ErrorStatus(500, "InternalServerException", "no"))
    made = session_at(emulator, cert=issued.certificate_pem, key=issued.private_key_pem)

    def call_leaves_nothing() -> bool:
        before = connections()
        return bool(made.get_credentials().access_key) and connections() == before  # type: ignore[union-attr]  # it has some

    assert in_child(call_leaves_nothing)


def test_100_sessions_do_not_run_out_of_64_descriptors(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    cert, key = issued.certificate_pem, issued.private_key_pem

    def make_them() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        made = [session_at(emulator, cert=cert, key=key, duration=900 + i) for i in range(100)]
        keys = {each.get_credentials().access_key for each in made}  # type: ignore[union-attr]  # it has some
        return len(keys) == 100

    assert in_child(make_them)

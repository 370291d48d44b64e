"""A machine whose clock is off gets a session all the same, from a service that it can trust."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from typing import Any

import botocore.session
import pytest

from boto_rolesanywhere.composition import Issuer, config_of
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.botocore_transport import BotocoreTransport
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.create_session.transport import Answer
from boto_rolesanywhere.create_session.way import Way
from boto_rolesanywhere.errors import CertificateError, SessionDeniedError
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, TlsFiles

HOUR = timedelta(hours=1)
OFF = [-24 * HOUR, -2 * HOUR, 2 * HOUR, 24 * HOUR]
WARNING = "is signed by the service's time"

WAY = partial(Way, "eu-west-1")


def now() -> datetime:
    return datetime.now(timezone.utc)


class Wrong:
    """This machine's clock, so much off."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def __call__(self) -> datetime:
        return now() + self.off


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host name that is not this machine's, and leads here."""
    look_up = socket.getaddrinfo

    def resolved(host: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401  # the library's own
        return look_up("127.0.0.1" if host == "private.example" else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return "private.example"


@pytest.fixture(scope="module")
def tls(ca: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    folder = tmp_path_factory.mktemp("tls")
    paths = ca.issue("endpoint", san=["DNS:private.example"]).write(folder)
    bundle = folder / "ca.pem"
    bundle.write_bytes(ca.certificate_pem)
    return TlsFiles(certificate=paths.certificate, private_key=paths.private_key, ca_bundle=bundle)


@pytest.fixture
def protected(ca: CertificateAuthority, tls: TlsFiles, elsewhere: str) -> Iterator[Emulator]:
    with Emulator(ca, tls=tls) as running:
        yield running


def issuer(
    emulator: Emulator,
    issued: IssuedCertificate,
    clock: Wrong,
    *,
    host: str = "127.0.0.1",
    verify: str | None = None,
) -> Issuer:
    arguments: Arguments = {
        "cert": issued.certificate_pem,
        "key": issued.private_key_pem,
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url.replace("127.0.0.1", host),
    }
    session = botocore.session.Session()
    config = config_of(look_up(session, arguments=arguments))
    assert config is not None
    return Issuer(config, session, verify=verify, clock=clock)


def statuses(emulator: Emulator) -> list[int | None]:
    return [record.status for record in emulator.requests if record.operation == "CreateSession"]


@pytest.mark.parametrize("off", OFF, ids=str)
def test_a_clock_that_is_off_costs_one_refusal(
    ca: CertificateAuthority,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    off: timedelta,
) -> None:
    lasting = ca.issue("app", not_before=now() - 72 * HOUR, not_after=now() + 72 * HOUR)
    creator = issuer(emulator, lasting, Wrong(off))

    sessions = [creator.create() for _ in range(3)]

    assert statuses(emulator) == [403, 201, 201, 201]
    assert abs(creator.clock.offset + off) < timedelta(seconds=5)
    assert sum(WARNING in record.message for record in caplog.records) == 1
    side = "ahead of" if off > timedelta() else "behind"
    assert f"{side} the service's, which is more than the 5 minutes" in caplog.text
    for session in sessions:
        assert session.lifetime == 3600
        assert abs(session.expiration - now() - HOUR) < timedelta(seconds=5)


@pytest.mark.parametrize("off", OFF, ids=str)
def test_verified_tls_vouches_for_the_time(
    ca: CertificateAuthority, protected: Emulator, tls: TlsFiles, elsewhere: str, off: timedelta
) -> None:
    lasting = ca.issue("app", not_before=now() - 72 * HOUR, not_after=now() + 72 * HOUR)
    creator = issuer(protected, lasting, Wrong(off), host=elsewhere, verify=str(tls.ca_bundle))

    assert creator.create().subject_arn


def test_whoever_is_on_the_way_does_not_say_the_time(
    ca: CertificateAuthority, emulator: Emulator, elsewhere: str
) -> None:
    creator = issuer(emulator, ca.issue("app"), Wrong(2 * HOUR), host=elsewhere)

    with pytest.raises(SessionDeniedError, match=r"120 min [01] s ahead of the service's"):
        creator.create()
    assert statuses(emulator) == [403]
    assert creator.clock.offset == timedelta()


@pytest.mark.parametrize(
    ("url", "verify", "proxy", "trusted"),
    [
        ("https://private.example", None, None, True),
        ("https://private.example", True, "http://proxy.example", True),
        ("https://private.example", "/ca.pem", None, True),
        ("https://private.example", False, None, False),
        ("https://private.example", "", None, False),
        ("http://private.example", True, None, False),
        ("http://127.0.0.1:8080", None, None, True),
        ("https://localhost", False, None, True),
        ("http://127.0.0.1:8080", None, "http://proxy.example", False),
    ],
)
def test_who_is_trusted_to_say_the_time(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    verify: bool | str | None,
    proxy: str | None,
    trusted: bool,
) -> None:
    if proxy is not None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    client = private_session(None).create_client(
        "rolesanywhere", region_name="eu-west-1", endpoint_url=url
    )

    assert BotocoreTransport(client, verify=verify, way=WAY).is_trusted == trusted


def test_no_more_than_one_signature_is_made_for_the_clock(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    stranger = CertificateAuthority("Another").issue("app")

    with pytest.raises(SessionDeniedError, match="Untrusted signing certificate"):
        issuer(emulator, stranger, Wrong(timedelta(minutes=10))).create()
    assert statuses(emulator) == [403, 403]


@pytest.mark.parametrize("off", [-24 * HOUR, -2 * HOUR], ids=str)
def test_a_certificate_issued_just_now_is_good_by_a_clock_that_is_behind(
    ca: CertificateAuthority, emulator: Emulator, off: timedelta
) -> None:
    fresh = ca.issue("app", not_before=now() - timedelta(minutes=1), not_after=now() + HOUR)
    creator = issuer(emulator, fresh, Wrong(off))

    creator.open()

    assert creator.create().subject_arn
    assert statuses(emulator) == [201]


@pytest.mark.parametrize("off", [2 * HOUR, 24 * HOUR], ids=str)
def test_a_short_certificate_is_good_by_a_clock_that_is_ahead(
    ca: CertificateAuthority, emulator: Emulator, off: timedelta
) -> None:
    short = ca.issue("app", not_before=now() - HOUR, not_after=now() + HOUR)

    assert issuer(emulator, short, Wrong(off)).create().subject_arn
    assert statuses(emulator) == [201]


def test_an_expired_certificate_stays_expired(ca: CertificateAuthority, emulator: Emulator) -> None:
    old = ca.issue("app", not_before=now() - 3 * HOUR, not_after=now() - HOUR)

    with pytest.raises(CertificateError, match="it has expired"):
        issuer(emulator, old, Wrong(timedelta())).open()
    with pytest.raises(CertificateError, match="it has expired"):
        issuer(emulator, old, Wrong(24 * HOUR)).open()
    assert statuses(emulator) == []


def test_a_clock_that_was_set_right_is_believed_again(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    clock = Wrong(2 * HOUR)
    lasting = ca.issue("app", not_before=now() - 72 * HOUR, not_after=now() + 72 * HOUR)
    creator = issuer(emulator, lasting, clock)
    creator.create()

    clock.off = timedelta(seconds=3)

    assert creator.create().subject_arn
    assert creator.clock.offset == timedelta()
    assert statuses(emulator) == [403, 201, 403, 201]


def answer(date: datetime | str) -> Answer:
    text = date if isinstance(date, str) else format_datetime(date, usegmt=True)
    return Answer(403, {"date": text}, b"{}")


@pytest.mark.parametrize(
    "date",
    [
        "",
        "soon",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        timedelta(minutes=4),
        timedelta(minutes=-4),
    ],
    ids=str,
)
def test_a_date_of_no_use_changes_nothing(date: timedelta | str) -> None:
    clock = CorrectedClock()

    assert not clock.learn(answer(date if isinstance(date, str) else now() + date))
    assert clock.offset == timedelta()


def test_a_machine_that_starts_in_1970_learns_the_time(caplog: pytest.LogCaptureFixture) -> None:
    clock = CorrectedClock(lambda: datetime(1970, 1, 1, tzinfo=timezone.utc))

    with caplog.at_level(logging.WARNING):
        assert clock.learn(answer(now()))
        assert not clock.learn(answer(now()))
    assert abs(clock() - now()) < timedelta(seconds=5)
    assert len(caplog.records) == 1

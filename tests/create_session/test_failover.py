"""Several Regions in order of preference: who is asked, when the next one is, and when not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config as ClientConfig
from forked import in_child

import boto_rolesanywhere
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.create_session.failover import FailoverCreator
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.errors import (
    EndpointError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults

CA = CertificateAuthority()
ONCE = ClientConfig(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2)


@pytest.fixture(scope="module")
def emulators() -> Iterator[tuple[Emulator, Emulator]]:
    role = "arn:aws:iam::123456789012:role/Both"
    with (
        Emulator(CA, region="eu-west-1", role_arn=role) as first,
        Emulator(CA, region="eu-central-1", role_arn=role) as second,
    ):
        yield first, second


@pytest.fixture
def regions(emulators: tuple[Emulator, Emulator]) -> Iterator[tuple[Emulator, Emulator]]:
    yield emulators
    for emulator in emulators:
        emulator.clear_faults()


class Program:
    """A session of two Regions, which asks anew at each `region()`, and its clock."""

    def __init__(self, emulators: tuple[Emulator, Emulator], folder: Path) -> None:
        paths = CA.issue("app").write(folder)
        self.session: boto3.Session = boto_rolesanywhere.get_session(
            paths.certificate,
            paths.private_key,
            anchor=[each.trust_anchor_arn for each in emulators],
            profile=[each.profile_arn for each in emulators],
            role=emulators[0].role_arn,
            endpoint_url=[each.endpoint_url for each in emulators],
            client_config=ONCE,
        )
        credentials = self.session.get_credentials()
        assert isinstance(credentials, SessionCredentials)
        self.credentials = credentials
        create = credentials._create  # one attempt, without the pauses above it
        self.issuer = create.__self__  # type: ignore[attr-defined]  # Issuer.create
        self.now = 0.0
        creator = self.issuer._create.__self__  # whose method it is
        assert isinstance(creator, FailoverCreator)
        creator._monotonic = lambda: self.now  # its clock
        creator._jitter = lambda: 1.0  # its chance

    def region(self) -> str:
        session: RolesAnywhereSession = self.issuer.create()
        assert session.region is not None
        return session.region


@pytest.fixture
def program(regions: tuple[Emulator, Emulator], tmp_path: Path) -> Program:
    return Program(regions, tmp_path)


def asked(regions: tuple[Emulator, Emulator]) -> list[int]:
    return [len(each.requests) for each in regions]


def test_the_first_region_is_asked_alone(
    program: Program, regions: tuple[Emulator, Emulator]
) -> None:
    before = asked(regions)

    assert program.credentials.session.region == "eu-west-1"
    assert program.session.region_name == "eu-west-1"
    assert asked(regions) == [before[0] + 1, before[1]]


@pytest.mark.parametrize(
    "fault",
    [
        faults.Reset(),
        faults.Hang(),
        faults.ErrorStatus(500, "InternalServerException"),
        faults.ErrorStatus(503, "ServiceUnavailableException"),
        faults.ErrorStatus(429, "ThrottlingException"),
        faults.TruncatedBody(),
        faults.HtmlBody(status=502),
    ],
    ids=str,
)
def test_if_it_fails_the_next_one_is_asked_and_signed_for(
    program: Program,
    regions: tuple[Emulator, Emulator],
    fault: faults.Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    regions[0].inject(fault, times=None)

    session = program.credentials.session

    # The emulator checks the signature's Region, and the trust anchor's.
    assert session.region == "eu-central-1"
    assert "IAM Roles Anywhere in eu-west-1 failed" in caplog.text


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_the_answer(
    program: Program, regions: tuple[Emulator, Emulator], status: int
) -> None:
    before = asked(regions)
    regions[0].inject(faults.ErrorStatus(status, "AccessDeniedException", "no"), times=None)

    with pytest.raises(SessionDeniedError):
        program.region()
    assert asked(regions) == [before[0] + 1, before[1]]


def test_it_goes_back_when_the_first_has_recovered(
    program: Program, regions: tuple[Emulator, Emulator]
) -> None:
    regions[0].inject(faults.ErrorStatus(), times=None)
    found, tries = [], []
    for _ in range(4):
        before = asked(regions)[0]
        found.append(program.region())
        tries.append(asked(regions)[0] - before)
        program.now += 0.75
    # It is passed over for 1 second after the first failure, and for 2 after the second.
    assert (found, tries) == (["eu-central-1"] * 4, [1, 0, 1, 0])
    regions[0].clear_faults()
    assert program.region() == "eu-central-1"
    program.now += 2
    assert [program.region(), program.region()] == ["eu-west-1"] * 2


def test_one_caller_tries_a_region_that_failed(program: Program) -> None:
    """While its outcome is not known, the others are not sent there."""
    creator = program.issuer._create.__self__
    first, second = creator._regions
    first.failures, first.closed_until = 1, 1.0
    program.now = 1.0

    orders = [creator._in_order() for _ in range(3)]

    assert orders == [[first, second], [second, first], [second, first]]


def test_if_all_fail_the_error_is_that_of_the_first(
    program: Program, regions: tuple[Emulator, Emulator]
) -> None:
    regions[0].inject(faults.ErrorStatus(429, "ThrottlingException"), times=None)
    regions[1].inject(faults.ErrorStatus(500, "InternalServerException"), times=None)

    with pytest.raises(ThrottledError):
        program.region()
    # Both are asked again at once: there is nobody else.
    before = asked(regions)
    with pytest.raises(ServiceError):
        program.region()
    assert asked(regions) == [count + 1 for count in before]


def test_if_the_next_one_refuses_that_is_the_error(
    program: Program, regions: tuple[Emulator, Emulator]
) -> None:
    regions[0].inject(faults.ErrorStatus(), times=None)
    regions[1].inject(faults.ErrorStatus(403, "AccessDeniedException", "no"), times=None)

    with pytest.raises(SessionDeniedError):
        program.region()


def test_all_regions_together_take_no_longer_than_one_alone(
    program: Program, regions: tuple[Emulator, Emulator]
) -> None:
    creators = [region.creator for region in program.issuer._create.__self__._regions]
    shares = []

    class Recording:
        def __init__(self, creator: SessionCreator) -> None:
            self.config = creator.config

        def create(self, _: object, *, share: float) -> RolesAnywhereSession:
            shares.append(share)
            error = EndpointError("no", code="endpoint-unreachable")
            error.passing = True
            raise error

    recording: Any = [Recording(creator) for creator in creators]
    with pytest.raises(EndpointError):
        FailoverCreator(recording).create()
    assert shares == [0.5, 0.5]


def test_with_a_cache_the_lists_make_one_session_which_says_its_region(
    regions: tuple[Emulator, Emulator], tmp_path: Path
) -> None:
    paths = CA.issue("cached").write(tmp_path)
    regions[0].inject(faults.ErrorStatus(), times=None)

    def region(*, both: bool = True) -> str | None:
        used = regions if both else regions[1:]
        session = boto_rolesanywhere.get_session(
            paths.certificate,
            paths.private_key,
            [each.trust_anchor_arn for each in used],
            [each.profile_arn for each in used],
            regions[0].role_arn,
            endpoint_url=[each.endpoint_url for each in used],
            client_config=ONCE.merge(ClientConfig(user_agent_extra=str(both))),
            cache=tmp_path / "cache",
        )
        credentials = session.get_credentials()
        assert isinstance(credentials, SessionCredentials)
        return credentials.session.region

    assert [region(), region()] == ["eu-central-1"] * 2
    assert len(list((tmp_path / "cache").glob("*.session"))) == 1
    assert region(both=False) == "eu-central-1"
    assert len(list((tmp_path / "cache").glob("*.session"))) == 2


def test_other_errors_than_ours_are_not_failed_over(program: Program) -> None:
    def broken(*_: object, **__: object) -> RolesAnywhereSession:
        raise ZeroDivisionError

    program.issuer._create.__self__._regions[0].creator.create = broken
    with pytest.raises(ZeroDivisionError):
        program.region()


def test_a_fork_while_another_thread_chooses_a_region_leaves_the_child_free(
    program: Program,
) -> None:
    creator = program.issuer._create.__self__
    with creator._lock:  # as another thread has it at the moment of the fork
        assert in_child(lambda: program.region() == "eu-west-1")

"""When to look again: nothing here waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from revocation_account import NOW, made_list

from boto_rolesanywhere.account.revocation.lists import read_list
from boto_rolesanywhere.account.revocation.synchronising import Outcome
from boto_rolesanywhere.account.revocation.watching import Watch
from boto_rolesanywhere.errors import EndpointError
from boto_rolesanywhere.testing import CertificateAuthority

EVERY = timedelta(minutes=15)
FAULT = EndpointError("the administrator's call did not reach AWS", code="endpoint-unreachable")


def pauses(
    events: Sequence[Sequence[Outcome] | EndpointError], *, chance: float = 0.0
) -> tuple[list[float], list[Sequence[Outcome]]]:
    """How long it waits after each event, and what it tells."""
    waited: list[float] = []
    told: list[Sequence[Outcome]] = []
    waiting = list(events)

    def synchronise() -> Sequence[Outcome]:
        event = waiting.pop(0)
        if isinstance(event, EndpointError):
            raise event
        return event

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return not waiting

    Watch(
        synchronise, wait, told.append, every=EVERY, clock=lambda: NOW, chance=lambda: chance
    ).run()
    return waited, told


@pytest.fixture
def good(ca: CertificateAuthority) -> tuple[Outcome, ...]:
    listed = read_list(made_list(ca), "ca.crl")
    return (Outcome("ca.crl", "unchanged", "it is there", listed=listed),)


def test_faults_are_tried_again_sooner_each_time_later(good: tuple[Outcome, ...]) -> None:
    refused = (Outcome("ca.crl", "refused", "out of date"),)

    waited, told = pauses([good, FAULT, refused, FAULT, FAULT, FAULT, FAULT, FAULT, good, FAULT])

    assert waited == [900, 15, 30, 60, 120, 240, 480, 900, 900, 15]
    assert [len(each) for each in told] == [1, 0, 1, 0, 0, 0, 0, 0, 1, 0]


def test_one_source_of_two_that_fails_is_a_fault(good: tuple[Outcome, ...]) -> None:
    waited, _ = pauses([(*good, Outcome("other", "failed", "not reached"))])

    assert waited == [15]


@pytest.mark.parametrize(("left", "pause"), [(7 * 24, 900), (0.25, 450), (0.01, 60)])
def test_a_list_near_its_end_is_looked_at_sooner(
    ca: CertificateAuthority, left: float, pause: float
) -> None:
    listed = read_list(made_list(ca, end=NOW + timedelta(hours=left)), "ca.crl")

    waited, _ = pauses([(Outcome("ca.crl", "unchanged", "it is there", listed=listed),)])

    assert waited == [pause]


def test_machines_do_not_ask_at_once(good: tuple[Outcome, ...]) -> None:
    assert pauses([good, FAULT], chance=1.0)[0] == [720, 12]

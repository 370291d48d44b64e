"""The simulation of a fleet, run small: 300 hosts at a service of 0.3 calls a second."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import fleet
import pytest
from fleet import HOUR, Fleet, Quota, Simulation

SMALL = (Quota(0.3, burst=3),)
OUTAGE = ((4 * HOUR, 1200.0),)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable()  # thousands of warnings of failed renewals
    yield
    logging.disable(logging.NOTSET)


def test_the_wave_of_a_common_start_disperses() -> None:
    result = Simulation(Fleet(hosts=300, quotas=SMALL, hours=8)).run()

    renewals = sum(n for second, n in result.requests.items() if second >= 2 * HOUR)
    throttled = sum(n for second, n in result.throttled.items() if second >= 2 * HOUR)
    assert 2500 < renewals < 3500
    assert throttled < renewals / 20
    assert result.peak(2 * HOUR) < 10
    assert not result.without


def test_an_outage_of_twenty_minutes_leaves_few_hosts_without_credentials() -> None:
    result = Simulation(Fleet(hosts=300, quotas=SMALL, hours=6, outages=OUTAGE)).run()

    assert 0 < len(result.without) < 30


def test_sessions_of_twelve_hours_outlive_an_outage() -> None:
    sessions = Fleet(
        hosts=300, quotas=SMALL, hours=14, lifetime=12 * HOUR, outages=((8 * HOUR, 1200.0),)
    )

    assert not Simulation(sessions).run().without


def test_hosts_with_buckets_of_their_own_are_never_throttled() -> None:
    result = Simulation(
        Fleet(hosts=100, quotas=(Quota(100, burst=100), Quota(0.01, burst=1, share=1)), hours=3)
    ).run()

    assert not result.throttled


def test_hosts_behind_one_address_share_its_quota() -> None:
    result = Simulation(
        Fleet(hosts=100, quotas=(Quota(100, burst=100), Quota(0.02, burst=1, share=50)), hours=3)
    ).run()

    assert sum(result.throttled.values()) > 200


def test_it_prints_its_table_and_draws_its_picture(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    drawn = tmp_path / "fleet.svg"

    fleet.main(["--hosts", "20", "--hours", "13", "--picture", str(drawn)])

    assert capsys.readouterr().out.count("hosts that were without credentials") == 3
    lines = ET.parse(drawn).getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 6

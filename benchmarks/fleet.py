"""What a fleet of hosts does to CreateSession, in virtual time, and what an outage does to it.

Each host has the product's own `SessionState` with a clock of the simulation, and its calls follow
the product's own rule for attempts. Every host reads its credentials every 10 seconds. A request
takes 0.1 seconds. The service has token buckets for the account and, if asked for, for each source
address and certificate; a request that it throttles takes no token.

That a throttled request takes no token, and the sizes of the buckets for source addresses and
certificates, are guesses: AWS publishes the rate for an account alone.

usage: python benchmarks/fleet.py [--hosts N] [--hours H] [--outage S] [--picture FILE] …
"""

from __future__ import annotations

import argparse
import heapq
import logging
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleet_picture import picture

from boto_rolesanywhere.create_session.attempts import pause_after
from boto_rolesanywhere.create_session.transport import Answer, Limits, TransportFault
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.credentials.state import Need, SessionState
from boto_rolesanywhere.errors import EndpointError, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR: Final = 3600.0
READ_EVERY: Final = 10.0  # seconds
REQUEST: Final = 0.1
EPOCH: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)
# What an attempt comes to. None of them is looked into further than the rules do.
THROTTLED: Final = Answer(429, {"x-amzn-errortype": "ThrottlingException"}, b"{}")
UNREACHABLE: Final = TransportFault("connection", "refused")
TOO_MANY: Final = ThrottledError(
    {"ResponseMetadata": {"HTTPStatusCode": 429}}, "CreateSession", code="throttled"
)
NO_WAY: Final = EndpointError("refused", code="endpoint-unreachable")


@dataclass(frozen=True)
class Quota:
    """Calls that the hosts of one bucket may make.

    Attributes:
        rate: tokens a second.
        burst: tokens that the bucket holds.
        share: how many hosts share a bucket; by default all.
    """

    rate: float = 10
    burst: float = 10
    share: int = 1_000_000_000


@dataclass(frozen=True)
class Fleet:
    """What is simulated.

    Attributes:
        hosts: how many; all read for the first time within 10 seconds.
        lifetime: of a session, in seconds.
        hours: simulated.
        quotas: of the account, of a source address, of a certificate. A request takes a token from
            each bucket that it falls into, or from none.
        outages: begin and length of each, in seconds; nothing answers meanwhile.
        seed: of the simulation.
    """

    hosts: int = 10_000
    lifetime: float = HOUR
    hours: float = 24
    quotas: tuple[Quota, ...] = (Quota(),)
    outages: tuple[tuple[float, float], ...] = ()
    seed: int = 1


@dataclass
class Result:
    """What was counted.

    Attributes:
        requests: in each second.
        throttled: in each second.
        without: hosts that had credentials, and a read that had none.
        longest_without: seconds.
    """

    requests: Counter[int] = field(default_factory=Counter)
    throttled: Counter[int] = field(default_factory=Counter)
    without: set[int] = field(default_factory=set)
    longest_without: float = 0.0

    def peak(self, begin: float = 0.0) -> int:
        """The most requests within a second, from `begin` on."""
        return max((n for second, n in self.requests.items() if second >= begin), default=0)


class Bucket:
    """A token bucket, full at first."""

    __slots__ = ("at", "burst", "rate", "tokens")

    def __init__(self, quota: Quota) -> None:
        self.rate, self.burst = quota.rate, quota.burst
        self.tokens, self.at = self.burst, 0.0

    def has_token(self, now: float) -> bool:
        """Whether there is a token now."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return self.tokens >= 1


def take(buckets: Sequence[Bucket], now: float) -> bool:
    """Take a token from each bucket, if each has one."""
    if not all(bucket.has_token(now) for bucket in buckets):
        return False
    for bucket in buckets:
        bucket.tokens -= 1
    return True


class Simulation:
    """A run of one fleet: events in the order of their time."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.result = Result()
        self.now = 0.0
        self._random = random.Random(fleet.seed)
        self._events: list[tuple[float, int, int]] = []  # time, host, requests made in its attempt
        self._phases = [self._random.uniform(0, READ_EVERY) for _ in range(fleet.hosts)]
        self._buckets = [
            (quota.share, [Bucket(quota) for _ in range(-(-fleet.hosts // quota.share))])
            for quota in fleet.quotas
        ]
        self._states = [
            SessionState(wall=self._clock, monotonic=self._clock, jitter=self._random.random)
            for _ in range(fleet.hosts)
        ]
        self._begun = [0.0] * fleet.hosts

    def _clock(self) -> float:
        return self.now

    def run(self) -> Result:
        """Simulate all hours."""
        self._events = [(phase, host, 0) for host, phase in enumerate(self._phases)]
        heapq.heapify(self._events)
        end = self.fleet.hours * HOUR
        while self._events and self._events[0][0] < end:
            self.now, host, made = heapq.heappop(self._events)
            if made:
                self._answer(host, made)
            else:
                self._read(host)
        return self.result

    def _read(self, host: int) -> None:
        state = self._states[host]
        if state.held is not None and not state.is_good():
            self.result.without.add(host)
            ended = state.held.monotonic + state.held.windows.expiry
            self.result.longest_without = max(self.result.longest_without, self.now - ended)
        if state.need() in (Need.NOTHING, Need.PAUSE):
            self._next_read(host)
            return
        state.begun()
        self._begun[host] = self.now
        heapq.heappush(self._events, (self.now + REQUEST, host, 1))

    def _answer(self, host: int, made: int) -> None:
        """What comes of request number `made`, which was sent a moment ago."""
        state, second = self._states[host], int(self.now - REQUEST)
        self.result.requests[second] += 1
        limits = Limits()
        outcome: Answer | TransportFault
        sent = self.now - REQUEST
        if any(begin <= sent < begin + length for begin, length in self.fleet.outages):
            outcome = UNREACHABLE
        elif take([buckets[host // share] for share, buckets in self._buckets], self.now):
            state.received(self._session())
            self._next_read(host)
            return
        else:
            outcome = THROTTLED
            self.result.throttled[second] += 1
        left = limits.deadline - (self.now - self._begun[host])
        pause = pause_after(outcome, made, limits, left, self._random.random)
        if pause is None:
            state.failed(TOO_MANY if outcome is THROTTLED else NO_WAY)
            self._next_read(host)
        else:
            heapq.heappush(self._events, (self.now + pause + REQUEST, host, made + 1))

    def _session(self) -> RolesAnywhereSession:
        issued = EPOCH + timedelta(seconds=self.now)
        return RolesAnywhereSession(
            access_key_id="ASIA",
            secret_access_key="secret",
            session_token="token",
            issued_at=issued,
            expiration=issued + timedelta(seconds=self.fleet.lifetime),
        )

    def _next_read(self, host: int) -> None:
        """Let the host read again when that may change something: most of its reads do not."""
        state = self._states[host]
        due = max(self.now, state.retry_at)
        if state.held is not None and state.is_good():
            begun = state.held.monotonic
            due = max(due, begun + state.held.windows.advisory)
            due = min(due, max(self.now, begun + state.held.windows.expiry))
        ticks = (due - self._phases[host]) // READ_EVERY + 1
        heapq.heappush(self._events, (self._phases[host] + ticks * READ_EVERY, host, 0))


def figures(fleet: Fleet, result: Result, settled: float) -> list[tuple[str, str]]:
    """The rows of the table: title and figure."""
    late = sum(n for second, n in result.throttled.items() if second >= settled)
    return [
        ("requests", f"{sum(result.requests.values()):,}"),
        ("most in a second, at the start", f"{result.peak():,}"),
        ("most in a second, after 12 hours", f"{result.peak(12 * HOUR):,}"),
        ("throttled in the wave of the start", f"{sum(result.throttled.values()) - late:,}"),
        ("throttled after it", f"{late:,}"),
        ("hosts that were without credentials", f"{len(result.without):,} of {fleet.hosts:,}"),
        ("the longest time without", f"{result.longest_without:,.0f} s"),
    ]


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--account-rate", type=float, default=10, help="calls a second")
    parser.add_argument("--address-rate", type=float, help="the same for a source address")
    parser.add_argument("--hosts-per-address", type=int, default=1, help="behind one NAT, say")
    parser.add_argument("--certificate-rate", type=float, help="the same for a certificate")
    parser.add_argument("--hosts-per-certificate", type=int, default=1)
    parser.add_argument("--outage", type=float, default=1200, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="draw the requests into this SVG file")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Print the table of each fleet."""
    options = parse(argv)
    logging.disable()  # each failed renewal warns
    quotas = [
        Quota(rate, burst=max(1.0, rate), share=share)
        for rate, share in (
            (options.account_rate, options.hosts),
            (options.address_rate, options.hosts_per_address),
            (options.certificate_rate, options.hosts_per_certificate),
        )
        if rate
    ]
    common = {"hosts": options.hosts, "quotas": tuple(quotas), "seed": options.seed}
    outage = ((12 * HOUR, options.outage),)
    runs = [
        ("one-hour sessions", Fleet(**common, hours=options.hours)),
        (
            f"one-hour sessions, an outage of {options.outage:.0f} s after 12 hours",
            Fleet(**common, hours=14, outages=outage),
        ),
        (
            f"12-hour sessions, an outage of {options.outage:.0f} s after 12 hours",
            Fleet(**common, hours=24, lifetime=12 * HOUR, outages=outage),
        ),
    ]
    drawn = []
    for title, fleet in runs:
        result = Simulation(fleet).run()
        drawn.append((title, result.requests, fleet.hours))
        print(f"{title} ({fleet.hosts:,} hosts, {fleet.hours:g} hours)")
        for name, figure in figures(fleet, result, settled=2 * HOUR):
            print(f"  {name:40}{figure:>20}")
    if options.picture:
        options.picture.write_text(picture(drawn, options.account_rate), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What holds of `SessionState` for any reads, failures, waits and clocks that are set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.credentials.state import Need, SessionState
from boto_rolesanywhere.errors import EndpointError

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
OUTAGE = EndpointError("no route", code="made-up")


@dataclass
class World:
    lifetime: float
    jitter: float
    monotonic: float = 100.0
    wall: float = 1_800_000_000.0
    ends_at: float = 0.0  # of what was received last, as the service has it
    tries: int = 0

    def __post_init__(self) -> None:
        self.state = SessionState(
            wall=lambda: self.wall, monotonic=lambda: self.monotonic, jitter=lambda: self.jitter
        )

    def read(self, *, works: bool) -> bool:
        """Read as a caller does whose attempts take no time; whether it has credentials."""
        if self.state.need() in (Need.MEANWHILE, Need.SOON, Need.NOW):
            self.tries += 1
            self.state.begun()
            if works:
                self.ends_at = self.monotonic + self.lifetime
                self.state.received(self._session())
            else:
                self.state.failed(OUTAGE)
        return self.state.is_good()

    def _session(self) -> RolesAnywhereSession:
        return RolesAnywhereSession(
            access_key_id="ASIA1",
            secret_access_key="secret",
            session_token="token",
            issued_at=START,
            expiration=START + timedelta(seconds=self.lifetime),
        )


lifetimes = st.sampled_from([900.0, 1800.0, 3600.0, 43200.0])
steps = st.tuples(
    st.floats(0, 2000),  # seconds that pass
    st.one_of(st.just(0.0), st.floats(-90_000, 90_000)),  # by which the wall clock is set
    st.booleans(),  # whether the service works
    st.floats(0, 1),
)


@given(lifetimes, st.lists(steps, max_size=40))
def test_what_is_called_good_is_good_and_nothing_good_is_thrown_away(
    lifetime: float, events: list[tuple[float, float, bool, float]]
) -> None:
    world = World(lifetime, 0.5)
    for seconds, set_by, works, jitter in events:
        world.monotonic += seconds
        world.wall += seconds + set_by
        world.jitter = jitter

        good = world.read(works=works)

        assert good == (world.monotonic < world.ends_at)


@given(lifetimes, st.floats(0, 1), st.floats(-90_000, 90_000), st.integers(1, 500))
def test_reads_in_one_moment_make_one_attempt(
    lifetime: float, jitter: float, set_by: float, reads: int
) -> None:
    world = World(lifetime, jitter)
    world.read(works=True)
    world.wall += set_by
    world.monotonic += lifetime * 0.9
    before = world.tries

    for _ in range(reads):
        world.read(works=False)

    assert world.tries == before + 1


@settings(max_examples=20)
@given(lifetimes, st.floats(0, 1), st.booleans())
def test_an_outage_of_an_hour_is_met_with_few_attempts(
    lifetime: float, jitter: float, begins_good: bool
) -> None:
    world = World(lifetime, jitter)
    if begins_good:
        world.read(works=True)
    before = world.tries

    for _ in range(3600):
        world.read(works=False)
        world.monotonic += 1
        world.wall += 1

    # The pauses grow to 60 seconds, of which the worst draws leave 6.
    assert world.tries - before < 3600 / 6 + 60


@given(lifetimes, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_where_the_service_works_no_read_is_ever_without(
    lifetime: float, jitters: list[float]
) -> None:
    world = World(lifetime, 0.5)
    for jitter in jitters:
        world.jitter = jitter
        for _ in range(30):
            assert world.read(works=True)
            world.monotonic += lifetime / 20
            world.wall += lifetime / 20

    assert world.tries <= 1 + len(jitters) * 30 / 20 / 0.35

"""At which age a session is renewed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.credentials.windows import RefreshWindows

lifetimes = st.floats(1, 43200)
jitters = st.floats(0, 1)


@given(lifetimes, jitters)
def test_a_renewal_is_due_between_a_half_and_three_quarters(lifetime: float, jitter: float) -> None:
    windows = RefreshWindows.for_lifetime(lifetime, jitter)

    assert lifetime * 0.36 <= windows.advisory <= lifetime * 0.75
    assert windows.advisory < windows.mandatory < windows.expiry == lifetime
    assert windows.expiry - windows.mandatory <= 5


def test_the_whole_range_is_used() -> None:
    assert RefreshWindows.for_lifetime(3600, 0.0).advisory == 1800
    assert RefreshWindows.for_lifetime(4000, 1.0).advisory == 3000


@given(st.floats(900, 43200))
def test_renewals_spread_over_a_tenth_of_the_lifetime_at_least(lifetime: float) -> None:
    early, late = (RefreshWindows.for_lifetime(lifetime, jitter) for jitter in (0.0, 1.0))

    assert late.advisory - early.advisory >= lifetime * 0.0999


@given(lifetimes, jitters, jitters, st.floats(0, 1))
def test_a_draw_anew_never_makes_a_renewal_due_at_once(
    lifetime: float, first: float, second: float, part: float
) -> None:
    windows = RefreshWindows.for_lifetime(lifetime, first)
    age = part * windows.advisory * 0.999

    anew = windows.drawn_anew(age, second)

    assert max(age, lifetime * 0.3599) <= anew.advisory <= lifetime * 0.7501
    assert (anew.mandatory, anew.expiry) == (windows.mandatory, windows.expiry)


def test_what_is_due_or_was_put_off_stays_where_it_is() -> None:
    due = RefreshWindows.for_lifetime(3600, 0.5)
    put_off = RefreshWindows(3000, 3595, 3600)

    assert due.drawn_anew(due.advisory, 0.9) == due
    assert put_off.drawn_anew(10, 0.5) == put_off


@given(jitters, st.sampled_from([(1800, 900), (2000, 900), (3600, 900), (900, 300), (1799, 300)]))
def test_an_sdk_finds_it_renewed_before_it_would_ask(
    jitter: float, lifetime_and_lead: tuple[float, float]
) -> None:
    lifetime, lead = lifetime_and_lead
    windows = RefreshWindows.for_lifetime(lifetime, jitter)

    assert lifetime - windows.advisory >= lead + 60
    assert windows.drawn_anew(0, jitter).advisory <= lifetime - lead - 60

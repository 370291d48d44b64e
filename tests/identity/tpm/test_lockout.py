"""When a TPM is near its lock-out, and when a try may be spent."""

from __future__ import annotations

import pytest

from boto_rolesanywhere.identity.tpm.lockout import Lockout


@pytest.mark.parametrize(
    ("failed", "most", "is_near"),
    [
        (0, 32, False),
        (15, 32, False),
        (16, 32, True),
        (31, 32, True),
        (32, 32, False),  # locked: the TPM says so itself, which costs nothing
        (1, 4, False),
        (2, 4, True),
        (1, 3, False),
        (2, 3, True),
        (1, 2, True),
        (0, 2, False),
        (0, 1, False),  # it can be used all the same
        (1, 1, False),
    ],
)
def test_half_of_the_tries_are_kept_back(failed: int, most: int, is_near: bool) -> None:
    assert Lockout(failed, most, 600).is_near == is_near


def test_where_none_counts_none_is_kept_back() -> None:
    assert not Lockout(31, 32, 0).is_near
    assert Lockout(31, 32, 0).has_room


@pytest.mark.parametrize(
    ("failed", "most", "is_last"),
    [(30, 32, False), (31, 32, True), (32, 32, False), (1, 2, True), (0, 1, False)],
)
def test_the_last_try_is_known(failed: int, most: int, is_last: bool) -> None:
    assert Lockout(failed, most, 600).is_last == is_last


@pytest.mark.parametrize(
    ("failed", "most", "has_room"),
    [(0, 32, True), (15, 32, True), (16, 32, False), (1, 3, False), (0, 2, True), (0, 1, False)],
)
def test_a_try_is_spent_in_the_first_half(failed: int, most: int, has_room: bool) -> None:
    assert Lockout(failed, most, 600).has_room == has_room

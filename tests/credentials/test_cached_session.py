"""A session goes into its entry and comes back; what else an entry may hold gives none."""

from __future__ import annotations

import json

import pytest
from cache_world import HOUR, KEY, NOW, session

from boto_rolesanywhere.credentials.cache_entry import Entry
from boto_rolesanywhere.credentials.cached_session import to_entry, to_received
from boto_rolesanywhere.credentials.moment import Moment
from boto_rolesanywhere.credentials.windows import RefreshWindows


def test_what_is_printed_is_what_an_sdk_expects() -> None:
    entry = to_entry(KEY, session(), Moment(NOW), 1)

    assert json.loads(entry.answer) == {
        "Version": 1,
        "AccessKeyId": "ASIA1",
        "SecretAccessKey": "s3cret",
        "SessionToken": "t0ken",
        "Expiration": "2027-01-15T09:00:00Z",
        "AccountId": "123456789012",
    }
    assert not set(entry.answer) & set(" \n")


def test_a_session_comes_back_as_it_was_with_its_own_times() -> None:
    entry = to_entry(KEY, session(), Moment(NOW, "b-1", 50), 0.5)

    found = to_received(entry, Moment(NOW + 600, "b-1", 690), 7.0)

    assert found is not None
    assert found.session == session()
    assert found.windows == RefreshWindows.for_lifetime(HOUR, 0.5)
    assert (found.age, found.pause) == (640, 7)


GOOD = to_entry(KEY, session(), Moment(NOW), 1)


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        ("", GOOD.details),
        ("{}", GOOD.details),
        ("[]", GOOD.details),
        (GOOD.answer.replace('"ASIA', '1, "Odd": "'), GOOD.details),
        (GOOD.answer.replace("2027-", "20270-"), GOOD.details),
        (GOOD.answer.replace("ASIA", "ASIA\\n"), GOOD.details),
        (GOOD.answer.replace("s3cret", "\\ud800"), GOOD.details),
        (GOOD.answer.replace("t0ken", "t0 ken"), GOOD.details),
        (GOOD.answer.replace('"t0ken"', "7"), GOOD.details),
        (GOOD.answer, ""),
        (GOOD.answer, "[]"),
        (GOOD.answer, "7"),
        (GOOD.answer, "[" * 100_000),
    ],
)
def test_an_entry_that_holds_something_else_gives_no_session(answer: str, details: str) -> None:
    times = (NOW, NOW + 1, NOW + 2, NOW + HOUR)

    assert to_received(Entry(KEY, times, answer=answer, details=details), Moment(NOW), 0) is None


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("role_arn", ["odd"]),
        ("role_arn", 5),
        ("role_arn", "\ud800"),
        ("source_identity", "\x1b[2J"),
        ("packed_policy_size", True),
        ("packed_policy_size", "7"),
    ],
)
def test_details_of_another_version_do_no_harm(name: str, odd: object) -> None:
    details = json.dumps({**json.loads(GOOD.details), "new_field": 1, name: odd})
    entry = Entry(KEY, (NOW, NOW + 1, NOW + 2, NOW + HOUR), answer=GOOD.answer, details=details)

    found = to_received(entry, Moment(NOW), 0)

    assert found is not None
    assert getattr(found.session, name) is None
    assert found.session.subject_arn == session().subject_arn

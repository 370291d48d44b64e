"""Setup and teardown that are denied, throttled or killed at any of their calls."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import Any

import pytest
from aws_account import Account, Killed
from setups import made, run, small, take_away, whole

from boto_rolesanywhere.account.setup import Setup
from boto_rolesanywhere.account.wanted import (
    Wanted,
)
from boto_rolesanywhere.errors import ConfigurationError, ServiceError, ThrottledError
from boto_rolesanywhere.testing import faults


def test_denied_half_way_it_says_what_there_is_and_goes_on(account: Account) -> None:
    wanted = small()

    def deny(**_: object) -> tuple[Any, dict[str, Any]]:
        answer = {"Error": {"Code": "AccessDenied", "Message": "not you"}}
        status = type("Answer", (), {"status_code": 403})()
        return status, {**answer, "ResponseMetadata": {"HTTPStatusCode": 403}}

    administrator = account.watched().administrator
    events = administrator.client("iam").meta.events
    events.register("before-call.iam.CreateRole", deny)
    setup = Setup(administrator, wanted)
    with pytest.raises(ServiceError, match=r"iam:CreateRole, iam:TagRole") as refused:
        setup.run()
    events.unregister("before-call.iam.CreateRole", deny)

    assert refused.value.code == "administrator-denied"
    assert [(part.kind, part.exists) for part in setup.parts] == [
        ("trust anchor", True),
        ("role", False),
    ]
    again, _ = run(account, wanted)
    assert again.writes == ["CreateRole", "CreateProfile"]


def test_throttled_calls_are_repeated(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)
    account.emulator.inject(faults.ErrorStatus(429, "ThrottlingException"), times=3)

    run(account, small())
    made(account, small())
    assert len(waits) == 3

    account.emulator.inject(faults.ErrorStatus(429, "ThrottlingException"), times=None)
    with pytest.raises(ThrottledError) as throttled:
        run(account, small())
    assert throttled.value.code == "throttled"
    assert len(waits) == 3 + 7


def test_every_point_may_be_its_last(account: Account) -> None:
    wanted = whole(account)
    before = account.everything()
    run(account, wanted)
    expected = timeless(made(account, wanted))
    take_away(account)
    assert account.everything() == before

    point = 0
    while killed(account, wanted, point):
        run(account, wanted)
        assert timeless(made(account, wanted)) == expected, point
        take_away(account)
        point += 1
    take_away(account)
    assert account.everything() == before
    assert point > 20


def test_a_killed_teardown_is_taken_up_by_the_next(account: Account) -> None:
    before = account.everything()
    point, done = 0, False
    while not done:
        run(account, small())
        try:
            take_away(account, account.watched(kill_at=point))
            done = True
        except Killed:
            with suppress(ConfigurationError):  # all was gone already
                take_away(account)
        assert account.control_plane().keys() | account.roles().keys() == before.keys(), point
        point += 1
    assert point > 20


def killed(account: Account, wanted: Wanted, point: int) -> bool:
    """Whether a run got no further than to this point."""
    try:
        Setup(account.watched(kill_at=point).administrator, wanted).run()
    except Killed:
        return True
    return False


def test_kills_in_a_row_leave_no_orphan(account: Account) -> None:
    wanted = whole(account)
    before = account.everything()
    kills = int(os.environ.get("SETUP_KILLS", "20"))
    chance = random.Random(kills)
    done = 0
    while done < kills:
        # Some runs get to their end; what a killed teardown has left is taken up, too.
        watched = account.watched(kill_at=chance.randrange(60))
        try:
            if chance.random() < 0.7:
                Setup(watched.administrator, wanted).run()
            else:
                take_away(account, watched)
        except Killed:
            done += 1
        except ConfigurationError as error:
            assert error.code == "nothing-to-remove"  # noqa: PT017  # only now and then

    run(account, wanted)
    made(account, wanted)
    take_away(account)
    assert account.everything() == before


def timeless(detail: Any) -> Any:  # noqa: ANN401  # JSON
    """Without what differs each time something is made."""
    if isinstance(detail, dict):
        kept = {
            key: timeless(value)
            for key, value in detail.items()
            if key not in {"createdAt", "CreateDate", "RoleId"}
        }
        return {
            key: value
            for key, value in kept.items()
            if not key.endswith(("Id", "trustAnchorArn", "profileArn", "aws:SourceArn"))
        }
    return [timeless(value) for value in detail] if isinstance(detail, list | tuple) else detail

"""One call a second for each group of the control plane; none waits for an emulator here."""

from __future__ import annotations

from botocore.awsrequest import AWSPreparedRequest

from boto_rolesanywhere.account.pace import Pace

AWS = "https://rolesanywhere.eu-west-1.amazonaws.com/"


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def called_at(*operations: str, url: str = AWS) -> list[float]:
    """When each call is let go, in seconds after the first."""
    clock = Clock()
    pace = Pace(monotonic=clock.monotonic, sleep=clock.sleep)
    times = []
    for operation in operations:
        request = AWSPreparedRequest("POST", url, {}, b"", False)  # type: ignore[arg-type]  # a dict does
        pace.wait(request=request, event_name=f"before-send.rolesanywhere.{operation}")
        times.append(clock.now - 100)
    return times


def test_a_group_is_called_once_a_second() -> None:
    assert called_at(
        "ListTrustAnchors",
        "CreateTrustAnchor",  # the same group
        "ListProfiles",
        "PutNotificationSettings",
        "PutAttributeMapping",  # a second has passed since the profiles' last
        "ListTagsForResource",
        "TagResource",
        "ImportCrl",
    ) == [0, 1, 1, 2, 2, 2, 3, 3]


def test_a_pause_of_the_callers_own_counts() -> None:
    clock = Clock()
    pace = Pace(monotonic=clock.monotonic, sleep=clock.sleep)
    request = AWSPreparedRequest("POST", AWS, {}, b"", False)  # type: ignore[arg-type]  # a dict does
    for _ in range(3):
        pace.wait(request=request, event_name="before-send.rolesanywhere.ListCrls")
        clock.now += 5

    assert clock.now == 115


def test_an_emulator_is_called_at_once() -> None:
    for url in ("http://127.0.0.1:4000/", "http://localhost:4000/", "http://[::1]:4000/"):
        assert called_at("ListCrls", "ListCrls", "ListCrls", url=url) == [0, 0, 0]

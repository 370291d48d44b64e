"""What `SessionCredentials` leans on in botocore; a release that moves it fails here.

Read a failure here as: botocore has changed, look at credentials/refreshing.py.
"""

from __future__ import annotations

import inspect

import pytest
from botocore import credentials
from botocore.credentials import RefreshableCredentials

from boto_rolesanywhere.credentials.refreshing import SessionCredentials


def callers_of(name: str) -> set[str]:
    """The methods of botocore's class that name `self.NAME`."""
    methods = inspect.getmembers(RefreshableCredentials, inspect.isfunction)
    getters = inspect.getmembers(
        RefreshableCredentials, lambda member: isinstance(member, property)
    )
    sources = dict(methods) | {key: value.fget for key, value in getters}
    return {key for key, value in sources.items() if f"self.{name}" in inspect.getsource(value)}


@pytest.mark.parametrize(
    "name", ["_refresh_using", "_protected_refresh", "_publish_refresh", "_set_from_data"]
)
def test_its_own_renewal_is_reached_through_refresh_alone(name: str) -> None:
    # SessionCredentials overrides _refresh, and sets nothing of what these methods need.
    reached = {"_refresh"}
    own = {"__init__", "_protected_refresh", "_publish_refresh", "_set_from_data"}

    assert callers_of(name) <= reached | own
    assert callers_of("_protected_refresh") <= reached


@pytest.mark.parametrize("name", ["_time_fetcher", "_seconds_remaining", "_staged_expiry_time"])
def test_what_is_never_set_is_never_read(name: str) -> None:
    ours = set(vars(SessionCredentials))
    unreached = {"__init__", "_seconds_remaining", "_protected_refresh", "_publish_refresh"}

    assert callers_of(name) <= ours | unreached | {"_set_from_data"}


def test_readers_know_the_tuple_of_four() -> None:
    assert credentials.ReadOnlyCredentials._fields == (
        "access_key",
        "secret_key",
        "token",
        "account_id",
    )

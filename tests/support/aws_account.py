"""An AWS account to administer: moto as IAM and STS, the emulator as IAM Roles Anywhere.

Start it with `an_account`; what an administrator calls through it can be counted and broken off.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import boto3
import pytest

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.testing import Emulator

REGION: Final = "eu-west-1"
VARIABLES: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": REGION,
}
_READING: Final = ("Get", "List", "Describe")


class Killed(BaseException):
    """What ends a run as a kill would: nothing catches it."""


@dataclass
class Watched:
    """An administrator whose calls are written down, and who may be killed at one of them.

    Each call has two points: before it is sent, and when its answer has come.
    """

    administrator: Administrator
    kill_at: int | None = None
    operations: list[str] = field(default_factory=list)
    _points: int = 0

    @property
    def writes(self) -> list[str]:
        return [name for name in self.operations if not name.startswith(_READING)]

    def point(self) -> None:
        if self._points == self.kill_at:
            raise Killed
        self._points += 1


class Account:
    """An account, and one administrator for all runs: to open clients takes longer than a run."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._administrator = Administrator(region=REGION)
        self._watched = Watched(self._administrator)
        self._administrator.session.register("before-call", self._before)
        self._administrator.session.register("after-call", self._after)

    def _before(self, model: Any, **_: object) -> None:  # noqa: ANN401  # botocore's
        self._watched.point()
        self._watched.operations.append(model.name)

    def _after(self, **_: object) -> None:
        self._watched.point()

    def watched(self, kill_at: int | None = None) -> Watched:
        """The administrator, whose calls are counted from now on."""
        self._watched = Watched(self._administrator, kill_at)
        return self._watched

    @cache  # noqa: B019  # an account lives as long as its test
    def client(self, service: Any) -> Any:  # noqa: ANN401  # boto3 makes its class
        return boto3.client(service, region_name=REGION)

    def policy(self, name: str) -> str:
        """The ARN of a managed policy that is made."""
        statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam = self.client("iam")
        made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
        return str(made["Policy"]["Arn"])

    def roles(self) -> dict[str, Any]:
        """All of IAM's roles with all that they have, by name."""
        iam = self.client("iam")
        details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
        for role in details:
            role["MaxSessionDuration"] = iam.get_role(RoleName=role["RoleName"])["Role"][
                "MaxSessionDuration"
            ]
        return {role["RoleName"]: role for role in details}

    def control_plane(self) -> dict[str, Any]:
        """All trust anchors, profiles and lists by ARN, with their tags; without times."""
        client = self.client("rolesanywhere")
        found = {}
        for operation, key, arn in (
            ("list_trust_anchors", "trustAnchors", "trustAnchorArn"),
            ("list_profiles", "profiles", "profileArn"),
            ("list_crls", "crls", "crlArn"),
        ):
            for detail in getattr(client, operation)()[key]:
                tags = client.list_tags_for_resource(resourceArn=detail[arn])["tags"]
                detail.pop("updatedAt", None)
                found[detail[arn]] = detail | {"tags": {one["key"]: one["value"] for one in tags}}
        return found

    def everything(self) -> dict[str, Any]:
        return self.control_plane() | self.roles()

    def writes(self) -> list[str]:
        """The calls that changed the control plane, as method and path."""
        changing = [one for one in self.emulator.requests if one.method != "GET"]
        return [f"{one.method} {one.path}" for one in changing if one.path != "/sessions"]


@contextmanager
def an_account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account that nobody has used, with the administrator's variables set."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"))
    with Emulator(region=REGION) as emulator:
        for name, value in VARIABLES.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
        yield Account(emulator)

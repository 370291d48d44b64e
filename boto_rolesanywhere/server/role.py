"""One role as it is served: its credentials in the two shapes of the protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.credentials.keeper import Keeper

from .exchange import Answer, json_answer

if TYPE_CHECKING:
    from datetime import datetime

    from boto_rolesanywhere.credentials.refreshing import SessionCredentials
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.settings.arns import Arn

_RETRY_AFTER: Final = ((b"retry-after", b"1"),)
# Never 200 with empty keys: an SDK would take them and fail later, at AWS.
_UNAVAILABLE: Final = json_answer(
    503,
    {
        "code": "CredentialsUnavailable",
        "message": "There are no valid credentials: the last CreateSession failed. The log of"
        " boto-rolesanywhere says why.",
    },
    _RETRY_AFTER,
)


def host(name: str | None, role: Arn, credentials: SessionCredentials) -> tuple[ServedRole, Keeper]:
    """A role as it is served, and the keeper that renews its credentials once it is started.

    Args:
        name: the role's name in paths; None for the role's own name, without its path.
        role: its ARN.
        credentials: for the role.
    """
    path_name = name or role.resource.rpartition("/")[2]
    keeper = Keeper(path_name, credentials)
    return ServedRole(path_name, str(role), role.account, keeper), keeper


class ServedRole:
    """A role, its name in paths, and the source of its credentials.

    Attributes:
        name: the role's name in paths.
        role_arn: with its path.
        wait: waits a while for credentials when there are none.
    """

    def __init__(self, name: str, role_arn: str, account: str, source: Keeper) -> None:
        """Render nothing yet. SDKs put the account in the endpoints of some services."""
        self.name = name
        self.role_arn = role_arn
        self.wait = source.awaited
        self._account = account
        self._source = source
        self._session: RolesAnywhereSession | None = None
        self._answers = (_UNAVAILABLE, _UNAVAILABLE)  # for `_session`, made once for all requests

    def metadata_answer(self) -> Answer:
        """The answer of IMDS at ``security-credentials/NAME``."""
        return self._current()[0]

    def container_answer(self) -> Answer:
        """The answer of the container-credentials protocol."""
        return self._current()[1]

    def _current(self) -> tuple[Answer, Answer]:
        session = self._source.current()
        if session is not self._session:
            self._answers = self._render(session) if session else (_UNAVAILABLE, _UNAVAILABLE)
            self._session = session
        return self._answers

    def _render(self, session: RolesAnywhereSession) -> tuple[Answer, Answer]:
        keys = {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "Token": session.session_token,
            "Expiration": _timestamp(session.expiration),
        }
        metadata = {
            "Code": "Success",
            "LastUpdated": _timestamp(session.issued_at),
            "Type": "AWS-HMAC",
        }
        identity = {"RoleArn": self.role_arn, "AccountId": self._account}
        return json_answer(200, metadata | keys), json_answer(200, keys | identity)


def _timestamp(time: datetime) -> str:
    """The one form that botocore reads: no fraction, and Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")

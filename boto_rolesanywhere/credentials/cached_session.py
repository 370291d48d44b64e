"""From a session to the entry that processes share, and back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from .cache_entry import Entry
from .session_value import RolesAnywhereSession, optional_value, required_word
from .state import Received
from .windows import RefreshWindows

if TYPE_CHECKING:
    from .moment import Moment

# What a session holds besides the answer to credential_process.
_DETAILS: Final[dict[str, type]] = {
    "role_arn": str,
    "assumed_role_arn": str,
    "assumed_role_id": str,
    "subject_arn": str,
    "source_identity": str,
    "packed_policy_size": int,
    "region": str,
}
_LONGEST_MANDATORY: Final = 5 * 60.0  # seconds before the end, as botocore has it
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


def to_entry(key: str, session: RolesAnywhereSession, received: Moment, jitter: float) -> Entry:
    """`session` as it is cached.

    Args:
        key: of its inputs.
        session: what CreateSession gave.
        received: when, by this machine's clocks.
        jitter: 0 to 1, as for `RefreshWindows`: machines that were started together do not renew
            together.
    """
    windows = RefreshWindows.for_lifetime(session.lifetime, jitter)
    # A program that gets the answer from a command wants it for longer than for one request.
    mandatory = windows.expiry - min(_LONGEST_MANDATORY, windows.expiry / 12)
    ages = (0.0, windows.advisory, mandatory, windows.expiry)
    at_received, advisory, mandatory, expiry = (received.wall + age for age in ages)
    return Entry(
        key,
        (at_received, advisory, mandatory, expiry),
        answer=credential_process_answer(session),
        details=json.dumps({name: getattr(session, name) for name in _DETAILS}),
        boot_id=received.boot_id,
        boot=received.boot,
    )


def to_received(entry: Entry, now: Moment, pause: float) -> Received | None:
    """The session that was cached, with its own times; None if the entry holds something else.

    Details that this version does not know are left out.

    Args:
        entry: as it was read.
        now: the present.
        pause: as in `Received`.
    """
    session = _to_session(entry)
    if session is None:
        return None
    advisory, expiry = entry.advisory - entry.received, entry.expiry - entry.received
    windows = RefreshWindows.for_lifetime(expiry, 1)._replace(advisory=advisory)
    return Received(session, windows, entry.age(now), pause)


def _to_session(entry: Entry) -> RolesAnywhereSession | None:
    try:
        answer, details = json.loads(entry.answer), json.loads(entry.details)
        expiration = datetime.strptime(answer["Expiration"], _TIME).replace(tzinfo=timezone.utc)
        issued_at = expiration - timedelta(seconds=entry.expiry - entry.received)
        known: dict[str, Any] = {
            name: optional_value(details, name, kind) for name, kind in _DETAILS.items()
        }
        return RolesAnywhereSession(
            access_key_id=required_word(answer, "AccessKeyId"),
            secret_access_key=required_word(answer, "SecretAccessKey"),
            session_token=required_word(answer, "SessionToken"),
            expiration=expiration,
            issued_at=issued_at,
            **known,
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def credential_process_answer(session: RolesAnywhereSession) -> str:
    """The JSON that an SDK expects of a ``credential_process``, in one line without blanks.

    AWS's helper writes it so, and scripts cut it with sed.
    """
    answer = {
        "Version": 1,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expiration.strftime(_TIME),
    }
    if session.account_id is not None:
        answer["AccountId"] = session.account_id
    return json.dumps(answer, separators=(",", ":"))

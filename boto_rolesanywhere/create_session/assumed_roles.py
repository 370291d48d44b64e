"""Roles that are assumed with a session of IAM Roles Anywhere, one after the other, by STS.

For profiles with ``role_arn`` and ``source_profile``: what botocore's `AssumeRoleProvider` does,
with sessions as values, so that they are cached, served and renewed as all others are.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session as BotocoreSession

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession, required_word
from boto_rolesanywhere.errors import (
    ConfigurationError,
    InvalidResponseError,
    ServiceError,
    SessionDeniedError,
)
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables

from .botocore_faults import ON_THE_WAY, fault_of
from .botocore_session import with_settings_of
from .botocore_transport import TIMEOUTS
from .diagnosis import service_time
from .service_errors import unreachable
from .signing_time import correct_signing
from .trust import own_bundle, trust_as_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from botocore.config import Config as ClientConfig

    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.role_chain import AssumedRole

    from .corrected_clock import CorrectedClock

    Create = Callable[[Identity], RolesAnywhereSession]

OPERATION: Final = "AssumeRole"
_OUR_NAME: Final = "boto_rolesanywhere"
_SERVER_ERROR: Final = 500
# At DEBUG these tell the session token, what is signed, and the answer.
_TELLING: Final = ("botocore.auth", "botocore.endpoint", "botocore.parsers")
_CAUSES: Final = (
    "the role's trust policy does not name the role before it, or a condition in it does not match",
    "the trust policy lacks sts:SetSourceIdentity, or sts:TagSession where tags are passed on",
    "the role before it has no permission for sts:AssumeRole on this role",
    "duration_seconds is more than an hour, which is all that chained sessions have",
)


def assuming(
    create: Create,
    roles: Sequence[AssumedRole],
    parent: BotocoreSession,
    *,
    region: str,
    verify: bool | str | None,
    clock: CorrectedClock,
) -> Create:
    """As `create`, and then assumes the roles with the session.

    Args:
        create: makes the first session.
        roles: in the order in which they are assumed.
        parent: whose options hold for the calls of STS.
        region: whose STS is asked where neither a role nor the session has another.
        verify: of the first session; STS trusts the system's store too, if that does.
        clock: gives the time.
    """
    # Not `parent` itself: it may be waiting for these very credentials.
    session = with_settings_of(parent, without_empty_variables(BotocoreSession()))
    correct_signing(session, lambda: clock)

    def chained(identity: Identity) -> RolesAnywhereSession:
        made = create(identity)
        for role in roles:
            made = assume(made, role, session, region=region, verify=verify, clock=clock)
        return made

    return chained


def assume(
    before: RolesAnywhereSession,
    role: AssumedRole,
    session: BotocoreSession,
    *,
    region: str,
    options: ClientConfig = TIMEOUTS,
    verify: bool | str | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> RolesAnywhereSession:
    """The session of `role`, assumed with the credentials of the session `before`.

    Raises:
        RolesAnywhereError: the call failed.
    """
    region = role.region or session.get_config_variable("region") or region
    seconds = role.duration_seconds or ""
    asked: dict[str, Any] = {
        "RoleArn": role.role_arn,
        "RoleSessionName": role.role_session_name or _name_of(before),
        "ExternalId": role.external_id,
        # botocore passes over what is no number.
        "DurationSeconds": int(seconds) if seconds.isdecimal() else None,
    }
    parameters = {name: value for name, value in asked.items() if value is not None}
    try:
        with unlogged():
            client = sts_client(session, before, region, options, verify)
            answer = client.assume_role(**parameters)
    except ClientError as error:
        raise _refused(error, role) from None
    except ON_THE_WAY as error:
        raise unreachable(OPERATION, f"STS in {region}", fault_of(error)) from error
    except BotoCoreError as error:  # a parameter or a setting, before anything is sent
        raise _unusable(error, role) from None
    except Exception as error:  # noqa: BLE001  # botocore's parser raises whatever an odd body leads to
        # Its words may quote the body, which may hold credentials.
        raise InvalidResponseError(
            f"STS in {region} answered as STS does not ({type(error).__name__})",
            code="answer-foreign",
            remedy="Check AWS_ENDPOINT_URL_STS, and whether a proxy answers in its place.",
        ) from None
    return _session(answer, role, before, clock)


def sts_client(
    session: BotocoreSession,
    credentials: RolesAnywhereSession,
    region: str,
    options: ClientConfig,
    verify: bool | str | None,
) -> Any:  # noqa: ANN401  # botocore makes its class
    """A client of STS with these credentials, which trusts what `verify` has the command trust."""
    client = session.create_client(
        "sts",
        region_name=region,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=options,
        verify=own_bundle(session),
    )
    trust_as_for(verify, client)
    return client


def _name_of(before: RolesAnywhereSession) -> str:
    """The first session's name goes on: by default the serial number, which CloudTrail shows."""
    return (before.assumed_role_arn or "").rpartition("/")[2] or _OUR_NAME


def _session(
    answer: dict[str, Any],
    role: AssumedRole,
    before: RolesAnywhereSession,
    clock: Callable[[], datetime],
) -> RolesAnywhereSession:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        credentials = answer["Credentials"]
        user = answer.get("AssumedRoleUser") or {}
        return RolesAnywhereSession(
            access_key_id=required_word(credentials, "AccessKeyId"),
            secret_access_key=required_word(credentials, "SecretAccessKey"),
            session_token=required_word(credentials, "SessionToken"),
            expiration=credentials["Expiration"],
            issued_at=service_time(headers.get("date")) or clock(),
            role_arn=role.role_arn,
            assumed_role_arn=user.get("Arn"),
            assumed_role_id=user.get("AssumedRoleId"),
            subject_arn=before.subject_arn,
            source_identity=answer.get("SourceIdentity") or before.source_identity,
            packed_policy_size=answer.get("PackedPolicySize"),
            region=before.region,
        )
    except (LookupError, ValueError) as error:
        raise InvalidResponseError(  # from None: the exception's words may quote the answer
            f"{OPERATION} was answered without usable credentials ({type(error).__name__})",
            code="answer-foreign",
            remedy="Check AWS_ENDPOINT_URL_STS, if it is set.",
        ) from None


def _unusable(error: BotoCoreError, role: AssumedRole) -> ConfigurationError:
    """The error for a value that botocore refuses, such as an external_id of one character."""
    words = " ".join(str(error.kwargs.get("report") or error).split()).rstrip(".")
    return ConfigurationError(
        f"botocore cannot use what is set for it ({words})",
        code="botocore-setting-unusable",
        where=f"the role of profile {role.profile!r}",
        remedy="Correct role_arn, role_session_name, external_id or duration_seconds there.",
    )


def _refused(error: ClientError, role: AssumedRole) -> ServiceError:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= _SERVER_ERROR:
        return ServiceError(error.response, OPERATION, code="service-failed")
    return SessionDeniedError(
        error.response,
        OPERATION,
        code="chained-role-denied",
        causes=_CAUSES,
        findings=(f"role_arn of profile {role.profile!r} is {role.role_arn}",),
        remedy="`boto-rolesanywhere trust-policy --chained-from` prints what each role needs.",
    )


_silent: Final = ContextVar("_silent", default=False)


def _is_told(_: logging.LogRecord) -> bool:
    return not _silent.get()


@contextmanager
def unlogged() -> Iterator[None]:
    """Let botocore log nothing of this thread's requests, which hold live credentials."""
    for name in _TELLING:
        logging.getLogger(name).addFilter(_is_told)  # the same one again counts once
    before = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(before)

"""The two calls themselves: CreateSession, and who AWS says one is with what it gave."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import RolesAnywhereError

from .verdict import Verdict, of_error, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def check_create_session(case: Case) -> Iterator[Verdict]:
    """Ask for a session."""
    why = _obstacle(case)
    if why or case.creator is None:
        yield skipped("create-session", why)
        return
    try:
        case.session = session = case.creator.create()
    except RolesAnywhereError as error:
        yield of_error("create-session", error)
        return
    details = {
        "role session": session.assumed_role_arn,
        "subject": session.subject_arn,
        "source identity": session.source_identity,
    }
    minutes = round(session.lifetime / 60)
    yield Verdict(
        "create-session",
        "ok",
        f"credentials for {minutes} minutes, until {session.expiration:%Y-%m-%d %H:%M:%S} UTC",
        details=tuple((label, text) for label, text in details.items() if text),
    )


def _obstacle(case: Case) -> str:
    """Why there is no use in calling; empty if there is none."""
    if case.identity is None:
        return "there is no usable key with its certificate"
    if case.chain is None:
        return "the chain cannot be sent"
    if case.refused:
        return case.refused
    return "" if case.reached and case.creator else "the endpoint is not reached"


def check_caller_identity(case: Case) -> Iterator[Verdict]:
    """Use the credentials for the one call that everybody may make (sts:GetCallerIdentity)."""
    from botocore.config import Config as ClientConfig
    from botocore.exceptions import BotoCoreError, ClientError

    session = case.session
    if session is None or case.config is None or case.botocore is None:
        yield skipped("caller-identity", "there are no credentials")
        return
    log = logging.getLogger("botocore")
    before = log.level
    log.setLevel(max(logging.WARNING, log.getEffectiveLevel()))  # at DEBUG it tells the token
    try:
        client = case.botocore.create_client(
            "sts",
            region_name=case.config.region,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=ClientConfig(
                connect_timeout=case.timeout,
                read_timeout=2 * case.timeout,
                retries={"total_max_attempts": 1},
            ),
        )
        answer = client.get_caller_identity()  # type: ignore[attr-defined]  # made by botocore
    except (BotoCoreError, ClientError, ValueError) as error:
        yield Verdict(
            "caller-identity",
            "fail",
            f"sts get-caller-identity failed: {str(error).rstrip('.')}",
            "The session is good, the way to STS is not: check AWS_ENDPOINT_URL_STS, proxy and"
            " firewall for the host that is named.",
        )
        return
    finally:
        log.setLevel(before)
    yield Verdict("caller-identity", "ok", f"AWS says: {answer['Arn']}")

"""The two calls: CreateSession, and sts:GetCallerIdentity with its credentials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.create_session.denials import REMEDIES_ALONE, SETTLED_BY
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import printable, shortened

from .route import one_try, verify_of
from .verdict import LIKELY, Verdict, of_error, skipped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from boto_rolesanywhere.create_session.client import SessionCreator
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.inputs import Inputs

    from .verdict import Check, Question


def check_create_session(
    creator: SessionCreator, passed: Collection[str]
) -> Check[RolesAnywhereSession | None]:
    """Ask for a session.

    Args:
        creator: of the call.
        passed: the names of the checks that found all well; causes that they rule out are left out.
    """
    try:
        session = creator.create()
    except RolesAnywhereError as error:
        yield _without_settled(of_error("create-session", error), passed)
        return None
    details = {
        "role session": session.assumed_role_arn,
        "subject": session.subject_arn,
        "source identity": session.source_identity,
    }
    yield Verdict(
        "create-session",
        "ok",
        f"credentials for {in_words(session.lifetime)}, until"
        f" {session.expiration:%Y-%m-%d %H:%M:%S} UTC"
        + (f", for the subject {session.subject_arn}" if session.subject_arn else ""),
        details=tuple((label, text) for label, text in details.items() if text),
    )
    return session


def _without_settled(verdict: Verdict, passed: Collection[str]) -> Verdict:
    """The verdict without causes that an earlier check has ruled out."""
    kept = tuple(
        (label, text)
        for label, text in verdict.details
        if label != LIKELY or SETTLED_BY.get(text) not in passed
    )
    left = [text for label, text in kept if label == LIKELY]
    if kept == verdict.details or not left:
        return verdict
    remedy = REMEDIES_ALONE.get(left[0], verdict.remedy) if len(left) == 1 else verdict.remedy
    return replace(verdict, details=kept, remedy=remedy)


def check_roles(
    session: RolesAnywhereSession | None, config: Config, inputs: Inputs, question: Question
) -> Check[RolesAnywhereSession | None]:
    """Assume the roles of the profiles on top of the session; gives the last one's session."""
    from boto_rolesanywhere.create_session.assumed_roles import assume

    for role in config.assumed:
        if session is None:
            yield skipped("assume-role", "there is no session to assume it with")
            continue
        try:
            session = assume(
                session,
                role,
                inputs.session,
                region=config.region,
                options=one_try(question.timeout),
                verify=verify_of(question, inputs),
            )
        except RolesAnywhereError as error:
            yield of_error("assume-role", error)
            session = None
        else:
            yield Verdict("assume-role", "ok", f"{session.assumed_role_arn or role.role_arn}")
    return session


def check_caller_identity(
    session: RolesAnywhereSession, config: Config, inputs: Inputs, question: Question
) -> Iterator[Verdict]:
    """Call sts:GetCallerIdentity, which needs no permission, with the credentials."""
    from botocore.exceptions import BotoCoreError, ClientError

    from boto_rolesanywhere.create_session.assumed_roles import sts_client, unlogged
    from boto_rolesanywhere.create_session.botocore_transport import require_usable_proxy
    from boto_rolesanywhere.settings.urls import require_endpoint_url

    client = None
    options, verify = one_try(question.timeout), verify_of(question, inputs)
    try:
        with unlogged():
            client = sts_client(inputs.session, session, config.region, options, verify)
            url = client.meta.endpoint_url
            require_endpoint_url(url, "AWS_ENDPOINT_URL_STS, or another setting of STS's endpoint")
            require_usable_proxy(getattr(client.meta.config, "proxies", None), url)
            arn = client.get_caller_identity()["Arn"]
    except RolesAnywhereError as error:
        yield of_error("caller-identity", error)
        return
    except (BotoCoreError, ClientError, ValueError) as error:
        text = f"sts get-caller-identity failed: {_words_of(error, client)}"
        remedy = (
            "The session is good, but the call to STS failed: check AWS_ENDPOINT_URL_STS, proxy and"
            " firewall for the host that is named."
        )
    except Exception as error:  # noqa: BLE001  # botocore's parser raises whatever an odd body leads to
        # Its words may quote the body.
        kind = type(error).__name__
        text = f"sts get-caller-identity was not answered as STS answers ({kind})"
        remedy = "Check AWS_ENDPOINT_URL_STS, and whether a proxy on the way answers in its place."
    else:
        yield Verdict("caller-identity", "ok", f"AWS says: {printable(shortened(str(arn)))}")
        return
    yield Verdict("caller-identity", "fail", text, remedy)


def _words_of(error: Exception, client: object) -> str:
    """Botocore's words; its kind alone where it refused an endpoint's URL, which it quotes."""
    if client is None:
        kind = type(error).__name__
        return f"{kind}, whose message is not shown, since it may hold the password of a URL"
    return printable(shortened(str(error).rstrip(".")))

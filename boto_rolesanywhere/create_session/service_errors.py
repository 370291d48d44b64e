"""From an outcome that is no session to one error of ours."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import (
    EndpointError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)
from boto_rolesanywhere.redaction import shortened

from .attempts import error_code, is_throttled, retry_after
from .transport import REDIRECT, Answer, TransportFault, proxy_login

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

    from .transport import FaultKind
    from .way import Way

_OPERATION: Final = "CreateSession"
_SERVER_ERROR: Final = 500
_PROXY_LOGIN: Final = 407
_NOT_THE_SERVICE: Final = (
    "Check the endpoint URL, and whether a proxy on the way answers in its place."
)

_REMEDIES: Final[Mapping[FaultKind, str]] = {
    "name": "Check the Region, the endpoint URL and name resolution.",
    "certificate": "Name the CA that signed the endpoint's certificate: `verify`, AWS_CA_BUNDLE or"
    " ca_bundle. The command also trusts the system's store (SSL_CERT_FILE, SSL_CERT_DIR).",
    "certificate-name": "Check the endpoint URL, and what answers there in AWS's place.",
    "certificate-time": "Check this machine's clock; if it is right, whoever runs the endpoint, or"
    " the proxy that inspects TLS, has to renew its certificate.",
    "tls-alert": "No CA helps here. Check the endpoint URL and what inspects TLS on the way: AWS"
    " takes TLS 1.2 and 1.3, and asks for no client certificate.",
    "no-tls": "Check the port, and whether the URL has to begin with http://.",
    "only-tls": "Write https:// in the endpoint URL.",
    "tls": "Check what inspects TLS on the way, and the settings of OpenSSL on this machine.",
    "proxy": "Check HTTPS_PROXY, and NO_PROXY if none should be used.",
    "proxy-login": "Put them in the proxy's URL (HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT), or"
    " correct those that are there.",
    "proxy-refusal": "Have the proxy allow the endpoint, or name its host in NO_PROXY.",
    "read-timeout": "The endpoint accepted the connection but did not answer; try again.",
    "connect-timeout": "Check the firewall's way out to port 443, or set HTTPS_PROXY.",
}
_OF_TLS: Final[tuple[FaultKind, ...]] = ("certificate", "certificate-time", "tls", "other")
_CONFIGURED: Final = "Check the URL, and that its service runs and speaks HTTP there."
# Faults that a wrong endpoint URL in the settings may cause.
_OF_A_URL: Final[tuple[FaultKind, ...]] = ("name", "connection", "connect-timeout", "other")
_DEFAULT_REMEDY: Final = (
    "Check the Region, name resolution and the network; set HTTPS_PROXY if one is needed."
)


def error_of(
    outcome: Answer | TransportFault,
    config: Config,
    identity: Identity,
    now: datetime,
    way: Way,
) -> RolesAnywhereError:
    """The error for the last outcome of a call that gave no session.

    Args:
        outcome: of the last attempt.
        config: of the call.
        identity: what it was signed with. It may sign once more, to tell whose fault a refused
            signature is.
        now: the time, aware.
        way: how the call got there.
    """
    if isinstance(outcome, Answer):
        if outcome.is_truncated:
            return _truncated(way)
        if outcome.status != _PROXY_LOGIN:
            return _answered(outcome, config, identity, now, way)
        outcome = proxy_login()
    if outcome.kind == "too-late":
        error: RolesAnywhereError = EndpointError(
            "CreateSession took too long: the endpoint, or a proxy on the way, did not complete its"
            " answer",
            code="endpoint-unreachable",
            remedy="Check the endpoint and the proxy; try again.",
        )
    elif outcome.kind == "too-long":
        error = InvalidResponseError(
            f"CreateSession was answered with {outcome.words}",
            code="answer-foreign",
            remedy=_NOT_THE_SERVICE,
        )
    elif outcome.kind == "truncated":
        error = _truncated(way)
    else:
        error = unreachable(_OPERATION, way.place, outcome, way)
    error.__cause__ = outcome.__cause__
    return error


def unreachable(
    call: str, place: str, fault: TransportFault, way: Way | None = None, advice: str = ""
) -> EndpointError:
    """The error for a call that got no answer from `place`, on this way if it is known.

    `advice` is what to do about the setting that names the place, if the way is not known.
    """
    facts, remedy = "", _REMEDIES.get(fault.kind, _DEFAULT_REMEDY)
    if advice and fault.kind in _OF_A_URL:
        remedy = f"{_REMEDIES.get(fault.kind, _CONFIGURED)} {advice}"
    if way is not None:
        facts = way.through
        if way.proxy is not None and fault.kind in _OF_A_URL:
            remedy = _REMEDIES["proxy"]
        elif way.url is not None and fault.kind in _OF_A_URL:
            remedy = f"{_REMEDIES.get(fault.kind, _CONFIGURED)} {way.advice}".strip()
        if fault.kind in _OF_TLS:
            facts += way.checked_with
    return EndpointError(
        f"{call} did not reach {place}{facts}: {fault.words}",
        code="endpoint-unreachable",
        remedy=remedy,
    )


def _truncated(way: Way) -> InvalidResponseError:
    return InvalidResponseError(
        f"the answer of {way.place} was cut off: the connection ended before its end",
        code="endpoint-unreachable",
        remedy="Try again; if it happens often, check the proxy and the network on the way.",
    )


def _answered(
    answer: Answer, config: Config, identity: Identity, now: datetime, way: Way
) -> RolesAnywhereError:
    if answer.status < REDIRECT:
        return InvalidResponseError(
            f"{way.place} answered with something that is no JSON object",
            code="answer-foreign",
            remedy=way.advice or _NOT_THE_SERVICE,
        )
    kind = shortened(answer.headers.get("content-type", "no content type").split(";")[0])
    if "x-amzn-errortype" not in answer.headers and "json" not in kind:
        return InvalidResponseError(
            f"{way.place} answered HTTP {answer.status} with {kind}, which is not how the"
            " service answers",
            code="answer-foreign",
            remedy=way.advice or _NOT_THE_SERVICE,
        )
    response = _response(answer)
    if is_throttled(answer):
        return ThrottledError(
            response,
            _OPERATION,
            code="throttled",
            causes=("more than 10 CreateSession calls a second in this account and Region",),
            remedy="Share one session between clients, or have the quota raised.",
            findings=_whose(way),
            retry_after=retry_after(answer),
        )
    if answer.status >= _SERVER_ERROR:
        return ServiceError(
            response,
            _OPERATION,
            code="service-failed",
            findings=_whose(way),
            remedy=f"Try again later. {way.advice}".strip(),
            retry_after=retry_after(answer),
        )
    return _denied(answer, config, identity, now, way)


def _whose(way: Way) -> tuple[str, ...]:
    """Which endpoint answered, if it is not AWS's own."""
    return () if way.url is None else (f"the answer is that of {way.place}",)


def _denied(
    answer: Answer, config: Config, identity: Identity, now: datetime, way: Way
) -> ServiceError:
    from .denials import find_denial
    from .diagnosis import findings, service_time

    response = _response(answer)
    words = response["Error"]
    denial = find_denial(words["Message"])
    blame = SessionDeniedError if denial or "AccessDenied" in words["Code"] else ServiceError
    return blame(
        response,
        _OPERATION,
        code=denial.code if denial else "session-denied",
        causes=denial.causes if denial else (),
        findings=(
            *(() if denial else _whose(way)),
            *findings(
                config,
                identity,
                now=now,
                theirs=service_time(answer.headers.get("date")),
                code=denial.code if denial else None,
            ),
        ),
        remedy=denial.remedy if denial else way.advice or None,
    )


def _response(answer: Answer) -> dict[str, Any]:
    """The answer as `botocore.exceptions.ClientError` has it."""
    fields = answer.fields or {}
    message = fields.get("message") or fields.get("Message")
    if not isinstance(message, str):
        message = responses.get(answer.status, "") if answer.fields is None else ""
    return {
        "Error": {
            "Code": shortened(error_code(answer) or str(answer.status)),
            "Message": shortened(message),
        },
        "ResponseMetadata": {
            "RequestId": answer.headers.get("x-amzn-requestid", ""),
            "HTTPStatusCode": answer.status,
            "HTTPHeaders": dict(answer.headers),
        },
    }

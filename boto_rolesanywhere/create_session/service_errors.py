"""From botocore's exceptions to ours, mapped once, at the boundary of the CreateSession call."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's parent of what did not connect
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)
from boto_rolesanywhere.redaction import shortened

from .denials import find_denial
from .diagnosis import findings, service_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

_THROTTLED: Final = frozenset({"ThrottlingException", "TooManyRequestsException", "Throttling"})
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_NOT_THE_SERVICE: Final = (
    "Check the endpoint URL, and whether a proxy on the way answers in its place."
)

# What to do for each kind of failure; the first class that matches counts.
_REMEDIES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        SSLError,
        "Name the CA that signed the endpoint's certificate: `verify`, AWS_CA_BUNDLE or ca_bundle.",
    ),
    (ProxyConnectionError, "Check HTTPS_PROXY, and NO_PROXY if none should be used."),
    (ReadTimeoutError, "The endpoint accepted the connection but did not answer; try again."),
    (ConnectTimeoutError, "Check the firewall's way out to port 443, or set HTTPS_PROXY."),
)
_DEFAULT_REMEDY: Final = (
    "Check the Region, name resolution and the network; set HTTPS_PROXY if one is needed."
)


@contextmanager
def translated(config: Config, identity: Identity, clock: Callable[[], datetime]) -> Iterator[None]:
    """Turn botocore's exceptions in a CreateSession call into errors of ours."""
    try:
        yield
    except RolesAnywhereError:
        raise
    except ClientError as error:
        raise _service_error(error, config, identity, clock()) from None
    except (HTTPClientError, ConnectionError, IncompleteReadError) as error:
        raise unreachable("CreateSession", _place(config), error) from error
    except BotoCoreError as error:
        raise ConfigurationError(
            f"botocore cannot make the CreateSession call: {str(error).rstrip('.')}",
            code="botocore-setting-unusable",
            remedy="Check what is set for botocore itself: profile, Region, endpoint variants.",
        ) from error


def unreachable(call: str, place: str, error: Exception) -> EndpointError:
    """The error for a call that got no answer from `place`."""
    remedy = next((text for kind, text in _REMEDIES if isinstance(error, kind)), _DEFAULT_REMEDY)
    return EndpointError(
        f"{call} did not reach {place}: {_without_user(error)}",
        code="endpoint-unreachable",
        remedy=remedy,
    )


def _without_user(error: Exception) -> str:
    """Botocore's words, without the user and password of a proxy's URL."""
    return re.sub(r"//[^/\s]*@", "//…@", str(error).rstrip("."))


def not_json(config: Config) -> InvalidResponseError:
    """The error for a success whose body is no JSON object."""
    return InvalidResponseError(
        f"{_place(config)} answered with something that is no JSON object",
        code="answer-foreign",
        remedy=_NOT_THE_SERVICE,
    )


def _place(config: Config) -> str:
    return config.endpoint_url or f"IAM Roles Anywhere in {config.region}"


def _service_error(
    error: ClientError, config: Config, identity: Identity, now: datetime
) -> RolesAnywhereError:
    metadata: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    headers: Mapping[str, str] = metadata.get("HTTPHeaders", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    kind = shortened(headers.get("content-type", "no content type").split(";")[0])
    if "x-amzn-errortype" not in headers and "json" not in kind:
        return InvalidResponseError(
            f"{_place(config)} answered HTTP {status} with {kind}, which is not how the service"
            " answers",
            code="answer-foreign",
            remedy=_NOT_THE_SERVICE,
        )
    words = error.response.get("Error", {})
    for name in ("Code", "Message"):
        words[name] = shortened(str(words.get(name, "")))
    service_code = words["Code"]
    if service_code in _THROTTLED or status == _TOO_MANY:
        return ThrottledError(
            error.response,
            error.operation_name,
            code="throttled",
            causes=("more than 10 CreateSession calls a second in this account and Region",),
            remedy="Share one session between clients, or have the quota raised.",
        )
    if status >= _SERVER_ERROR:
        return ServiceError(
            error.response, error.operation_name, code="service-failed", remedy="Try again later."
        )
    denial = find_denial(str(error.response.get("Error", {}).get("Message", "")))
    blame = SessionDeniedError if denial or "AccessDenied" in service_code else ServiceError
    return blame(
        error.response,
        error.operation_name,
        code=denial.code if denial else "session-denied",
        causes=denial.causes if denial else (),
        findings=tuple(
            findings(
                config,
                identity,
                now=now,
                theirs=service_time(headers.get("date")),
                code=denial.code if denial else None,
            )
        ),
        remedy=denial.remedy if denial else None,
    )

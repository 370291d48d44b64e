"""From botocore's exceptions to ours, for all calls that an administrator makes."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.parsers import ResponseParserError

from boto_rolesanywhere.create_session.botocore_faults import ON_THE_WAY, fault_of
from boto_rolesanywhere.create_session.service_errors import unreachable
from boto_rolesanywhere.errors import (
    ConfigurationError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
    ThrottledError,
)
from boto_rolesanywhere.redaction import shortened
from boto_rolesanywhere.settings.botocore_variables import places_of_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"}
)
_BAD_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
_NO_CREDENTIALS: Final = (
    exceptions.CredentialRetrievalError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
# What botocore's parsers raise for a page of a proxy, and who then misses a member of the answer.
_FOREIGN: Final = (ResponseParserError, JSONDecodeError, LookupError)
_TOO_MANY, _SERVER_ERROR = 429, 500
# The User Guide's and the Service Authorization Reference's dependent actions.
_PASSING: Final = "iam:PassRole (iam:PassedToService = rolesanywhere.amazonaws.com)"
_ALSO: Final = {
    "CreateTrustAnchor": (
        "rolesanywhere:TagResource",
        "iam:CreateServiceLinkedRole for an account's first trust anchor",
    ),
    "CreateProfile": ("rolesanywhere:TagResource", _PASSING),
    "UpdateProfile": (_PASSING,),
    "EnableProfile": (_PASSING,),
    "ImportCrl": ("rolesanywhere:TagResource",),
    "CreateRole": ("iam:TagRole",),
}


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Turn botocore's exceptions in an administrator's call into errors of ours.

    Args:
        service: that is called, as IAM's actions name it.

    Raises:
        ServiceError: AWS refused the call; its `service_code` is AWS's own.
        ThrottledError: too many calls, also after all retries.
        EndpointError: the endpoint was not reached.
        InvalidResponseError: something else than the service answered.
        ConfigurationError: there are no credentials, or botocore cannot make the call.
    """
    try:
        yield
    except RolesAnywhereError:
        raise
    except ClientError as error:
        raise _service_error(service, error) from None
    except _NO_CREDENTIALS as error:
        raise ConfigurationError(
            f"the administrator's credentials were not found: {str(error).rstrip('.')}",
            code="administrator-credentials-missing",
            expected="AWS credentials with which you administer the account, from --admin-profile"
            " or where the AWS CLI finds them",
        ) from None
    except ON_THE_WAY as error:
        place, advice = _place(service)
        fault = fault_of(error)
        raise unreachable("the administrator's call", place, fault, advice=advice) from error
    except WaiterError as error:
        raise ConfigurationError(
            f"AWS did not get ready: {str(error).rstrip('.')}",
            code="service-failed",
            remedy="Run the command again: it goes on from there.",
        ) from None
    except _FOREIGN as error:
        raise InvalidResponseError(
            f"{service} answered as AWS does not ({type(error).__name__})",
            code="answer-foreign",
            where=_place(service)[0],
            remedy="Check AWS_ENDPOINT_URL and its like, and whether a proxy answers in its place.",
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"botocore cannot make the administrator's call: {str(error).rstrip('.')}",
            code="botocore-setting-unusable",
            remedy=f"Check what is set for botocore itself: {places_of_settings()}.",
        ) from error


def _place(service: str) -> tuple[str, str]:
    """The endpoint, with the variable that chose it, and what to do about the variable."""
    named = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
    for variable in (named, "AWS_ENDPOINT_URL"):
        if url := os.environ.get(variable):
            url = re.sub(r"//[^/\s]*@", "//…@", url)  # it may hold a password
            return f"AWS at {url} (from {variable})", f"Correct {variable}, or unset it to ask AWS."
    return "AWS", ""


def _service_error(service: str, error: ClientError) -> ServiceError:
    words = error.response.get("Error", {})
    for name in ("Code", "Message"):
        words[name] = shortened(str(words.get(name, "")))
    code, operation = words["Code"], error.operation_name
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _THROTTLED or status == _TOO_MANY:
        return ThrottledError(
            error.response,
            operation,
            code="throttled",
            causes=("others call the control plane at the same time",),
            remedy="Run the command again later: it goes on from there.",
        )
    ours, remedy = "administrator-call-refused", None
    if code in _DENIED:
        needed = ", ".join((f"{service}:{operation}", *_ALSO.get(operation, ())))
        ours, remedy = "administrator-denied", f"The administrator needs {needed}."
    elif code in _BAD_CREDENTIALS:
        ours = "administrator-credentials-missing"
        remedy = (
            "Renew the administrator's credentials (aws sso login, a new key), and check this"
            " machine's clock."
        )
    elif status >= _SERVER_ERROR:
        ours, remedy = "service-failed", "Try again later."
    place, advice = _place(service)
    return ServiceError(
        error.response,
        operation,
        code=ours,
        findings=(f"the answer is that of {place}",) if advice else (),
        remedy=remedy,
    )

"""Every error that this package raises, and how one leaves it.

Two blames, as in h11: the caller's side (what you configured or hold) and the service's side (what
AWS, or the network on the way there, answered). All of them are botocore's
`CredentialRetrievalError`, and those that carry an answer of the service are `ClientError` too, so
that code written for botocore goes on catching them.

A message says what, where, what was expected and what to do next. It never holds a secret.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from botocore.exceptions import ClientError, CredentialRetrievalError, ProfileNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from botocore.exceptions import _ClientErrorResponseTypeDef

PROVIDER: Final = "custom-rolesanywhere"
# Errors whose cause was raised by a key or a passphrase callable of the program's own.
_OF_THE_PROGRAM: Final = frozenset({"passphrase-unusable", "signing-failed"})

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _rebuild(
    cls: type[RolesAnywhereError], args: tuple[object, ...], state: dict[str, object]
) -> RolesAnywhereError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class RolesAnywhereError(CredentialRetrievalError):
    """The parent of every error of this package.

    Attributes:
        problem: what is wrong, in one clause.
        code: a stable name for it, such as ``key-not-of-certificate``; the command
            ``boto-rolesanywhere explain CODE`` and TROUBLESHOOTING.md say more about each.
        where: the file, field, variable or profile it was seen in; None if it has no place.
        expected: what would have been right; None if `problem` says it.
        remedy: what to do next; None if nothing but the obvious helps.
        passing: whether the service or the way to it failed for the moment (no connection, a
            time-out, HTTP 5xx, throttling), so that the same call may succeed later, or in another
            Region. A refusal stays one.
    """

    passing: bool = False

    def __init__(
        self,
        problem: str,
        *,
        code: str,
        where: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.code = code
        self.where = where
        self.expected = expected
        self.remedy = remedy
        message = self._message()
        super().__init__(provider=PROVIDER, error_msg=message)
        self.args = (message,)

    def _message(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if self.expected:
            text += f"; expected {self.expected}"
        text += "" if text.endswith((".", "?", "!")) else "."
        return f"{text} {self.remedy}" if self.remedy else text

    def __reduce__(self) -> tuple[Any, ...]:
        # BotoCoreError's own would call __init__ with its keyword arguments; ClientError's would
        # give back a bare ClientError.
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class ConfigurationError(RolesAnywhereError):
    """A setting (argument, environment variable, config key, ARN) is missing or wrong."""


class NoSuchProfileError(ConfigurationError, ProfileNotFound):  # type: ignore[misc]  # kwargs
    """The profile that is asked for is not in the AWS config file."""


class CertificateError(RolesAnywhereError):
    """The certificate or its chain cannot be read, or AWS would refuse it."""


class PrivateKeyError(RolesAnywhereError):
    """The private key cannot be read or used, or is not the certificate's."""


class PassphraseError(PrivateKeyError):
    """A passphrase or PIN is missing or wrong."""


class KeyDeviceError(PrivateKeyError):
    """A token, HSM or TPM is absent, locked, or failed to do what was asked of it."""


class EndpointError(RolesAnywhereError):
    """The endpoint could not be reached: name resolution, proxy, TLS, connection or time-out."""


class InvalidResponseError(RolesAnywhereError):
    """Something answered, but not as IAM Roles Anywhere does (a proxy's page, a torn body)."""


class ServiceError(RolesAnywhereError, ClientError):
    """The service answered with an error.

    Attributes:
        service_code: the service's error code, for example ``AccessDeniedException``.
        status: the HTTP status.
        service_message: the service's own words.
        causes: likely causes, the most likely first.
        findings: facts looked up on this machine that decide between the causes.
        response: the parsed answer, as in `botocore.exceptions.ClientError`.
        operation_name: for example ``CreateSession``.
        retry_after: seconds for which the service asks not to be called again; None if it says
            nothing.
    """

    def __init__(
        self,
        response: Mapping[str, Any],
        operation_name: str,
        *,
        code: str,
        causes: Sequence[str] = (),
        findings: Sequence[str] = (),
        remedy: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        error = response.get("Error", {})
        self.response = cast("_ClientErrorResponseTypeDef", dict(response))
        self.operation_name = operation_name
        self.service_code = str(error.get("Code", "Unknown"))
        self.service_message = str(error.get("Message", ""))
        self.status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        self.causes = tuple(causes)
        self.findings = tuple(findings)
        self.retry_after = retry_after
        super().__init__(
            f"{operation_name} was refused ({self.service_code}, HTTP {self.status}): "
            f"{self.service_message or 'no message'}",
            code=code,
            remedy=remedy,
        )

    def _message(self) -> str:
        text = self.problem if self.problem.endswith(".") else f"{self.problem}."
        if self.findings:
            text += " Seen here: " + "; ".join(self.findings) + "."
        if self.causes:
            text += " Likely causes: " + "; ".join(self.causes) + "."
        return f"{text} {self.remedy}" if self.remedy else text


class SessionDeniedError(ServiceError):
    """The service refused the session: signature, certificate, profile, role or trust policy."""


class ThrottledError(ServiceError):
    """Too many calls: CreateSession takes 10 a second for an account and Region, unless raised."""


def hides_frames(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let errors of ours leave `function` without the frames that they passed on their way.

    Reporters of errors (Sentry, ``traceback`` with ``capture_locals``) send the variables of every
    frame, and those in here hold keys, passphrases and answers with credentials. The error's code
    says as much as its place in the source would.
    """

    @wraps(function)
    def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # of this frame, which stays, whatever is raised
            if not isinstance(error, RolesAnywhereError):
                raise
            raise _without_frames(error) from error.__cause__

    return call


def _without_frames(error: RolesAnywhereError) -> RolesAnywhereError:
    passed: BaseException | None = error
    seen: set[int] = set()
    while passed is not None and id(passed) not in seen:
        seen.add(id(passed))
        passed.__traceback__ = None
        if passed.__cause__ is not None or passed.__suppress_context__:
            passed.__context__ = None
        # What the program's own code raised keeps its frames: they are the program's to find.
        own = isinstance(passed, RolesAnywhereError) and passed.code in _OF_THE_PROGRAM
        passed = None if own else passed.__cause__ or passed.__context__
    return error

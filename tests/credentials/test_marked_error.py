"""An error goes into a mark and comes back as the same error, with a word on whose it is."""

from __future__ import annotations

import json

import pytest

from boto_rolesanywhere.credentials.failure_mark import FailureMark
from boto_rolesanywhere.credentials.marked_error import to_error, to_mark
from boto_rolesanywhere.errors import (
    CertificateError,
    EndpointError,
    InvalidResponseError,
    RolesAnywhereError,
    ServiceError,
    SessionDeniedError,
    ThrottledError,
)

KEY = "ab" * 32
NOTE = "Another call failed so 3 seconds ago; the next one is made in 5 seconds at the earliest."
DENIED = SessionDeniedError(
    {
        "Error": {"Code": "AccessDeniedException", "Message": "Certificate revoked"},
        "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {"x-secret": "s3cret"}},
    },
    "CreateSession",
    code="denied-certificate-revoked",
    causes=("the serial number is in a list",),
    findings=("the clock is right",),
    remedy="Have a new certificate issued.",
)


def marked(error: RolesAnywhereError) -> FailureMark:
    mark = FailureMark.from_bytes(to_mark(KEY, error, (1000.0, 1008.0), 1).to_bytes())
    assert mark is not None
    return mark


@pytest.mark.parametrize(
    "error",
    [
        DENIED,
        ServiceError(DENIED.response, "CreateSession", code="service-failed"),
        ThrottledError(DENIED.response, "CreateSession", code="throttled", remedy="Wait."),
        EndpointError("no route", code="endpoint-unreachable", where="here", expected="there"),
        InvalidResponseError("a page", code="answer-foreign", remedy="Check the proxy."),
    ],
)
def test_it_comes_back_as_the_same_error(error: RolesAnywhereError) -> None:
    mark = marked(error)
    found = to_error(mark, 1003.0)

    assert type(found) is type(error)
    assert str(found) == f"{error} {NOTE}" == f"{mark.message} {mark.note(1003.0)}"
    same = ("code", "problem", "where", "expected", "service_code", "status", "service_message")
    same += ("causes", "findings", "operation_name")
    assert [getattr(found, name, None) for name in same] == [
        getattr(error, name, None) for name in same
    ]


def test_of_the_answer_its_code_message_and_status_are_kept_alone() -> None:
    assert b"s3cret" not in marked(DENIED).to_bytes()


def test_an_error_of_the_callers_side_comes_back_as_an_error_of_ours() -> None:
    error = CertificateError("it has expired", code="certificate-expired", where="/etc/x.pem")
    found = to_error(marked(error), 1003.0)

    assert type(found) is RolesAnywhereError
    assert (found.code, str(found)) == (error.code, f"{error} {NOTE}")


def test_a_message_that_could_steer_a_terminal_is_escaped() -> None:
    mark = marked(EndpointError("line\nend \x1b[2J\u202e ü", code="made-up"))

    assert mark.message == "line\\nend \\x1b[2J\\u202e ü."


GOOD = json.loads(marked(DENIED).details)


@pytest.mark.parametrize(
    "details",
    [
        *("", "7", "[]", "{}", "[" * 100_000),
        json.dumps({**GOOD, "class": "SystemExit"}),
        json.dumps({**GOOD, "class": ["EndpointError"]}),
        json.dumps({**GOOD, "remedy": 7}),
        json.dumps({**GOOD, "operation": None}),
        json.dumps({**GOOD, "response": []}),
        json.dumps({**GOOD, "response": {"Error": {}, "ResponseMetadata": {}}}),
        json.dumps({**GOOD, "causes": "one"}),
        json.dumps({**GOOD, "findings": [7]}),
        json.dumps(GOOD).replace("403", "1e999"),
        json.dumps({**GOOD, "class": "EndpointError", "where": 5}),
    ],
)
def test_other_details_give_an_error_with_the_marks_own_words(details: str) -> None:
    mark = FailureMark(
        KEY, (1000.0, 1008.0), 1, code="some-code", message="It said no.", details=details
    )
    found = to_error(mark, 1003.0)

    assert type(found) is RolesAnywhereError
    assert (found.code, str(found)) == ("some-code", f"It said no. {NOTE}")

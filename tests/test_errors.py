from __future__ import annotations

import copy
import inspect
import pickle

import pytest
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from boto_rolesanywhere import errors
from boto_rolesanywhere.errors import RolesAnywhereError, ServiceError

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, RolesAnywhereError)
]
RESPONSE = {
    "Error": {"Code": "AccessDeniedException", "Message": "Certificate revoked"},
    "ResponseMetadata": {"HTTPStatusCode": 403},
}


def make(cls: type[RolesAnywhereError]) -> RolesAnywhereError:
    if issubclass(cls, ServiceError):
        return cls(
            RESPONSE,
            "CreateSession",
            code="made-up",
            causes=("a", "b"),
            findings=("seen",),
            remedy="Do this.",
        )
    return cls(
        "it is empty", code="made-up", where="key.pem", expected="a key", remedy="Write one."
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_code_written_for_botocore_goes_on_catching_it(cls: type[RolesAnywhereError]) -> None:
    error = make(cls)

    assert isinstance(error, CredentialRetrievalError)
    assert isinstance(error, BotoCoreError)
    assert isinstance(error, ClientError) == issubclass(cls, ServiceError)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_it_survives_a_copy_and_a_pickle_whole(
    cls: type[RolesAnywhereError], duplicate: object
) -> None:
    error = make(cls)
    assert callable(duplicate)

    again = duplicate(error)

    assert type(again) is cls
    assert str(again) == str(error)
    assert again.code == error.code == "made-up"
    assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "it is empty."),
        ({"where": "key.pem"}, "key.pem: it is empty."),
        ({"expected": "a key"}, "it is empty; expected a key."),
        ({"remedy": "Write one."}, "it is empty. Write one."),
        (
            {"where": "f", "expected": "a key", "remedy": "Write one."},
            "f: it is empty; expected a key. Write one.",
        ),
    ],
)
def test_a_message_says_what_where_expected_and_what_to_do(
    arguments: dict[str, str], text: str
) -> None:
    assert str(RolesAnywhereError("it is empty", code="made-up", **arguments)) == text


def test_a_refusal_carries_the_services_words_the_facts_and_the_causes() -> None:
    error = make(errors.SessionDeniedError)
    assert isinstance(error, ServiceError)

    assert (error.service_code, error.status) == ("AccessDeniedException", 403)
    assert error.service_message == "Certificate revoked"
    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert error.operation_name == "CreateSession"
    assert str(error) == (
        "CreateSession was refused (AccessDeniedException, HTTP 403): Certificate revoked."
        " Seen here: seen. Likely causes: a; b. Do this."
    )


def test_an_answer_without_parts_still_makes_an_error() -> None:
    error = ServiceError({}, "CreateSession", code="made-up")

    assert (error.service_code, error.status, error.service_message) == ("Unknown", 0, "")

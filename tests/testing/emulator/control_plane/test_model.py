"""The limits of each parameter, as botocore's model states them, asked over plain HTTP.

botocore's own client checks only types and what is required; any other client may send anything.
"""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import botocore.session
import pytest

from boto_rolesanywhere.testing import Emulator

MODEL = botocore.session.Session().get_service_model("rolesanywhere")
UUID = "01234567-89ab-cdef-0123-456789abcdef"
ANCHOR = f"arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/{UUID}"
# What is right for a shape, where its limits do not say it.
RIGHT: dict[str, object] = {
    "AliasName": "alias",
    "CrlIdentifier": UUID,
    "ProfileIdentifier": UUID,
    "RoleArn": "arn:aws:iam::123456789012:role/app",
    "SourceData": {"x509CertificateData": "x"},
    "TrustAnchorIdentifier": UUID,
    "TrustAnchorIdentifierArn": ANCHOR,
    "Uuid": UUID,
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def send(emulator: Emulator) -> Iterator[Callable[..., tuple[int, dict[str, Any]]]]:
    """Send a request for an operation as it is; status and answer."""
    url = urlsplit(emulator.endpoint_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)

    def ask(operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        method, target, body = request(operation, parameters)
        connection.request(method, target, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    yield ask
    connection.close()


def request(operation: str, parameters: dict[str, Any]) -> tuple[str, str, bytes]:
    described = MODEL.operation_model(operation)
    path, query, body = described.http["requestUri"], {}, {}
    for name, value in parameters.items():
        location = described.input_shape.members[name].serialization.get("location")
        if location == "uri":
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        elif location == "querystring":
            query[name] = value
        else:
            body[name] = value
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    return described.http["method"], target, json.dumps(body).encode()


def right(shape: Any) -> Any:  # noqa: ANN401  # botocore's, and JSON
    """A value within the limits of a shape."""
    if shape.name in RIGHT:
        return RIGHT[shape.name]
    if shape.type_name == "structure":
        return {name: right(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [right(shape.member)]
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "a"
    return {"integer": 900, "boolean": True, "blob": b64encode(b"x").decode()}[shape.type_name]


def wrong(shape: Any) -> Iterator[Any]:  # noqa: ANN401  # botocore's, and JSON
    """Values beyond the limits of a shape, one for each limit."""
    kind, limits = shape.type_name, shape.metadata
    yield {"string": 1, "boolean": "true"}.get(kind, "no number, list, structure or Base64!")
    if kind == "structure":
        yield from wrong_structures(shape)
    elif kind == "list":
        yield from ([value] for value in wrong(shape.member))
        if "max" in limits:
            yield [right(shape.member)] * (limits["max"] + 1)
    elif kind == "integer":
        yield from (limits[end] + step for end, step in (("min", -1), ("max", 1)) if end in limits)
        yield from (1.5, True)
    elif kind in ("string", "blob"):
        yield from wrong_texts(shape)


def wrong_structures(shape: Any) -> Iterator[Any]:  # noqa: ANN401  # botocore's, and JSON
    for name, member in shape.members.items():
        yield from ({**right(shape), name: value} for value in wrong(member))
    for name in shape.required_members:
        yield {key: value for key, value in right(shape).items() if key != name}


def wrong_texts(shape: Any) -> Iterator[str]:  # noqa: ANN401  # botocore's
    limits = shape.metadata
    if shape.type_name == "string" and shape.enum:
        yield "other"
    if "pattern" in limits:
        yield "(ü)"
    if "max" in limits:
        longer = "a" * (limits["max"] + 1)
        yield longer if shape.type_name == "string" else b64encode(longer.encode()).decode()
    if limits.get("min", 0):
        yield ""


def cases() -> Iterator[tuple[str, str]]:
    for name in MODEL.operation_names:
        for member in MODEL.operation_model(name).input_shape.members:
            yield name, member


@pytest.mark.parametrize(("operation", "member"), list(cases()))
def test_what_is_beyond_a_limit_of_the_model_is_refused(
    send: Callable[..., tuple[int, dict[str, Any]]], operation: str, member: str
) -> None:
    shape = MODEL.operation_model(operation).input_shape
    described = shape.members[member]
    location = described.serialization.get("location")
    tried = 0
    for value in wrong(described):
        if location and (not isinstance(value, str) or not value or described.type_name == "list"):
            continue  # in a path or query everything is text, and an empty part is another path
        status, answer = send(operation, {**right(shape), member: value})
        assert (status, "validation" in answer["message"]) == (400, True), value
        tried += 1
    unlimited = location == "querystring" and described.type_name in ("list", "string")
    assert tried or unlimited
    if member in shape.required_members and location != "uri":
        given = right(shape)
        del given[member]
        assert send(operation, given)[0] == 400


def test_what_the_model_does_not_know_and_null_are_left_out(
    send: Callable[..., tuple[int, dict[str, Any]]], emulator: Emulator
) -> None:
    url = urlsplit(emulator.endpoint_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=20)
    body = {"name": "a", "roleArns": [], "sessionPolicy": None, "profileId": UUID, "new": 1}
    connection.request("POST", "/profiles", json.dumps(body))
    answer = connection.getresponse()
    made = json.loads(answer.read())["profile"]
    connection.close()
    assert answer.status == 201
    assert "sessionPolicy" not in made
    assert "new" not in made
    assert made["profileId"] != UUID
    assert send("GetProfile", {"profileId": made["profileId"]})[1]["profile"] == made

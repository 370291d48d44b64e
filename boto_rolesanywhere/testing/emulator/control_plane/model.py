"""botocore's description of the service, read as data: routes, and the limits of each parameter.

botocore itself checks types and what is required; the limits of length, pattern and choice are the
service's own to check, so they are checked here, whatever client asks.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from boto_rolesanywhere.testing.emulator.answers import Refused, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boto_rolesanywhere.testing.emulator.wire import Received

# A shape of the model, and the parameters of a request: JSON, as it comes.
Shape: TypeAlias = "Mapping[str, Any]"
Parameters: TypeAlias = "dict[str, Any]"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the model, and how it is asked for.

    Attributes:
        name: for example ``CreateTrustAnchor``.
        method: of HTTP.
        segments: of the path; those in braces are parameters.
        status: of a good answer.
        shape: the name of its input.
    """

    name: str
    method: str
    segments: tuple[str, ...]
    status: int
    shape: str

    def identifier(self, received: Received) -> str:
        """What stands for the resource in a path that has this route; "" for nothing."""
        pairs = zip(self.segments, received.path.split("/")[1:], strict=True)
        return next((unquote(part) for segment, part in pairs if segment.startswith("{")), "")


class Model:
    """The operations, and what each of them takes."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._shapes: Mapping[str, Shape] = description["shapes"]
        self.routes = tuple(
            Route(
                name=name,
                method=each["http"]["method"],
                segments=tuple(each["http"]["requestUri"].split("/")[1:]),
                status=each["http"]["responseCode"],
                shape=each["input"]["shape"],
            )
            for name, each in description["operations"].items()
        )

    def route(self, received: Received) -> Route | None:
        """The operation that is asked for; None if there is no such."""
        sent = received.path.split("/")[1:]
        for route in self.routes:
            if route.method == received.method and len(route.segments) == len(sent):
                pairs = zip(route.segments, sent, strict=True)
                if all((part and segment[0] == "{") or segment == part for segment, part in pairs):
                    return route
        return None

    def read(self, route: Route, received: Received) -> Parameters:
        """The parameters of a request, from path, query and body.

        What the model does not know is left out, and so is null.

        Raises:
            Refused: ``ValidationException``: one is missing, of another type, or beyond a limit.
        """
        members = self._shapes[route.shape]["members"]
        body = received.members
        if body is None:
            raise Refused(
                invalid("Request body is not a JSON object"), "the body is no JSON object"
            )
        sent: Parameters = dict(body)
        for name, member in members.items():
            location = member.get("location")
            if location:
                sent.pop(name, None)
            if location == "querystring":
                kind = self._shapes[member["shape"]]["type"]
                sent.update(_from_query(received, name, member["locationName"], kind))
        for segment, part in zip(route.segments, received.path.split("/")[1:], strict=True):
            if segment.startswith("{"):
                sent[segment.strip("{}")] = unquote(part)
        return self._structure(self._shapes[route.shape], sent, "")

    def _checked(self, name: str, value: object, where: str) -> Any:  # noqa: ANN401  # JSON
        """The value of a shape, blobs decoded."""
        shape = self._shapes[name]
        readers: dict[str, Callable[[Shape, Any, str], Any]] = {
            "string": _text,
            "integer": _number,
            "boolean": _truth,
            "blob": _blob,
            "list": self._list,
            "structure": self._structure,
        }
        return readers[shape["type"]](shape, value, where)

    def _structure(self, shape: Shape, value: object, where: str) -> Parameters:
        if not isinstance(value, dict):
            raise _unlike(where, "a structure")
        given = {name: each for name, each in value.items() if each is not None}
        for name in shape.get("required", ()):
            if name not in given:
                raise _wrong(f"{where}/{name}", "Member must not be null")
        members = shape["members"]
        found = {
            name: self._checked(members[name]["shape"], each, f"{where}/{name}")
            for name, each in given.items()
            if name in members
        }
        if shape.get("union") and len(found) != 1:
            raise _wrong(where, "Exactly one member must be set")
        return found

    def _list(self, shape: Shape, value: object, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise _unlike(where, "a list")
        _check_length(shape, len(value), where)
        member = shape["member"]["shape"]
        return [
            self._checked(member, each, f"{where}/{number}")
            for number, each in enumerate(value, start=1)
        ]


def _from_query(received: Received, name: str, key: str, kind: str) -> Parameters:
    values = [value for sent, value in received.query_pairs if sent == key]
    if not values:
        return {}
    if kind == "list":
        return {name: values}
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", values[0]):
        return {name: int(values[0])}
    return {name: values[0]}


def _text(shape: Shape, value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _unlike(where, "a string")
    _check_length(shape, len(value), where)
    if "enum" in shape and value not in shape["enum"]:
        raise _wrong(where, f"Member must satisfy enum value set: {sorted(shape['enum'])}")
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value):
        raise _wrong(where, f"Member must satisfy regular expression pattern: {shape['pattern']}")
    return value


def _number(shape: Shape, value: object, where: str) -> int:
    if type(value) is not int:
        raise _unlike(where, "an integer")
    least, most = shape.get("min", value), shape.get("max", value)
    if not least <= value <= most:
        raise _wrong(where, f"Member must be between {least} and {most}, inclusive")
    return value


def _truth(_: Shape, value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _unlike(where, "a boolean")
    return value


def _blob(shape: Shape, value: object, where: str) -> bytes:
    try:
        data = b64decode(value, validate=True) if isinstance(value, str) else None
    except (Base64Error, ValueError):
        data = None
    if data is None:
        raise _unlike(where, "a blob in Base64")
    _check_length(shape, len(data), where)
    return data


def _check_length(shape: Shape, length: int, where: str) -> None:
    least, most = shape.get("min", 0), shape.get("max")
    if length < least or (most is not None and length > most):
        raise _wrong(where, f"Member must have length between {least} and {most}, inclusive")


def _unlike(where: str, kind: str) -> Refused:
    return _wrong(where, f"Member must be {kind}")


def _wrong(where: str, constraint: str) -> Refused:
    """The service's usual form of such a refusal; that it says so here is a guess."""
    text = f"Value at '{where or '/'}' failed to satisfy constraint: {constraint}"
    return Refused(invalid(f"1 validation error detected. {text}"), text)


@lru_cache(maxsize=1)
def load_model() -> Model:
    """The model of the botocore that is installed."""
    from botocore.loaders import Loader

    return Model(Loader().load_service_model("rolesanywhere", "service-2"))

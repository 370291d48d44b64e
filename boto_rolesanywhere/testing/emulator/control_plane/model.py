"""botocore's description of the service: its routes, and the limits of each parameter.

botocore itself checks types and what is required; the limits of length, pattern and choice are the
service's own to check, so they are checked here, whatever client asks.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from boto_rolesanywhere.testing.emulator.answers import Refused, invalid

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

    from boto_rolesanywhere.testing.emulator.wire import Received

# The parameters of a request: JSON, as it comes.
Parameters: TypeAlias = "dict[str, Any]"

_FORMS: Final[dict[str, tuple[type, str]]] = {
    "string": (str, "a string"),
    "integer": (int, "an integer"),
    "boolean": (bool, "a boolean"),
    "blob": (bytes, "a blob in Base64"),
    "list": (list, "a list"),
    "structure": (dict, "a structure"),
}


class Route(NamedTuple):
    """One operation of the model, and how it is asked for.

    Attributes:
        name: for example ``CreateTrustAnchor``.
        method: of HTTP.
        path: matches the path; its groups are parameters.
        status: of a good answer.
        shape: of its input.
    """

    name: str
    method: str
    path: re.Pattern[str]
    status: int
    shape: StructureShape


@lru_cache(maxsize=1)
def routes() -> tuple[Route, ...]:
    """Those of the model of the botocore that is installed."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("rolesanywhere", "service-2"))
    operations = map(model.operation_model, model.operation_names)
    return tuple(
        Route(
            name=each.name,
            method=each.http["method"],
            path=re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", each.http["requestUri"])),
            status=each.http["responseCode"],
            shape=shape,
        )
        for each in operations
        if (shape := each.input_shape)
    )


def find_route(received: Received) -> Route | None:
    """The operation that is asked for; None if there is no such."""
    fitting = (
        route
        for route in routes()
        if route.method == received.method and route.path.fullmatch(received.path)
    )
    return next(fitting, None)


def read(route: Route, received: Received) -> Parameters:
    """The parameters of a request, from path, query and body.

    What the model does not know is left out, and so is null.

    Raises:
        Refused: ``ValidationException``: one is missing, of another type, or beyond a limit.
    """
    body, in_path = received.members, route.path.fullmatch(received.path)
    if body is None:
        raise Refused(invalid("Request body is not a JSON object"), "the body is no JSON object")
    sent: Parameters = dict(body)
    for name, member in route.shape.members.items():
        location = member.serialization.get("location")
        if location:
            sent.pop(name, None)
        if location == "querystring":
            sent.update(_from_query(received, name, member))
    if in_path:
        sent.update({name: unquote(part) for name, part in in_path.groupdict().items()})
    return _structure(route.shape, sent, "")


def _from_query(received: Received, name: str, shape: Shape) -> Parameters:
    key = shape.serialization["name"]
    values = [value for sent, value in received.query_pairs if sent == key]
    if not values:
        return {}
    if shape.type_name == "list":
        return {name: values}
    if shape.type_name == "integer" and re.fullmatch(r"-?[0-9]{1,18}", values[0]):
        return {name: int(values[0])}
    return {name: values[0]}


def _checked(shape: Any, value: object, where: str) -> Any:  # noqa: ANN401  # any Shape; JSON
    """The value of a shape, blobs decoded."""
    if shape.type_name == "blob":
        value = _decoded(value)
    form, words = _FORMS[shape.type_name]
    if type(value) is not form:
        raise _wrong(where, f"Member must be {words}")
    if isinstance(value, dict):
        return _structure(shape, value, where)
    _check_limits(shape.metadata, value, where)
    if isinstance(value, list):
        numbered = enumerate(value, start=1)
        return [_checked(shape.member, each, f"{where}/{number}") for number, each in numbered]
    if isinstance(value, str):
        _check_text(shape, value, where)
    return value


def _structure(shape: StructureShape, value: Parameters, where: str) -> Parameters:
    sent = {name: each for name, each in value.items() if each is not None}
    for name in shape.required_members:
        if name not in sent:
            raise _wrong(f"{where}/{name}", "Member must not be null")
    members = shape.members
    found = {
        name: _checked(members[name], each, f"{where}/{name}")
        for name, each in sent.items()
        if name in members
    }
    if shape.is_tagged_union and len(found) != 1:
        raise _wrong(where, "Exactly one member must be set")
    return found


def _check_limits(limits: Parameters, value: Any, where: str) -> None:  # noqa: ANN401  # JSON
    if isinstance(value, bool):
        return
    size, words = (value, "be") if isinstance(value, int) else (len(value), "have length")
    least, most = limits.get("min", min(size, 0)), limits.get("max")
    if size < least or (most is not None and size > most):
        raise _wrong(where, f"Member must {words} between {least} and {most}, inclusive")


def _check_text(shape: Any, value: str, where: str) -> None:  # noqa: ANN401  # of a string
    if shape.enum and value not in shape.enum:
        raise _wrong(where, f"Member must satisfy enum value set: {sorted(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        raise _wrong(where, f"Member must satisfy regular expression pattern: {pattern}")


def _decoded(value: object) -> bytes | None:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


def _wrong(where: str, constraint: str) -> Refused:
    """The service's usual form of such a refusal; that it says so here is a guess."""
    text = f"Value at '{where or '/'}' failed to satisfy constraint: {constraint}"
    return Refused(invalid(f"1 validation error detected. {text}"), text)

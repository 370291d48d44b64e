"""Lists, a page at a time."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from .desk import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .model import Parameters

# Both sizes are guesses.
_PAGE: Final = 50
_LARGEST_PAGE: Final = 1000


def page(
    parameters: Parameters, member: str, items: Iterable[Mapping[str, Any]]
) -> dict[str, object]:
    """One page of a list, in the order of creation. `member` begins the items' own names.

    The token is a place in that order, so what is made or deleted meanwhile hides nothing else.

    Raises:
        Refused: size or token are not usable.
    """

    def place(item: Mapping[str, Any]) -> list[str]:
        return [item.get("createdAt", ""), item[f"{member}Arn"]]

    size = parameters.get("pageSize", _PAGE)
    if not 1 <= size <= _LARGEST_PAGE:
        raise refused("Invalid value for pageSize")
    rest = sorted(items, key=place)
    if (token := parameters.get("nextToken")) is not None:
        after = _read_token(token)
        rest = [item for item in rest if place(item) > after]
    shown: dict[str, object] = {f"{member}s": rest[:size]}
    if len(rest) > size:
        last = json.dumps(place(rest[size - 1]))
        shown["nextToken"] = urlsafe_b64encode(last.encode()).decode()
    return shown


def _read_token(token: str) -> list[str]:
    try:
        place = json.loads(urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        place = None
    if not (isinstance(place, list) and list(map(type, place)) == [str, str]):
        raise refused("Invalid value for nextToken")
    return place

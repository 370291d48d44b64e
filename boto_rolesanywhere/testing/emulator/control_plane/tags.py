"""Tags of trust anchors, profiles, revocation lists and subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused
from boto_rolesanywhere.testing.emulator.resources import Profile, RevocationList, TrustAnchor

from .call import not_found

if TYPE_CHECKING:
    from .call import Call
    from .desk import Desk

_MOST: Final = 200  # by the model
_TOO_MANY: Final = Refusal("Too many tags", "TooManyTagsException", 400, guess=True)


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListTagsForResource."""
    tags = desk.registry.tags(_arn(desk, call))
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def add(desk: Desk, call: Call) -> dict[str, object]:
    """TagResource."""
    arn = _arn(desk, call)
    tags = desk.registry.tags(arn) | call.tags()
    if len(tags) > _MOST:
        raise Refused(_TOO_MANY, f"{len(tags)} tags")
    desk.registry.tag(arn, tags)
    return {}


def remove(desk: Desk, call: Call) -> dict[str, object]:
    """UntagResource."""
    arn = _arn(desk, call)
    gone = call.parameters["tagKeys"]
    tags = desk.registry.tags(arn)
    desk.registry.tag(arn, {key: value for key, value in tags.items() if key not in gone})
    return {}


def _arn(desk: Desk, call: Call) -> str:
    given: str = call.parameters["resourceArn"]
    if desk.subjects.has(given):
        return given
    found = (
        desk.registry.find(TrustAnchor, given)
        or desk.registry.find(Profile, given)
        or desk.registry.find(RevocationList, given)
    )
    if found is None:
        raise not_found("resource")
    return found.arn

"""Every operation of the control plane: what answers it, and which others share its quota."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused

from . import anchors, crls, profiles
from .desk import alias_name, not_found, refused
from .pages import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from .desk import Desk, Kind
    from .model import Parameters

    Handler = Callable[[Desk, Parameters], dict[str, object]]

_KINDS: Final[tuple[Kind[Any], ...]] = (anchors.KIND, profiles.KIND, crls.KIND)
_MOST_TAGS: Final = 200  # by the model
_TOO_MANY_TAGS: Final = Refusal("Too many tags", "TooManyTagsException", 400, guess=True)


def _make(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    if kind.most is not None and len(desk.registry.all(kind.resource)) >= kind.most:
        # the words are a guess
        raise refused(f"The account has {kind.most} {kind.group} already")
    begun = kind.begun(desk, desk.new_arn(kind), parameters)
    made = desk.change(kind, begun, parameters)
    desk.registry.tag(made.arn, _tags(parameters))
    return kind.answer(made)


def _get(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    return kind.answer(_named(kind, desk, parameters))


def _list(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    return page(parameters, kind.member, map(kind.shown, desk.registry.all(kind.resource)))


def _update(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    held = _named(kind, desk, parameters)
    changed = desk.change(kind, held, parameters)
    before = alias_name(held)
    # Only an update's answer says which alias went.
    gone = {} if before in (None, alias_name(changed)) else {"previousAliasName": before}
    return {kind.member: kind.shown(changed) | gone}


def _delete(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    """That the revocation lists of a trust anchor go with it is a guess."""
    held = _named(kind, desk, parameters)
    desk.registry.remove(held.arn)
    return kind.answer(held)


def _enable(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    return kind.answer(desk.keep(replace(_named(kind, desk, parameters), enabled=True)))


def _disable(kind: Kind[Any], desk: Desk, parameters: Parameters) -> dict[str, object]:
    return kind.answer(desk.keep(replace(_named(kind, desk, parameters), enabled=False)))


def _named(kind: Kind[Any], desk: Desk, parameters: Parameters) -> Any:  # noqa: ANN401  # of the kind
    return desk.find(kind, parameters[f"{kind.member}Id"])


def _list_subjects(desk: Desk, parameters: Parameters) -> dict[str, object]:
    return page(parameters, "subject", desk.subjects.all())


def _get_subject(desk: Desk, parameters: Parameters) -> dict[str, object]:
    """No alias is taken here."""
    found = desk.subjects.one(parameters["subjectId"])
    if found is None:
        raise not_found("subject")
    return {"subject": found}


def _list_tags(desk: Desk, parameters: Parameters) -> dict[str, object]:
    tags = desk.registry.tags(_tagged(desk, parameters))
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _tag(desk: Desk, parameters: Parameters) -> dict[str, object]:
    arn = _tagged(desk, parameters)
    tags = desk.registry.tags(arn) | _tags(parameters)
    if len(tags) > _MOST_TAGS:
        raise Refused(_TOO_MANY_TAGS, f"{len(tags)} tags")
    desk.registry.tag(arn, tags)
    return {}


def _untag(desk: Desk, parameters: Parameters) -> dict[str, object]:
    arn, gone = _tagged(desk, parameters), parameters["tagKeys"]
    tags = desk.registry.tags(arn)
    desk.registry.tag(arn, {key: value for key, value in tags.items() if key not in gone})
    return {}


def _tags(parameters: Parameters) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in parameters.get("tags", ())}


def _tagged(desk: Desk, parameters: Parameters) -> str:
    """The ARN of what has the tags: a subject or a resource, by its ARN or an alias."""
    named: str = parameters["resourceArn"]
    if desk.subjects.has(named):
        return named
    found = (desk.registry.find(kind.resource, named) for kind in _KINDS)
    resource = next(filter(None, found), None)
    if resource is None:
        raise not_found("resource")
    return str(resource.arn)


class Operation(NamedTuple):
    """One operation.

    Attributes:
        answer: what works the answer out.
        group: operations of one group share the service's quota of one call a second. Which do is a
            guess: the User Guide names groups without listing them.
    """

    answer: Handler
    group: str


def _of_kind(kind: Kind[Any]) -> dict[str, Operation]:
    """What there is for each kind."""
    handlers = {
        f"{kind.maker}{kind.noun}": _make,
        f"Get{kind.noun}": _get,
        f"List{kind.noun}s": _list,
        f"Update{kind.noun}": _update,
        f"Delete{kind.noun}": _delete,
        f"Enable{kind.noun}": _enable,
        f"Disable{kind.noun}": _disable,
    }
    return {
        name: Operation(partial(handler, kind), kind.group) for name, handler in handlers.items()
    }


OPERATIONS: Final[dict[str, Operation]] = {
    **_of_kind(anchors.KIND),
    "PutNotificationSettings": Operation(anchors.put_notifications, anchors.KIND.group),
    "ResetNotificationSettings": Operation(anchors.reset_notifications, anchors.KIND.group),
    **_of_kind(profiles.KIND),
    "PutAttributeMapping": Operation(profiles.put_mapping, profiles.KIND.group),
    "DeleteAttributeMapping": Operation(profiles.delete_mapping, profiles.KIND.group),
    **_of_kind(crls.KIND),
    "ListSubjects": Operation(_list_subjects, "subjects"),
    "GetSubject": Operation(_get_subject, "subjects"),
    "TagResource": Operation(_tag, "tags"),
    "UntagResource": Operation(_untag, "tags"),
    "ListTagsForResource": Operation(_list_tags, "tags"),
}

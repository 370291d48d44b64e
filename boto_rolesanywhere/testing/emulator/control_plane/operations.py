"""Every operation of the control plane: what answers it, and which others share its quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from boto_rolesanywhere.testing.emulator.answers import UNKNOWN_OPERATION, Refused

from . import anchors, crls, profiles, subjects, tags
from .call import Call
from .model import load_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto_rolesanywhere.testing.emulator.wire import Received

    from .desk import Desk
    from .model import Route

    Handler = Callable[[Desk, Call], dict[str, object]]


class Operation(NamedTuple):
    """One operation.

    Attributes:
        answer: what works the answer out.
        group: operations of one group share the service's quota of one call a second.
    """

    answer: Handler
    group: str


# Which operations share a quota is a guess: the User Guide names groups without listing them.
_ANCHORS, _PROFILES, _CRLS, _SUBJECTS, _TAGS = (
    "trust anchors",
    "profiles",
    "crls",
    "subjects",
    "tags",
)

OPERATIONS: Final[dict[str, Operation]] = {
    "CreateTrustAnchor": Operation(anchors.create, _ANCHORS),
    "GetTrustAnchor": Operation(anchors.get, _ANCHORS),
    "ListTrustAnchors": Operation(anchors.list_, _ANCHORS),
    "UpdateTrustAnchor": Operation(anchors.update, _ANCHORS),
    "DeleteTrustAnchor": Operation(anchors.delete, _ANCHORS),
    "EnableTrustAnchor": Operation(anchors.enable, _ANCHORS),
    "DisableTrustAnchor": Operation(anchors.disable, _ANCHORS),
    "PutNotificationSettings": Operation(anchors.put_notifications, _ANCHORS),
    "ResetNotificationSettings": Operation(anchors.reset_notifications, _ANCHORS),
    "CreateProfile": Operation(profiles.create, _PROFILES),
    "GetProfile": Operation(profiles.get, _PROFILES),
    "ListProfiles": Operation(profiles.list_, _PROFILES),
    "UpdateProfile": Operation(profiles.update, _PROFILES),
    "DeleteProfile": Operation(profiles.delete, _PROFILES),
    "EnableProfile": Operation(profiles.enable, _PROFILES),
    "DisableProfile": Operation(profiles.disable, _PROFILES),
    "PutAttributeMapping": Operation(profiles.put_mapping, _PROFILES),
    "DeleteAttributeMapping": Operation(profiles.delete_mapping, _PROFILES),
    "ImportCrl": Operation(crls.import_, _CRLS),
    "GetCrl": Operation(crls.get, _CRLS),
    "ListCrls": Operation(crls.list_, _CRLS),
    "UpdateCrl": Operation(crls.update, _CRLS),
    "DeleteCrl": Operation(crls.delete, _CRLS),
    "EnableCrl": Operation(crls.enable, _CRLS),
    "DisableCrl": Operation(crls.disable, _CRLS),
    "ListSubjects": Operation(subjects.list_, _SUBJECTS),
    "GetSubject": Operation(subjects.get, _SUBJECTS),
    "TagResource": Operation(tags.add, _TAGS),
    "UntagResource": Operation(tags.remove, _TAGS),
    "ListTagsForResource": Operation(tags.list_, _TAGS),
}


def find(received: Received) -> tuple[Route, Operation]:
    """The operation that a request asks for: its entry in botocore's model, and ours.

    Raises:
        Refused: there is no such operation, or the emulator does not have it yet.
    """
    route = load_model().route(received)
    operation = OPERATIONS.get(route.name) if route else None
    if route is None or operation is None:
        raise Refused(UNKNOWN_OPERATION, f"{received.method} {received.path}")
    return route, operation


def read(route: Route, received: Received) -> Call:
    """The parameters of a request.

    Raises:
        Refused: one is missing, malformed or beyond the limits of the model.
    """
    return Call(route.identifier(received), load_model().read(route, received))

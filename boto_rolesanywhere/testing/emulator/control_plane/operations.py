"""Every operation of the control plane: how it is asked for, and what answers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from boto_rolesanywhere.testing.emulator.answers import UNKNOWN_OPERATION, Refused

from . import anchors, crls, profiles, subjects, tags
from .call import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto_rolesanywhere.testing.emulator.wire import Received

    from .desk import Desk

    Handler = Callable[[Desk, Call], dict[str, object]]


class Operation(NamedTuple):
    """One operation.

    Attributes:
        method: of HTTP.
        path: with ``{}`` where an identifier stands.
        status: of a good answer.
        answer: what works it out.
        group: operations of one group share the service's quota of one call a second.
    """

    method: str
    path: str
    status: int
    answer: Handler
    group: str


_OK, _CREATED = 200, 201
# Which operations share a quota is a guess: the User Guide names groups without listing them.
_ANCHORS, _PROFILES, _CRLS, _SUBJECTS, _TAGS = (
    "trust anchors",
    "profiles",
    "crls",
    "subjects",
    "tags",
)

OPERATIONS: Final[dict[str, Operation]] = {
    "CreateTrustAnchor": Operation("POST", "/trustanchors", _CREATED, anchors.create, _ANCHORS),
    "GetTrustAnchor": Operation("GET", "/trustanchor/{}", _OK, anchors.get, _ANCHORS),
    "ListTrustAnchors": Operation("GET", "/trustanchors", _OK, anchors.list_, _ANCHORS),
    "UpdateTrustAnchor": Operation("PATCH", "/trustanchor/{}", _OK, anchors.update, _ANCHORS),
    "DeleteTrustAnchor": Operation("DELETE", "/trustanchor/{}", _OK, anchors.delete, _ANCHORS),
    "EnableTrustAnchor": Operation("POST", "/trustanchor/{}/enable", _OK, anchors.enable, _ANCHORS),
    "DisableTrustAnchor": Operation(
        "POST", "/trustanchor/{}/disable", _OK, anchors.disable, _ANCHORS
    ),
    "PutNotificationSettings": Operation(
        "PATCH", "/put-notifications-settings", _OK, anchors.put_notifications, _ANCHORS
    ),
    "ResetNotificationSettings": Operation(
        "PATCH", "/reset-notifications-settings", _OK, anchors.reset_notifications, _ANCHORS
    ),
    "CreateProfile": Operation("POST", "/profiles", _CREATED, profiles.create, _PROFILES),
    "GetProfile": Operation("GET", "/profile/{}", _OK, profiles.get, _PROFILES),
    "ListProfiles": Operation("GET", "/profiles", _OK, profiles.list_, _PROFILES),
    "UpdateProfile": Operation("PATCH", "/profile/{}", _OK, profiles.update, _PROFILES),
    "DeleteProfile": Operation("DELETE", "/profile/{}", _OK, profiles.delete, _PROFILES),
    "EnableProfile": Operation("POST", "/profile/{}/enable", _OK, profiles.enable, _PROFILES),
    "DisableProfile": Operation("POST", "/profile/{}/disable", _OK, profiles.disable, _PROFILES),
    "PutAttributeMapping": Operation(
        "PUT", "/profiles/{}/mappings", _OK, profiles.put_mapping, _PROFILES
    ),
    "DeleteAttributeMapping": Operation(
        "DELETE", "/profiles/{}/mappings", _OK, profiles.delete_mapping, _PROFILES
    ),
    "ImportCrl": Operation("POST", "/crls", _CREATED, crls.import_, _CRLS),
    "GetCrl": Operation("GET", "/crl/{}", _OK, crls.get, _CRLS),
    "ListCrls": Operation("GET", "/crls", _OK, crls.list_, _CRLS),
    "UpdateCrl": Operation("PATCH", "/crl/{}", _OK, crls.update, _CRLS),
    "DeleteCrl": Operation("DELETE", "/crl/{}", _OK, crls.delete, _CRLS),
    "EnableCrl": Operation("POST", "/crl/{}/enable", _OK, crls.enable, _CRLS),
    "DisableCrl": Operation("POST", "/crl/{}/disable", _OK, crls.disable, _CRLS),
    "ListSubjects": Operation("GET", "/subjects", _OK, subjects.list_, _SUBJECTS),
    "GetSubject": Operation("GET", "/subject/{}", _OK, subjects.get, _SUBJECTS),
    "TagResource": Operation("POST", "/TagResource", _CREATED, tags.add, _TAGS),
    "UntagResource": Operation("POST", "/UntagResource", _OK, tags.remove, _TAGS),
    "ListTagsForResource": Operation("GET", "/ListTagsForResource", _OK, tags.list_, _TAGS),
}


def find(received: Received) -> tuple[str, Operation, Call]:
    """The operation that a request asks for: its name, itself, and its parameters.

    Raises:
        Refused: there is no such operation.
    """
    for name, operation in OPERATIONS.items():
        if operation.method == received.method:
            # An ARN in the path has slashes, sent as they are or encoded.
            pattern = re.escape(operation.path).replace(r"\{\}", "(.+)")
            if found := re.fullmatch(pattern, received.path):
                identifier = unquote(found[1]) if found.groups() else ""
                return name, operation, Call(identifier, received)
    raise Refused(UNKNOWN_OPERATION, f"{received.method} {received.path}")

"""What the operations work on: the registry, and how a resource is found, named and shown."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from boto_rolesanywhere.testing.emulator.resources import (
    Profile,
    Registry,
    RevocationList,
    TrustAnchor,
)

from .call import not_found, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from boto_rolesanywhere.testing.emulator.subjects import Subjects

    from .call import Call

    # From the ARN of an AWS Private CA to the PEM of its certificate; None if there is none.
    PrivateCas = Callable[[str], "str | None"]

_Made = TypeVar("_Made", TrustAnchor, Profile, RevocationList)
_KINDS: Final = {TrustAnchor: "trust-anchor", Profile: "profile", RevocationList: "crl"}
_ARNS: Final = ("crlArn", "trustAnchorArn", "profileArn", "subjectArn")
# Both sizes are guesses.
_PAGE: Final = 50
_LARGEST_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Desk:
    """What the operations work on.

    Attributes:
        registry: everything registered.
        prefix: ``arn:{partition}:rolesanywhere:{region}:{account}``.
        now: the service's time.
        private_cas: gives the certificate of an AWS Private CA.
        subjects: who has asked for sessions.
    """

    registry: Registry
    prefix: str
    now: Callable[[], datetime]
    private_cas: PrivateCas
    subjects: Subjects = field(repr=False)

    def new_arn(self, kind: type[_Made]) -> str:
        """The ARN of a new resource."""
        return f"{self.prefix}:{_KINDS[kind]}/{uuid4()}"

    def find(self, kind: type[_Made], identifier: str) -> _Made:
        """The resource of that id, ARN or alias.

        Raises:
            Refused: there is none.
        """
        arn = identifier
        if not arn.startswith("arn:"):
            arn = f"{self.prefix}:{_KINDS[kind]}/{identifier}"
        found = self.registry.find(kind, arn)
        if found is None:
            raise not_found(_KINDS[kind])
        return found

    def aliases(self, kind: type[_Made], alias: str | None, own: str) -> tuple[str, ...]:
        """The alias's ARN, which no other resource of the kind may have.

        Raises:
            Refused: ``ValidationException``, as documented; the words are a guess.
        """
        if not alias:
            return ()
        arn = f"{self.prefix}:alias/{_KINDS[kind]}/{alias}"
        holder = self.registry.find(kind, arn)
        if holder is not None and holder.arn != own:
            raise refused(f"The alias {alias} is in use")
        return (arn,)

    def stamped(self, about: Mapping[str, object]) -> dict[str, object]:
        """`about`, with the time of this change."""
        now = self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"createdAt": now, **about, "updatedAt": now}


def alias_after(call: Call, aliases: Sequence[str]) -> str | None:
    """The alias after a call: none that is sent keeps the present one, an empty one removes it."""
    sent = call.alias()
    return alias_name(aliases) if sent is None else sent


def change_shown(before: Mapping[str, object], after: dict[str, object]) -> dict[str, object]:
    """The answer to an update: only that one says which alias went."""
    alias = before.get("aliasName")
    return (
        {**after, "previousAliasName": alias}
        if alias not in (None, after.get("aliasName"))
        else after
    )


def alias_name(aliases: Sequence[str]) -> str | None:
    """The name in the first of an alias's ARNs."""
    return aliases[0].partition(":alias/")[2].partition("/")[2] if aliases else None


def described(resource: TrustAnchor | Profile | RevocationList, kind: str) -> dict[str, object]:
    """What the details of all three kinds have in common. `kind` begins their members' names."""
    shown: dict[str, object] = {
        f"{kind}Id": resource.arn.rpartition("/")[2],
        f"{kind}Arn": resource.arn,
        "name": getattr(resource, "name", None) or "default",
        "enabled": resource.enabled,
        **resource.about,
    }
    if name := alias_name(resource.aliases):
        shown |= {"aliasName": name, "aliasArn": resource.aliases[0]}
    return shown


def page(call: Call, member: str, items: Sequence[dict[str, Any]]) -> dict[str, object]:
    """One page of a list, in the order of creation.

    The token is a place in that order, so what is made or deleted meanwhile hides nothing else.

    Raises:
        Refused: size or token are not usable.
    """
    size = call.parameters.get("pageSize", _PAGE)
    if not 1 <= size <= _LARGEST_PAGE:
        raise refused("Invalid value for pageSize")
    token = call.parameters.get("nextToken")
    rest = sorted(items, key=_place)
    if token is not None:
        after = _read_token(token)
        rest = [item for item in rest if _place(item) > after]
    shown: dict[str, object] = {member: rest[:size]}
    if len(rest) > size:
        place = json.dumps(_place(rest[size - 1]))
        shown["nextToken"] = urlsafe_b64encode(place.encode()).decode()
    return shown


def _place(item: Mapping[str, Any]) -> list[str]:
    arn = next(item[name] for name in _ARNS if name in item)
    return [item.get("createdAt", ""), arn]


def _read_token(token: str) -> list[str]:
    try:
        place = json.loads(urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        place = None
    if not (isinstance(place, list) and list(map(type, place)) == [str, str]):
        raise refused("Invalid value for nextToken")
    return place

"""What the operations work on: the registry, and how a resource is found, named and shown."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

from boto_rolesanywhere.testing.emulator.resources import (
    Profile,
    Registry,
    RevocationList,
    TrustAnchor,
)

from .call import not_found, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from boto_rolesanywhere.testing.emulator.subjects import Subjects

    from .call import Call

    # From the ARN of an AWS Private CA to the PEM of its certificate; None if there is none.
    PrivateCas = Callable[[str], "str | None"]

_Made = TypeVar("_Made", TrustAnchor, Profile, RevocationList)
_KINDS: Final = {TrustAnchor: "trust-anchor", Profile: "profile", RevocationList: "crl"}
_PAGE: Final = 50  # a guess; as is that more may be asked for


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
        """The alias's ARN, which no other resource may have. That it is refused so is a guess."""
        if not alias:
            return ()
        arn = f"{self.prefix}:alias/{_KINDS[kind]}/{alias}"
        holder = self.registry.find(kind, arn)
        if holder is not None and holder.arn != own:
            refuse(f"The alias {alias} is in use")
        return (arn,)

    def stamped(self, about: Mapping[str, object]) -> dict[str, object]:
        """`about`, with the time of this change."""
        now = self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"createdAt": now, **about, "updatedAt": now}


def alias_changes(call: Call, aliases: Sequence[str]) -> tuple[str | None, dict[str, object]]:
    """The alias after an update, and ``previousAliasName`` if it changes.

    Args:
        call: its ``aliasName`` is left out to keep the alias, and empty to remove it.
        aliases: the ARNs that the resource has now.
    """
    before = alias_name(aliases)
    after = call.alias()
    if after is None or after == before:
        return before, {}
    return after or None, {"previousAliasName": before} if before else {}


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


def page(call: Call, member: str, items: Sequence[dict[str, object]]) -> dict[str, object]:
    """One page of a list. The token is the place where the next begins."""
    size, token = call.query("pageSize"), call.query("nextToken")
    try:
        start = int(urlsafe_b64decode(token)) if token else 0
        length = int(size) if size else _PAGE
    except ValueError:
        refuse("Invalid value for nextToken or pageSize")
    if start < 0 or length < 1:
        refuse("Invalid value for nextToken or pageSize")
    shown: dict[str, object] = {member: items[start : start + length]}
    if start + length < len(items):
        shown["nextToken"] = urlsafe_b64encode(str(start + length).encode()).decode()
    return shown

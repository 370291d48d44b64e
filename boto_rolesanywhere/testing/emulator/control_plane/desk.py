"""What the operations work on: the registry, and how a resource is found, named and shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from uuid import uuid4

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused, invalid
from boto_rolesanywhere.testing.emulator.resources import (
    Profile,
    Registry,
    RevocationList,
    TrustAnchor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from boto_rolesanywhere.testing.emulator.subjects import Subjects

    from .model import Parameters

    # From the ARN of an AWS Private CA to the PEM of its certificate; None if there is none.
    PrivateCas = Callable[[str], "str | None"]

_Made = TypeVar("_Made", TrustAnchor, Profile, RevocationList)
_RESERVED_ALIAS: Final = "aws/"


def refused(message: str) -> Refused:
    """The answer about a parameter. Code and status are documented, the words are a guess."""
    return Refused(invalid(message), message)


def not_found(kind: str) -> Refused:
    """The answer about what is not there. The code is documented, the words are a guess."""
    message = f"{kind} not found"
    return Refused(Refusal(message, "ResourceNotFoundException", 404, guess=True), message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[_Made]):
    """What the operations on trust anchors, on profiles and on revocation lists differ in.

    Attributes:
        resource: the class of its values.
        noun: in the names of its operations and members, such as ``TrustAnchor``.
        path: in its ARNs, such as ``trust-anchor``.
        group: people's word for several; their operations share a quota.
        fault: begins the refusal of one that cannot be. (The words are a guess.)
        most: how many an account may have (User Guide, "Quotas"); None if that is not limited.
        maker: the verb of the operation that makes one.
        begun: a new one with an ARN, with what only that operation sets.
        changed: one with what also its update sets.
        detail: what is shown of it alone.
    """

    resource: type[_Made]
    noun: str
    path: str
    group: str
    fault: str
    most: int | None = None
    maker: str = "Create"
    begun: Callable[[Desk, str, Parameters], _Made]
    changed: Callable[[Desk, _Made, Parameters], _Made]
    detail: Callable[[_Made], dict[str, object]]

    @property
    def member(self) -> str:
        """Begins the names of its members, such as ``trustAnchorId``."""
        return self.noun[0].lower() + self.noun[1:]

    def shown(self, held: _Made) -> dict[str, object]:
        """The detail of one."""
        name = alias_name(held)
        return {
            f"{self.member}Id": held.arn.rpartition("/")[2],
            f"{self.member}Arn": held.arn,
            "name": getattr(held, "name", None) or "default",
            "enabled": held.enabled,
            **held.about,
            **({"aliasName": name, "aliasArn": held.aliases[0]} if name else {}),
            **self.detail(held),
        }

    def answer(self, held: _Made) -> dict[str, object]:
        """The answer about one."""
        return {self.member: self.shown(held)}


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

    @property
    def account(self) -> str:
        """Whose everything is."""
        return self.prefix.rpartition(":")[2]

    def new_arn(self, kind: Kind[_Made]) -> str:
        """The ARN of a new resource."""
        return f"{self.prefix}:{kind.path}/{uuid4()}"

    def find(self, kind: Kind[_Made], identifier: str) -> _Made:
        """The resource of that id, ARN or alias.

        Raises:
            Refused: there is none.
        """
        arn = identifier
        if not arn.startswith("arn:"):
            arn = f"{self.prefix}:{kind.path}/{identifier}"
        found = self.registry.find(kind.resource, arn)
        if found is None:
            raise not_found(kind.path)
        return found

    def change(self, kind: Kind[_Made], held: _Made, parameters: Parameters) -> _Made:
        """Register `held` with what a call sets; what is registered then.

        Raises:
            Refused: ``ValidationException``: AWS would not let it be so.
        """
        try:
            changed = kind.changed(self, held, parameters)
            changed = replace(changed, aliases=self._aliases(kind, held, parameters))
            return self.keep(changed)
        except ConfigurationError as error:
            raise refused(f"{kind.fault}: {error.problem}") from None

    def keep(self, changed: _Made) -> _Made:
        """Register it, with the time of this change; what is registered then."""
        stamped = replace(changed, about=self.stamped(changed.about))
        self.registry.add(stamped)
        return stamped

    def stamped(self, about: Mapping[str, object]) -> dict[str, object]:
        """`about`, with the time of this change."""
        now = self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"createdAt": now, **about, "updatedAt": now}

    def _aliases(self, kind: Kind[_Made], held: _Made, parameters: Parameters) -> tuple[str, ...]:
        """The alias's ARN: none that is sent keeps the present one, an empty one removes it.

        Raises:
            Refused: AWS keeps the alias for itself, or another resource of the kind has it. That is
                documented; the words are a guess.
        """
        alias = parameters.get("aliasName", alias_name(held))
        if not alias:
            return ()
        if alias.lower().startswith(_RESERVED_ALIAS):
            raise refused("aliasName must not begin with aws/")
        arn = f"{self.prefix}:alias/{kind.path}/{alias}"
        holder = self.registry.find(kind.resource, arn)
        if holder is not None and holder.arn != held.arn:
            raise refused(f"The alias {alias} is in use")
        return (arn,)


def alias_name(held: TrustAnchor | Profile | RevocationList) -> str | None:
    """The name in the first of its aliases' ARNs."""
    return held.aliases[0].partition(":alias/")[2].partition("/")[2] if held.aliases else None


def picked(parameters: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of the parameters that were sent, of these names."""
    return {name: parameters[name] for name in names if name in parameters}

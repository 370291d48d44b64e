"""Removing what setup made, known by its tags, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.trust_policy.facts import SERVICE

from .differences import Change, role_change
from .found import PROFILE, REVOCATION_LIST, TRUST_ANCHOR, find_role, listed, tags_of
from .tags import ADOPTED, ANCHOR, OURS, REGION, SETUP, from_iam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .administrator import Administrator
    from .found import FoundRole, Kind

    Detail = Mapping[str, Any]
    Tell = Callable[[str], None]


_REMOVE: Final = "remove it"


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that teardown removes, or releases from setup.

    Attributes:
        kind: ``profile``, ``revocation list``, ``trust anchor`` or ``role``.
        name: for people.
        arn: of it.
        changes: the calls, in their order.
    """

    kind: str
    name: str
    arn: str
    changes: tuple[Change, ...]

    @property
    def goes(self) -> bool:
        """Whether it is removed; False if it is only changed."""
        return self.changes[-1].text == _REMOVE


@dataclass(slots=True)
class Removals:
    """What goes, in the order in which it goes, and what stays although one might expect it to go.

    The role goes last, since its tags say which trust anchor belongs to it: so a run that was
    killed goes on from where it was.
    """

    items: list[Removal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def removals_for_role(administrator: Administrator, name: str, tell: Tell) -> Removals:
    """What setup made for one role: role and profile, and the trust anchor if no other role has it.

    Raises:
        ConfigurationError: the role is not setup's, or there is nothing of it.
    """
    region = administrator.region
    found = Removals()
    role = find_role(administrator, name)
    if role is not None and (SETUP not in role.tags or role.tags.get(REGION) != region):
        raise ConfigurationError(
            f"setup did not make the role {name!r} for a trust anchor in {region}",
            code="name-taken",
            where=role.arn,
            remedy="teardown removes only what setup made; --region chooses another Region.",
        )
    aliases = [role.tags[ANCHOR]] if role is not None and ANCHOR in role.tags else []
    for detail, tags in _tagged_profiles(administrator, role, name):
        _add_profile(detail, name, found)
        aliases.append(tags.get(ANCHOR, ""))
    for detail in listed(administrator, TRUST_ANCHOR):
        if not {detail.get("aliasName"), detail["name"]} & set(aliases):
            continue
        if tags_of(administrator, detail["trustAnchorArn"]).get(SETUP) not in aliases:
            continue
        others = _roles_that_trust(administrator, detail["trustAnchorArn"], name)
        if others:
            found.notes.append(
                f"the trust anchor {detail['name']} stays: {', '.join(others)} trust it"
            )
        else:
            _add_anchor(administrator, detail, found)
    if role is not None:
        found.items.append(_role(role))
    if not found.items:
        raise ConfigurationError(
            f"setup has made nothing for a role {name!r} in {region}",
            code="nothing-to-remove",
            remedy="--all finds everything that setup made in this account and Region.",
        )
    tell(f"account {administrator.account}, Region {region}")
    return found


def _tagged_profiles(
    administrator: Administrator, role: FoundRole | None, name: str
) -> Iterator[tuple[Detail, dict[str, str]]]:
    for detail in listed(administrator, PROFILE):
        names_it = role is not None and role.arn in detail.get("roleArns", ())
        if not names_it and name not in {detail.get("aliasName"), detail["name"]}:
            continue
        tags = tags_of(administrator, detail["profileArn"])
        if SETUP in tags:
            yield detail, tags


def _roles_that_trust(administrator: Administrator, anchor_arn: str, but: str) -> list[str]:
    return [
        detail["RoleName"]
        for detail in administrator.pages("iam", "ListRoles", "Roles")
        if detail["RoleName"] != but
        and anchor_arn in json.dumps(detail.get("AssumeRolePolicyDocument"))
    ]


def all_removals(administrator: Administrator, tell: Tell) -> Removals:
    """Everything that setup made in the account and Region, also what half a run has left."""
    tell(f"account {administrator.account}, Region {administrator.region}")
    found = Removals()
    for detail in listed(administrator, PROFILE):
        tell(f"profile {detail['name']}: reading its tags")
        if SETUP in tags_of(administrator, detail["profileArn"]):
            found.items.append(_removal(PROFILE, detail))
    for detail in listed(administrator, TRUST_ANCHOR):
        tell(f"trust anchor {detail['name']}: reading its tags")
        if SETUP in tags_of(administrator, detail["trustAnchorArn"]):
            _add_anchor(administrator, detail, found)
    for detail in administrator.pages("iam", "ListRoles", "Roles"):
        # What setup makes has it; so the tags of an account's other roles need no reading.
        if SERVICE not in json.dumps(detail.get("AssumeRolePolicyDocument")):
            continue
        name = detail["RoleName"]
        tags = from_iam(list(administrator.pages("iam", "ListRoleTags", "Tags", RoleName=name)))
        if SETUP in tags and tags.get(REGION) == administrator.region:
            role = find_role(administrator, name)
            found.items += [_role(role)] if role is not None else []
    return found


def _removal(kind: Kind, detail: Detail) -> Removal:
    key = f"{kind.member}Id"
    change = Change("rolesanywhere", f"Delete{kind.noun}", {key: detail[key]}, _REMOVE)
    name = detail.get("aliasName") or detail["name"]
    return Removal(kind.words, name, detail[f"{kind.member}Arn"], (change,))


def _add_profile(detail: Detail, role: str, found: Removals) -> None:
    """The profile. If it has further roles, it stays without this one."""
    arns = detail.get("roleArns", ())
    others = [arn for arn in arns if arn.rpartition("/")[2] != role]
    if not others:
        found.items.append(_removal(PROFILE, detail))
        return
    names = ", ".join(arn.rpartition("/")[2] for arn in others)
    found.notes.append(f"the profile {detail['name']} stays: it has the roles {names}, too")
    if len(others) < len(arns):
        parameters = {"profileId": detail["profileId"], "roleArns": others}
        change = Change("rolesanywhere", "UpdateProfile", parameters, f"take {role} out of it")
        found.items.append(Removal(PROFILE.words, detail["name"], detail["profileArn"], (change,)))


def _add_anchor(administrator: Administrator, detail: Detail, found: Removals) -> None:
    """The trust anchor, after its revocation lists."""
    arn = detail["trustAnchorArn"]
    for crl in listed(administrator, REVOCATION_LIST):
        if crl["trustAnchorArn"] != arn:
            continue
        if SETUP not in tags_of(administrator, crl["crlArn"]):
            found.notes.append(
                f"the revocation list {crl['crlArn']} stays: it has no tag of setup's"
            )
            continue
        found.items.append(_removal(REVOCATION_LIST, crl))
    found.items.append(_removal(TRUST_ANCHOR, detail))


def _role(role: FoundRole) -> Removal:
    """A role with all that keeps IAM from removing it; one that was there before loses our tags."""
    change = partial(role_change, role.name)
    if ADOPTED in role.tags:
        text = "keep it, since setup did not make it, and remove its tags"
        changes = [change("UntagRole", text, TagKeys=[key for key in OURS if key in role.tags])]
    else:
        changes = [
            *(
                change("DetachRolePolicy", f"detach {arn}", PolicyArn=arn)
                for arn in role.policy_arns
            ),
            *(
                change("DeleteRolePolicy", f"remove its inline policy {name}", PolicyName=name)
                for name in role.inline_names
            ),
            change("DeleteRole", _REMOVE),
        ]
    return Removal("role", role.name, role.arn, tuple(changes))


def remove(administrator: Administrator, removals: Removals, tell: Tell) -> None:
    """Remove all of it; tells each step.

    Raises:
        RolesAnywhereError: AWS refused a call. Another run goes on from there.
    """
    for item in removals.items:
        for change in item.changes:
            tell(f"{item.kind} {item.name}: {change.text}")
            administrator.call(change.service, change.operation, **change.parameters)

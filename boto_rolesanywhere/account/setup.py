"""Making what is wanted: trust anchor, role and profile, or what differs of them.

Each is made whole in one call, with its tags: so the next run finds what a killed one has left. All
is read, and refused if need be, before the first call that changes something.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError

from .differences import (
    Change,
    anchor_changes,
    anchor_creation,
    as_made,
    profile_changes,
    profile_creation,
    role_changes,
    role_creation,
    same_source,
)
from .found import (
    PROFILE,
    TRUST_ANCHOR,
    Found,
    FoundRole,
    find,
    find_role,
    listed,
    tags_of,
)
from .mapped import require_mapped
from .service_errors import translated
from .tags import ADOPTED, REGION, SETUP
from .trust_policies import trust_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .administrator import Administrator
    from .found import Kind
    from .wanted import Wanted

    Tell = Callable[[str], None]

# In a plan, what only AWS can say.
NEW: Final = "(known once it is made)"


@dataclass(slots=True)
class Part:
    """One of the three things, and what happens to it.

    Attributes:
        kind: ``trust anchor``, ``role`` or ``profile``.
        name: its alias, or the role's name.
        arn: `NEW` in a plan, if it is yet to make.
        exists: False as long as it is yet to make.
        changes: that were made; in a plan: that would be.
        notes: what somebody should know of it.
    """

    kind: str
    name: str
    arn: str
    exists: bool
    changes: list[Change]
    notes: list[str]

    def to_json(self) -> dict[str, object]:
        """As JSON values, with keys that stay."""
        fields = asdict(self)
        exists = fields.pop("exists")
        return {**fields, "arn": self.arn if exists else None}


@dataclass(slots=True)
class Setup:
    """One run of setup.

    Attributes:
        administrator: makes the calls.
        wanted: what shall be there.
        plan: whether to change nothing and only say what would be changed.
        adopt_role: whether to take over a role of that name that setup did not make.
        detach_others: whether to detach managed policies that `wanted` does not name.
        tell: is called with each step, in words.
        parts: trust anchor, role and profile, as far as the run has come.
        notes: what somebody should know of the account.
    """

    administrator: Administrator
    wanted: Wanted
    _: KW_ONLY
    plan: bool = False
    adopt_role: bool = False
    detach_others: bool = False
    tell: Tell = lambda _: None
    parts: list[Part] = field(default_factory=list, init=False)
    notes: list[str] = field(default_factory=list, init=False)
    _aliases: bool = field(default=False, init=False)  # whether this botocore knows them

    def run(self) -> tuple[str, str, str]:
        """Make it.

        Returns:
            The ARNs of trust anchor, profile and role; in a plan some may be `NEW`.

        Raises:
            RolesAnywhereError: something is another's, or AWS refused a call. `parts` says what
                there is; another run goes on from there.
        """
        administrator, wanted = self.administrator, self.wanted
        self.tell(f"account {administrator.account}, Region {administrator.region}")
        self._require_new_botocore()
        anchors, profiles = listed(administrator, TRUST_ANCHOR), listed(administrator, PROFILE)
        asked = wanted.anchor, wanted.profile
        anchor = find(administrator, TRUST_ANCHOR, anchors, asked[0].alias, asked[0].name)
        profile = find(administrator, PROFILE, profiles, asked[1].alias, asked[1].name)
        role = find_role(administrator, wanted.role.name)
        if role is not None:
            self._require_usable(role)
        require_mapped(wanted, profile.detail if profile is not None else None)
        if anchor is None:
            self._note_twins(anchors)
        anchor_arn = self._make_anchor(anchor)
        role_arn = self._make_role(role, anchor_arn)
        profile_arn = self._make_profile(profile, role_arn)
        return anchor_arn, profile_arn, role_arn

    def _require_new_botocore(self) -> None:
        self._aliases = self.administrator.takes("rolesanywhere", "CreateProfile", "aliasName")
        if not self._aliases:
            self._note(
                "this botocore knows no aliases: what is made gets none, and is found again by its"
                " tag"
            )
        points = self.wanted.anchor.crl_distribution_points
        trusted = self.wanted.profile.trusted_identity
        for parameter, operation, asked in (
            ("crlDpRevocationEnabled", "CreateTrustAnchor", points is not None),
            ("tipConfiguration", "CreateProfile", trusted is not None),
        ):
            if asked and not self.administrator.takes("rolesanywhere", operation, parameter):
                raise ConfigurationError(
                    f"this botocore does not know {parameter}",
                    code="botocore-too-old",
                    remedy="Upgrade boto3 and botocore to 1.44 or later.",
                )

    def _require_usable(self, role: FoundRole) -> None:
        region, path = self.administrator.region, role.detail["Path"]
        if SETUP not in role.tags and not self.adopt_role:
            problem = f"there is a role {role.name!r} that setup did not make"
            remedy = (
                "Choose another name with --role; --adopt-role takes this one over and replaces its"
                " trust policy."
            )
        elif SETUP in role.tags and role.tags.get(REGION, region) != region:
            problem = f"the role {role.name!r} is for a trust anchor in {role.tags[REGION]}"
            remedy = (
                "Choose another name with --role for this Region: roles belong to all Regions of an"
                " account."
            )
        elif path != self.wanted.role.path:
            problem = f"the role {role.name!r} has the path {path}, and a path cannot be changed"
            remedy = f"Add --role-path {path}, or choose another name with --role."
        else:
            return
        raise ConfigurationError(problem, code="name-taken", where=role.arn, remedy=remedy)

    def _note_twins(self, anchors: Iterable[Mapping[str, Any]]) -> None:
        """Say which trust anchors trust the same CA already."""
        for detail in anchors:
            if not same_source(self.wanted.anchor.source, detail["source"]):
                continue
            arn = detail["trustAnchorArn"]
            ours = tags_of(self.administrator, arn).get(SETUP)
            if ours is None:
                self._note(f"{arn} trusts the same CA, and setup did not make it")
            else:
                self._note(
                    f"{arn} trusts the same CA: setup made it as {ours}; --anchor {ours} uses it"
                )

    def _make_anchor(self, found: Found | None) -> str:
        wanted = self.wanted.anchor
        part = self._part("trust anchor", wanted.alias, found)
        if found is None:
            creation = anchor_creation(wanted, aliases=self._aliases)
            found = self._create(part, TRUST_ANCHOR, creation, wanted.tags)
        return self._change(part, found, anchor_changes(wanted, found, aliases=self._aliases))

    def _make_role(self, found: FoundRole | None, anchor_arn: str) -> str:
        wanted = self.wanted.role
        policy = trust_policy(anchor_arn, wanted.certificates)
        part = self._part("role", wanted.name, found)
        if found is not None and SETUP not in found.tags:
            wanted = replace(wanted, tags={**wanted.tags, ADOPTED: "true"})
        if found is None:
            creation = role_creation(wanted, policy)
            answer = self._apply(part, creation)
            made = {"Arn": self._role_arn()} if answer is None else answer["Role"]
            found = FoundRole({**made, **creation.parameters})
            if answer is not None:
                part.arn, part.exists = found.arn, True
                self._await_role()
        for change in role_changes(wanted, found, policy, detach_others=self.detach_others):
            self._apply(part, change)
        others = [arn for arn in found.policy_arns if arn not in wanted.policy_arns]
        if others and not self.detach_others:
            part.notes.append(
                f"also attached, and left: {', '.join(others)}; --detach-others detaches"
            )
        self._close(part)
        return found.arn

    def _role_arn(self) -> str:
        """As it will be, for a plan."""
        wanted, administrator = self.wanted.role, self.administrator
        prefix = f"arn:{administrator.partition}:iam::{administrator.account}:role"
        return f"{prefix}{wanted.path}{wanted.name}"

    def _await_role(self) -> None:
        """IAM spreads what is made: a profile is not made before IAM itself shows the role."""
        with translated("iam"):
            waiter = self.administrator.client("iam").get_waiter("role_exists")
            waiter.wait(RoleName=self.wanted.role.name)

    def _make_profile(self, found: Found | None, role_arn: str) -> str:
        wanted = self.wanted.profile
        part = self._part("profile", wanted.alias, found)
        if found is None:
            creation = profile_creation(wanted, role_arn, aliases=self._aliases)
            found = self._create(part, PROFILE, creation, wanted.tags)
        changes = profile_changes(wanted, found, role_arn, aliases=self._aliases)
        return self._change(part, found, changes)

    def _create(self, part: Part, kind: Kind, creation: Change, tags: Mapping[str, str]) -> Found:
        answer = self._apply(part, creation)
        if answer is None:
            return as_made(kind, creation, tags, NEW, NEW)
        found = Found(kind, answer[kind.member], tags)
        part.arn, part.exists = found.arn, True
        return found

    def _change(self, part: Part, found: Found, changes: Iterable[Change]) -> str:
        for change in changes:
            self._apply(part, change)
        if not found.detail.get("enabled"):
            part.notes.append("it is disabled, and stays so: nobody gets a session through it")
        self._close(part)
        return part.arn

    def _apply(self, part: Part, change: Change) -> Any:  # noqa: ANN401  # by operation
        """Make the call, or, in a plan, only say so; the answer, or None."""
        self.tell(f"{part.kind} {part.name}: {change.text}")
        answer = None
        if not self.plan:
            answer = self.administrator.call(change.service, change.operation, **change.parameters)
        part.changes.append(change)
        return answer

    def _part(self, kind: str, name: str, found: Found | FoundRole | None) -> Part:
        exists = found is not None
        part = Part(kind, name, found.arn if found else NEW, exists, changes=[], notes=[])
        self.parts.append(part)
        return part

    def _close(self, part: Part) -> None:
        if not part.changes:
            self.tell(f"{part.kind} {part.name}: as it should be")
        for note in part.notes:
            self.tell(f"{part.kind} {part.name}: {note}")

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self.tell(text)

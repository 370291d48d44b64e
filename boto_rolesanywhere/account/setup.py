"""Making what is wanted: trust anchor, role and profile, or what differs of them.

Each is made whole in one call, with its tags: so the next run finds what a killed one has left. All
is read, and refused if need be, before the first call that changes something.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError

from .differences import (
    Change,
    anchor_changes,
    anchor_creation,
    profile_changes,
    profile_creation,
    role_changes,
    role_creation,
)
from .found import (
    FoundAnchor,
    FoundProfile,
    FoundRole,
    anchor_from,
    find_anchor,
    find_profile,
    find_role,
    list_anchors,
    list_profiles,
    profile_from,
    require_own,
    role_from,
    tags_of,
)
from .sameness import same_source
from .service_errors import translated
from .tags import ADOPTED, SETUP
from .trust_policies import trust_policy
from .wanted import DEFAULT_MAPPINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .administrator import Administrator
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
        return {
            "kind": self.kind,
            "name": self.name,
            "arn": self.arn if self.exists else None,
            "changes": [change.to_json() for change in self.changes],
            "notes": list(self.notes),
        }


class Setup:
    """One run of setup.

    Attributes:
        parts: trust anchor, role and profile, as far as the run has come.
        notes: what somebody should know of the account.
    """

    def __init__(
        self,
        administrator: Administrator,
        wanted: Wanted,
        *,
        plan: bool = False,
        adopt_role: bool = False,
        detach_others: bool = False,
        tell: Tell = lambda _: None,
    ) -> None:
        """Prepare the run; nothing is sent yet.

        Args:
            administrator: makes the calls.
            wanted: what shall be there.
            plan: whether to change nothing and only say what would be changed.
            adopt_role: whether to take over a role of that name that setup did not make.
            detach_others: whether to detach managed policies that `wanted` does not name.
            tell: is called with each step, in words.
        """
        self._administrator = administrator
        self._wanted = wanted
        self._plan = plan
        self._adopt_role = adopt_role
        self._detach_others = detach_others
        self._tell = tell
        self._aliases = False
        self.parts: list[Part] = []
        self.notes: list[str] = []

    def run(self) -> tuple[str, str, str]:
        """Make it.

        Returns:
            The ARNs of trust anchor, profile and role; in a plan some may be `NEW`.

        Raises:
            RolesAnywhereError: something is another's, or AWS refused a call. `parts` says what
                there is; another run goes on from there.
        """
        administrator, wanted = self._administrator, self._wanted
        self._tell(f"account {administrator.account}, Region {administrator.region}")
        self._require_new_botocore()
        anchors, profiles = list_anchors(administrator), list_profiles(administrator)
        anchor = find_anchor(administrator, anchors, wanted.anchor.alias, wanted.anchor.name)
        profile = find_profile(administrator, profiles, wanted.profile.alias, wanted.profile.name)
        role = find_role(administrator, wanted.role.name)
        if role is not None:
            self._require_usable(role)
        if anchor is None:
            self._note_twins(anchors)
        anchor_arn = self._make_anchor(anchor)
        role_arn = self._make_role(role, anchor_arn)
        profile_arn = self._make_profile(profile, role_arn)
        return anchor_arn, profile_arn, role_arn

    def _require_new_botocore(self) -> None:
        self._aliases = self._administrator.takes("rolesanywhere", "CreateProfile", "aliasName")
        if not self._aliases:
            self._note(
                "this botocore knows no aliases: what is made gets none, and is found again by its"
                " tag"
            )
        points = self._wanted.anchor.crl_distribution_points
        trusted = self._wanted.profile.trusted_identity
        for parameter, operation, asked in (
            ("crlDpRevocationEnabled", "CreateTrustAnchor", points is not None),
            ("tipConfiguration", "CreateProfile", trusted is not None),
        ):
            if asked and not self._administrator.takes("rolesanywhere", operation, parameter):
                raise ConfigurationError(
                    f"this botocore does not know {parameter}",
                    code="botocore-too-old",
                    remedy="Upgrade boto3 and botocore to 1.44 or later.",
                )

    def _require_usable(self, role: FoundRole) -> None:
        require_own(role, self._administrator.region, adopt=self._adopt_role)
        if role.path != self._wanted.role.path:
            raise ConfigurationError(
                f"the role {role.name!r} has the path {role.path}, and a path cannot be changed",
                code="name-taken",
                where=role.arn,
                remedy=f"Add --role-path {role.path}, or choose another name with --role.",
            )

    def _note_twins(self, anchors: Iterable[Mapping[str, Any]]) -> None:
        """Say which trust anchors trust the same CA already."""
        for detail in anchors:
            if not same_source(self._wanted.anchor.source, detail["source"]):
                continue
            arn = detail["trustAnchorArn"]
            ours = tags_of(self._administrator, arn).get(SETUP)
            if ours is None:
                self._note(f"{arn} trusts the same CA, and setup did not make it")
            else:
                self._note(
                    f"{arn} trusts the same CA: setup made it as {ours}; --anchor {ours} uses it"
                )

    def _make_anchor(self, found: FoundAnchor | None) -> str:
        wanted = self._wanted.anchor
        part = self._part("trust anchor", wanted.alias, found.arn if found else None)
        if found is None:
            answer = self._apply(part, anchor_creation(wanted, aliases=self._aliases))
            if answer is not None:
                self._exists(part, anchor_from(answer["trustAnchor"], wanted.tags).arn)
        else:
            for change in anchor_changes(wanted, found, aliases=self._aliases):
                self._apply(part, change)
            self._note_disabled(part, enabled=found.enabled)
        self._close(part)
        return part.arn

    def _make_role(self, found: FoundRole | None, anchor_arn: str) -> str:
        wanted = self._wanted.role
        policy = trust_policy(anchor_arn, wanted.certificates)
        part = self._part("role", wanted.name, found.arn if found else None)
        if found is not None and SETUP not in found.tags:
            wanted = replace(wanted, tags={**wanted.tags, ADOPTED: "true"})
        if found is None:
            answer = self._apply(part, role_creation(wanted, policy))
            found = self._new_role(policy) if answer is None else role_from(answer["Role"])
            found = replace(found, tags=wanted.tags, trust_policy=policy)
            if answer is not None:
                self._exists(part, found.arn)
                self._await_role()
        for change in role_changes(wanted, found, policy, detach_others=self._detach_others):
            self._apply(part, change)
        others = [arn for arn in found.policy_arns if arn not in wanted.policy_arns]
        if others and not self._detach_others:
            part.notes.append(
                f"also attached, and left: {', '.join(others)}; --detach-others detaches"
            )
        self._close(part)
        return found.arn

    def _new_role(self, policy: Mapping[str, Any]) -> FoundRole:
        """The role as it will be, for a plan."""
        wanted, administrator = self._wanted.role, self._administrator
        return FoundRole(
            name=wanted.name,
            arn=f"arn:{administrator.partition}:iam::{administrator.account}:role{wanted.path}"
            f"{wanted.name}",
            path=wanted.path,
            trust_policy=policy,
            max_session_duration=wanted.max_session_duration or 3600,
            policy_arns=(),
            inline_policy=None,
            inline_names=(),
            tags=wanted.tags,
        )

    def _await_role(self) -> None:
        """IAM spreads what is made: a profile is not made before IAM itself shows the role."""
        with translated("iam"):
            waiter = self._administrator.client("iam").get_waiter("role_exists")
            waiter.wait(RoleName=self._wanted.role.name)

    def _make_profile(self, found: FoundProfile | None, role_arn: str) -> str:
        wanted = self._wanted.profile
        part = self._part("profile", wanted.alias, found.arn if found else None)
        if found is None:
            answer = self._apply(part, profile_creation(wanted, role_arn, aliases=self._aliases))
            if answer is None:
                found = self._new_profile(role_arn)
            else:
                found = profile_from(answer["profile"], wanted.tags)
                self._exists(part, found.arn)
        for change in profile_changes(wanted, found, role_arn, aliases=self._aliases):
            self._apply(part, change)
        self._note_disabled(part, enabled=found.enabled)
        self._close(part)
        return part.arn

    def _new_profile(self, role_arn: str) -> FoundProfile:
        """The profile as it will be, for a plan."""
        wanted = self._wanted.profile
        created = profile_creation(wanted, role_arn, aliases=self._aliases).parameters
        detail = {"profileId": NEW, "profileArn": NEW, **created}
        return replace(profile_from(detail, wanted.tags), mappings=DEFAULT_MAPPINGS)

    def _apply(self, part: Part, change: Change) -> Any:  # noqa: ANN401  # by operation
        """Make the call, or, in a plan, only say so; the answer, or None."""
        self._tell(f"{part.kind} {part.name}: {change.text}")
        answer = None
        if not self._plan:
            answer = self._administrator.call(change.service, change.operation, **change.parameters)
        part.changes.append(change)
        return answer

    def _part(self, kind: str, name: str, arn: str | None) -> Part:
        part = Part(kind, name, arn or NEW, exists=arn is not None, changes=[], notes=[])
        self.parts.append(part)
        return part

    def _exists(self, part: Part, arn: str) -> None:
        part.arn, part.exists = arn, True

    def _note_disabled(self, part: Part, *, enabled: bool) -> None:
        if not enabled:
            part.notes.append("it is disabled, and stays so: nobody gets a session through it")

    def _close(self, part: Part) -> None:
        if not part.changes:
            self._tell(f"{part.kind} {part.name}: as it should be")
        for note in part.notes:
            self._tell(f"{part.kind} {part.name}: {note}")

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self._tell(text)

"""What is in the account already: read, and told apart by tag. Nothing is changed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from boto_rolesanywhere.errors import ConfigurationError, ServiceError

from .tags import SETUP, from_iam, from_rolesanywhere
from .wanted import INLINE_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .administrator import Administrator

    Detail = Mapping[str, Any]  # as the service lists it


class Kind(NamedTuple):
    """Trust anchors, profiles or revocation lists: how people and the service call them.

    Attributes:
        words: for people.
        noun: in the names of operations, such as ``CreateTrustAnchor``.
        member: in the names of members, such as ``trustAnchorId``.
    """

    words: str
    noun: str
    member: str


TRUST_ANCHOR: Final = Kind("trust anchor", "TrustAnchor", "trustAnchor")
PROFILE: Final = Kind("profile", "Profile", "profile")
REVOCATION_LIST: Final = Kind("revocation list", "Crl", "crl")


class Found(NamedTuple):
    """A trust anchor or profile that exists: as the service lists it, and its tags."""

    kind: Kind
    detail: Detail
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        """Its canonical ARN."""
        return str(self.detail[f"{self.kind.member}Arn"])

    @property
    def subject(self) -> dict[str, str]:
        """The parameter that names it in a call."""
        key = f"{self.kind.member}Id"
        return {key: self.detail[key]}


class FoundRole(NamedTuple):
    """A role that exists.

    Attributes:
        detail: as IAM gives it.
        policy_arns: the managed policies that are attached.
        inline_policy: the document of the inline policy `INLINE_POLICY`.
        inline_names: the names of all inline policies.
    """

    detail: Detail
    policy_arns: tuple[str, ...] = ()
    inline_policy: Detail | None = None
    inline_names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """By which IAM's operations call it."""
        return str(self.detail["RoleName"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.detail["Arn"])

    @property
    def tags(self) -> dict[str, str]:
        """Ours and others'."""
        return from_iam(self.detail.get("Tags", ()))


def listed(administrator: Administrator, kind: Kind) -> list[Detail]:
    """All of one kind in account and Region, without their tags."""
    return list(administrator.pages("rolesanywhere", f"List{kind.noun}s", f"{kind.member}s"))


def tags_of(administrator: Administrator, arn: str) -> dict[str, str]:
    """The tags of a trust anchor, a profile or a revocation list."""
    answer = administrator.call("rolesanywhere", "ListTagsForResource", resourceArn=arn)
    return from_rolesanywhere(answer.get("tags", ()))


def find(
    administrator: Administrator, kind: Kind, details: Iterable[Detail], alias: str, name: str
) -> Found | None:
    """The trust anchor or profile that setup made under this alias.

    It has the tag, and is among those with the alias or, if somebody took it, the name. The tag
    decides; alias and name spare the reading of all tags, at one call a second.

    Raises:
        ConfigurationError: the alias is another's.
    """
    candidates = list(details)
    key = f"{kind.member}Arn"
    for detail in candidates:
        if detail.get("aliasName") != alias:
            continue
        tags = tags_of(administrator, detail[key])
        if tags.get(SETUP) != alias:
            raise ConfigurationError(
                f"the alias {alias!r} is that of a {kind.words} that setup did not make",
                code="name-taken",
                where=detail[key],
                remedy="Choose another name: --anchor for the trust anchor, --role-profile for the"
                " profile.",
            )
        return Found(kind, detail, tags)
    for detail in candidates:
        if detail["name"] == name:
            tags = tags_of(administrator, detail[key])
            if tags.get(SETUP) == alias:
                return Found(kind, detail, tags)
    return None


def find_role(administrator: Administrator, name: str) -> FoundRole | None:
    """The role of that name, whoever made it."""
    try:
        detail = administrator.call("iam", "GetRole", RoleName=name)["Role"]
    except ServiceError as error:
        if error.service_code == "NoSuchEntity":
            return None
        raise
    attached = administrator.pages(
        "iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name
    )
    policy_arns = tuple(policy["PolicyArn"] for policy in attached)
    inline = tuple(administrator.pages("iam", "ListRolePolicies", "PolicyNames", RoleName=name))
    document = None
    if INLINE_POLICY in inline:
        answer = administrator.call("iam", "GetRolePolicy", RoleName=name, PolicyName=INLINE_POLICY)
        document = answer["PolicyDocument"]
    return FoundRole(detail, policy_arns, document, inline)

"""The options that say what shall be in the account, and what they come to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from boto_rolesanywhere.account.mapped import require_mapped
from boto_rolesanywhere.account.tags import ANCHOR, REGION, SETUP
from boto_rolesanywhere.account.wanted import (
    CERTIFICATE_FIELDS,
    Notification,
    TrustedIdentity,
    Wanted,
    WantedAnchor,
    WantedProfile,
    WantedRole,
)
from boto_rolesanywhere.authority.folder import TRUST_ANCHOR
from boto_rolesanywhere.authority.records import no_authority
from boto_rolesanywhere.cli.authority.opening import folder_of
from boto_rolesanywhere.cli.authority.workload import read_file
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.refusals import both_given
from boto_rolesanywhere.clock import in_words, utc_now
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.opening import open_certificates
from boto_rolesanywhere.settings.arns import parse_arn
from boto_rolesanywhere.settings.names import SHORTEST_SESSION

from .wish_values import (
    alias,
    alias_from,
    mapping,
    name_from,
    notice,
    policy_arn,
    role_name,
    role_path,
    seconds,
    tag,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIPS: Final = {"cn": "x509Subject/CN", "uri": "x509SAN/URI"}
_IAM_DEFAULT: Final = 3600  # seconds


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Declare what says what shall be there."""
    _add_anchor(parser.add_argument_group("the trust anchor"))
    _add_role(parser.add_argument_group("the role"))
    _add_profile(parser.add_argument_group("the IAM Roles Anywhere profile"))
    add_repeated(
        parser, "--tag", "KEY=VALUE", "a tag of yours, for all that is made; may be repeated", tag
    )


def _add_anchor(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--ca",
        metavar="PLACE",
        help="the CA: the folder of `ca init`, its certificate's file, or the ARN of an AWS Private"
        " CA; default: the folder that `ca` uses",
    )
    group.add_argument("--anchor", metavar="NAME", type=alias, help="default: from the CA's name")
    add_switch(group, "--refresh-anchor", "have AWS read the CA anew: a Private CA was renewed")
    group.add_argument(
        "--crl-distribution-points",
        action=argparse.BooleanOptionalAction,
        help="whether AWS asks the certificates' CRL distribution points",
    )
    for flag, whose in (("--notify-ca", "the CA's"), ("--notify-workloads", "a workload's")):
        group.add_argument(
            flag,
            metavar="DAYS",
            type=notice,
            help=f"how long before {whose} certificate ends AWS tells so: 1 to 360, or off",
        )


def _add_role(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--role", metavar="NAME", type=role_name, required=True)
    group.add_argument("--role-path", metavar="PATH", type=role_path, default="/")
    add_repeated(
        group, "--policy-arn", "ARN", "a managed policy to attach; may be repeated", policy_arn
    )
    group.add_argument("--policy", metavar="FILE", type=Path, help="an inline policy, in JSON")
    add_repeated(
        group,
        "--subject",
        "NAME",
        "whose certificates, such as CN=app1,OU=it; several are alternatives; default: CN="
        " and the role's name",
    )
    add_repeated(
        group,
        "--san",
        "KIND:NAME",
        "what their certificates must have, too: DNS:…, URI:… or dirName:…",
    )
    add_switch(group, "--any-subject", "every certificate of the trust anchor")
    group.add_argument(
        "--max-session-duration",
        metavar="SECONDS",
        type=seconds(_IAM_DEFAULT),
        help="3600 to 43200; default: 3600, or as --duration asks",
    )
    group.add_argument(
        "--permissions-boundary", metavar="ARN", type=policy_arn, help="for a role that is made"
    )


def _add_profile(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--role-profile", metavar="NAME", type=alias, help="default: the role's name"
    )
    group.add_argument(
        "--duration",
        metavar="SECONDS",
        type=seconds(SHORTEST_SESSION),
        help="how long a session lasts: 900 to 43200; default: 3600",
    )
    group.add_argument(
        "--session-policy", metavar="FILE", type=Path, help="limits every session; JSON"
    )
    group.add_argument(
        "--session-policy-arn",
        metavar="ARN",
        action="append",
        type=policy_arn,
        help="a managed policy that limits every session; may be repeated",
    )
    add_switch(group, "--no-session-policy", "no session policy limits the sessions any longer")
    group.add_argument(
        "--accept-session-name",
        action=argparse.BooleanOptionalAction,
        help="whether a workload may choose the role session's name",
    )
    add_repeated(
        group,
        "--map",
        "FIELD=NAME,…",
        f"what of {', '.join(CERTIFICATE_FIELDS)} becomes session tags; may be repeated",
        mapping,
    )
    group.add_argument(
        "--trusted-identity",
        choices=(*_TIPS, "off"),
        help="trusted identity propagation: the subject is the CN or the URI name",
    )
    group.add_argument("--trusted-identity-type", choices=("workload", "user"), default="workload")


def wanted_of(arguments: argparse.Namespace, region: str) -> Wanted:
    """What the options ask for.

    Raises:
        RolesAnywhereError: a file cannot be read, or AWS would refuse something.
    """
    if arguments.no_session_policy and (arguments.session_policy or arguments.session_policy_arn):
        raise ConfigurationError(
            "--no-session-policy and a session policy were given", code="flags-exclusive"
        )
    anchor = _anchor(arguments)
    profile = arguments.role_profile or alias_from(arguments.role)
    wanted = Wanted(
        anchor=anchor,
        role=WantedRole(
            name=arguments.role,
            path=arguments.role_path,
            certificates=_certificates(arguments),
            policy_arns=tuple(arguments.policy_arn),
            inline_policy=_policy(arguments.policy),
            max_session_duration=_longest_session(arguments),
            permissions_boundary=arguments.permissions_boundary,
            tags={
                **dict(arguments.tag),
                SETUP: arguments.role,
                ANCHOR: anchor.alias,
                REGION: region,
            },
        ),
        profile=WantedProfile(
            name=name_from(profile),
            alias=profile,
            duration=arguments.duration,
            session_policy=(
                False if arguments.no_session_policy else _policy(arguments.session_policy)
            ),
            managed_policy_arns=() if arguments.no_session_policy else arguments.session_policy_arn,
            accept_session_name=arguments.accept_session_name,
            mappings=dict(arguments.map),
            trusted_identity=_trusted_identity(arguments),
            tags={**dict(arguments.tag), SETUP: profile, ANCHOR: anchor.alias},
        ),
    )
    require_mapped(wanted)
    return wanted


def _anchor(arguments: argparse.Namespace) -> WantedAnchor:
    source = source_of(arguments)
    name = arguments.anchor or source.alias
    events: tuple[tuple[Any, Any], ...] = (
        ("CA_CERTIFICATE_EXPIRY", arguments.notify_ca),
        ("END_ENTITY_CERTIFICATE_EXPIRY", arguments.notify_workloads),
    )
    return WantedAnchor(
        name=name_from(name),
        alias=name,
        bundle=source.bundle,
        pca_arn=source.pca_arn,
        refresh=arguments.refresh_anchor,
        crl_distribution_points=arguments.crl_distribution_points,
        notifications=tuple(
            Notification(event, threshold=days or None, enabled=days != 0)
            for event, days in events
            if days is not None
        ),
        tags={**dict(arguments.tag), SETUP: name},
    )


class Source(NamedTuple):
    """What a trust anchor trusts, and what it is called if nobody says so."""

    bundle: str | None
    pca_arn: str | None
    alias: str


def source_of(arguments: argparse.Namespace) -> Source:
    """What ``--ca`` names: certificates in PEM, or an AWS Private CA.

    Raises:
        RolesAnywhereError: it cannot be read, or cannot be a trust anchor.
    """
    if arguments.ca and arguments.ca.startswith("arn:"):
        parse_arn("certificate-authority", arguments.ca, where="--ca")
        identifier = arguments.ca.rpartition("/")[2]
        return Source(None, arguments.ca, f"private-ca-{identifier[:8]}")
    from boto_rolesanywhere.account.anchor_bundle import alias_for, anchor_bundle

    place = folder_of(arguments)
    if place.is_dir() or not arguments.ca:
        place /= TRUST_ANCHOR
        if not place.exists():
            raise no_authority(place.parent)
    certificates = open_certificates(str(place)).certificates
    bundle = anchor_bundle(certificates, str(place), utc_now())
    return Source(bundle, None, alias_for(certificates[0]))


def _certificates(arguments: argparse.Namespace) -> tuple[dict[str, str], ...]:
    from boto_rolesanywhere.account.trust_policies import certificates_with

    if arguments.any_subject:
        if arguments.subject:
            raise both_given("--any-subject", "--subject")
        return certificates_with((), arguments.san)
    return certificates_with(arguments.subject or [f"CN={arguments.role}"], arguments.san)


def _longest_session(arguments: argparse.Namespace) -> int | None:
    """The role's own limit, which must not be below the profile's duration."""
    longest: int | None = arguments.max_session_duration
    if longest is None and (arguments.duration or 0) > _IAM_DEFAULT:
        longest = arguments.duration
    if longest is not None and longest < (arguments.duration or 0):
        wanted, limit = in_words(arguments.duration), in_words(longest)
        if wanted == limit:  # rounded
            wanted, limit = f"{arguments.duration} seconds", str(longest)
        raise ConfigurationError(
            f"sessions of {wanted} exceed the role's {limit}",
            code="setting-invalid",
            where="--duration and --max-session-duration",
            expected="the second at least as long as the first",
        )
    return longest


def _policy(path: Path | None) -> Mapping[str, object] | None:
    """The policy in a file, as JSON."""
    if path is None:
        return None
    try:
        document = json.loads(read_file(path))
    except ValueError as error:
        raise ConfigurationError(
            f"it is no JSON ({error})", code="content-unrecognised", where=str(path)
        ) from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise ConfigurationError(
            "it is no policy",
            code="content-unrecognised",
            where=str(path),
            expected="a JSON object with a Statement",
        )
    return document


def _trusted_identity(arguments: argparse.Namespace) -> Any:  # noqa: ANN401  # see WantedProfile
    chosen = arguments.trusted_identity
    if chosen is None:
        return None
    if chosen == "off":
        return False
    return TrustedIdentity(cast("Any", _TIPS[chosen]), arguments.trusted_identity_type)

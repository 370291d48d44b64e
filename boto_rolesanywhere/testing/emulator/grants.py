"""May this certificate, which is trusted, have a session? Then here it is.

Profile, role, session name and duration are judged here, and the answer's content is made.
"""

from __future__ import annotations

import secrets
from base64 import b32encode, b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from .answers import (
    DURATION_ABOVE_ROLE,
    INVALID_PROFILE,
    NO_SESSION_NAMES,
    NO_TIP_SUBJECT,
    ROLE_NOT_IN_PROFILE,
    Refused,
    cannot_assume,
)
from .principal import packed_size, principal_tags, serial_hex, source_identity, subject_arn
from .resources import Arn, Profile, Role
from .trust_policy import trust_problem

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from .resources import Registry, TrustAnchor
    from .wire import SessionRequest


_TAG_KEYS: Final = ("PrincipalTag", "RequestTag")  # as the role is assumed, a tag is both


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that the service grants.

    Attributes:
        access_key_id: of its credentials.
        profile: through which it is given, as that is now.
        tags: its principal tags.
        origin_identity: what trusted identity propagation adds to it: ``Subject`` and
            ``SubjectType``; empty if the profile does not use it.
        content: the answer's JSON, secrets included.
    """

    access_key_id: str
    profile: Profile
    tags: dict[str, str]
    origin_identity: dict[str, str]
    content: dict[str, Any] = field(repr=False)


def grant(
    request: SessionRequest,
    certificate: x509.Certificate,
    anchor: TrustAnchor,
    registry: Registry,
    *,
    now: datetime,
    max_lifetime: float | None,
) -> Grant:
    """Give a session.

    Args:
        request: what is asked for.
        certificate: of the client; the trust anchor vouches for it.
        anchor: the trust anchor that vouches.
        registry: profiles and roles.
        now: the time at which the session begins.
        max_lifetime: seconds that no session exceeds, whatever profile and request say.

    Raises:
        Refused: profile, role or request do not allow it.
    """
    profile = _find_profile(request, anchor, registry)
    if request.role_arn not in profile.role_arns:
        raise Refused(ROLE_NOT_IN_PROFILE, f"the profile lists {', '.join(profile.role_arns)}")
    if request.role_session_name is not None and not profile.accept_role_session_name:
        raise Refused(NO_SESSION_NAMES, "the profile does not accept role session names")
    tags = principal_tags(certificate, profile.attribute_mappings)
    identity = _origin_identity(profile, tags)
    context = _context(request, certificate, anchor, tags)
    role = _find_role(request.role_arn, tags, context, profile, registry)
    duration = float(min(profile.duration_seconds, request.duration_seconds or 43200))
    if duration > role.max_session_duration:
        raise Refused(
            DURATION_ABOVE_ROLE, f"{duration:.0f} s are above {role.max_session_duration} s"
        )
    if max_lifetime is not None:
        duration = min(duration, max_lifetime)
    content = _made(request, certificate, anchor, tags, now + timedelta(seconds=duration))
    access_key_id = content["credentialSet"][0]["credentials"]["accessKeyId"]
    return Grant(access_key_id, profile, tags, identity, content)


def _origin_identity(profile: Profile, tags: dict[str, str]) -> dict[str, str]:
    """What trusted identity propagation takes from the certificate.

    Raises:
        Refused: the profile maps no such attribute, or the certificate has no value for it. That
            the session is then denied is documented, with which words is not.
    """
    if profile.tip_source is None:
        return {}
    if profile.tip_source not in tags:
        raise Refused(NO_TIP_SUBJECT, f"{profile.tip_source} is not mapped or has no value")
    settings: Any = profile.about.get("tipConfiguration", {})
    kind = settings.get("subjectType")
    return {"Subject": tags[profile.tip_source], **({"SubjectType": kind} if kind else {})}


def _find_profile(request: SessionRequest, anchor: TrustAnchor, registry: Registry) -> Profile:
    profile = registry.find(Profile, request.profile_arn)
    if profile is None:
        raise Refused(INVALID_PROFILE, f"{request.profile_arn} is not registered")
    if not profile.enabled:  # that a disabled one is answered so is a guess
        raise Refused(INVALID_PROFILE, "the profile is disabled")
    if not profile.role_arns:
        raise Refused(INVALID_PROFILE, "the profile lists no roles")
    own = Arn.parse(profile.arn, where="profile")
    of_anchor = Arn.parse(anchor.arn, where="trust anchor")
    if (own.region, own.account) != (of_anchor.region, of_anchor.account):
        raise Refused(INVALID_PROFILE, "the profile's Region or account is not the trust anchor's")
    return profile


def _find_role(
    role_arn: str,
    tags: dict[str, str],
    context: dict[str, str],
    profile: Profile,
    registry: Registry,
) -> Role:
    role = registry.role(role_arn)
    if role is None and profile.roles_exist and registry.other_roles is None:
        role = Role(arn=role_arn)
    if role is None:
        raise Refused(cannot_assume(role_arn), f"{role_arn} is not registered")
    reason = _distrust(role, tags, context)
    if reason is not None:
        raise Refused(cannot_assume(role_arn), reason)
    return role


def _distrust(role: Role, tags: dict[str, str], context: dict[str, str]) -> str | None:
    """Why the role does not let the certificate in; None if it does."""
    anchor_arn = context["aws:SourceArn"]
    if not role.trusts_service:
        return "its trust policy does not allow all of the three actions"
    if role.required_source_arn not in (None, anchor_arn):
        return f"aws:SourceArn is {anchor_arn}, not {role.required_source_arn}"
    for key, wanted in role.required_tags.items():
        if tags.get(key) != wanted:
            return f"aws:PrincipalTag/{key} is {tags.get(key)!r}, not {wanted!r}"
    return None if role.trust_policy is None else trust_problem(role.trust_policy, context)


def _context(
    request: SessionRequest,
    certificate: x509.Certificate,
    anchor: TrustAnchor,
    tags: dict[str, str],
) -> dict[str, str]:
    """The values of the condition keys that a trust policy may ask for."""
    session_tags = {f"aws:{kind}/{key}": value for key, value in tags.items() for kind in _TAG_KEYS}
    return {
        **session_tags,
        "aws:SourceArn": anchor.arn,
        "aws:SourceAccount": Arn.parse(anchor.arn, where="trust anchor").account,
        "sts:SourceIdentity": source_identity(certificate),
        "sts:RoleSessionName": request.role_session_name or serial_hex(certificate),
    }


def _made(
    request: SessionRequest,
    certificate: x509.Certificate,
    anchor: TrustAnchor,
    tags: dict[str, str],
    expires: datetime,
) -> dict[str, Any]:
    of_anchor, of_role = (
        Arn.parse(anchor.arn, where="trust anchor"),
        Arn.parse(request.role_arn, where="role"),
    )
    name = request.role_session_name or serial_hex(certificate)
    role_name = of_role.resource.rpartition("/")[2]  # without the path, as STS writes it
    assumed = f"arn:{of_role.partition}:sts::{of_role.account}:assumed-role/{role_name}/{name}"
    session = {
        "assumedRoleUser": {
            "arn": assumed,
            "assumedRoleId": f"{_role_id(request.role_arn)}:{name}",
        },
        "credentials": {
            "accessKeyId": "ASIA" + b32encode(secrets.token_bytes(10)).decode("ascii"),
            "secretAccessKey": b64encode(secrets.token_bytes(30)).decode("ascii"),
            "sessionToken": b64encode(secrets.token_bytes(600)).decode("ascii"),
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "packedPolicySize": packed_size(tags),
        "roleArn": request.role_arn,
        "sourceIdentity": source_identity(certificate),
    }
    subject = subject_arn(certificate, of_anchor.partition, of_anchor.region, of_anchor.account)
    return {"credentialSet": [session], "subjectArn": subject}


def _role_id(role_arn: str) -> str:
    """The same role always has the same id."""
    return "AROA" + b32encode(sha256(role_arn.encode()).digest()).decode("ascii")[:17]

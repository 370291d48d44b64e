"""The Regions of a call, in order of preference: trust anchors, profiles and endpoints by turns.

One of each is the usual case. Several are written one after the other with commas or blanks
between them, or as a list in Python.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import NamedTuple

from .arns import Arn, parse_arn, require_agreement
from .names import ENDPOINT_URL, PROFILE, REGION, ROLE, TRUST_ANCHOR
from .urls import require_endpoint_url
from .values import region_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .arns import Kind
    from .names import Found, Setting

ARN_KINDS: Final[dict[Setting, Kind]] = {
    TRUST_ANCHOR: "trust-anchor",
    PROFILE: "profile",
    ROLE: "role",
}
# Of AWS's own endpoints, VPC endpoints included.
_ENDPOINTS_REGION: Final = r"rolesanywhere(?:-fips)?\.([a-z]+(?:-[a-z]+)+-[0-9]+)\."


class Place(NamedTuple):
    """Where one call may go.

    Attributes:
        trust_anchor: the trust anchor's ARN.
        profile: the profile's ARN, in the same Region.
        region: of endpoint and signature.
        endpoint_url: None for AWS's own.
    """

    trust_anchor: Arn
    profile: Arn
    region: str
    endpoint_url: str | None


def places_of(found: Mapping[Setting, Found]) -> tuple[Place, ...]:
    """The places of a call; trust anchor, profile and role are among the settings.

    Raises:
        ConfigurationError: a text is wrong, or the settings do not go together.
    """
    anchors, profiles = (arns_of(found, setting) for setting in (TRUST_ANCHOR, PROFILE))
    (role,) = arns_of(found, ROLE)
    require_all_agree(found, anchors, profiles, role)
    if len(anchors) > 1 and REGION in found:
        raise ConfigurationError(
            "it names one Region, and there are several trust anchors",
            code="setting-invalid",
            where=found[REGION].where,
            remedy="Leave it out: each call goes to its trust anchor's Region.",
        )
    region, endpoints = region_of(found), _endpoints(found, anchors)
    return tuple(
        Place(anchor, profile, region or anchor.region, endpoint)
        for anchor, profile, endpoint in zip(anchors, profiles, endpoints, strict=True)
    )


def require_all_agree(
    found: Mapping[Setting, Found], anchors: Sequence[Arn], profiles: Sequence[Arn], role: Arn
) -> None:
    """Check that there is a profile for each trust anchor, and that they go together.

    Raises:
        ConfigurationError: naming what does not.
    """
    _require_as_many(found, PROFILE, len(profiles), len(anchors))
    for anchor, profile in zip(anchors, profiles, strict=True):
        require_agreement(anchor, profile, role)


def texts_of(found: Found, setting: Setting) -> tuple[str, ...]:
    """The texts of a setting that may be several; one, as it is, of a setting that may not.

    Raises:
        ConfigurationError: there is none, or a list holds something else.
    """
    value = found.value
    if setting is ROLE:
        return (text_of(found, setting),)
    if isinstance(value, list | tuple) and value:
        return tuple(text_of(type(found)(each, found.where), setting) for each in value)
    text = text_of(found, setting)
    return tuple(text.replace(",", " ").split()) or (text,)


def arn_of(setting: Setting, text: str, where: str) -> Arn:
    """The ARN in `text`; for a profile's name in place of its ARN, the error says where that goes.

    Raises:
        ConfigurationError: it is no ARN of the setting's kind.
    """
    remedy = None
    if setting is PROFILE and not text.startswith("arn:"):
        by_flag = "--config-profile" if where.startswith("--") else "the argument profile_name"
        remedy = f"A profile of the AWS config file is named by {by_flag}."
    return parse_arn(ARN_KINDS[setting], text, where=where, remedy=remedy)


def arns_of(found: Mapping[Setting, Found], setting: Setting) -> tuple[Arn, ...]:
    """The ARNs of a setting that is set.

    Raises:
        ConfigurationError: one is wrong.
    """
    value = found[setting]
    return tuple(arn_of(setting, text, value.where) for text in texts_of(value, setting))


def _endpoints(found: Mapping[Setting, Found], anchors: tuple[Arn, ...]) -> tuple[str | None, ...]:
    if ENDPOINT_URL not in found:
        return (None,) * len(anchors)
    where = found[ENDPOINT_URL].where
    if len(anchors) == 1 and isinstance(found[ENDPOINT_URL].value, str):
        # It may hold a comma.
        endpoints: tuple[str, ...] = (text_of(found[ENDPOINT_URL], ENDPOINT_URL),)
    else:
        endpoints = texts_of(found[ENDPOINT_URL], ENDPOINT_URL)
    _require_as_many(found, ENDPOINT_URL, len(endpoints), len(anchors))
    for endpoint, anchor in zip(endpoints, anchors, strict=True):
        require_endpoint_url(endpoint, where)
        region = re.search(_ENDPOINTS_REGION, endpoint)
        if len(anchors) > 1 and region and region[1] != anchor.region:
            raise ConfigurationError(
                f"the endpoint {endpoint} stands where that of {anchor.region} belongs",
                code="arns-disagree",
                where=where,
                expected="the endpoints in the order of the trust anchors",
            )
    return endpoints


def _require_as_many(
    found: Mapping[Setting, Found], setting: Setting, count: int, anchors: int
) -> None:
    if count != anchors:
        raise ConfigurationError(
            f"there are {count} of it, and {anchors} of the trust anchor ARN",
            code="arns-disagree",
            where=found[setting].where,
            expected=f"one {setting.title} for each trust anchor, in the same order",
        )

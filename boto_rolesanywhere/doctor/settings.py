"""The settings that are text alone: ARNs and options. Files are looked at elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import require_agreement
from boto_rolesanywhere.settings.config import ARN_PARSERS
from boto_rolesanywhere.settings.names import CERTIFICATE

from .verdict import Verdict, of_error, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.settings.arns import Arn
    from boto_rolesanywhere.settings.config import Config

    from .case import Case


def check_arns(case: Case) -> Iterator[Verdict]:
    """Read each ARN, then hold them against each other."""
    parsed: list[Arn] = []
    for setting, parse in ARN_PARSERS.items():
        found = case.found.get(setting)
        if found is None:
            yield skipped("arns", f"the {setting.title} is not set")
            continue
        try:
            parsed.append(parse(str(found.value), where=found.where))
        except ConfigurationError as error:
            yield of_error("arns", error)
    if len(parsed) < len(ARN_PARSERS):
        return
    anchor, profile, role = parsed
    try:
        require_agreement(anchor, profile, role)
    except ConfigurationError as error:
        yield of_error("arns", error)
        return
    case.arns_agree = True
    text = f"trust anchor, profile and role agree: account {anchor.account}, {anchor.region}"
    if role.account != profile.account:
        yield Verdict(
            "arns",
            "warn",
            f"the role is in account {role.account}, the profile in {profile.account}",
            "A profile lists roles of its own account: compare the role's ARN with the profile.",
        )
    else:
        yield Verdict("arns", "ok", text)


def check_settings(case: Case) -> Iterator[Verdict]:
    """Read the options, and see which Region the call goes to."""
    from botocore.session import Session

    from boto_rolesanywhere.provider import Inputs

    if CERTIFICATE not in case.found:
        yield skipped("settings", "no certificate is set")
        return
    inputs = Inputs(
        session=case.botocore or Session(),
        arguments=case.arguments,
        environ=case.environ,
        section=case.section,
        profile_name=case.profile_name,
        flags=case.flags,
    )
    try:
        case.sources = inputs.sources()
        if not case.arns_agree:
            yield skipped("settings", "the ARNs are not right")
            return
        case.config = inputs.config()
    except ConfigurationError as error:
        yield of_error("settings", error)
        return
    if case.config is not None:
        yield _verdict(case.config)


def _verdict(config: Config) -> Verdict:
    asked = (
        f"Region {config.region}",
        f"{config.duration} seconds" if config.duration else "the profile's own duration",
        f"session name {config.session_name}" if config.session_name else "",
    )
    text = ", ".join(filter(None, asked))
    if config.region == config.trust_anchor.region:
        return Verdict("settings", "ok", text)
    return Verdict(
        "settings",
        "fail",
        f"the call goes to {config.region}, and the trust anchor is in"
        f" {config.trust_anchor.region}",
        "Leave the Region out: it is then the trust anchor's.",
    )

"""Profiles: create, read, change, delete; their attribute mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.testing.emulator.resources import Profile

from .call import refuse
from .desk import alias_changes, described, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .call import Call
    from .desk import Desk

_MOST: Final = 250  # a quota of the User Guide
_DURATIONS: Final = range(900, 43201)
_DEFAULT_DURATION: Final = 3600
_LONGEST_POLICY: Final = 100_000
_FIELDS: Final = ("x509Subject", "x509Issuer", "x509SAN")
_LONGEST_SPECIFIER: Final = 60
_TIP_SOURCES: Final = ("x509Subject/CN", "x509SAN/URI")
_TIP_TYPES: Final = ("workload", "user")
_ENABLED: Final = "ENABLED"


def create(desk: Desk, call: Call) -> dict[str, object]:
    """CreateProfile."""
    if len(desk.registry.all(Profile)) >= _MOST:
        refuse(f"The account has {_MOST} profiles already")  # the words are a guess
    call.required("roleArns")
    arn = desk.new_arn(Profile)
    fresh = Profile(
        arn=arn,
        role_arns=(),
        duration_seconds=_DEFAULT_DURATION,
        # As of trust anchors: the default is a guess.
        enabled=call.flag("enabled", default=True),
        about={
            "requireInstanceProperties": call.flag("requireInstanceProperties", default=False),
            "createdBy": desk.prefix.rpartition(":")[2],
        },
    )
    profile = _changed(desk, fresh, call, {"name": call.name()})
    profile = replace(profile, aliases=desk.aliases(Profile, call.alias(), arn))
    tags = call.tags()
    desk.registry.add(profile)
    desk.registry.tag(arn, tags)
    return show(profile)


def get(desk: Desk, call: Call) -> dict[str, object]:
    """GetProfile."""
    return show(desk.find(Profile, call.identifier))


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListProfiles."""
    return page(call, "profiles", [_detail(one) for one in desk.registry.all(Profile)])


def update(desk: Desk, call: Call) -> dict[str, object]:
    """UpdateProfile."""
    held = desk.find(Profile, call.identifier)
    alias, about = alias_changes(call, held.aliases)
    if "name" in call.members:
        about["name"] = call.name()
    changed = replace(
        _changed(desk, held, call, about), aliases=desk.aliases(Profile, alias, held.arn)
    )
    desk.registry.add(changed)
    return show(changed)


def enable(desk: Desk, call: Call) -> dict[str, object]:
    """EnableProfile."""
    return _switched(desk, call, enabled=True)


def disable(desk: Desk, call: Call) -> dict[str, object]:
    """DisableProfile."""
    return _switched(desk, call, enabled=False)


def delete(desk: Desk, call: Call) -> dict[str, object]:
    """DeleteProfile."""
    held = desk.find(Profile, call.identifier)
    desk.registry.remove(held.arn)
    return show(held)


def put_mapping(desk: Desk, call: Call) -> dict[str, object]:
    """PutAttributeMapping: the rules of one field, in place of those it has."""
    held = desk.find(Profile, call.identifier)
    name, rules = call.required("certificateField"), call.required("mappingRules")
    if name not in _FIELDS or not isinstance(rules, list):
        refuse("Invalid value for certificateField or mappingRules")
    specifiers = tuple(
        str(rule.get("specifier")) if isinstance(rule, dict) else "" for rule in rules
    )
    if not all(1 <= len(each) <= _LONGEST_SPECIFIER for each in specifiers):
        refuse("Invalid value in mappingRules")
    return _mapped(desk, held, {**held.attribute_mappings, str(name): specifiers})


def delete_mapping(desk: Desk, call: Call) -> dict[str, object]:
    """DeleteAttributeMapping: some rules of a field, or all of them."""
    held = desk.find(Profile, call.identifier)
    name, gone = call.query("certificateField"), call.queries("specifiers")
    if name not in _FIELDS:
        refuse("Invalid value for certificateField")
    kept = dict(held.attribute_mappings)
    left = tuple(each for each in kept.pop(name, ()) if gone and each not in gone)
    if left:
        kept[name] = left
    return _mapped(desk, held, kept)


def show(profile: Profile) -> dict[str, object]:
    """The answer about one profile."""
    return {"profile": _detail(profile)}


def _detail(profile: Profile) -> dict[str, object]:
    return described(profile, "profile") | {
        "roleArns": list(profile.role_arns),
        "durationSeconds": profile.duration_seconds,
        "acceptRoleSessionName": profile.accept_role_session_name,
        "attributeMappings": [
            {
                "certificateField": name,
                "mappingRules": [{"specifier": specifier} for specifier in specifiers],
            }
            for name, specifiers in profile.attribute_mappings.items()
        ],
    }


def _changed(desk: Desk, held: Profile, call: Call, about: Mapping[str, object]) -> Profile:
    roles = call.role_arns()
    policies = call.texts("managedPolicyArns", 50, 200)
    policy = call.text("sessionPolicy", _LONGEST_POLICY)
    added = {
        "managedPolicyArns": None if policies is None else list(policies),
        "sessionPolicy": policy,
        "tipConfiguration": _tip(call),
    }
    shown = {**held.about, **about, **{k: v for k, v in added.items() if v is not None}}
    tip = shown.get("tipConfiguration")
    return replace(
        held,
        role_arns=held.role_arns if roles is None else roles,
        duration_seconds=call.number("durationSeconds", _DURATIONS) or held.duration_seconds,
        accept_role_session_name=call.flag(
            "acceptRoleSessionName", default=held.accept_role_session_name
        ),
        tip_source=_tip_source(tip if isinstance(tip, dict) else {}),
        about=desk.stamped(shown),
    )


def _tip(call: Call) -> dict[str, object] | None:
    given = call.members.get("tipConfiguration")
    if given is None:
        return None
    if (
        not isinstance(given, dict)
        or given.get("status") not in (_ENABLED, "DISABLED")
        or given.get("subjectSource", _TIP_SOURCES[0]) not in _TIP_SOURCES
        or given.get("subjectType", _TIP_TYPES[0]) not in _TIP_TYPES
    ):
        refuse("Invalid value for tipConfiguration")
    return given


def _tip_source(tip: Mapping[str, object]) -> str | None:
    # Which source holds where none is given is a guess.
    return str(tip.get("subjectSource", _TIP_SOURCES[0])) if tip.get("status") == _ENABLED else None


def _switched(desk: Desk, call: Call, *, enabled: bool) -> dict[str, object]:
    held = desk.find(Profile, call.identifier)
    changed = replace(held, enabled=enabled, about=desk.stamped(held.about))
    desk.registry.add(changed)
    return show(changed)


def _mapped(
    desk: Desk, held: Profile, mappings: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    changed = replace(held, attribute_mappings=mappings, about=desk.stamped(held.about))
    desk.registry.add(changed)
    return show(changed)

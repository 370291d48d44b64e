"""Profiles: create, read, change, delete; their attribute mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.testing.emulator.resources import Profile

from .call import refused
from .desk import alias_after, change_shown, described, page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .call import Call
    from .desk import Desk

_MOST: Final = 250  # a quota of the User Guide
_DEFAULT_TIP_SOURCE: Final = "x509Subject/CN"  # by the model's documentation
# What a call can set, by its name there: fields of a profile, and what is only shown.
_FIELDS: Final = {
    "durationSeconds": "duration_seconds",
    "acceptRoleSessionName": "accept_role_session_name",
}
_SHOWN: Final = ("name", "sessionPolicy", "managedPolicyArns", "tipConfiguration")


def create(desk: Desk, call: Call) -> dict[str, object]:
    """CreateProfile."""
    if len(desk.registry.all(Profile)) >= _MOST:
        raise refused(f"The account has {_MOST} profiles already")  # the words are a guess
    arn = desk.new_arn(Profile)
    fresh = Profile(
        arn=arn,
        role_arns=(),
        # As of trust anchors: the default is a guess.
        enabled=call.parameters.get("enabled", True),
        about={
            "requireInstanceProperties": call.parameters.get("requireInstanceProperties", False),
            "createdBy": desk.prefix.rpartition(":")[2],
        },
    )
    profile = _changed(desk, fresh, call)
    desk.registry.add(profile)
    desk.registry.tag(arn, call.tags())
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
    changed = _changed(desk, held, call)
    desk.registry.add(changed)
    return {"profile": change_shown(_detail(held), _detail(changed))}


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
    """PutAttributeMapping: the rules of one field, in place of those it has. (A guess.)"""  # noqa: D415  # the mark
    held = desk.find(Profile, call.identifier)
    rules = tuple(rule["specifier"] for rule in call.parameters["mappingRules"])
    mappings = {**held.attribute_mappings, call.parameters["certificateField"]: rules}
    return _mapped(desk, held, mappings)


def delete_mapping(desk: Desk, call: Call) -> dict[str, object]:
    """DeleteAttributeMapping: some rules of a field, or all of them."""
    held = desk.find(Profile, call.identifier)
    name, gone = call.parameters["certificateField"], call.parameters.get("specifiers", ())
    kept = dict(held.attribute_mappings)
    left = tuple(each for each in kept.pop(name, ()) if gone and each not in gone)
    if left:
        kept[name] = left
    return _mapped(desk, held, kept)


def show(profile: Profile) -> dict[str, object]:
    """The answer about one profile."""
    return {"profile": _detail(profile)}


def _detail(profile: Profile) -> dict[str, object]:
    return {"managedPolicyArns": [], **described(profile, "profile")} | {
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


def _changed(desk: Desk, held: Profile, call: Call) -> Profile:
    given = call.parameters
    fields: dict[str, Any] = {_FIELDS[name]: given[name] for name in _FIELDS if name in given}
    if "roleArns" in given:
        fields |= {"role_arns": tuple(given["roleArns"]), "roles_exist": True}
    about = {**held.about, **{name: given[name] for name in _SHOWN if name in given}}
    tip: Any = about.get("tipConfiguration", {})
    enabled = tip.get("status") == "ENABLED"
    return replace(
        held,
        tip_source=tip.get("subjectSource", _DEFAULT_TIP_SOURCE) if enabled else None,
        aliases=desk.aliases(Profile, alias_after(call, held.aliases), held.arn),
        about=desk.stamped(about),
        **fields,
    )


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

"""Profiles, and their attribute mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.testing.emulator.resources import Profile

from .desk import Kind, picked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .desk import Desk
    from .model import Parameters

_DEFAULT_TIP_SOURCE: Final = "x509Subject/CN"  # by the model's documentation
# What a call can set, by its name there: fields of a profile, and what is only shown.
_FIELDS: Final = {
    "durationSeconds": "duration_seconds",
    "acceptRoleSessionName": "accept_role_session_name",
}
_SHOWN: Final = ("name", "sessionPolicy", "managedPolicyArns", "tipConfiguration")


def put_mapping(desk: Desk, parameters: Parameters) -> dict[str, object]:
    """PutAttributeMapping: the rules of one field, in place of those it has. (A guess.)"""  # noqa: D415  # the mark
    held = desk.find(KIND, parameters["profileId"])
    rules = tuple(rule["specifier"] for rule in parameters["mappingRules"])
    return _mapped(desk, held, {**held.attribute_mappings, parameters["certificateField"]: rules})


def delete_mapping(desk: Desk, parameters: Parameters) -> dict[str, object]:
    """DeleteAttributeMapping: some rules of a field, or all of them."""
    held = desk.find(KIND, parameters["profileId"])
    name, gone = parameters["certificateField"], parameters.get("specifiers", ())
    kept = dict(held.attribute_mappings)
    left = tuple(each for each in kept.pop(name, ()) if gone and each not in gone)
    if left:
        kept[name] = left
    return _mapped(desk, held, kept)


def _mapped(
    desk: Desk, held: Profile, mappings: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    return KIND.answer(desk.keep(replace(held, attribute_mappings=mappings)))


def _begun(desk: Desk, arn: str, parameters: Parameters) -> Profile:
    required = parameters.get("requireInstanceProperties", False)
    return Profile(
        arn=arn,
        role_arns=(),
        # As of trust anchors: the default is a guess.
        enabled=parameters.get("enabled", True),
        about={"requireInstanceProperties": required, "createdBy": desk.account},
    )


def _changed(_: Desk, held: Profile, parameters: Parameters) -> Profile:
    sent = picked(parameters, *_FIELDS)
    fields: dict[str, Any] = {_FIELDS[name]: value for name, value in sent.items()}
    if "roleArns" in parameters:
        fields |= {"role_arns": tuple(parameters["roleArns"]), "roles_exist": True}
    about = {**held.about, **picked(parameters, *_SHOWN)}
    tip: Any = about.get("tipConfiguration", {})
    enabled = tip.get("status") == "ENABLED"
    return replace(
        held,
        tip_source=tip.get("subjectSource", _DEFAULT_TIP_SOURCE) if enabled else None,
        about=about,
        **fields,
    )


def _detail(profile: Profile) -> dict[str, object]:
    return {
        "managedPolicyArns": profile.about.get("managedPolicyArns", []),
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


KIND: Final = Kind(
    resource=Profile,
    noun="Profile",
    path="profile",
    group="profiles",
    fault="Invalid profile",
    most=250,
    begun=_begun,
    changed=_changed,
    detail=_detail,
)

"""The trust policy of a role for IAM Roles Anywhere, as tight as it can be. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.session_tags import SessionTag, tag_of, tags_of_name
from boto_rolesanywhere.inspection.trust_policy.facts import ACTIONS, PRINCIPAL_TAG, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def trust_policy(anchor_arn: str, certificates: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The trust policy of a role.

    Args:
        anchor_arn: the trust anchor's canonical ARN. An alias never matches ``aws:SourceArn``.
        certificates: as in `WantedRole`: session tags with their values, one mapping for each kind
            of certificate; empty for every certificate of the trust anchor.
    """
    conditions = [
        {"ArnEquals": {"aws:SourceArn": anchor_arn}, **_tag_condition(tags)}
        for tags in _merged(certificates)
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": SERVICE},
                "Action": list(ACTIONS),
                "Condition": condition,
            }
            for condition in conditions
        ],
    }


def _tag_condition(tags: Mapping[str, str | list[str]]) -> dict[str, Any]:
    return (
        {"StringEquals": {PRINCIPAL_TAG + key: value for key, value in tags.items()}}
        if tags
        else {}
    )


def _merged(
    certificates: Sequence[Mapping[str, str]],
) -> Sequence[Mapping[str, str | list[str]]]:
    """One mapping a statement; those that differ in the value of one same key become a list."""
    keys = {key for tags in certificates for key in tags}
    if len(keys) != 1 or len(certificates) == 1:
        return certificates or ({},)
    (key,) = keys
    return ({key: [tags[key] for tags in certificates]},)


def certificates_with(
    subjects: Iterable[str], alternative_names: Iterable[str]
) -> tuple[dict[str, str], ...]:
    """Which certificates a role is for, from what a person says of them.

    Args:
        subjects: whole or partial subjects such as ``CN=app1,OU=it``; a certificate must match one.
        alternative_names: ``DNS:…``, ``URI:…`` or ``dirName:…``; a certificate must have each.

    Raises:
        ConfigurationError: one is no name, or AWS makes no session tag of it.
    """
    from boto_rolesanywhere.authority.drafts import general_names, name_of

    added = _alternatives(general_names(alternative_names))
    named = [tags_of_name("x509Subject", name_of("", text)) for text in subjects]
    return tuple({**_usable(tags), **added} for tags in named) or ((added,) if added else ())


def _alternatives(names: Iterable[Any]) -> dict[str, str]:
    from cryptography import x509

    tags: list[SessionTag] = []
    kinds = {x509.DNSName: "DNS", x509.UniformResourceIdentifier: "URI"}
    for name in names:
        if isinstance(name, x509.DirectoryName):
            tags += tags_of_name("x509SAN", name.value, "Name/")
        elif type(name) in kinds:
            tags.append(tag_of(f"x509SAN/{kinds[type(name)]}", name.value))
        else:
            raise ConfigurationError(
                "AWS makes no session tag of an alternative name of this kind",
                code="trust-condition-unusable",
                where="--san",
                expected="DNS:…, URI:… or dirName:…",
            )
    if len({tag.key for tag in tags}) < len(tags):
        raise ConfigurationError(
            "AWS makes a session tag of the first alternative name of each kind alone",
            code="trust-condition-unusable",
            where="--san",
            expected="each kind once",
        )
    return _usable(tags)


def _usable(tags: Iterable[SessionTag]) -> dict[str, str]:
    usable = {}
    for tag in tags:
        if tag.dropped is not None:
            raise ConfigurationError(
                f"AWS makes no session tag {tag.key} of this value: {tag.dropped}",
                code="trust-condition-unusable",
                where="--subject or --san",
            )
        usable[tag.key] = tag.value
    return usable

"""The trust policy of a role for IAM Roles Anywhere, as tight as it can be. Pure.

Also that of a role to which the sessions of such a role go on, say in another account. IAM User
Guide, "Monitor and control actions taken with assumed roles": a SourceIdentity stays for the whole
chain, each role of it must allow ``sts:SetSourceIdentity``, and so must the permissions of the role
before; later requests of a session carry the value as ``aws:SourceIdentity``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.session_tags import SessionTag, tag_of, tags_of_name
from boto_rolesanywhere.inspection.trust_policy.facts import ACTIONS, PRINCIPAL_TAG, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from boto_rolesanywhere.settings.arns import Arn

_FIELDS: Final = {"subject": "x509Subject", "issuer": "x509Issuer", "san": "x509SAN"}


def trust_policy(anchor_arn: str, certificates: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The trust policy of a role.

    Args:
        anchor_arn: the trust anchor's canonical ARN. An alias never matches ``aws:SourceArn``.
        certificates: as in `WantedRole`: session tags with their values, one mapping for each kind
            of certificate; empty for every certificate of the trust anchor.
    """
    return policy_of(
        {
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": list(ACTIONS),
            "Condition": {"ArnEquals": {"aws:SourceArn": anchor_arn}, **_tag_condition(tags)},
        }
        for tags in _merged(certificates)
    )


def policy_of(statements: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def chained_trust_policy(
    first_role: Arn, source_identity: str, *, passes_tags: bool
) -> dict[str, Any]:
    """The trust policy of the second role, for one certificate's sessions of the first.

    Args:
        first_role: that IAM Roles Anywhere gives sessions of.
        source_identity: of those sessions, for example ``CN=app1``.
        passes_tags: whether the sessions hand on session tags of their own.
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": str(first_role)},
        "Action": _chaining(passes_tags),
        "Condition": {"StringEquals": {"aws:SourceIdentity": source_identity}},
    }
    return policy_of([statement])


def chaining_permissions(second_role: str, *, passes_tags: bool) -> dict[str, Any]:
    """The permissions policy of the first role, without which the second's does not suffice."""
    actions = _chaining(passes_tags)
    return policy_of([{"Effect": "Allow", "Action": actions, "Resource": second_role}])


def _chaining(passes_tags: bool) -> list[str]:
    return ["sts:AssumeRole", "sts:SetSourceIdentity", *(["sts:TagSession"] if passes_tags else [])]


def _tag_condition(tags: Mapping[str, str | list[str]]) -> dict[str, Any]:
    wanted = {PRINCIPAL_TAG + key: value for key, value in tags.items()}
    return {"StringEquals": wanted} if wanted else {}


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
                _dropped(tag),
                code="trust-condition-unusable",
                where="--subject or --san",
            )
        usable[tag.key] = tag.value
    return usable


def _dropped(tag: SessionTag) -> str:
    return f"AWS makes no session tag {tag.key} of this value: {tag.dropped}"


def values_of(tags: Sequence[SessionTag], names: str, *, where: str) -> dict[str, str]:
    """The certificate's session tags of these names, with their values.

    Args:
        tags: of the certificate, dropped ones included.
        names: separated by commas. A name without a field is the subject's. The case of names does
            not matter, nor whether ``x509`` stands before a field.
        where: the flag that they came from, for errors.

    Raises:
        ConfigurationError: a name is no name, the certificate has nothing of it, or AWS makes no
            session tag of the value.
    """
    found = [_tag(tags, _key(name.strip(), where), where) for name in names.split(",")]
    return {tag.key: tag.value for tag in found}


def _key(name: str, where: str) -> str:
    field, slash, rest = name.partition("/")
    if not slash:
        field, rest = "Subject", name
    known = _FIELDS.get(field.lower().removeprefix("x509"))
    if not known or not rest:
        raise ConfigurationError(
            f"{name!r} is nothing of a certificate",
            code="trust-condition-unusable",
            where=where,
            expected="names such as CN, OU, Issuer/CN, SAN/DNS, SAN/URI or SAN/Name/CN",
        )
    return f"{known}/{rest}"


def _tag(tags: Sequence[SessionTag], key: str, where: str) -> SessionTag:
    found = next((tag for tag in tags if tag.key.lower() == key.lower()), None)
    if found is not None and found.dropped is None:
        return found
    problem = f"the certificate has no {key}"
    if found is not None:
        problem = _dropped(found)
    # As `values_of` takes them.
    usable = [
        tag.key.removeprefix("x509Subject/").removeprefix("x509")
        for tag in tags
        if tag.dropped is None
    ]
    raise ConfigurationError(
        problem,
        code="trust-condition-unusable",
        where=where,
        expected=f"one of {', '.join(usable)}" if usable else None,
    )

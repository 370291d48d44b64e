"""The JSON of a trust policy, as checked values. Nothing here evaluates them.

The grammar is that of the IAM User Guide, "Grammar of the IAM JSON policy language", as far as it
holds for a role's trust policy: a Principal is required and a Resource is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from boto_rolesanywhere.errors import ConfigurationError

from .json_text import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator

Effect = Literal["Allow", "Deny"]

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_POLICY_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
)
_PRINCIPAL_KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_SHOWN: Final = 60
_invalid: Final = partial(ConfigurationError, code="trust-policy-invalid")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator, one key and the values that the policy wants of it."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal of a statement.

    Attributes:
        negated: it is a NotPrincipal.
        entries: pairs of kind and name, for example ``("Service", "ec2.amazonaws.com")``; a bare
            ``"*"`` is the pair ``("AWS", "*")``, which IAM takes for the same.
    """

    negated: bool
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """The Action or NotAction of a statement: patterns such as ``sts:*``."""

    negated: bool
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a trust policy.

    Attributes:
        number: its place in the policy, from 1.
        sid: its Sid; None or empty if it has none.
    """

    number: int
    sid: str | None
    effect: Effect
    principals: Principals
    actions: Actions
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """Its number, and its Sid if it has one, for people."""
        return f"statement {self.number}" + (f" ({self.sid})" if self.sid else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """A role's trust policy (AWS also calls it the assume role policy document).

    Attributes:
        version: of the policy language. Only ``2012-10-17`` has policy variables.
    """

    version: str
    statements: tuple[Statement, ...]

    @property
    def has_variables(self) -> bool:
        """Whether ``${…}`` in a value is a variable and not plain text."""
        return self.version == "2012-10-17"

    @classmethod
    def parse(cls, text: str | bytes, *, where: str = "trust policy") -> TrustPolicy:
        """Read a policy's JSON.

        Args:
            text: the document, as `read_document` takes it.
            where: the file or argument it came from, for errors.

        Raises:
            ConfigurationError: it is not JSON, or not a trust policy; names the place in the JSON.
        """
        document = read_document(text, where)
        root = _object(document, where, "a policy: a JSON object with Version and Statement")
        _only(root, _POLICY_ELEMENTS, where)
        version = root.get("Version", "2008-10-17")  # IAM's default when it is left out
        if version not in _VERSIONS:
            raise _invalid(
                f"Version is {_shown(version)}",
                where=where,
                expected=" or ".join(map(repr, _VERSIONS)),
            )
        if "Statement" not in root:
            raise _invalid("there is no Statement", where=where, expected="one or more statements")
        found = root["Statement"]
        listed = found if isinstance(found, list) else [found]
        statements = tuple(
            _statement(entry, number, f"{where}, Statement[{number - 1}]")
            for number, entry in enumerate(listed, 1)
        )
        return cls(version=str(version), statements=statements)


def _statement(value: object, number: int, where: str) -> Statement:
    entry = _object(value, where, "a statement: a JSON object")
    _only(entry, _STATEMENT_ELEMENTS, where)
    sid = entry.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise _invalid(f"Sid is {_shown(sid)}", where=where, expected="a string")
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise _invalid(f"Effect is {_shown(effect)}", where=where, expected="'Allow' or 'Deny'")
    actions, principals = _either(entry, "Action", where), _either(entry, "Principal", where)
    return Statement(
        number=number,
        sid=sid,
        effect=effect,
        principals=Principals(
            principals.startswith("Not"), _principals(entry[principals], f"{where}.{principals}")
        ),
        actions=Actions(
            actions.startswith("Not"), tuple(_strings(entry[actions], f"{where}.{actions}"))
        ),
        conditions=tuple(_conditions(entry.get("Condition", {}), f"{where}.Condition")),
    )


def _either(entry: dict[str, object], element: str, where: str) -> str:
    present = [name for name in (element, f"Not{element}") if name in entry]
    if len(present) != 1:
        problem = "both stand here" if present else "neither stands here"
        raise _invalid(
            f"of {element} and Not{element} {problem}", where=where, expected="one of the two"
        )
    return present[0]


def _principals(value: object, where: str) -> tuple[tuple[str, str], ...]:
    if value == "*":
        return (("AWS", "*"),)
    kinds = _object(value, where, "'*' or an object such as {\"Service\": …}")
    _only(kinds, frozenset(_PRINCIPAL_KINDS), where)
    return tuple(
        (kind, name) for kind, names in kinds.items() for name in _strings(names, f"{where}.{kind}")
    )


def _conditions(value: object, where: str) -> Iterator[Condition]:
    for operator, keys in _object(value, where, "an object of condition operators").items():
        place = f"{where}.{operator[:_SHOWN]}"
        for key, wanted in _object(keys, place, "an object of condition keys").items():
            values = wanted if isinstance(wanted, list) else [wanted]
            yield Condition(
                operator,
                key,
                tuple(_scalar(item, f"{place}.{key[:_SHOWN]}") for item in values),
            )


def _scalar(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise _invalid(
            f"a value is {_shown(value)}",
            where=where,
            expected="a string, number or boolean, or a list of them",
        )
    return value


def _strings(value: object, where: str) -> Iterator[str]:
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            raise _invalid(
                f"it holds {_shown(text)}", where=where, expected="a string or a list of strings"
            )
        yield text


def _object(value: object, where: str, expected: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _invalid(f"it is {_shown(value)}", where=where, expected=expected)
    return value


def _only(entry: dict[str, object], allowed: frozenset[str], where: str) -> None:
    for name in entry:
        if name not in allowed:
            raise _invalid(
                f"there is an element {_shown(name)}, which a trust policy may not have",
                where=where,
                expected=f"only {', '.join(sorted(allowed))} (names are case-sensitive)",
            )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

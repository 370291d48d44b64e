"""A trust policy's JSON, changed in place: what is not named here stays as its author wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .facts import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .document import Condition

Json: TypeAlias = dict[str, Any]

_VERSION: Final = "2012-10-17"


def statement_at(document: Json, number: int) -> Json:
    """The statement of that number, from 1; a single one may stand without a list."""
    statements = document["Statement"]
    found: Json = statements[number - 1] if isinstance(statements, list) else statements
    return found


def add_statement(document: Json, statement: Json) -> int:
    """Add a statement after the others, and return its number."""
    document["Statement"] = [*_listed(document["Statement"]), statement]
    return len(document["Statement"])


def set_version(document: Json) -> None:
    """Name the version of the policy language that has variables, at the top."""
    rest = {key: value for key, value in document.items() if key != "Version"}
    document.clear()
    document.update({"Version": _VERSION, **rest})


def add_action(statement: Json, action: str, misspelt: Sequence[str]) -> None:
    """Add to the statement's Action, in the place of a misspelt one."""
    kept = [present for present in _listed(statement["Action"]) if present not in misspelt]
    statement["Action"] = [*kept, action] if kept else action


def add_principal(statement: Json, misspelt: Iterable[tuple[str, str]]) -> None:
    """Let the statement be about IAM Roles Anywhere, in the place of its misspelt names."""
    principals: Json = statement["Principal"]
    for kind, name in misspelt:
        left = [present for present in _listed(principals[kind]) if present != name]
        principals[kind] = left
        if not left:
            del principals[kind]
    services = [*_listed(principals.get("Service", [])), SERVICE]
    principals["Service"] = services if len(services) > 1 else SERVICE


def add_condition(statement: Json, condition: Condition) -> None:
    """Add a condition to the statement's others, in the place of one with its operator and key."""
    keys = statement.setdefault("Condition", {}).setdefault(condition.operator, {})
    keys[condition.key] = _written(condition)


def replace_condition(statement: Json, condition: Condition, meant: Condition | None) -> None:
    """Put another condition in the place of one, or nothing."""
    conditions: Json = statement["Condition"]
    same = meant is not None and meant.operator == condition.operator
    if meant is not None and same:
        conditions[meant.operator] = dict(
            (meant.key, _written(meant)) if key == condition.key else (key, values)
            for key, values in conditions[condition.operator].items()
        )
        return
    del conditions[condition.operator][condition.key]
    if not conditions[condition.operator]:
        del conditions[condition.operator]
    if meant is not None:
        add_condition(statement, meant)
    if not conditions:
        del statement["Condition"]


def _written(condition: Condition) -> str | list[str]:
    return condition.values[0] if len(condition.values) == 1 else list(condition.values)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""What in one condition is a mistake, and what was meant: operator, key or value.

A mistake is what cannot be meant as it stands: a misspelt name, an ARN of the wrong kind, a
wildcard under an operator that has none. A condition that asks for another certificate, another
time or another address is no mistake, and has no correction here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.settings.arns import parse_arn

from .document import Condition
from .facts import PRINCIPAL_TAG, REQUEST_TAG
from .operators import OPERATORS, Operator, evaluate_condition

if TYPE_CHECKING:
    from .facts import SessionFacts

_SOURCE_ARN: Final = "aws:sourcearn"
_SOURCE_ACCOUNT: Final = "aws:sourceaccount"
_SOURCE_IDENTITY: Final = "sts:sourceidentity"
_EXTERNAL_ID: Final = "sts:externalid"
# Keys without a tag's name, by their letters alone and without the prefix.
_PLAIN_KEYS: Final = {
    "sourcearn": "aws:SourceArn",
    "sourceaccount": "aws:SourceAccount",
    "sourceidentity": "sts:SourceIdentity",
    "rolesessionname": "sts:RoleSessionName",
}
_FIELDS: Final = ("x509subject", "x509issuer", "x509san")
_TAG_PREFIX: Final = re.compile(r"(?:aws[:/.])?(principal|request)[ _-]?tags?[:/.]", re.ASCII)
# The long names of attributes, as certificates and openssl have them, and the tag's.
_SHORT: Final = {
    "commonname": "cn",
    "organization": "o",
    "organizationname": "o",
    "organizationalunit": "ou",
    "organizationalunitname": "ou",
    "country": "c",
    "countryname": "c",
    "locality": "l",
    "localityname": "l",
    "state": "st",
    "stateorprovincename": "st",
    "dnsname": "dns",
    "uniformresourceidentifier": "uri",
}
_OPERATOR_PARTS: Final = re.compile(
    r"(?:(ForAnyValue|ForAllValues)[^a-z]*)?([a-z]+?)(IfExists)?", re.IGNORECASE | re.ASCII
)
_LOOKS: Final = 5  # before and after each of: operator, key, kind of operator, value


@dataclass(frozen=True, slots=True)
class Correction:
    """A condition as it was meant.

    Attributes:
        condition: None if it has to go, since no session can ever meet it.
        variables: it holds only where ``${…}`` is a variable: Version 2012-10-17.
        reasons: what was wrong, a clause each.
    """

    condition: Condition | None
    variables: bool
    reasons: tuple[str, ...]


def correction_of(
    condition: Condition, facts: SessionFacts, *, variables: bool, wanted: bool = True
) -> Correction | None:
    """The condition with its mistakes corrected, so that it holds; None if it has no mistake.

    Args:
        condition: one that does not hold as it should.
        facts: of the session, with the trust anchor's canonical ARN.
        variables: whether the policy's version has variables.
        wanted: what the condition should come to: True to let the session in; False for the
            negated condition of a Deny, which should let it pass.
    """
    if condition.key.lower() == _EXTERNAL_ID and wanted:
        why = "no request of IAM Roles Anywhere has an external id, so the condition is gone"
        return Correction(None, variables, (why,))
    reasons: list[str] = []
    for _ in range(_LOOKS):
        if _comes_to(condition, facts, wanted, variables=variables):
            return Correction(condition, variables, tuple(reasons)) if reasons else None
        if not variables and _comes_to(condition, facts, wanted, variables=True):
            why = "without Version 2012-10-17 its ${…} would be plain text"
            return Correction(condition, True, (*reasons, why))
        step = _step(condition, facts, wanted)
        if step is None:
            return None
        condition, why = step
        reasons.append(why)
    return None


def _comes_to(condition: Condition, facts: SessionFacts, wanted: bool, *, variables: bool) -> bool:
    return evaluate_condition(condition, facts, variables=variables).holds is wanted


def _step(condition: Condition, facts: SessionFacts, wanted: bool) -> tuple[Condition, str] | None:
    operator = Operator.parse(condition.operator)
    if operator is None:
        return _operator_meant(condition)
    if key := _key_meant(condition.key, facts):
        return replace(condition, key=key), f"{condition.key} should be {key}"
    if operator.base == "Null" or operator.negated is wanted:
        return None
    if condition.key.lower() in (_SOURCE_ARN, _SOURCE_ACCOUNT):
        return _anchor_meant(condition, operator, facts)
    return _text_meant(condition, operator, facts)


def _operator_meant(condition: Condition) -> tuple[Condition, str] | None:
    """IAM refuses an operator that it does not know."""
    parts = _OPERATOR_PARTS.fullmatch(condition.operator)
    if parts is None:
        return None
    quantifier, base, if_exists = parts.groups()
    known = {name.lower(): name for name in OPERATORS}
    near = difflib.get_close_matches(base.lower(), known, n=1, cutoff=0.85)
    if not near:
        return None
    prefixes = {"foranyvalue": "ForAnyValue:", "forallvalues": "ForAllValues:"}
    meant = prefixes.get((quantifier or "").lower(), "") + known[near[0]]
    meant += "IfExists" if if_exists else ""
    return replace(condition, operator=meant), f"the operator {condition.operator} is {meant}"


def _key_meant(key: str, facts: SessionFacts) -> str | None:
    """The key that a misspelt one stands for; None if it is spelt as AWS has it."""
    lowered = key.lower()
    letters = re.sub(r"[^a-z]", "", re.sub(r"^(aws|sts)\b", "", lowered))
    if letters in _PLAIN_KEYS:
        meant = _PLAIN_KEYS[letters]
        return meant if meant.lower() != lowered else None
    prefix = _TAG_PREFIX.match(lowered)
    if prefix is None and "x509" not in lowered:
        return None
    tag = _tag_meant(re.sub(r"^aws:", "", lowered[prefix.end() if prefix else 0 :]), facts)
    if tag is None:
        return None
    meant = (REQUEST_TAG if prefix and prefix[1] == "request" else PRINCIPAL_TAG) + tag
    return meant if meant.lower() != lowered else None


def _tag_meant(text: str, facts: SessionFacts) -> str | None:
    """The session's tag that a text without the prefix names."""
    tags = {tag.lower(): tag for tag in facts.tags}
    if text in tags:
        return tags[text]
    parts = [re.sub(r"[ _.-]", "", part) for part in re.split(r"[/:]", text)]
    near = difflib.get_close_matches(parts[0], _FIELDS, n=1, cutoff=0.8)
    fields = near or ["x509subject", "x509san"]
    rest = [_SHORT.get(part, part) for part in (parts[1:] if near else parts)]
    found = [tags[name] for field in fields if (name := "/".join((field, *rest))) in tags]
    return found[0] if len(found) == 1 else None


def _anchor_meant(
    condition: Condition, operator: Operator, facts: SessionFacts
) -> tuple[Condition, str] | None:
    """The trust anchor's ARN or account, in the place of others."""
    if facts.trust_anchor_arn is None:
        return None
    anchor = parse_arn("trust-anchor", facts.trust_anchor_arn)
    arn = condition.key.lower() == _SOURCE_ARN
    meant = str(anchor) if arn else anchor.account
    families = ("Arn", "String") if arn else ("String",)
    kept = operator.base.startswith(families) and operator.quantifier is None
    negation = "Not" if operator.negated else ""
    plain = f"Arn{negation}Equals" if arn else f"String{negation}Equals"
    corrected = Condition(
        operator=condition.operator if kept else plain, key=condition.key, values=(meant,)
    )
    if corrected == condition:
        return None
    change = (
        f"{condition.key} was {' or '.join(condition.values) or 'empty'}{_kind(condition, arn)}"
    )
    return corrected, f"{change}; it is {meant} now"


def _kind(condition: Condition, arn: bool) -> str:
    if arn and any(":alias/" in value for value in condition.values):
        return ", an alias, which no condition of IAM ever matches"
    if arn and any(":profile/" in value for value in condition.values):
        return ", a profile, and never the source of a session"
    return ""


def _text_meant(
    condition: Condition, operator: Operator, facts: SessionFacts
) -> tuple[Condition, str] | None:
    """Another kind of operator for the same values, or the session's own spelling of a value."""
    fact = facts.look_up(condition.key)
    if len(fact.values) != 1 or fact.several:
        return None
    negation = "Not" if operator.negated else ""
    suffix = "IfExists" if operator.if_exists else ""
    for base in (f"String{negation}Equals", f"String{negation}Like"):
        tried = replace(condition, operator=base + suffix)
        if _comes_to(tried, facts, not operator.negated, variables=True):
            why = f"{condition.operator} cannot match {condition.key}: {tried.operator} does"
            return tried, why
    values = tuple(
        fact.values[0] if _differs_slightly(value, fact.values[0], condition.key) else value
        for value in condition.values
    )
    if values == condition.values:
        return None
    wrong = " or ".join(repr(value) for value in condition.values if value not in values)
    corrected = replace(condition, values=tuple(dict.fromkeys(values)))
    return corrected, f"{condition.key} is {fact.values[0]!r}, and not {wrong}"


def _differs_slightly(written: str, seen: str, key: str) -> bool:
    """In case, in blanks around it, or in the prefix of a SourceIdentity."""
    if key.lower() == _SOURCE_IDENTITY and written in (f"CN={seen}", seen.removeprefix("CN=")):
        return True
    return written.strip().casefold() == seen.strip().casefold()

"""``trust-policy``: the tight trust policy for a certificate, or one of yours corrected.

`account` builds it, `inspection` corrects and judges it; here are the options and the pages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.cli.inspected import context_of, inspect_place, name_of_text, read_text
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK, complain
from boto_rolesanywhere.cli.refusals import without_effect
from boto_rolesanywhere.cli.terminal import write_json
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import parse_arn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from boto_rolesanywhere.inspection.certificate import CertificateInspection
    from boto_rolesanywhere.inspection.trust_policy import Evaluation

_DESCRIPTION: Final = """\
Print the trust policy with which a role lets in a certificate, and no other: IAM Roles
Anywhere may assume the role, for this trust anchor and for the certificate's own values.
With --correct, print a policy of yours with what is wrong in it set right; the rest stays.
With --chained-from, print the policy of a further role that sessions of the first go on to.
Nothing is sent anywhere, and no private key is needed."""
_EPILOG: Final = """\
exit status:
  0  the policy is printed, and lets the certificate in
  1  it cannot be made, or the corrected policy still does not let the certificate in
  2  wrong usage

examples:
  boto-rolesanywhere trust-policy workload.pem \\
    --trust-anchor-arn arn:aws:rolesanywhere:REGION:ACCOUNT:trust-anchor/ID > trust.json
  aws iam create-role --role-name app1 --assume-role-policy-document file://trust.json

  boto-rolesanywhere trust-policy workload.pem --trust-anchor-arn ARN --match OU,SAN/DNS
  boto-rolesanywhere trust-policy workload.pem --trust-anchor-arn ARN --correct trust.json
  boto-rolesanywhere trust-policy workload.pem --chained-from arn:aws:iam::ACCOUNT:role/app1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument(
        "file", metavar="FILE", help="the certificate: PEM, DER, PKCS#12, or a pkcs11: URI"
    )
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument(
        "--trust-anchor-arn", metavar="ARN", help="the trust anchor; its own ARN, not an alias"
    )
    role.add_argument(
        "--chained-from",
        metavar="ROLE-ARN",
        help="print the policy of a role, of any account, that sessions of this one assume",
    )
    parser.add_argument(
        "--match",
        metavar="NAMES",
        default="CN",
        help="what the session's certificate must have in common with this one, such as"
        " CN,OU,SAN/DNS,Issuer/CN; default: CN",
    )
    parser.add_argument(
        "--attribute-mappings",
        metavar="FILE",
        help="the profile's, as `aws rolesanywhere get-profile` prints them; default: all mapped",
    )
    parser.add_argument(
        "--correct", metavar="FILE", help="a trust policy (JSON) to set right; - reads stdin"
    )
    add_repeated(
        parser,
        "--context",
        "KEY=VALUE",
        "with --correct, a condition key that is not known here; repeat it for several values",
    )
    add_switch(parser, "--pass-tags", "with --chained-from, let the sessions pass session tags on")


def run(arguments: argparse.Namespace) -> int:
    """Print the policy; what there is to say of it goes to stderr."""
    from boto_rolesanywhere.account.trust_policies import trust_policy, values_of
    from boto_rolesanywhere.inspection.trust_policy import TrustPolicy, correct, evaluate

    _require_fitting(arguments)
    now = utc_now()
    inspection = inspect_place(arguments.file, now, attribute_mappings=arguments.attribute_mappings)
    if arguments.chained_from:
        return _chained(arguments, inspection)
    anchor = _canonical(arguments.trust_anchor_arn)
    facts = inspection.facts(
        now=now, trust_anchor_arn=anchor, context=context_of(arguments.context)
    )
    values = values_of(inspection.tags, arguments.match, where="--match")
    tight = trust_policy(anchor, (values,))
    if not arguments.correct:
        return _finished(tight, evaluate(TrustPolicy.parse(json.dumps(tight)), facts))
    where = name_of_text(arguments.correct)
    found = correct(read_text(arguments.correct), facts, tight["Statement"][0], where=where)
    for change in found.changes:
        complain(change)
    if not found.changes:
        complain(f"{where}: nothing in it had to be changed")
    return _finished(found.document, found.evaluation)


def _require_fitting(arguments: argparse.Namespace) -> None:
    """Refuse options that would not do what they say."""
    of_the_chain = arguments.chained_from is not None
    misplaced = {
        "--correct": of_the_chain and arguments.correct is not None,
        "--pass-tags": not of_the_chain and arguments.pass_tags,
        "--context": arguments.correct is None and bool(arguments.context),
    }
    for flag, wrong in misplaced.items():
        if wrong:
            needed = {"--correct": "--trust-anchor-arn", "--pass-tags": "--chained-from"}
            raise without_effect(flag, f"together with {needed.get(flag, '--correct')}")


def _canonical(text: str) -> str:
    arn = parse_arn("trust-anchor", text, where="--trust-anchor-arn")
    if arn.is_alias:
        raise ConfigurationError(
            "it is an alias, and the ARN of an alias never matches in a policy of IAM",
            code="trust-condition-unusable",
            where="--trust-anchor-arn",
            expected=f"arn:{arn.partition}:rolesanywhere:…:trust-anchor/ID",
            remedy="`aws rolesanywhere list-trust-anchors` shows it.",
        )
    return str(arn)


def _chained(arguments: argparse.Namespace, inspection: CertificateInspection) -> int:
    from boto_rolesanywhere.account.trust_policies import (
        chained_trust_policy,
        chaining_permissions,
    )

    first = parse_arn("role", arguments.chained_from, where="--chained-from")
    if inspection.source_identity_doubt:
        complain(f"SourceIdentity: {inspection.source_identity_doubt}")
    identity, passes_tags = inspection.source_identity, arguments.pass_tags
    write_json(chained_trust_policy(first, identity, passes_tags=passes_tags))
    needed = chaining_permissions("ARN-OF-THE-FURTHER-ROLE", passes_tags=passes_tags)
    complain(f"{first} needs these permissions itself: {json.dumps(needed)}")
    if identity.startswith("ID="):
        complain(
            "the certificate has no CN, so its SourceIdentity is its serial number: a renewed"
            " certificate has another, and needs another policy"
        )
    return OK


def _finished(policy: Mapping[str, Any], evaluation: Evaluation) -> int:
    """Print the policy, and say what AWS would make of it."""
    write_json(policy)
    for warning in evaluation.warnings:
        complain(f"{warning}.")
    if evaluation.allowed:
        return OK
    for reason in _reasons(evaluation):
        complain(reason)
    return FAILED


def _reasons(evaluation: Evaluation) -> Iterable[str]:
    """Why the policy still does not let the certificate in: what is meant, or not known."""
    for action in evaluation.actions:
        if action.decision == "allowed":
            continue
        names = " and ".join(statement.name for statement in action.decided_by)
        yield f"{action.action} is {action.decision}" + (f" by {names}" if names else "")
    for result in evaluation.statements:
        if result.principal is False or not result.actions:
            continue
        for outcome in result.conditions:
            stops = outcome.holds is (result.statement.effect == "Deny")
            if stops or outcome.holds is None:
                condition = outcome.condition
                seen = " and ".join(map(repr, outcome.seen)) or "no such key"
                why = outcome.reason or f"the session has {seen}"
                wanted = " or ".join(map(repr, condition.values)) or "nothing"
                yield (
                    f"{result.statement.name}: left as it is: {condition.operator}"
                    f" {condition.key} {wanted}: {why}"
                )

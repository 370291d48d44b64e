"""``inspect``: what AWS will see of a certificate, and what a trust policy makes of it.

It reads files and writes a page or JSON; `inspection` works out what they say.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.inspected import (
    context_of,
    inspect_place,
    name_of_text,
    read_text,
)
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.cli.refusals import shown_place
from boto_rolesanywhere.cli.terminal import Page, write_json
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.settings.values import require_session_name

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from boto_rolesanywhere.inspection.certificate import CertificateInspection
    from boto_rolesanywhere.inspection.trust_policy import Evaluation

_DESCRIPTION: Final = """\
Show what AWS will see of a certificate: whether it meets AWS's constraints, the
session name, SourceIdentity and session tags it turns into, and the chain that
will be sent. With --trust-policy, say what a role's trust policy makes of it and,
if it refuses, which condition fails on which value. Nothing is sent anywhere, and
no private key is needed."""
_EPILOG: Final = """\
exit status:
  0  AWS would take the certificate, and the trust policy (if given) allows it
  1  it would not, or the trust policy does not allow it or leaves it undecided
  2  wrong usage

examples:
  boto-rolesanywhere inspect workload.pem --intermediates chain.pem
  aws iam get-role --role-name NAME --query Role.AssumeRolePolicyDocument |
    boto-rolesanywhere inspect workload.pem --trust-policy - \\
      --trust-anchor-arn arn:aws:rolesanywhere:REGION:ACCOUNT:trust-anchor/ID"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    certificate = parser.add_mutually_exclusive_group(required=True)
    certificate.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="the certificate: PEM, DER, PKCS#12, or a pkcs11: URI",
    )
    certificate.add_argument(
        "--certificate", metavar="FILE", help="the certificate, as a flag instead of FILE"
    )
    parser.add_argument("--intermediates", metavar="FILE", help="intermediate certificates")
    add_switch(parser, "--json", "print JSON")
    parser.add_argument(
        "--attribute-mappings",
        metavar="FILE",
        help="the profile's, as `aws rolesanywhere get-profile` prints them; default: all mapped",
    )
    parser.add_argument(
        "--role-session-name",
        metavar="NAME",
        help="the name to ask for, if the profile accepts one; default: the serial number in hex",
    )
    policy = parser.add_argument_group("trust policy")
    policy.add_argument(
        "--trust-policy", metavar="FILE", help="a role's trust policy (JSON); - reads stdin"
    )
    policy.add_argument(
        "--trust-anchor-arn", metavar="ARN", help="gives aws:SourceArn and aws:SourceAccount"
    )
    add_repeated(
        policy,
        "--context",
        "KEY=VALUE",
        "a condition key that is not known here; repeat it for several values",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the inspection, and the policy's evaluation if one is asked for."""
    now = utc_now()
    inspection = _inspect(arguments, now)
    evaluation = _evaluate(arguments, inspection, now)
    if arguments.json:
        document = inspection.to_json()
        if evaluation is not None:
            document["trustPolicy"] = evaluation.to_json()
        write_json(document)
    else:
        from .inspect_page import show_evaluation, show_inspection

        page = Page.for_stream(sys.stdout)
        show_inspection(page, inspection, shown_place(arguments.file or arguments.certificate))
        if evaluation is not None:
            show_evaluation(page, evaluation, arguments.trust_policy)
        page.write(sys.stdout)
    allowed = evaluation is None or evaluation.allowed
    return OK if inspection.acceptable and allowed else FAILED


def _inspect(arguments: argparse.Namespace, now: datetime) -> CertificateInspection:
    session_name = arguments.role_session_name
    return inspect_place(
        arguments.file or arguments.certificate,
        now,
        intermediates=arguments.intermediates,
        attribute_mappings=arguments.attribute_mappings,
        session_name=session_name and require_session_name(session_name, "--role-session-name"),
    )


def _evaluate(
    arguments: argparse.Namespace, inspection: CertificateInspection, now: datetime
) -> Evaluation | None:
    from boto_rolesanywhere.inspection.trust_policy import TrustPolicy, evaluate

    facts = inspection.facts(
        now=now,
        trust_anchor_arn=arguments.trust_anchor_arn,
        context=context_of(arguments.context),
    )
    if arguments.trust_policy is None:
        return None
    text, where = read_text(arguments.trust_policy), name_of_text(arguments.trust_policy)
    return evaluate(TrustPolicy.parse(text, where=where), facts)

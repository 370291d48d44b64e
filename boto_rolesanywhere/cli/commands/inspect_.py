"""``inspect``: what AWS will see of a certificate, and what a trust policy makes of it.

It reads files and writes a page or JSON; `inspection` works out what they say.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from boto_rolesanywhere.identity.files.contents import Contents
    from boto_rolesanywhere.identity.files.reading import Role
    from boto_rolesanywhere.inspection.certificate import CertificateInspection
    from boto_rolesanywhere.inspection.trust_policy import Evaluation
    from boto_rolesanywhere.settings.sources import Secret

_LONGEST_TEXT: Final = 1024 * 1024  # bytes; a trust policy has a few thousand at most
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
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="the certificate: PEM, DER, PKCS#12, or a pkcs11: URI",
    )
    given.add_argument(
        "--certificate", metavar="FILE", help="the certificate, as a flag instead of FILE"
    )
    parser.add_argument("--intermediates", metavar="FILE", help="intermediate certificates")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--attribute-mappings",
        metavar="FILE",
        help="the profile's, as `aws rolesanywhere get-profile` prints them; default: all mapped",
    )
    parser.add_argument(
        "--role-session-name",
        metavar="NAME",
        help="as it is asked for, if the profile accepts one; default: the serial number in hex",
    )
    policy = parser.add_argument_group("trust policy")
    policy.add_argument(
        "--trust-policy", metavar="FILE", help="a role's trust policy (JSON); - reads stdin"
    )
    policy.add_argument(
        "--trust-anchor-arn", metavar="ARN", help="gives aws:SourceArn and aws:SourceAccount"
    )
    policy.add_argument(
        "--context",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a condition key that is not known here; repeat it for several values",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the inspection, and the policy's evaluation if one is asked for."""
    from datetime import datetime, timezone

    now = datetime.now(timezone.utc)
    inspection = _inspect(arguments, now)
    evaluation = _evaluate(arguments, inspection, now)
    if arguments.json:
        document = inspection.to_json()
        if evaluation is not None:
            document["trustPolicy"] = evaluation.to_json()
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        from boto_rolesanywhere.cli.terminal import Page

        from .inspect_page import show_evaluation, show_inspection

        page = Page.for_stream(sys.stdout)
        show_inspection(page, inspection, _shown(arguments.file or arguments.certificate))
        if evaluation is not None:
            show_evaluation(page, evaluation, arguments.trust_policy)
        page.write(sys.stdout)
    allowed = evaluation is None or evaluation.allowed
    return OK if inspection.acceptable and allowed else FAILED


def _inspect(arguments: argparse.Namespace, now: datetime) -> CertificateInspection:
    from boto_rolesanywhere.inspection.attribute_mappings import AttributeMappings
    from boto_rolesanywhere.inspection.certificate import choose_leaf, inspect_certificate
    from boto_rolesanywhere.settings.values import require_session_name

    place = arguments.file or arguments.certificate
    opened = [_open(place, "certificate")]
    if arguments.intermediates:
        opened.append(_open(arguments.intermediates, "chain"))
    mappings = None
    if arguments.attribute_mappings:
        text = _read_text(arguments.attribute_mappings)
        mappings = AttributeMappings.parse(text, where=arguments.attribute_mappings)
    candidates = [
        certificate
        for contents in opened
        for certificate in (*contents.certificates, *contents.beside)
    ]
    session_name = arguments.role_session_name
    return inspect_certificate(
        choose_leaf(opened[0].certificates),
        candidates,
        now=now,
        mappings=mappings,
        session_name=session_name and require_session_name(session_name, "--role-session-name"),
    )


def _evaluate(
    arguments: argparse.Namespace, inspection: CertificateInspection, now: datetime
) -> Evaluation | None:
    from boto_rolesanywhere.inspection.trust_policy import TrustPolicy, evaluate

    facts = inspection.facts(
        now=now,
        trust_anchor_arn=arguments.trust_anchor_arn,
        context=_context(arguments.context),
    )
    if arguments.trust_policy is None:
        return None
    where = "standard input" if arguments.trust_policy == "-" else arguments.trust_policy
    return evaluate(TrustPolicy.parse(_read_text(arguments.trust_policy), where=where), facts)


def _context(pairs: list[str]) -> dict[str, tuple[str, ...]]:

    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ConfigurationError(
                f"it is {pair!r}",
                code="content-unrecognised",
                where="--context",
                expected="KEY=VALUE, as in aws:SourceIp=10.0.0.1",
            )
        found[key] = (*found.get(key, ()), value)
    return found


def _open(place: str, role: Role) -> Contents:
    from boto_rolesanywhere.identity.opening import Access, open_certificates

    return open_certificates(place, role, Access(_passphrase(place), _pkcs11_module()))


def _shown(place: str) -> str:
    """The place without a PIN, which a URI may hold."""
    from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
    from boto_rolesanywhere.settings.places import TOKEN, kind_of

    return str(parse_pkcs11_uri(place)) if kind_of(place) == TOKEN else place


def _pkcs11_module() -> str | None:
    from boto_rolesanywhere.settings.names import PKCS11_MODULE

    return os.environ.get(PKCS11_MODULE.variable) or None


def _passphrase(place: str) -> Secret | None:
    """The secret for a PKCS #12 file or token: from the environment, or typed at a terminal."""
    from boto_rolesanywhere.settings.names import gather
    from boto_rolesanywhere.settings.passphrases import configured_secret
    from boto_rolesanywhere.settings.sources import Secret

    secret = configured_secret(gather({}, os.environ, {}), os.environ)
    if secret is not None or not sys.stdin.isatty():
        return secret
    from getpass import getpass

    return Secret(lambda: getpass(f"Passphrase of {_shown(place)}: "), "the prompt")


def _read_text(place: str) -> bytes:

    try:
        if place == "-":
            text = sys.stdin.buffer.read(_LONGEST_TEXT + 1)
        else:
            with Path(place).open("rb") as file:
                text = file.read(_LONGEST_TEXT + 1)
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be read ({error.strerror})",
            code="file-unreadable",
            where=place,
            expected="a file with JSON",
        ) from None
    if len(text) > _LONGEST_TEXT:
        raise ConfigurationError(
            f"it is larger than {_LONGEST_TEXT} bytes",
            code="file-too-large",
            where=place,
            expected="a file with JSON",
        )
    return text

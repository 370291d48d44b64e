"""What ``revoke`` does, one step after the other."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509

from boto_rolesanywhere.account.private_ca import PrivateCa
from boto_rolesanywhere.account.revocation.ending import (
    MARGIN,
    POLICY_NAME,
    end_sessions,
    ending_statement,
)
from boto_rolesanywhere.account.revocation.private_ca_lists import require_same_region
from boto_rolesanywhere.account.revocation.synchronising import Order, Synchroniser
from boto_rolesanywhere.account.trust_policies import policy_of
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.cli.authority.opening import authority_of, folder_of
from boto_rolesanywhere.cli.authority.revoking import serial_of
from boto_rolesanywhere.cli.authority.workload import serial_in
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.refusals import without_effect
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.inspection.session_tags import source_identity, source_identity_doubt

from .crl_sync import UNUSABLE, outcome_document, page_of, status_of

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.account.administrator import Administrator
    from boto_rolesanywhere.identity.opening import Access


class Revoked(NamedTuple):
    """What was revoked.

    Attributes:
        serial_number: of the certificate.
        certificate: None if only its number is known.
        source: where the CA's list is.
    """

    serial_number: int
    certificate: x509.Certificate | None
    source: str


class Report:
    """What has happened so far: printed as it happens, or kept for one document."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._prints = not arguments.json
        self.document: dict[str, Any] = {"trustAnchor": arguments.trust_anchor}

    def say(self, text: str) -> None:
        """Print a line or more."""
        if self._prints:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


def revoke(arguments: argparse.Namespace, administrator: Administrator, report: Report) -> Revoked:
    """Have the CA revoke the certificate.

    Raises:
        RolesAnywhereError: it is not the CA's, or the CA cannot be used.
    """
    revoked, words = (
        _by_private_ca(arguments, administrator) if arguments.pca else _by_folder(arguments)
    )
    report.document |= {"serialNumber": f"{revoked.serial_number:x}", "reason": arguments.reason}
    report.say(f"{_shown(revoked)} {words}.")
    return revoked


def _by_folder(arguments: argparse.Namespace) -> tuple[Revoked, str]:
    authority = authority_of(arguments)
    serial = serial_of(arguments.certificate, authority)
    before = authority.find(serial)
    certificate = x509.load_der_x509_certificate(before.der) if before and before.der else None
    if before is not None:
        _require_known(arguments, certificate)
    authority.revoke(serial, arguments.reason)
    again = before is not None and before.revoked_at is not None
    words = "was revoked before" if again else f"is revoked, for the reason {arguments.reason}"
    return Revoked(serial, certificate, str(folder_of(arguments))), words


def _by_private_ca(
    arguments: argparse.Namespace, administrator: Administrator
) -> tuple[Revoked, str]:
    require_same_region(administrator, arguments.pca)
    certificates: list[x509.Certificate] = []
    serial = serial_in(arguments.certificate, certificates.append)
    certificate = certificates[0] if certificates else None
    _require_known(arguments, certificate)
    revocation = PrivateCa(administrator, arguments.pca).revoke(serial, arguments.reason)
    words = f"is revoked, for the reason {arguments.reason}"
    if not revocation.new:
        words = "was revoked before"
    return Revoked(serial, certificate, arguments.pca), words


def _require_known(arguments: argparse.Namespace, certificate: x509.Certificate | None) -> None:
    if arguments.end_sessions and certificate is None:
        raise without_effect(
            "--end-sessions",
            "the certificate's file: a serial number does not say whose the sessions are",
        )


def _shown(revoked: Revoked) -> str:
    name = f" ({describe_subject(revoked.certificate)})" if revoked.certificate else ""
    return f"{revoked.serial_number:x}{name}"


def synchronise(
    arguments: argparse.Namespace,
    administrator: Administrator,
    access: Access,
    revoked: Revoked,
    report: Report,
) -> int:
    """Bring the CA's list to the trust anchor; the exit status.

    Raises:
        RolesAnywhereError: AWS was not reached or refused a call.
    """
    order = Order(
        trust_anchor=arguments.trust_anchor, sources=(revoked.source,), adopt=arguments.adopt
    )
    outcomes = Synchroniser(administrator, order, access).run()
    report.document["sources"] = [outcome_document(outcome) for outcome in outcomes]
    report.say(str(page_of(outcomes)).rstrip("\n"))
    status = status_of(outcomes)
    listed = outcomes[0].listed
    named = listed is not None and listed.entry(revoked.serial_number) is not None
    report.document["refusedByAws"] = status == OK and named
    if status != OK:
        return status
    if not named:
        report.say(
            "The CA's list does not name the certificate yet, so AWS goes on taking it. AWS Private"
            " CA writes its list within about half an hour; run this again, or `crl sync`, then."
        )
        return UNUSABLE
    report.say("AWS refuses the certificate from about a second from now on.")
    return OK


def end(
    arguments: argparse.Namespace,
    administrator: Administrator,
    revoked: Revoked,
    report: Report,
    *,
    is_refused: bool,
) -> None:
    """Say how its live sessions are ended, and end them on the roles that are named.

    Raises:
        RolesAnywhereError: IAM refused a call.
    """
    if revoked.certificate is None:  # its number alone does not say whose its sessions are
        return
    identity = source_identity(revoked.certificate)
    before = utc_now() + MARGIN
    report.document["sourceIdentity"] = identity
    _warn(report, identity, revoked.certificate, is_refused=is_refused)
    if not arguments.end_sessions:
        policy = policy_of([ending_statement(identity, before)])
        report.document["policy"] = policy
        report.say(
            f"To end them at once, run this again with --end-sessions ROLE, or attach:\n"
            f"{json.dumps(policy, indent=2)}"
        )
    for role in arguments.end_sessions:
        report.document["policy"] = end_sessions(administrator, role, identity, before)
        report.document.setdefault("endedOn", []).append(role)
        report.say(f"{role}: they are ended, by its inline policy {POLICY_NAME}.")


def _warn(
    report: Report, identity: str, certificate: x509.Certificate, *, is_refused: bool
) -> None:
    report.say(
        "\nSessions that it has got before go on until they end. What ends them is a policy on each"
        f" role, which denies everything to sessions with the SourceIdentity {identity!r} that"
        " began before now: exactly those of all certificates from which AWS makes this"
        " SourceIdentity, so also of a renewed one with the same CN. Their programs get denials"
        " until they ask for a new session. Sessions that begin later are not touched, nor are"
        " those of further roles of a chain, unless the policy is attached to these too."
    )
    if not is_refused:
        report.say("As long as AWS takes the certificate, whoever has its key gets new ones.")
    if doubt := source_identity_doubt(certificate):
        report.say(f"The SourceIdentity is a guess: {doubt}. CloudTrail shows the real one.")

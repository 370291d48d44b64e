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
from boto_rolesanywhere.cli.authority.opening import access_of, authority_of, folder_of
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


class Revoking:
    """One run, whose steps are printed as they are done, or kept for one document.

    Attributes:
        document: what has been done, as JSON values.
    """

    def __init__(self, arguments: argparse.Namespace, administrator: Administrator) -> None:
        """Do nothing yet.

        Args:
            arguments: of the command.
            administrator: in the trust anchor's Region.
        """
        self._arguments, self._administrator = arguments, administrator
        self.document: dict[str, Any] = {"trustAnchor": arguments.trust_anchor}

    def run(self) -> int:
        """Have the CA revoke the certificate, bring its list to AWS, end sessions.

        Returns:
            The exit status.

        Raises:
            RolesAnywhereError: the certificate is not the CA's, or a call failed.
        """
        arguments = self._arguments
        revoked, words = self._by_private_ca() if arguments.pca else self._by_folder()
        serial = f"{revoked.serial_number:x}"
        self.document |= {"serialNumber": serial, "reason": arguments.reason}
        name = f" ({describe_subject(revoked.certificate)})" if revoked.certificate else ""
        self._say(f"{serial}{name} {words}.")
        status = self._synchronise(revoked)
        if revoked.certificate is not None:  # its number alone does not say whose its sessions are
            self._end(revoked.certificate, is_refused=status == OK)
        return status

    def _say(self, text: str) -> None:
        if not self._arguments.json:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def _by_folder(self) -> tuple[Revoked, str]:
        arguments = self._arguments
        authority = authority_of(arguments)
        serial = serial_of(arguments.certificate, authority)
        before = authority.find(serial)
        certificate = x509.load_der_x509_certificate(before.der) if before and before.der else None
        if before is not None:
            self._require_known(certificate)
        authority.revoke(serial, arguments.reason)
        again = before is not None and before.revoked_at is not None
        words = "was revoked before" if again else f"is revoked, for the reason {arguments.reason}"
        return Revoked(serial, certificate, str(folder_of(arguments))), words

    def _by_private_ca(self) -> tuple[Revoked, str]:
        arguments = self._arguments
        require_same_region(self._administrator, arguments.pca)
        serial, certificate = serial_in(arguments.certificate)
        self._require_known(certificate)
        revocation = PrivateCa(self._administrator, arguments.pca).revoke(serial, arguments.reason)
        words = f"is revoked, for the reason {arguments.reason}"
        if not revocation.new:
            words = "was revoked before"
        return Revoked(serial, certificate, arguments.pca), words

    def _require_known(self, certificate: x509.Certificate | None) -> None:
        if self._arguments.end_sessions and certificate is None:
            raise without_effect(
                "--end-sessions",
                "the certificate's file: a serial number does not say whose the sessions are",
            )

    def _synchronise(self, revoked: Revoked) -> int:
        """Bring the CA's list to the trust anchor; the exit status."""
        arguments = self._arguments
        order = Order(
            trust_anchor=arguments.trust_anchor, sources=(revoked.source,), adopt=arguments.adopt
        )
        outcomes = Synchroniser(self._administrator, order, access_of(arguments)).run()
        self.document["sources"] = [outcome_document(outcome) for outcome in outcomes]
        self._say(str(page_of(outcomes)).rstrip("\n"))
        status = status_of(outcomes)
        listed = outcomes[0].listed
        named = listed is not None and listed.entry(revoked.serial_number) is not None
        self.document["refusedByAws"] = status == OK and named
        if status != OK:
            return status
        if not named:
            self._say(
                "The CA's list does not name the certificate yet, so AWS goes on taking it. AWS"
                " Private CA writes its list within about half an hour; run this again, or"
                " `crl sync`, then."
            )
            return UNUSABLE
        self._say("AWS refuses the certificate from about a second from now on.")
        return OK

    def _end(self, certificate: x509.Certificate, *, is_refused: bool) -> None:
        """Say how its live sessions are ended, and end them on the roles that are named."""
        identity = source_identity(certificate)
        before = utc_now() + MARGIN
        self.document["sourceIdentity"] = identity
        self._warn(identity, certificate, is_refused=is_refused)
        if not self._arguments.end_sessions:
            policy = policy_of([ending_statement(identity, before)])
            self.document["policy"] = policy
            self._say(
                f"To end them at once, run this again with --end-sessions ROLE, or attach:\n"
                f"{json.dumps(policy, indent=2)}"
            )
        for role in self._arguments.end_sessions:
            self.document["policy"] = end_sessions(self._administrator, role, identity, before)
            self.document.setdefault("endedOn", []).append(role)
            self._say(f"{role}: they are ended, by its inline policy {POLICY_NAME}.")

    def _warn(self, identity: str, certificate: x509.Certificate, *, is_refused: bool) -> None:
        self._say(
            "\nSessions that it has got before go on until they end. What ends them is a policy on"
            " each role, which denies everything to sessions with the SourceIdentity"
            f" {identity!r} that began before now: exactly those of all certificates from which AWS"
            " makes this SourceIdentity, so also of a renewed one with the same CN. Their programs"
            " get denials until they ask for a new session. Sessions that begin later are not"
            " touched, nor are those of further roles of a chain, unless the policy is attached to"
            " these too."
        )
        if not is_refused:
            self._say("As long as AWS takes the certificate, whoever has its key gets new ones.")
        if doubt := source_identity_doubt(certificate):
            self._say(f"The SourceIdentity is a guess: {doubt}. CloudTrail shows the real one.")

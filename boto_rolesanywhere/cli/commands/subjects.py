"""``subjects``: who has asked for sessions, with which certificate, until when."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.account.administrator_options import (
    add_administrator,
    administrator_of,
)
from boto_rolesanywhere.cli.authority.workload import days
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.terminal import Page, write_json
from boto_rolesanywhere.clock import utc_now

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from boto_rolesanywhere.account.subjects import SeenCertificate, Subject

_EXPIRING: Final = 3
_DESCRIPTION: Final = """\
Show who has asked IAM Roles Anywhere for sessions in this account and Region: each subject,
when it came first and last, and its certificates with their ends. AWS keeps them; nothing is
read on the workloads' machines."""
_EPILOG: Final = """\
AWS takes one call a second, and one is needed for each subject.

exit status:
  0  done; with --expiring, no certificate ends so soon
  1  AWS was not reached or refused the call
  2  wrong usage
  3  with --expiring: a certificate ends so soon, and its subject has not come with a later one

examples:
  boto-rolesanywhere subjects --region eu-west-1
  boto-rolesanywhere subjects --expiring 30 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument(
        "--expiring",
        type=days,
        metavar="DAYS",
        help="only certificates that end within so many days",
    )
    add_switch(parser, "--json", "for programs")
    add_administrator(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the subjects."""
    from boto_rolesanywhere.account.subjects import subjects

    now = utc_now()
    rows = []
    for subject in subjects(administrator_of(arguments), _progress):
        chosen = _chosen(subject, now, arguments.expiring)
        if chosen or arguments.expiring is None:
            rows.append((subject, chosen))
    if arguments.json:
        documents = [_document(subject, chosen) for subject, chosen in rows]
        write_json(documents)
    else:
        _page(rows, now, expiring=arguments.expiring is not None).write(sys.stdout)
    late = arguments.expiring is not None and any(
        not subject.is_renewed(each) for subject, chosen in rows for each in chosen
    )
    return _EXPIRING if late else OK


def _progress(number: int, count: int) -> None:
    if sys.stderr.isatty() or number % 100 == 0 < number:
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write(f"{number} of {count} subjects are read{end}")
        sys.stderr.flush()


def _chosen(subject: Subject, now: datetime, expiring: int | None) -> tuple[SeenCertificate, ...]:
    if expiring is None:
        return subject.certificates
    end = now + timedelta(days=expiring)
    return tuple(
        each
        for each in subject.certificates
        if each.not_after is not None and now <= each.not_after <= end
    )


def _page(
    rows: Sequence[tuple[Subject, Sequence[SeenCertificate]]], now: datetime, *, expiring: bool
) -> Page:
    page = Page.for_stream(sys.stdout)
    for subject, certificates in rows:
        page.heading(subject.name or "an empty subject", subject.arn)
        state = "enabled" if subject.enabled else "disabled"
        last = f", last {_at(subject.last_seen_at)}" if subject.last_seen_at else ""
        page.note(f"{state}, first seen {_at(subject.created_at)}{last}", indent=2)
        for each in certificates:
            ended = each.not_after is not None and each.not_after < now
            end = f"until {each.not_after:%Y-%m-%d}" if each.not_after else "end unknown"
            later = ", a later one was seen" if subject.is_renewed(each) else ""
            calm = each.enabled and not ended and (not expiring or subject.is_renewed(each))
            page.marked(
                "ok" if calm else "warn",
                each.serial_number,
                f"{end}{later}; by {each.issuer}, last used {_at(each.seen_at)}, failed:"
                f" {_word(each.failed)}{'' if each.enabled else ', disabled'}",
            )
    if not rows:
        page.note("none", indent=0)
    return page


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _word(failed: bool | None) -> str:  # AWS's value
    return "not said" if failed is None else str(failed).lower()


def _document(subject: Subject, certificates: Sequence[SeenCertificate]) -> dict[str, object]:
    return {
        "subjectArn": subject.arn,
        "x509Subject": subject.name,
        "enabled": subject.enabled,
        "createdAt": subject.created_at.isoformat(),
        "lastSeenAt": subject.last_seen_at.isoformat() if subject.last_seen_at else None,
        "certificates": [
            {
                "serialNumber": each.serial_number,
                "issuer": each.issuer,
                "seenAt": each.seen_at.isoformat(),
                "enabled": each.enabled,
                "failed": each.failed,
                "notAfter": each.not_after.isoformat() if each.not_after else None,
                "laterSeen": subject.is_renewed(each),
            }
            for each in certificates
        ],
    }

"""``crl status``: what AWS has for a trust anchor, and whether a certificate is on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.revocation.anchors import imported_lists, read_anchor
from boto_rolesanywhere.account.revocation.survey import (
    concerns_of,
    concerns_of_list,
    naming,
)
from boto_rolesanywhere.account.revocation.synchronising import describe
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.reading import names_der, serial_number
from boto_rolesanywhere.cli.authority.workload import serial_in
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.cli.terminal import Page, write_json
from boto_rolesanywhere.clock import in_words, utc_now

from .administrator_options import add_anchor, anchor_administrator
from .crl_sync import UNUSABLE, list_document

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from boto_rolesanywhere.account.revocation.anchors import Anchor, Imported
    from boto_rolesanywhere.account.revocation.survey import Named

REVOKED: Final = 5
_POINTS: Final = (
    "crlDpRevocationEnabled is on: AWS also asks the CRL distribution point that a certificate"
    " names. How long it keeps that list, and what it does when it cannot get it, is not published."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``crl status``."""
    parser.add_argument(
        "certificate",
        nargs="?",
        metavar="FILE|SERIAL",
        help="say whether this certificate is revoked; a serial number in hexadecimal digits",
    )
    add_switch(parser, "--json", "for programs")
    add_anchor(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the lists, and judge them."""
    administrator = anchor_administrator(arguments)
    anchor = read_anchor(administrator, arguments.trust_anchor)
    lists = imported_lists(administrator, anchor)
    now = utc_now()
    subject, found = _looked_up(arguments.certificate, lists)
    if arguments.json:
        document = _document(anchor, lists, now)
        if arguments.certificate:
            document["certificate"] = _certificate_document(subject, found)
        write_json(document)
    else:
        _page(anchor, lists, now, subject, found).write(sys.stdout)
    if _in_force(found):
        return REVOKED
    faults = [
        *concerns_of(anchor),
        *(each for held in lists for each in concerns_of_list(held, now)),
    ]
    return UNUSABLE if faults else OK


def _looked_up(text: str | None, lists: Sequence[Imported]) -> tuple[str, tuple[Named, ...]]:
    """What was asked for, in words, and the lists that name it."""
    if not text:
        return "", ()
    serial, certificate = serial_in(text)
    if certificate is None:
        return f"the serial number {serial:x}", tuple(naming(lists, serial))
    words = f"{describe_subject(certificate)} (serial number {serial:x})"
    return words, tuple(naming(lists, serial_number(certificate), names_der(certificate)[0]))


def _page(
    anchor: Anchor, lists: Sequence[Imported], now: datetime, subject: str, found: Sequence[Named]
) -> Page:
    page = Page.for_stream(sys.stdout)
    page.heading(f"trust anchor {anchor.name}", anchor.arn)
    for concern in concerns_of(anchor):
        page.marked("fail", concern.text)
        page.note(concern.remedy)
    if anchor.asks_distribution_points:
        page.marked("none", _POINTS)
    for imported in lists:
        concerns = list(concerns_of_list(imported, now))
        words = describe(imported.listed) if imported.listed else "unreadable"
        age = "" if imported.listed is None else f", {_age(now, imported.listed.this_update)} old"
        page.marked("fail" if concerns else "ok", imported.name, words + age)
        kept = "kept by crl sync" if imported.is_ours else "not kept by crl sync"
        page.note(f"{imported.crl_id}, {'enabled' if imported.enabled else 'disabled'}, {kept}")
        for concern in concerns:
            page.note(f"{concern.text}. {concern.remedy}")
    if not lists:
        page.marked("none", "no list is imported: no certificate is refused for being revoked")
    for named in found:
        force = "revoked" if named.imported.enabled else "revoked on a list that is disabled"
        reason = f" ({named.reason})" if named.reason else ""
        page.marked(
            "fail",
            subject,
            f"{force}, since {named.revoked_at:%Y-%m-%d %H:%M} UTC{reason}, by {named.imported}",
        )
    if subject and not found:
        page.marked("ok", subject, "on no list")
    return page


def _in_force(found: Sequence[Named]) -> bool:
    """Whether AWS refuses the certificate for one of these."""
    return any(named.imported.enabled for named in found)


def _age(now: datetime, then: datetime) -> str:
    return in_words(max(0, (now - then).total_seconds()))


def _document(anchor: Anchor, lists: Sequence[Imported], now: datetime) -> dict[str, object]:
    return {
        "trustAnchor": anchor.arn,
        "enabled": anchor.enabled,
        "crlDpRevocationEnabled": anchor.asks_distribution_points,
        "lists": [
            {
                "crlArn": imported.arn,
                "name": imported.name,
                "enabled": imported.enabled,
                "keptByCrlSync": imported.is_ours,
                "updatedAt": imported.updated_at.isoformat() if imported.updated_at else None,
                "list": list_document(imported.listed) if imported.listed else None,
                "concerns": [concern.text for concern in concerns_of_list(imported, now)],
            }
            for imported in lists
        ],
    }


def _certificate_document(subject: str, found: Sequence[Named]) -> dict[str, object]:
    return {
        "certificate": subject,
        "revoked": _in_force(found),
        "by": [
            {
                "crlArn": named.imported.arn,
                "enabled": named.imported.enabled,
                "revokedAt": named.revoked_at.isoformat(),
                "reason": named.reason,
            }
            for named in found
        ],
    }

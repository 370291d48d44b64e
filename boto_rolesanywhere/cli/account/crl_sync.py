"""``crl sync``: the lists of CAs to a trust anchor, once or for good."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.account.revocation.synchronising import Order, Synchroniser
from boto_rolesanywhere.account.revocation.watching import IN_ORDER, Watch
from boto_rolesanywhere.cli.authority.opening import access_of, add_passphrase
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.cli.terminal import Page
from boto_rolesanywhere.identity.opening import open_certificates

from .administrator_options import add_anchor, anchor_administrator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boto_rolesanywhere.account.revocation.lists import RevocationList
    from boto_rolesanywhere.account.revocation.synchronising import Outcome
    from boto_rolesanywhere.cli.terminal import Mark

UNUSABLE: Final = 3
IN_THE_WAY: Final = 4
_STATUSES: Final = {
    "failed": FAILED,
    "refused": UNUSABLE,
    "older": UNUSABLE,
    "in-the-way": IN_THE_WAY,
}
_MINUTES: Final = 15
_SOURCES: Final = (
    "a file; an http, https or s3 URL; cdp or cdp:FILE (the distribution point that the trust"
    " anchor's certificate, or that in FILE, names); the ARN of an AWS Private CA; the folder of a"
    " CA of `ca`"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``crl sync``."""
    parser.add_argument(
        "--from", dest="sources", nargs="+", required=True, metavar="SOURCE", help=_SOURCES
    )
    add_repeated(
        parser,
        "--issuer",
        "FILE",
        "the certificate of a CA below the trust anchor, whose list it is",
    )
    add_switch(parser, "--adopt", "take over a list of the same CA that is there")
    add_switch(
        parser,
        "--whole",
        "the CA does not split its lists: take one that names its own distribution point",
    )
    often = parser.add_mutually_exclusive_group()
    add_switch(often, "--once", "do it once, and end: the default")
    add_switch(often, "--watch", "go on until SIGTERM or SIGINT")
    parser.add_argument(
        "--every",
        type=minutes,
        default=timedelta(minutes=_MINUTES),
        metavar="MINUTES",
        help=f"with --watch: how often to look; default: {_MINUTES}",
    )
    add_passphrase(parser, "the passphrase or PIN of the key of a CA of `ca`")
    add_switch(parser, "--json", "for programs; one line each time")
    add_anchor(parser)


def minutes(text: str) -> timedelta:
    """Parse a number of minutes.

    Raises:
        ArgumentTypeError: it is none, or below one.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 24 * 60:
        raise argparse.ArgumentTypeError("it must be a number of minutes, from 1 to 1440")
    return timedelta(minutes=value)


def run(arguments: argparse.Namespace) -> int:
    """Bring the lists to the trust anchor."""
    synchroniser = Synchroniser(
        anchor_administrator(arguments), _order(arguments), access_of(arguments)
    )
    if arguments.watch:
        return _watch(arguments, synchroniser)
    outcomes = synchroniser.run()
    tell(arguments, outcomes)
    return status_of(outcomes)


def _order(arguments: argparse.Namespace) -> Order:
    issuers = [
        certificate
        for place in arguments.issuer
        for certificate in open_certificates(place).certificates
    ]
    return Order(
        trust_anchor=arguments.trust_anchor,
        sources=tuple(arguments.sources),
        issuers=tuple(issuers),
        adopt=arguments.adopt,
        whole=arguments.whole,
    )


def _watch(arguments: argparse.Namespace, synchroniser: Synchroniser) -> int:
    from boto_rolesanywhere.server.notify import notify
    from boto_rolesanywhere.server.signals import ending_signals

    reported: list[tuple[str, str]] = []

    def report(outcomes: Sequence[Outcome]) -> None:
        notify(f"READY=1\nSTATUS={_summary(outcomes)}", os.environ)
        news = [(outcome.state, outcome.text) for outcome in outcomes]
        if outcomes and (arguments.json or news != reported):
            tell(arguments, outcomes)
            sys.stdout.flush()
        reported[:] = news

    with ending_signals() as ended:
        Watch(synchroniser.run, ended, report, every=arguments.every).run()
    notify("STOPPING=1", os.environ)
    return OK


def _summary(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "AWS was not reached; trying again"
    faults = [outcome for outcome in outcomes if outcome.state not in IN_ORDER]
    return (faults or outcomes)[0].text.replace("\n", " ")


def tell(arguments: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    """Print what became of each source."""
    if arguments.json:
        document = {
            "trustAnchor": arguments.trust_anchor,
            "status": status_of(outcomes),
            "sources": [outcome_document(outcome) for outcome in outcomes],
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return
    page_of(outcomes).write(sys.stdout)


def page_of(outcomes: Sequence[Outcome]) -> Page:
    """What became of each source, for a person."""
    page = Page.for_stream(sys.stdout)
    for outcome in outcomes:
        code = f" [{outcome.code}]" if outcome.code else ""
        page.marked(_mark(outcome), outcome.source, f"{outcome.text}{code}")
        if outcome.remedy:
            page.note(outcome.remedy)
    return page


def status_of(outcomes: Sequence[Outcome]) -> int:
    """The exit status: that of the outcome which most wants a person."""
    return max((_STATUSES.get(outcome.state, OK) for outcome in outcomes), default=OK)


def list_document(listed: RevocationList) -> dict[str, object]:
    """A list as JSON values."""
    end = listed.next_update
    return {
        "issuer": listed.issuer,
        "number": listed.number,
        "entries": listed.entries,
        "thisUpdate": listed.this_update.isoformat(),
        "nextUpdate": end.isoformat() if end else None,
    }


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """What became of a source, as JSON values."""
    return {
        "source": outcome.source,
        "state": outcome.state,
        "text": outcome.text,
        "remedy": outcome.remedy,
        "code": outcome.code,
        "list": list_document(outcome.listed) if outcome.listed else None,
        "crlArn": outcome.crl_arn,
    }


def _mark(outcome: Outcome) -> Mark:
    if outcome.state not in IN_ORDER:
        return "fail"
    return "warn" if outcome.remedy else "ok"

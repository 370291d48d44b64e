"""``doctor``: check everything that can be wrong, and say each verdict as soon as it is known.

`boto_rolesanywhere.doctor` has the checks; here are the options and how verdicts look.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flag_table import settings_of
from boto_rolesanywhere.cli.flags import add_flags, given_flags, hush_urllib3, prepare
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.cli.terminal import Page, write_json
from boto_rolesanywhere.errors import RolesAnywhereError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from boto_rolesanywhere.doctor import Verdict

_DESCRIPTION: Final = """\
Check everything between this workload and its credentials, in order: settings,
files and their modes, key, chain, certificate, the way to AWS, and then CreateSession
and sts get-caller-identity themselves. Each line is a verdict with what to do about it.

Settings come from flags, from the environment, and from the profile of the AWS config
file (--config-profile, else AWS_PROFILE, else default). No secret is printed."""
_EPILOG: Final = """\
exit status:
  0  all is well, or there are warnings only
  1  something failed
  2  wrong usage

examples:
  boto-rolesanywhere doctor
  boto-rolesanywhere doctor --config-profile onprem --offline
  boto-rolesanywhere doctor --certificate workload.pem --private-key workload.key \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN --json"""

_TITLES: Final = {
    "arns": "ARNs",
    "crl": "CRL",
    "create-session": "CreateSession",
    "assume-role": "AssumeRole",
    "caller-identity": "caller",
    "name-resolution": "name",
    "tls": "TLS",
    "trust-anchor": "trust anchor",
}
_ALWAYS: Final = ("configuration",)  # a setting's origin explains most mistakes
_COLUMN: Final = len("configuration")
_DETAIL: Final = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    group = parser.add_argument_group("what to check and how to show it")
    add_switch(group, "--offline", "leave out all that needs the network")
    add_switch(group, "--json", "print JSON, at the end")
    add_switch(group, "--verbose", "also show details of what is well")
    group.add_argument(
        "--trust-anchor-certificate",
        metavar="FILE",
        help="the trust anchor's certificate, to compare the chain with",
    )
    group.add_argument(
        "--crl",
        metavar="FILE",
        help="a certificate revocation list, to look the certificate up in",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts, each when it is known."""
    flags = given_flags(arguments)
    _quieten(arguments)
    verdicts = _verdicts(arguments, flags)
    counts = (
        _as_json(verdicts) if arguments.json else _as_pages(verdicts, verbose=arguments.verbose)
    )
    return FAILED if counts["fail"] else OK


def _quieten(arguments: argparse.Namespace) -> None:
    """Log no warnings: here each is a verdict."""
    if arguments.debug:
        prepare(arguments)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    if arguments.no_verify_ssl:
        hush_urllib3()


def _verdicts(arguments: argparse.Namespace, flags: dict[str, str]) -> Iterator[Verdict]:
    from boto_rolesanywhere.cli.inputs import arguments_from
    from boto_rolesanywhere.cli.store.process_choice import chosen_arguments
    from boto_rolesanywhere.doctor import examine
    from boto_rolesanywhere.doctor.verdict import of_error

    try:
        settings = arguments_from(flags, os.environ)
    except RolesAnywhereError as error:
        yield of_error("configuration", error)
        settings = {}
    yield from examine(
        settings,
        profile_name=arguments.config_profile or None,
        flags=settings_of(flags, os.environ),
        verify=False if arguments.no_verify_ssl else None,
        trust_anchor_certificate=arguments.trust_anchor_certificate,
        crl=arguments.crl,
        offline=arguments.offline,
        choose=chosen_arguments,
    )


def _as_json(verdicts: Iterable[Verdict]) -> Counter[str]:
    listed = list(verdicts)
    counts: Counter[str] = Counter(verdict.status for verdict in listed)
    document = {
        "ok": not counts["fail"],
        "counts": {status: counts[status] for status in ("ok", "warn", "fail", "skip")},
        "verdicts": [verdict.to_json() for verdict in listed],
    }
    write_json(document)
    return counts


def _as_pages(verdicts: Iterable[Verdict], *, verbose: bool) -> Counter[str]:
    from boto_rolesanywhere.doctor.verdict import LOCAL

    counts: Counter[str] = Counter()
    failed: list[Verdict] = []
    skipped: list[Verdict] = []
    group = None
    for verdict in verdicts:
        counts[verdict.status] += 1
        if verdict.status == "fail":
            failed.append(verdict)
        if verdict.status == "skip" and not verbose:
            skipped.append(verdict)
            continue
        page = Page.for_stream(sys.stdout)
        heading = "On this machine" if verdict.name in LOCAL else "On the way to AWS"
        if heading != group:
            sys.stdout.write("\n" if group else "")
            page.heading(heading)
            group = heading
        _show(page, verdict, details=verbose or verdict.status != "ok" or verdict.name in _ALWAYS)
        page.write(sys.stdout)
        sys.stdout.flush()  # the next one may take seconds
    _close(skipped, failed, counts)
    return counts


def _close(skipped: Sequence[Verdict], failed: Sequence[Verdict], counts: Counter[str]) -> None:
    """What was not checked, in one line; the sum; and what failed once more, where people look."""
    page = Page.for_stream(sys.stdout)
    sys.stdout.write("\n")
    if skipped:
        page.marked("skip", "not checked", _reasons(skipped), column=_COLUMN)
    page.heading(_summary(counts))
    for verdict in failed:
        _show(page, verdict, details=False)
    page.write(sys.stdout)


def _reasons(skipped: Sequence[Verdict]) -> str:
    """The names of the checks by the reason why they were left out."""
    names: dict[str, list[str]] = {}
    for verdict in skipped:
        named = names.setdefault(verdict.text, [])
        if (title := _TITLES.get(verdict.name, verdict.name)) not in named:
            named.append(title)
    return "; ".join(f"{', '.join(each)} ({why})" for why, each in names.items())


def _show(page: Page, verdict: Verdict, *, details: bool) -> None:
    title = _TITLES.get(verdict.name, verdict.name)
    text = f"{verdict.text} [{verdict.code}]" if verdict.code else verdict.text
    page.marked(verdict.status, title, text, column=_COLUMN)
    indent = _DETAIL + _COLUMN + 2
    if details:
        # ARNs and their origins need the room.
        wide = verdict.name in _ALWAYS
        page.fields(verdict.details, indent=_DETAIL + 2 if wide else indent)
    if verdict.remedy:
        page.note(f"-> {verdict.remedy}", indent=indent)


def _summary(counts: Counter[str]) -> str:
    if not counts["fail"]:
        return "Nothing failed." + (f" Warnings: {counts['warn']}." if counts["warn"] else "")
    return f"Failed: {counts['fail']}. Warnings: {counts['warn']}. Not checked: {counts['skip']}."

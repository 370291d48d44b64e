"""The emulator's command line: options in, a running emulator and its settings on stdout."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, get_args

from boto_rolesanywhere.authority.keys import KeyType
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.server.signals import ending_signals

from .facade import Emulator
from .neighbours import private_cas_at, roles_at
from .pki import authority_and_files
from .resources import RevocationList, anchor_certificates
from .tls import TlsFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boto_rolesanywhere.testing.ca import CertificateAuthority

    from .records import RequestRecord

_DESCRIPTION = """\
A local IAM Roles Anywhere: answers CreateSession on loopback, and verifies each signature and
certificate as the service does. Prints what to export, then serves until SIGINT or SIGTERM.
"""

_EPILOG = """\
examples:
  # makes an authority and a client certificate in ./pki
  %(prog)s --write pki
  # keeps everything in ./state; started again, it goes on where it was
  %(prog)s --write pki --state state
  # trusts your authority, under the ARNs that your configuration has already
  %(prog)s --ca ca.pem --port 8080 --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN
"""


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m boto_rolesanywhere.testing.emulator",
        usage="%(prog)s (--ca FILE | --write DIR) [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_trust(parser.add_argument_group("trust and certificates"))
    _add_listening(parser.add_argument_group("listening"))
    _add_registered(parser.add_argument_group("what is registered"))
    _add_control_plane(parser.add_argument_group("control plane"))
    _add_limits(parser.add_argument_group("limits"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", action="store_true", help="print one line of JSON instead of exports"
    )
    output.add_argument(
        "--verbose", action="store_true", help="a line on stderr for each request, with the reason"
    )
    return parser


def _add_trust(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--ca",
        metavar="FILE",
        type=Path,
        help="PEM of the trust anchor: one or two CA certificates; default: a new authority",
    )
    group.add_argument(
        "--ca-key", metavar="FILE", type=Path, help="its key, PEM; for --write to issue with"
    )
    group.add_argument(
        "--ca-key-passphrase-file", metavar="FILE", type=Path, help="if that key is encrypted"
    )
    group.add_argument(
        "--write",
        metavar="DIR",
        type=Path,
        help="write a client certificate and key there (client-cert.pem, client-key.pem), and the "
        "authority too (ca-cert.pem, ca-key.pem) if a new one is made; what is there is used",
    )
    group.add_argument(
        "--key-type",
        metavar="TYPE",
        choices=get_args(KeyType),
        default="P-256",
        help="of what --write makes: %(choices)s (default: %(default)s)",
    )
    group.add_argument("--crl", metavar="FILE", type=Path, help="PEM of a revocation list")


def _add_listening(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    group.add_argument("--port", type=int, default=0, help="default: any that is free")
    group.add_argument("--tls", action="store_true", help="HTTPS, with a certificate made for it")
    group.add_argument("--tls-cert", metavar="FILE", type=Path, help="HTTPS, with this certificate")
    group.add_argument("--tls-key", metavar="FILE", type=Path, help="and this key")
    group.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="keep ARNs, port and all that the control plane makes there, over restarts",
    )


def _add_registered(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--region", default="eu-west-1", help="default: %(default)s")
    group.add_argument("--account", default="123456789012", help="default: %(default)s")
    group.add_argument("--partition", default="aws", help="default: %(default)s")
    group.add_argument(
        "--trust-anchor-arn",
        metavar="ARN",
        help="its Region and account then hold; default: made up, as the next two",
    )
    group.add_argument("--profile-arn", metavar="ARN")
    group.add_argument("--role-arn", metavar="ARN")
    group.add_argument(
        "--profile-duration",
        metavar="SECONDS",
        type=int,
        default=3600,
        help="the profile's durationSeconds (default: %(default)s)",
    )
    group.add_argument(
        "--role-max-duration",
        metavar="SECONDS",
        type=int,
        default=3600,
        help="the role's MaxSessionDuration (default: %(default)s)",
    )
    group.add_argument(
        "--accept-role-session-name", action="store_true", help="the profile accepts names"
    )
    group.add_argument(
        "--require-instance-properties",
        action="store_true",
        help="the profile's requireInstanceProperties, which AWS calls unused",
    )
    group.add_argument(
        "--disabled",
        action="append",
        choices=("trust-anchor", "profile"),
        default=[],
        help="start with it disabled; may be given twice",
    )


def _add_control_plane(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--administrators",
        metavar="FILE",
        type=Path,
        help="access key id and secret access key, a pair a line: calls of the control plane must "
        "be signed with one; default: every signature will do",
    )
    group.add_argument(
        "--control-plane-rate",
        metavar="N",
        type=int,
        help="calls a second for each group of operations; the service's own quota is 1 "
        "(default: no limit)",
    )
    group.add_argument(
        "--private-ca-endpoint",
        metavar="URL",
        help="where AWS Private CA answers (moto, for example), for trust anchors made of one",
    )
    group.add_argument(
        "--iam-endpoint",
        metavar="URL",
        help="where IAM answers (moto, for example): roles must be there then, and their trust "
        "policies and longest sessions count; default: roles in profiles that the control plane "
        "made count as roles that trust the service",
    )


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-lifetime",
        metavar="SECONDS",
        type=float,
        help="no session lasts longer, even if that is less than the service's 900 seconds",
    )
    group.add_argument(
        "--requests-per-second",
        metavar="N",
        type=int,
        help="throttle above; the service's own quota is 10 (default: no limit)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until a signal ends it.

    Args:
        arguments: of the command line; the process's own if None.

    Returns:
        The exit status: 0, or 1 if a setting is not usable.
    """
    options = make_parser().parse_args(arguments)
    try:
        with ending_signals() as ended:
            ca, files = authority_and_files(options)
            with _emulator(options, ca) as emulator:
                _announce(options, _settings(options, emulator, files))
                ended(None)
    except (ConfigurationError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command's output
        return 1
    return 0


def _administrators(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    pairs = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not pairs or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004  # see below
        raise ConfigurationError(
            "it is not a list of access keys",
            code="emulator-options",
            where=str(path),
            expected="an access key id, a blank and a secret access key, on each line",
        )
    return dict(pairs)


def _emulator(options: argparse.Namespace, ca: CertificateAuthority | bytes) -> Emulator:
    tls: bool | TlsFiles = options.tls
    if options.tls_cert or options.tls_key:
        if not (options.tls_cert and options.tls_key):
            raise ConfigurationError(
                "--tls-cert and --tls-key go together", code="emulator-options"
            )
        tls = TlsFiles(certificate=options.tls_cert, private_key=options.tls_key)
    emulator = Emulator(
        ca,
        region=options.region,
        account=options.account,
        partition=options.partition,
        trust_anchor_arn=options.trust_anchor_arn,
        profile_arn=options.profile_arn,
        role_arn=options.role_arn,
        profile_duration=options.profile_duration,
        accept_role_session_name=options.accept_role_session_name,
        role_max_duration=options.role_max_duration,
        max_lifetime=options.max_lifetime,
        requests_per_second=options.requests_per_second,
        host=options.host,
        port=options.port,
        tls=tls,
        on_request=_report if options.verbose else None,
        administrators=_administrators(options.administrators),
        control_plane_rate=options.control_plane_rate,
        private_cas=private_cas_at(options.private_ca_endpoint, options.region)
        if options.private_ca_endpoint
        else None,
        roles=roles_at(options.iam_endpoint, options.region) if options.iam_endpoint else None,
        state=options.state,
    )
    # What a state holds stays as it is, but for what is said here.
    if "trust-anchor" in options.disabled:
        emulator.add(replace(emulator.trust_anchor, enabled=False))
    if "profile" in options.disabled:
        emulator.add(replace(emulator.profile, enabled=False))
    if options.require_instance_properties:
        about = {**emulator.profile.about, "requireInstanceProperties": True}
        emulator.add(replace(emulator.profile, about=about))
    if options.state:
        _note_other_authority(emulator, ca)
    if options.crl:
        emulator.add(
            RevocationList(trust_anchor_arn=emulator.trust_anchor_arn, pem=options.crl.read_bytes())
        )
    return emulator


def _note_other_authority(emulator: Emulator, ca: CertificateAuthority | bytes) -> None:
    """Say so if the state's trust anchor trusts another authority than the one named now."""
    try:
        held = emulator.trust_anchor.certificates
    except ConfigurationError:  # it was deleted
        held = ()
    if held != anchor_certificates(ca):
        words = "trusts another authority than --ca or --write has now"
        print(f"note: {emulator.trust_anchor_arn} {words}", file=sys.stderr)  # noqa: T201  # a command's output


def _report(record: RequestRecord) -> None:
    words = [record.received_at.strftime("%H:%M:%S"), record.method, record.path, record.outcome]
    words += [f"({part})" for part in (record.message, record.reason) if part]
    print(*words, file=sys.stderr, flush=True)  # noqa: T201  # a command's output


def _settings(
    options: argparse.Namespace, emulator: Emulator, files: dict[str, str]
) -> dict[str, str]:
    settings = {
        "endpoint_url": emulator.endpoint_url,
        "region": emulator.region,
        "trust_anchor_arn": emulator.trust_anchor_arn,
        "profile_arn": emulator.profile_arn,
        "role_arn": emulator.role_arn,
        **files,
    }
    bundle = emulator.ca_bundle_path
    if bundle is not None and options.write is not None:
        # The emulator's own copy goes when it ends.
        bundle = options.write / "tls-ca-bundle.pem"
        bundle.write_bytes(emulator.ca_bundle_pem or b"")
    if bundle is not None:
        settings["ca_bundle"] = str(bundle)
    return settings


def _announce(options: argparse.Namespace, settings: dict[str, str]) -> None:
    if options.json:
        text = json.dumps({**settings, "pid": os.getpid()})
    else:
        exports = {
            "AWS_ENDPOINT_URL_ROLESANYWHERE": settings["endpoint_url"],
            "AWS_CA_BUNDLE": settings.get("ca_bundle"),
            **{
                f"AWS_ROLESANYWHERE_{name.upper()}": settings.get(name)
                for name in (
                    "certificate",
                    "private_key",
                    "certificate_chain",
                    "trust_anchor_arn",
                    "profile_arn",
                    "role_arn",
                )
            },
        }
        lines = [f"# IAM Roles Anywhere emulator on {settings['endpoint_url']}; Ctrl-C ends it"]
        lines += [f"export {name}={quote(value)}" for name, value in exports.items() if value]
        text = "\n".join(lines)
    print(text, flush=True)  # noqa: T201  # a command's output

"""The emulator's command line: options in, a running emulator and its settings on stdout."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.signals import ending_signals
from boto_rolesanywhere.testing.ca import CertificateAuthority

from .facade import Emulator
from .resources import RevocationList
from .tls import TlsFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .records import RequestRecord

_DESCRIPTION = """\
A local IAM Roles Anywhere: answers CreateSession on loopback, and verifies each signature and
certificate as the service does. Prints what to export, then serves until SIGINT or SIGTERM.
"""

_EPILOG = """\
examples:
  # makes an authority and a client certificate in ./pki
  %(prog)s --write pki
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
        "authority too (ca-cert.pem, ca-key.pem) if a new one is made; nothing is overwritten",
    )
    group.add_argument("--crl", metavar="FILE", type=Path, help="PEM of a revocation list")


def _add_listening(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    group.add_argument("--port", type=int, default=0, help="default: any that is free")
    group.add_argument("--tls", action="store_true", help="HTTPS, with a certificate made for it")
    group.add_argument("--tls-cert", metavar="FILE", type=Path, help="HTTPS, with this certificate")
    group.add_argument("--tls-key", metavar="FILE", type=Path, help="and this key")


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
            ca, files = _authority(options)
            with _emulator(options, ca) as emulator:
                _announce(options, _settings(options, emulator, files))
                ended(None)
    except (ConfigurationError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command's output
        return 1
    return 0


def _authority(options: argparse.Namespace) -> tuple[CertificateAuthority | bytes, dict[str, str]]:
    """What the trust anchor is made of, and the files that were written, by setting."""
    files: dict[str, str] = {}
    if options.write is not None:
        options.write = options.write.absolute()  # what is printed may be pasted anywhere
        _refuse_to_overwrite(options.write)
    if options.ca is None:
        if options.write is None:
            raise ConfigurationError(
                "nobody could sign for an authority that is written nowhere",
                code="emulator-options",
                remedy="Give --write DIR, or --ca FILE with an authority of your own.",
            )
        ca = CertificateAuthority()
        paths = ca.write(options.write)
        files.update(zip(("ca_certificate", "ca_private_key"), map(str, paths), strict=True))
    elif options.ca_key is None:
        if options.write is not None:
            raise ConfigurationError(
                "--write cannot issue a certificate without the authority's key",
                code="emulator-options",
                remedy="Give --ca-key FILE as well, or leave --write out.",
            )
        return options.ca.read_bytes(), files
    else:
        secret = options.ca_key_passphrase_file
        ca = CertificateAuthority.from_pem(
            options.ca.read_bytes(),
            options.ca_key.read_bytes(),
            passphrase=secret.read_bytes().rstrip(b"\r\n") if secret else None,
        )
    if options.write is not None:
        issued = ca.issue("client").write(options.write)
        files.update(certificate=str(issued.certificate), private_key=str(issued.private_key))
        if issued.chain:
            files["certificate_chain"] = str(issued.chain)
    return ca, files


def _refuse_to_overwrite(folder: Path) -> None:
    for name in ("ca-cert.pem", "ca-key.pem", "client-cert.pem", "client-key.pem"):
        if (folder / name).exists():
            raise ConfigurationError(
                "there is such a file already, and it is not overwritten",
                code="emulator-options",
                where=str(folder / name),
                remedy="Name another folder for --write, or use what is there: --ca ca-cert.pem.",
            )


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
    )
    if options.crl:
        emulator.add(
            RevocationList(trust_anchor_arn=emulator.trust_anchor_arn, pem=options.crl.read_bytes())
        )
    return emulator


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

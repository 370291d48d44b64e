"""The emulator's command line: options in, a running emulator and its settings on stdout."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from inspect import signature
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, get_args

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


# By group, the options and their help. Those without a placeholder are switches.
_OPTIONS: Final[dict[str, dict[str, str | None]]] = {
    "trust and certificates": {
        "--ca FILE": "PEM of the trust anchor: one or two CA certificates; default: a new "
        "authority",
        "--ca-key FILE": "its key, PEM; for --write to issue with",
        "--ca-key-passphrase-file FILE": "if that key is encrypted",
        "--write DIR": "write a client certificate and key there (client-cert.pem, "
        "client-key.pem), and the authority too (ca-cert.pem, ca-key.pem) if a new one is made; "
        "what is there is used",
        "--key-type TYPE": "of what --write makes: %(choices)s (default: %(default)s)",
        "--crl FILE": "PEM of a revocation list",
    },
    "listening": {
        "--host HOST": "address (default: %(default)s)",
        "--port PORT": "default: any that is free",
        "--tls": "HTTPS, with a certificate made for it",
        "--tls-cert FILE": "HTTPS, with this certificate",
        "--tls-key FILE": "and this key",
        "--state DIR": "keep ARNs, port and all that the control plane makes there, over restarts",
    },
    "what is registered": {
        "--region REGION": "default: %(default)s",
        "--account ACCOUNT": "default: %(default)s",
        "--partition PARTITION": "default: %(default)s",
        "--trust-anchor-arn ARN": "its Region and account then hold; default: made up, as the next "
        "two",
        "--profile-arn ARN": None,
        "--role-arn ARN": None,
        "--profile-duration SECONDS": "the profile's durationSeconds (default: %(default)s)",
        "--role-max-duration SECONDS": "the role's MaxSessionDuration (default: %(default)s)",
        "--accept-role-session-name": "the profile accepts names",
        "--require-instance-properties": "the profile's requireInstanceProperties, which AWS calls "
        "unused",
        "--disabled RESOURCE": "start with it disabled: %(choices)s; may be given twice",
    },
    "control plane": {
        "--administrators FILE": "access key id and secret access key, a pair a line: calls of the "
        "control plane must be signed with one; default: every signature will do",
        "--control-plane-rate N": "calls a second for each group of operations; the service's own "
        "quota is 1 (default: no limit)",
        "--private-ca-endpoint URL": "where AWS Private CA answers (moto, for example), for trust "
        "anchors made of one",
        "--iam-endpoint URL": "where IAM answers (moto, for example): roles must be there then, "
        "and their trust policies and longest sessions count; default: roles in profiles that the "
        "control plane made count as roles that trust the service",
    },
    "limits": {
        "--max-lifetime SECONDS": "no session lasts longer, even if that is less than the "
        "service's 900 seconds",
        "--requests-per-second N": "throttle above; the service's own quota is 10 (default: no "
        "limit)",
    },
    "output": {
        "--json": "print one line of JSON instead of exports",
        "--verbose": "a line on stderr for each request, with the reason",
    },
}
# By placeholder; an option may have more.
_FORMS: Final[dict[str, dict[str, Any]]] = {
    "FILE": {"type": Path},
    "DIR": {"type": Path},
    "PORT": {"type": int},
    "SECONDS": {"type": int},
    "N": {"type": int},
    "TYPE": {"choices": get_args(KeyType)},
    "RESOURCE": {"choices": ("trust-anchor", "profile"), "action": "append"},
    "--max-lifetime": {"type": float},
}


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m boto_rolesanywhere.testing.emulator",
        usage="%(prog)s (--ca FILE | --write DIR) [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for title, options in _OPTIONS.items():
        group = parser.add_argument_group(title)
        for option, text in options.items():
            flag, _, placeholder = option.partition(" ")
            form = {**_FORMS.get(placeholder, {}), **_FORMS.get(flag, {}), "metavar": placeholder}
            group.add_argument(
                flag, help=text, **(form if placeholder else {"action": "store_true"})
            )
    parser.set_defaults(
        key_type="P-256",
        host="127.0.0.1",
        port=0,
        region="eu-west-1",
        account="123456789012",
        partition="aws",
        profile_duration=3600,
        role_max_duration=3600,
        disabled=[],
    )
    return parser


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
    chosen: dict[str, Any] = {
        name: value
        for name, value in vars(options).items()
        if name in signature(Emulator).parameters
    }
    chosen |= {
        "ca": ca,
        "tls": tls,
        "on_request": _report if options.verbose else None,
        "administrators": _administrators(options.administrators),
    }
    if options.private_ca_endpoint:
        chosen["private_cas"] = private_cas_at(options.private_ca_endpoint, options.region)
    if options.iam_endpoint:
        chosen["roles"] = roles_at(options.iam_endpoint, options.region)
    emulator = Emulator(**chosen)
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

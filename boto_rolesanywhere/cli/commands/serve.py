"""``serve``: credentials for SDKs on this machine, over IMDSv2 and the container protocol.

Puts the parts of `boto_rolesanywhere.server` together, and prints the exports to paste.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flags import add_flags, prepare
from boto_rolesanywhere.cli.options import add_repeated, add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK, asked_to_leave, complain, leave
from boto_rolesanywhere.cli.refusals import both_given
from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.go_values import whole_number
from boto_rolesanywhere.settings.names import ROLE
from boto_rolesanywhere.settings.places import home_path

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from boto_rolesanywhere.credentials.keeper import Keeper
    from boto_rolesanywhere.server.role import ServedRole

logger = logger_of(__name__)

DEFAULT_PORT: Final = 9911
_DEFAULT_HOP_LIMIT: Final = 64
_STARTUP: Final = 60
_LOOPBACK: Final = "127.0.0.1"
_HOST_NAME: Final = re.compile(r"[\w-]+(\.[\w-]+)*", re.ASCII)
# IAM's characters for a role's name; it becomes a path and a file's name.
_NAME: Final = re.compile(r"(?!\.)[\w+,.@-]{1,64}", re.ASCII)

_DESCRIPTION: Final = """\
Serve credentials on this machine, to programs that cannot run a credential_process,
in the two ways that every AWS SDK knows:

  IMDSv2      as an EC2 instance has it. For every user of this machine: whoever can
              connect gets the credentials. Turn it off with --no-imds.
  container   as ECS and EKS have it. Each role has its own path and its own token, in
              a file that only you can read. A server without IMDSv2 gives credentials
              to nobody but the readers of that file.

The server starts only if the first CreateSession succeeds. While nobody answers, as
before the network is up, it tries again for --startup-timeout. Then it renews in the
background. If a renewal fails, it serves the last credentials until they end, and answers
503 after that. At the start it prints the lines to paste into a shell; /healthz tells
whether all is well. SIGTERM and SIGINT end it.

On an address that other machines or containers can reach (--listen), it serves the
container protocol alone, without IMDSv2. Nothing is encrypted on the way."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere serve --config-profile backup

  boto-rolesanywhere serve --certificate cert.pem --private-key key.pem \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN --port 9911

  two roles on one server, from two profiles of ~/.aws/config:
  boto-rolesanywhere serve --no-imds --role reader --role writer=prod-writer

  then, in the shell of the program that needs them, as printed:
  export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9911/credentials/reader
  export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/user/1000/boto-rolesanywhere/reader.token"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    group = parser.add_argument_group("the endpoint")
    group.add_argument(
        "--port",
        type=_number("a port", 0, 65535),
        default=DEFAULT_PORT,
        metavar="PORT",
        help="default: %(default)s; 0 for any that is free",
    )
    group.add_argument(
        "--listen",
        default=_LOOPBACK,
        metavar="ADDRESS",
        help="an IP address of this machine; default: %(default)s. One that is not loopback turns"
        " IMDSv2 off",
    )
    group.add_argument(
        "--hop-limit",
        type=_number("a hop limit", 1, 255),
        default=_DEFAULT_HOP_LIMIT,
        metavar="HOPS",
        help="how many routers an answer may pass (IP TTL); default: %(default)s",
    )
    add_repeated(
        group,
        "--role",
        "[NAME=]PROFILE",
        "serve the role of this --config-profile as NAME; repeat it for several roles. The"
        " other flags hold for all roles, and IMDSv2 serves the first role",
    )
    group.add_argument(
        "--token-folder",
        metavar="FOLDER",
        help="where NAME.token is; made if it is missing, kept if it is there. Default:"
        " $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/boto-rolesanywhere, else a folder of yours in"
        " the temporary folder",
    )
    add_switch(group, "--no-imds", "serve the container protocol alone")
    add_repeated(
        group,
        "--allowed-host",
        "NAME",
        "a name by which clients reach the endpoint (Host); repeat it for several. Addresses"
        " and localhost are always allowed, with any port",
        _host_name,
    )
    group.add_argument(
        "--startup-timeout",
        type=_number("a number of seconds", 0, 86400),
        default=_STARTUP,
        metavar="SECONDS",
        help="how long the start goes on trying while no answer comes from the endpoint, as when"
        " the network is not up yet; default: %(default)s",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    prepare(arguments)
    # Until the server has its own handlers; process 1 of a container has no default ones.
    signal.signal(signal.SIGTERM, leave)
    from boto_rolesanywhere.server.listening import bind, is_loopback, require_extra

    require_extra()
    with_imds = is_loopback(arguments.listen) and not arguments.no_imds
    hosted = [_hosted(name, chosen) for name, chosen in _choices(arguments)]
    with bind(arguments.listen, arguments.port, hop_limit=arguments.hop_limit) as sock:
        if not _started(hosted, arguments.startup_timeout):
            return FAILED
        roles = [each.role for each in hosted]
        tokens = _tokens(arguments.token_folder, roles, required=not with_imds)
        if asked_to_leave():
            return OK
        _serve(sock, hosted, tokens, arguments.allowed_host, with_imds=with_imds)
    return OK


def _started(hosted: Sequence[Hosted], timeout: float) -> bool:
    from boto_rolesanywhere.server.starting import start

    until = time.monotonic() + timeout
    for each in hosted:
        try:
            start(each.keeper, until)
        except RolesAnywhereError as error:  # noqa: PERF203  # the first one ends the loop
            if len(hosted) == 1:
                raise
            complain(f"serve: the role {each.role.name}: {error} [{error.code}]")
            return False
    return True


def _serve(
    sock: socket.socket,
    hosted: Sequence[Hosted],
    tokens: Mapping[ServedRole, tuple[Path, str]],
    allowed_hosts: Sequence[str],
    *,
    with_imds: bool,
) -> None:
    from boto_rolesanywhere.server.app import CredentialApp, Guard, health_routes
    from boto_rolesanywhere.server.container import container_routes
    from boto_rolesanywhere.server.imds import MetadataService, MetadataTokens
    from boto_rolesanywhere.server.listening import Listener, url_of
    from boto_rolesanywhere.server.notify import notify

    app = CredentialApp(
        Guard(allowed_hosts),
        health_routes([each.keeper for each in hosted]),
        container_routes({role: token for role, (_, token) in tokens.items()}),
        MetadataService(hosted[0].role, MetadataTokens()).routes() if with_imds else {},
    )
    files = {role: path for role, (path, _) in tokens.items()}
    text = exports(url_of(sock), hosted, files, with_imds=with_imds)

    def ready() -> None:
        with suppress(BrokenPipeError):  # the reader of the exports may be gone
            sys.stdout.write(text)
            sys.stdout.flush()
        notify("READY=1", os.environ)

    leaving = partial(notify, "STOPPING=1", os.environ)
    Listener(app.answer, sock, on_ready=ready, on_leaving=leaving).run()


def exports(
    url: str,
    hosted: Sequence[Hosted],
    token_files: Mapping[ServedRole, Path],
    *,
    with_imds: bool,
) -> str:
    """What to paste into a POSIX shell; comments say what each part is for."""
    from boto_rolesanywhere.server.container import path_of

    lines = [f"# Serving on {url} until SIGTERM. Paste one of these parts:"]
    if with_imds:
        lines += [
            f"# IMDSv2, role {hosted[0].role.name}, for every user of this machine",
            f"export AWS_EC2_METADATA_SERVICE_ENDPOINT={url}",
            *hosted[0].region_lines(),
        ]
    for each in hosted:
        if path := token_files.get(each.role):
            name = each.role.name
            lines += [
                f"# container credentials, role {name}, for whoever can read the token file",
                f"export AWS_CONTAINER_CREDENTIALS_FULL_URI={shlex.quote(url + path_of(name))}",
                *each.region_lines(),
                f"export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE={shlex.quote(str(path))}",
            ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Hosted:
    """A role that is served.

    Attributes:
        role: as it is served.
        keeper: keeps its credentials good.
        region: for programs that use them.
    """

    role: ServedRole
    keeper: Keeper
    region: str

    def region_lines(self) -> list[str]:
        """The exports without which the AWS CLI asks for a Region."""
        from boto_rolesanywhere.cli.child_environment import regions

        values = regions(os.environ, self.region)
        return [f"export {name}={shlex.quote(value)}" for name, value in values.items()]


def _hosted(name: str | None, chosen: argparse.Namespace) -> Hosted:
    from boto_rolesanywhere.cli.child_environment import region_of
    from boto_rolesanywhere.cli.inputs import inputs_from, issuer_from
    from boto_rolesanywhere.server.role import host

    inputs = inputs_from(chosen)
    issuer = issuer_from(chosen, inputs)
    role, keeper = host(name, issuer.config.last_role, issuer.credentials())
    return Hosted(role, keeper, region_of(inputs.session, issuer.config, os.environ))


def _choices(arguments: argparse.Namespace) -> list[tuple[str | None, argparse.Namespace]]:
    """Role name → the flags as if it were the only role."""
    if not arguments.role:
        return [(None, arguments)]
    for flag in ("--role-arn", "--config-profile"):
        if getattr(arguments, flag[2:].replace("-", "_")):
            raise both_given(flag, "--role", "Give one --role for each role.")
    if len(arguments.role) > 1 and os.environ.get(ROLE.variable):
        raise ConfigurationError(
            "it is set, and would be the role of every --role",
            code="serve-role-invalid",
            where=ROLE.variable,
            remedy="Unset it, so that each --role has the role of its profile.",
        )
    chosen: dict[str | None, argparse.Namespace] = {}
    for text in arguments.role:
        name, equals, profile = text.partition("=")
        profile = profile if equals else name
        if not _NAME.fullmatch(name) or not profile:
            raise ConfigurationError(
                f"{text!r} gives no usable name",
                code="serve-role-invalid",
                where="--role",
                expected="PROFILE or NAME=PROFILE, with up to 64 letters, digits or any of"
                " _+,.@- in the name",
            )
        if name in chosen:
            raise ConfigurationError(
                f"there are two roles called {name}", code="serve-role-invalid", where="--role"
            )
        chosen[name] = argparse.Namespace(**{**vars(arguments), "config_profile": profile})
    return list(chosen.items())


def _tokens(
    folder: str | None, roles: Sequence[ServedRole], *, required: bool
) -> dict[ServedRole, tuple[Path, str]]:
    """Each role's token file and token; none if there is no place for them and IMDSv2 serves."""
    from boto_rolesanywhere.server.token_files import NoPlaceError, default_folder, token_file

    try:
        place = home_path(folder) if folder else default_folder(os.environ)
        return {role: token_file(place.absolute(), role.name) for role in roles}
    except NoPlaceError as error:
        if folder or required:
            raise
        logger.warning("IMDSv2 alone is served, without the container protocol: %s", error)
        return {}


def _host_name(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name, without port")
    return text


def _number(kind: str, least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = whole_number(text)
        if number is None or not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind}: {least} to {most}")
        return number

    return parse

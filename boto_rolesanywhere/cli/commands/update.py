"""``update``: keeps the credentials in a profile of the shared credentials file fresh."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flags import add_flags, prepare
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import OK, asked_to_leave, leave
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession

logger = logger_of(__name__)

# Seconds until a renewal is noticed, and until a failed write is tried again.
_TICK: Final = 1.0
_PATIENCE: Final = 30.0  # seconds, for another writer at the start; later the next tick tries again
_DESCRIPTION: Final = """\
Keep the credentials of a role in a profile of the shared credentials file, for programs
that read nothing else: ~/.aws/credentials, or AWS_SHARED_CREDENTIALS_FILE.

The file is replaced in one step under a lock: a reader never sees half of it. It keeps its
owner and mode; a new one has mode 0600. All else in it, other profiles, comments and keys,
stays byte for byte. A file that cannot be replaced (it is mounted, has several names, or
its folder cannot be written to) is written in place.

The first CreateSession must succeed. Then the command renews the credentials until
SIGTERM or SIGINT. It reports an error on stderr and tries again; the file keeps its
credentials meanwhile."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere update --config-profile backup --profile backup-keys

  boto-rolesanywhere update --once --certificate cert.pem --private-key key.pem \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    group = parser.add_argument_group("the file")
    group.add_argument(
        "--profile",
        default="default",
        metavar="NAME",
        help="the profile to write; default: %(default)s",
    )
    add_switch(group, "--once", "write it once, and end")
    add_switch(
        group,
        "--in-place",
        "write into the file that is there, so that programs which hold it open, or containers in"
        " which it alone is mounted, see it; a reader at that moment may see half of it",
    )
    add_switch(
        group,
        "--replace-long-lived-keys",
        "if the profile has access keys without a session token, keep them in a section of their"
        " own, NAME-long-lived; else they are not replaced",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the profile, and write it again after each renewal."""
    from boto_rolesanywhere.cli.inputs import issuer_from
    from boto_rolesanywhere.settings.profile_writer import aws_file

    prepare(arguments)
    path = aws_file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    write = partial(_write, path, arguments)
    if arguments.once:
        write(issuer_from(arguments).create())
        _warn_of_readers(path)
        return OK
    return _keep(arguments, path, write)


def _keep(arguments: argparse.Namespace, path: Path, write: Callable[..., None]) -> int:
    from boto_rolesanywhere.cli.inputs import issuer_from
    from boto_rolesanywhere.credentials.keeper import Keeper
    from boto_rolesanywhere.server.signals import ending_signals

    signal.signal(signal.SIGTERM, leave)  # the first call may hang, and SIGINT interrupts it
    keeper = Keeper(arguments.profile, issuer_from(arguments).credentials())
    written = keeper.start()
    write(written)
    _warn_of_readers(path)
    with ending_signals() as ended:
        while not asked_to_leave() and not ended(_TICK):
            session = keeper.current()
            if session is None or session is written:
                continue
            try:
                write(session, patience=_TICK)
            except ConfigurationError as error:
                # A full disk may get room again; the credentials in the file are good for a while.
                logger.warning("The new credentials are not written yet: %s", error)
            else:
                written = session
    keeper.stop()
    return OK


def _write(
    path: Path,
    arguments: argparse.Namespace,
    session: RolesAnywhereSession,
    patience: float = _PATIENCE,
) -> None:
    from boto_rolesanywhere.settings.profile_writer import change_credentials

    change_credentials(
        path,
        arguments.profile,
        {
            "aws_access_key_id": session.access_key_id,
            "aws_secret_access_key": session.secret_access_key,
            "aws_session_token": session.session_token,
        },
        replace_long_lived=arguments.replace_long_lived_keys,
        in_place=arguments.in_place,
        patience=patience,
    )
    until = f"{session.expiration:%Y-%m-%d %H:%M:%S} UTC"
    with suppress(BrokenPipeError):  # the reader of stdout may be gone; the renewals go on
        sys.stderr.write(f"{path}: profile {arguments.profile} has credentials until {until}\n")
        sys.stderr.flush()


def _warn_of_readers(path: Path) -> None:
    if os.name != "posix":
        return
    with suppress(OSError):  # another program may have removed it since
        mode = stat.S_IMODE(path.expanduser().stat().st_mode)
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            logger.warning(
                "%s: other users of this machine may read the credentials (mode %04o).", path, mode
            )

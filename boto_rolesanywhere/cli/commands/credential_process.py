"""``credential-process``: prints credentials for the AWS CLI and all SDKs, as JSON.

`cached_answer` prints a cached session that needs no renewal, before this module is loaded, and
waits for its turn to renew it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.cached_answer import CACHE_DIR, FORCE, NO_CACHE, key_of_flags
from boto_rolesanywhere.cli.flags import add_flags, given_flags, prepare
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import FAILED, OK
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.redaction import logger_of

if TYPE_CHECKING:
    import argparse

    from boto_rolesanywhere.credentials.cache import Created, SessionCache

logger = logger_of(__name__)

_DESCRIPTION: Final = """\
Print temporary credentials as JSON, the way the AWS CLI and every AWS SDK expect it
of a credential_process. Certificate, key, ARNs and options are given by the flags of
AWS's aws_signing_helper.

The command keeps the session in your cache folder, and all processes that ask for the
same session share it: CreateSession is called about once in a session's life, not for
each `aws` command. One process renews the session while the others go on using it."""
_EPILOG: Final = """\
exit status: 0, or 1 with one line on stderr and nothing on stdout

example, in ~/.aws/config, all of it on one line:
  [profile onprem]
  credential_process = boto-rolesanywhere credential-process
    --certificate /etc/pki/workload.pem --private-key /etc/pki/workload.key
    --trust-anchor-arn arn:aws:rolesanywhere:REGION:ACCOUNT:trust-anchor/ID
    --profile-arn arn:aws:rolesanywhere:REGION:ACCOUNT:profile/ID
    --role-arn arn:aws:iam::ACCOUNT:role/NAME
and then:
  aws s3 ls --profile onprem"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(turn=None)
    add_flags(parser)
    group = parser.add_argument_group("cache")
    add_switch(group, NO_CACHE, "ask AWS, and store nothing")
    add_switch(group, FORCE, "ask AWS, and replace the stored session")
    group.add_argument(
        CACHE_DIR,
        metavar="FOLDER",
        help="the folder for the sessions (default: AWS_ROLESANYWHERE_CACHE_DIR, or"
        " boto_rolesanywhere in your cache folder); it must be yours alone, mode 0700",
    )
    if isinstance(parser, Parser):
        parser.usage_status = FAILED


def run(arguments: argparse.Namespace) -> int:
    """Print the credentials."""
    from boto_rolesanywhere.credentials.cached_session import credential_process_answer

    prepare(arguments)
    uncached = arguments.no_cache or arguments.no_verify_ssl
    key = None if uncached else key_of_flags(given_flags(arguments), os.environ)
    cache = None if key is None else _cache(arguments)

    def create() -> Created:
        # Here, since another process may create the session, and this one need not load botocore.
        from boto_rolesanywhere.cli.inputs import created_from

        return created_from(arguments)

    if cache is None or key is None:
        answer = credential_process_answer(create().session)
    else:
        force = arguments.force_refresh
        answer = cache.get(key, create, force=force, turn=arguments.turn).answer
    sys.stdout.write(f"{answer}\n")
    return OK


def _cache(arguments: argparse.Namespace) -> SessionCache | None:
    """The cache; if there is none, a warning says why, and the command works without it."""
    from boto_rolesanywhere.credentials.cache import open_cache
    from boto_rolesanywhere.errors import ConfigurationError

    try:
        return open_cache(arguments.cache_dir or True)
    except ConfigurationError as error:
        logger.warning("Nothing is cached: %s. %s", error.problem, error.remedy)
        return None

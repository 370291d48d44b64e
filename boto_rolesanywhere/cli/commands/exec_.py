"""``exec``: runs a command with a role's credentials, as variables or from a private endpoint."""

from __future__ import annotations

import argparse
import os
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flag_table import FROM_ENV, SECRETS
from boto_rolesanywhere.cli.flags import add_flags, given_flags, prepare
from boto_rolesanywhere.cli.options import add_switch
from boto_rolesanywhere.cli.outcome import USAGE, complain
from boto_rolesanywhere.redaction import holds_secret
from boto_rolesanywhere.settings.names import PASSPHRASE_ENV, PASSPHRASE_VARIABLE, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from boto_rolesanywhere.composition import Issuer

_DESCRIPTION: Final = """\
Run a command with the credentials of a role, and of nothing else.

Without --serve the command gets AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN, and takes the place of this program. They end with the session.

With --serve it gets the address and the token of an endpoint on 127.0.0.1, which serves
this command alone. SDKs fetch new credentials there, so the command may run longer than
a session. This program passes signals on to the command.

Either way the command gets AWS_REGION and AWS_DEFAULT_REGION. It does not get variables
that hold the private key's passphrase, or that lead an SDK to other credentials
(AWS_PROFILE, AWS_ROLE_ARN and others). With --serve, AWS_SHARED_CREDENTIALS_FILE is the
null device, since SDKs read that file before they ask an endpoint. AWS_CONFIG_FILE is the
null device too if the default profile in it has credentials.

The exit status is that of the command: 128 + N if signal N ended it, 127 if it was not
found, 126 if it cannot be run. It is 1 if there are no credentials, 2 for wrong usage."""
_EPILOG: Final = """\
examples:
  boto-rolesanywhere exec --config-profile backup -- aws s3 ls

  boto-rolesanywhere exec --serve --certificate cert.pem --private-key key.pem \\
    --trust-anchor-arn ARN --profile-arn ARN --role-arn ARN -- ./sync-all-day.sh"""

# Keys of a profile from which SDKs take credentials before they ask a container endpoint.
_PROFILE_SOURCES: Final = {
    *("aws_access_key_id", "credential_process", "login_session", "role_arn"),
    *("sso_account_id", "sso_session", "sso_start_url", "web_identity_token_file"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options and the command."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser)
    parser.usage = "%(prog)s [flags] [--serve] -- COMMAND [ARGUMENT ...]"
    group = parser.add_argument_group("the command")
    add_switch(group, "--serve", "serve the command new credentials, from an endpoint of its own")
    group.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="COMMAND", help="and its arguments, after --"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command or not command[0]:
        complain("exec: there is no command to run. Write it after --, as in: exec -- aws s3 ls")
        return USAGE
    prepare(arguments)
    if arguments.serve:
        from boto_rolesanywhere.server.listening import require_extra

        require_extra()
    from boto_rolesanywhere.cli.child import replace_process
    from boto_rolesanywhere.cli.child_environment import region_of, with_keys
    from boto_rolesanywhere.cli.inputs import inputs_from, issuer_from

    inputs = inputs_from(arguments)
    issuer = issuer_from(arguments, inputs)
    region = region_of(inputs.session, issuer.config, os.environ)
    secrets = _secret_variables(given_flags(arguments), inputs.section)
    if arguments.serve:
        return _run_with_endpoint(command, issuer, region, secrets)
    environ = with_keys(os.environ, issuer.create(), region=region, secrets=secrets)
    return replace_process(command, environ)


def _run_with_endpoint(
    command: Sequence[str], issuer: Issuer, region: str, secrets: Collection[str]
) -> int:
    from boto_rolesanywhere.cli.child import run_child, signals_held
    from boto_rolesanywhere.cli.child_environment import with_endpoint
    from boto_rolesanywhere.server.app import CredentialApp, Guard
    from boto_rolesanywhere.server.container import container_routes, path_of
    from boto_rolesanywhere.server.endpoint import Limits
    from boto_rolesanywhere.server.listening import Listener, bind, url_of
    from boto_rolesanywhere.server.role import host

    token = token_urlsafe(32)
    credentials = issuer.credentials()
    role, keeper = host(None, issuer.config.last_role, credentials)
    _ = credentials.session  # while signals still end this program
    with bind("127.0.0.1", 0) as sock:
        app = CredentialApp(Guard(), container_routes({role: token}))
        environ = with_endpoint(
            os.environ,
            url_of(sock) + path_of(role.name),
            token,
            region=region,
            secrets=secrets,
            files=_files(),
        )
        # Few connections: the limit of open files, which the command inherits, stays as it is.
        endpoint = Listener(app.answer, sock, limits=Limits(connections=256))
        with signals_held() as held_before:
            keeper.start()
            endpoint.start()
            try:
                return run_child(command, environ, held_before)
            finally:
                endpoint.stop()
                keeper.stop()


def _secret_variables(flags: Mapping[str, str], section: Mapping[str, object]) -> set[str]:
    """The variables that hold, or may hold, what unlocks the private key."""
    variables = [setting.variable for setting in SETTINGS]
    return {
        PASSPHRASE_VARIABLE,
        os.environ.get(PASSPHRASE_ENV.variable, ""),
        str(section.get(PASSPHRASE_ENV.config_key, "")),
        *(flags.get(f"{secret}{FROM_ENV}", "") for secret in SECRETS),
        # A URI's pin-value, or a key where its path belongs.
        *(name for name in variables if holds_secret(os.environ.get(name, ""))),
    }


def _files() -> dict[str, str]:
    """The variables of AWS's two files that the command must not see, set to the null device."""
    from botocore.configloader import load_config
    from botocore.exceptions import ConfigNotFound
    from botocore.session import Session

    from boto_rolesanywhere.settings.botocore_variables import without_empty_variables

    hidden = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    try:
        session = without_empty_variables(Session())
        profiles = load_config(session.get_config_variable("config_file"))["profiles"]
    except ConfigNotFound:
        return hidden
    if _PROFILE_SOURCES & set(profiles.get("default", {})):
        hidden["AWS_CONFIG_FILE"] = os.devnull
    return hidden

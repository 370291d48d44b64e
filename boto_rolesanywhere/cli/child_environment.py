"""The environment of a command that is to use one role's credentials and no others. Pure.

An SDK takes credentials from the first source that is configured, in an order of its own. So the
variables of all other sources are removed, and so are those that unlock the private key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from botocore.session import Session as BotocoreSession

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.settings.config import Config

# What SDKs take credentials from, other than files (AWS SDKs and Tools Reference Guide, "Settings
# reference"). AWS_PROFILE is among them: with it set, the SDK for JavaScript passes over keys in
# the environment. AWS_SECURITY_TOKEN and AWS_DEFAULT_PROFILE are for older tools.
_SOURCES: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_CREDENTIAL_EXPIRATION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    *("AWS_CREDENTIAL_FILE", "AWS_AUTH_SCHEME_PREFERENCE", "AWS_ACCOUNT_ID"),
)
# A bearer token for one service (AWS_BEARER_TOKEN_BEDROCK) is used in place of a signature.
_BEARER: Final = "AWS_BEARER_TOKEN_"
_REGIONS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


def with_keys(
    environ: Mapping[str, str],
    session: RolesAnywhereSession,
    *,
    region: str,
    secrets: Collection[str] = (),
) -> dict[str, str]:
    """`environ` with the keys of `session`, good until it ends.

    Args:
        environ: what the command would inherit.
        session: whose keys they are.
        region: the value of AWS_REGION and AWS_DEFAULT_REGION if they are not set; some SDKs read
            the first, some the second.
        secrets: variables that unlock the private key.
    """
    return _without_sources(environ, region, secrets) | keys_of(session)


def keys_of(session: RolesAnywhereSession) -> dict[str, str]:
    """The keys, their end (by the AWS CLI's name for it), and the account if it is known."""
    variables = {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
        "AWS_CREDENTIAL_EXPIRATION": f"{session.expiration:%Y-%m-%dT%H:%M:%SZ}",
    }
    # Without the account, account-based endpoints are not used.
    return variables | ({"AWS_ACCOUNT_ID": session.account_id} if session.account_id else {})


def regions(environ: Mapping[str, str], region: str) -> dict[str, str]:
    """The Region's variables, for programs that need one; what is set stays."""
    return {name: environ.get(name) or region for name in _REGIONS}


def region_of(session: BotocoreSession, config: Config, environ: Mapping[str, str]) -> str:
    """The profile's Region, since the program does not see AWS_PROFILE; else the call's."""
    region: str | None = session.get_config_variable("region")  # which does not read AWS_REGION
    return region or environ.get("AWS_REGION") or config.region


def with_endpoint(
    environ: Mapping[str, str],
    url: str,
    token: str,
    *,
    region: str,
    secrets: Collection[str] = (),
    files: Mapping[str, str],
) -> dict[str, str]:
    """`environ` with a container endpoint, from which SDKs fetch new credentials.

    Args:
        environ: what the command would inherit.
        url: of the role at the endpoint.
        token: for the Authorization header.
        region: as for `with_keys`.
        secrets: variables that unlock the private key.
        files: the values of AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE for the command.
    """
    return {
        **_without_sources(environ, region, secrets),
        **files,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
    }


def _without_sources(
    environ: Mapping[str, str], region: str, secrets: Collection[str]
) -> dict[str, str]:
    removed = {*_SOURCES, *secrets}
    kept = {
        name: value
        for name, value in environ.items()
        if name not in removed and not name.startswith(_BEARER)
    }
    return kept | regions(kept, region)

"""botocore's contract: a credential provider, and its place in the chain.

`None` means that nothing of ours is configured and the chain goes on; an exception means that
something is and is wrong.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import botocore.session
from botocore.credentials import CredentialProvider
from botocore.exceptions import ProfileNotFound

from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.identity.rotation import RotatingIdentity
from boto_rolesanywhere.settings.config import PASSPHRASE_VARIABLE, resolve, warn_of_misspelt
from boto_rolesanywhere.settings.names import (
    PASSPHRASE_ENV,
    PASSPHRASE_FILE,
    PKCS11_MODULE,
    PREFIX,
    TPM_TCTI,
)

from .clock import utc_now
from .errors import PROVIDER, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    from botocore.config import Config as ClientConfig
    from botocore.credentials import ProfileProviderBuilder

    from boto_rolesanywhere.settings.config import Config


_OF_THE_MACHINE: Final = (
    PASSPHRASE_VARIABLE,
    *(one.variable for one in (PASSPHRASE_ENV, PASSPHRASE_FILE, PKCS11_MODULE, TPM_TCTI)),
)


class RolesAnywhereProvider(CredentialProvider):
    """Loads credentials from IAM Roles Anywhere where a profile or the environment asks for it.

    Put it in a chain with `install`.
    """

    METHOD = PROVIDER
    CANONICAL_NAME = "custom-RolesAnywhere"

    def __init__(
        self,
        session: boto3.Session | botocore.session.Session | None = None,
        *,
        profile_name: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            session: whose config file and profile count, boto3's or botocore's; a new one of
                botocore's by default.
            profile_name: a profile other than the session's.
            environ: in place of the process's environment.
        """
        given = as_botocore_session(session) if session else botocore.session.Session()
        super().__init__(given)
        self._profile_name = profile_name
        self._environ = environ

    def load(self) -> SessionCredentials | None:
        """The credentials, or None when nothing of IAM Roles Anywhere is configured.

        Certificate and key are opened and checked here; CreateSession is called at the first use.

        Raises:
            RolesAnywhereError: it is configured, and wrong.
            botocore.exceptions.ProfileNotFound: the profile does not exist.
        """
        config = load_config(
            self.session, profile_name=self._profile_name, environ=self._environ, arguments={}
        )
        return None if config is None else open_credentials(config, self.session)


def load_config(
    session: botocore.session.Session,
    *,
    arguments: Mapping[str, object],
    profile_name: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config | None:
    """Resolve the settings with the config file and profile of `session`.

    Raises:
        ConfigurationError: settings are missing or wrong.
        botocore.exceptions.ProfileNotFound: the profile asked for does not exist.
    """
    if profile_name is None:
        profile_name = session.get_config_variable("profile") or "default"
        section: Mapping[str, object] = session.get_scoped_config()
    else:
        profiles: Mapping[str, Mapping[str, object]] = session.full_config["profiles"]
        if profile_name not in profiles and profile_name != "default":
            raise ProfileNotFound(profile=profile_name)
        section = profiles.get(profile_name, {})
    config = resolve(
        arguments,
        environ=os.environ if environ is None else environ,
        section=section,
        profile_name=profile_name,
    )
    if config is not None:
        warn_of_misspelt(section, profile_name)
    return config


def open_credentials(
    config: Config,
    session: botocore.session.Session | None = None,
    *,
    client_config: ClientConfig | None = None,
    verify: bool | str | None = None,
    cache: bool | str | os.PathLike[str] = False,
    profile_name: str | None = None,
) -> SessionCredentials:
    """Credentials for `config`, after its certificate and key were opened and checked.

    Args:
        config: what is asked for.
        session: whose profile and settings hold for the call.
        client_config: botocore's options for the call.
        verify: as in `boto3.client`.
        cache: whether, or in which folder, to share sessions with this user's other processes.
        profile_name: the profile that counts; that of `session` by default.

    Raises:
        RolesAnywhereError: certificate and key cannot be used.
        ConfigurationError: a cache is asked for, and `filelock` is not installed.
    """
    identity = RotatingIdentity(config.sources, utc_now)
    identity()
    creator = SessionCreator(
        config, identity, client_config=client_config, verify=verify, botocore_session=session
    )
    create = creator.create
    if cache is not False and cache is not None:
        from boto_rolesanywhere.credentials.cache import cached

        if profile_name is None and session is not None:
            profile_name = session.get_config_variable("profile")
        create = cached(create, config, cache, profile=profile_name)
    return SessionCredentials(create, account_id=config.role.account)


def install(session: boto3.Session | botocore.session.Session | None = None) -> None:
    """Put IAM Roles Anywhere in the credential chain of a session.

    Where a profile (or the environment) has settings of ours, credentials come from there; else
    the chain goes on as before. The place is that of the other sources that a profile configures:
    after access keys in the environment and after a profile that assumes a role. A role-assuming
    profile whose ``source_profile`` is one of ours works.

    Call it before the session's first client. A second call changes nothing.

    Args:
        session: of boto3 or botocore; boto3's default session when left out.
    """
    botocore_session = as_botocore_session(session)
    resolver = botocore_session.get_component("credential_provider")
    methods = [provider.METHOD for provider in resolver.providers]
    if PROVIDER in methods:
        return
    assume_role = resolver.get_provider("assume-role")
    resolver.insert_after("assume-role", RolesAnywhereProvider(botocore_session))
    # The assume-role provider has a chain of its own for a source_profile, and botocore gives no
    # other way into it; test_client_botocore.py fails when this attribute moves.
    assume_role._profile_provider_builder = _ProfileProviders(  # noqa: SLF001  # see above
        assume_role._profile_provider_builder,  # noqa: SLF001  # see above
        botocore_session,
    )


class _ProfileProviders:
    """botocore's builder of the providers for a source_profile, with ours before them."""

    def __init__(self, builder: ProfileProviderBuilder, session: botocore.session.Session) -> None:
        self._builder = builder
        self._session = session

    def providers(
        self, profile_name: str, disable_env_vars: bool = False
    ) -> list[CredentialProvider]:
        # The settings of a named source profile come from the file alone, as botocore's own do. But
        # a passphrase is not written there, and how a token or TPM is reached is the machine's.
        prefix = f"AWS_{PREFIX.upper()}"
        named = {
            name: text
            for name, text in os.environ.items()
            if name in _OF_THE_MACHINE or not name.startswith(prefix)
        }
        environ = named if disable_env_vars else None
        ours = RolesAnywhereProvider(self._session, profile_name=profile_name, environ=environ)
        return [ours, *self._builder.providers(profile_name, disable_env_vars)]


def as_botocore_session(
    session: boto3.Session | botocore.session.Session | None,
) -> botocore.session.Session:
    """The botocore session in a session of boto3, or in its default one."""
    if isinstance(session, botocore.session.Session):
        return session
    import boto3

    if session is None:
        if boto3.DEFAULT_SESSION is None:
            boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
    if not isinstance(session, boto3.Session):
        raise ConfigurationError(
            f"it is a {type(session).__name__}",
            where="the session",
            expected="a session of boto3 or botocore",
        )
    return session._session  # noqa: SLF001  # no public name

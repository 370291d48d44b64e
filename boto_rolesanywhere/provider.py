"""botocore's contract for a credential provider, and the place of ours in its chain.

A provider gives None if nothing of ours is configured, and the chain goes on. It raises if
something is configured and wrong.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.credentials import CredentialProvider
from botocore.exceptions import BotoCoreError

from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.settings.names import CORE
from boto_rolesanywhere.settings.precedence import ahead_of_profile, ahead_of_provider
from boto_rolesanywhere.settings.role_chain import chain_of, environ_of_source, has_settings

from .composition import Issuer, as_botocore_session, config_of, own_session
from .errors import PROVIDER, RolesAnywhereError, hides_frames

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    import botocore.session
    from botocore.credentials import ProfileProviderBuilder

    from boto_rolesanywhere.credentials.refreshing import SessionCredentials

logger = logger_of(__name__)


class RolesAnywhereProvider(CredentialProvider):
    """Loads credentials from IAM Roles Anywhere if a profile or the environment asks for them.

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
        super().__init__(self._own_session(session))
        self._profile_name = profile_name
        self._environ = environ

    _own_session = staticmethod(own_session)

    @hides_frames
    def load(self) -> SessionCredentials | None:
        """The credentials, or None if nothing is configured for IAM Roles Anywhere.

        Certificate and key are opened and checked here; CreateSession is called at the first use.

        Raises:
            RolesAnywhereError: what is configured is wrong, or the profile does not exist (which
                is botocore's `ProfileNotFound` too).
        """
        inputs = look_up(self.session, profile_name=self._profile_name, environ=self._environ)
        config = config_of(inputs)
        return None if config is None else Issuer(config, self.session).shared().credentials()


def install(session: boto3.Session | botocore.session.Session | None = None) -> None:
    """Put IAM Roles Anywhere in the credential chain of a session.

    Where a profile (or the environment) has settings of ours, credentials come from there; else
    the chain goes on as before. The place is that of the other sources that a profile configures:
    after access keys in the environment and after a profile that assumes a role. A role-assuming
    profile whose ``source_profile`` is one of ours works.

    If something else comes first and our settings have no effect, a warning names it.

    Call it before the session's first client. A second call changes nothing.

    Args:
        session: of boto3 or botocore; boto3's default session when left out.
    """
    put_in_chain(as_botocore_session(session), RolesAnywhereProvider, Watch)


def put_in_chain(
    session: botocore.session.Session, provider: type[RolesAnywhereProvider], watch: type[Watch]
) -> None:
    """Put `provider` and `watch` in the credential chain of a session; see `install`."""
    resolver = session.get_component("credential_provider")
    methods = [each.METHOD for each in resolver.providers]
    if PROVIDER in methods:
        return
    watching = watch(session)
    watching.look()
    resolver.insert_before(methods[0], watching)
    assume_role = resolver.get_provider("assume-role")
    resolver.insert_after("assume-role", provider(session))
    # The assume-role provider has a chain of its own for a source_profile, and botocore gives no
    # other way into it; test_botocores_ground.py fails when this attribute moves.
    assume_role._profile_provider_builder = _ProfileProviders(  # noqa: SLF001  # see above
        assume_role._profile_provider_builder,  # noqa: SLF001  # see above
        session,
        provider,
    )


class Watch(CredentialProvider):
    """First in the chain: gives nothing, and warns once of what is found before our settings."""

    METHOD = f"{PROVIDER}-watch"

    def __init__(self, session: botocore.session.Session) -> None:
        super().__init__(session)
        self._has_warned = False

    def load(self) -> None:
        """Look again: a program may fill its environment after `install`."""
        self.look()

    def look(self) -> None:
        """Warn, unless it was done before."""
        if not self._has_warned and (found := _ahead_of_us(self.session)):
            self._has_warned = True
            logger.warning(
                "The settings for IAM Roles Anywhere have no effect here: botocore takes %s first."
                " Remove it, or see docs/order-of-sources.md.",
                " and ".join(found),
            )


def _ahead_of_us(session: botocore.session.Session) -> list[str]:
    """What the chain of `session` takes before our settings; empty if there are none of ours."""
    try:
        inputs = look_up(session)
        profiles = session.full_config["profiles"]
    except (RolesAnywhereError, BotoCoreError):
        return []  # whoever loads credentials hears of it
    chosen = inputs.profile_name or "default"
    named = session.instance_variables().get("profile") is not None
    if any(setting in inputs.found() for setting in CORE):
        ahead = ahead_of_provider(inputs.environ, inputs.section, chosen, profile_is_explicit=named)
    elif (chain := chain_of(profiles.get, chosen)) and has_settings(profiles[chain.source]):
        ahead = ahead_of_provider(inputs.environ, {}, chosen, profile_is_explicit=named)
    else:
        return [] if named else ahead_of_profile(inputs.environ)
    held = getattr(session, "_credentials", None)  # what a program gave, or the chain found before
    if held is not None and held.method != PROVIDER:
        ahead.insert(0, f"the credentials that the session already has ({held.method})")
    return ahead


class _ProfileProviders:
    """botocore's builder of the providers for a source_profile, with ours before them."""

    def __init__(
        self,
        builder: ProfileProviderBuilder,
        session: botocore.session.Session,
        provider: type[RolesAnywhereProvider],
    ) -> None:
        self._builder = builder
        self._session = session
        self._provider = provider

    def providers(
        self, profile_name: str, disable_env_vars: bool = False
    ) -> list[CredentialProvider]:
        environ = environ_of_source(os.environ) if disable_env_vars else None
        ours = self._provider(self._session, profile_name=profile_name, environ=environ)
        return [ours, *self._builder.providers(profile_name, disable_env_vars)]

"""From settings to credentials: the one place that puts the parts together.

Settings → `Config` → identity → CreateSession → cache → credentials that renew themselves.
`get_session`, the provider, the commands and `doctor` use what is here.
"""

from __future__ import annotations

from dataclasses import replace
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final

import botocore.session
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.create_session.botocore_session import (
    call_options,
    plain_options,
    private_session,
)
from boto_rolesanywhere.create_session.call import Clocks
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.create_session.corrected_clock import OF_TIME, CorrectedClock
from boto_rolesanywhere.create_session.endpoints import configured_endpoint, located
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.identity.material import read_sources
from boto_rolesanywhere.identity.rotation import RotatingIdentity
from boto_rolesanywhere.identity.sharing import Sameness, Shared
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
from boto_rolesanywhere.settings.config import resolve, warn_of_misspelt

from .clock import utc_now
from .errors import CertificateError, ConfigurationError, RolesAnywhereError, hides_frames

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import datetime

    import boto3

    from boto_rolesanywhere.create_session.assumed_roles import Create
    from boto_rolesanywhere.create_session.failover import FailoverCreator
    from boto_rolesanywhere.credentials.cache import Created
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.credentials.state import Received
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.identity.material import Material
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.inputs import Inputs

logger = logger_of(__name__)


def config_of(inputs: Inputs) -> Config | None:
    """All settings, checked; None if nothing is configured for IAM Roles Anywhere.

    Raises:
        ConfigurationError: settings are missing or wrong.
    """
    config = resolve(
        inputs.arguments,
        environ=inputs.environ,
        section=inputs.section,
        flags=inputs.flags,
        profile_name=inputs.profile_name,
        assumed=inputs.assumed,
    )
    if config is not None:
        warn_of_misspelt(inputs.section, inputs.profile_name)
    return config


class Issuer:
    """Makes sessions for one `Config`: signs with the current identity, calls CreateSession.

    Safe to use from several threads.

    Attributes:
        config: what is asked for.
        clock: the time, corrected where the service's is known to differ.
        has_rotated: whether certificate, key or chain are no longer those of the first look, so
            that the sessions may be another identity's.
    """

    def __init__(
        self,
        config: Config,
        session: botocore.session.Session | None = None,
        *,
        profile_name: str | None = None,
        client_config: ClientConfig | None = None,
        verify: bool | str | None = None,
        clock: Callable[[], datetime] = utc_now,
        cached_as: str | None = None,
    ) -> None:
        """Open and send nothing yet.

        Args:
            config: what is asked for.
            session: whose profile and options hold for the call; they are read now.
            profile_name: a profile other than the session's.
            client_config: botocore's options for the call.
            verify: as in `boto3.client`.
            clock: gives the time, aware.
            cached_as: stands for certificate, key and chain in the key of a cache entry, in place
                of the fingerprint of their contents.
        """
        self._own = own = private_session(session)
        if profile_name is not None:
            own.set_config_variable("profile", profile_name)
        self.config = config
        self._cached_as = cached_as
        self._first_look: Sameness | None = None
        self.has_rotated = False
        self.clock = corrected = CorrectedClock(clock)
        self._identity = RotatingIdentity(config.sources, corrected)
        if client_config is not None:
            client_config = plain_options(client_config)
        self._options = (client_config, verify)
        self._unchecked = verify is False
        self._endpoint, regions = located(config, own, client_config)
        # A cached session is keyed by the endpoint, so the calls must not move to another one.
        if self._endpoint == "":
            aws_own = ClientConfig(ignore_configured_endpoint_urls=True)  # type: ignore[call-arg]  # stub
            client_config = client_config.merge(aws_own) if client_config else aws_own
        creators = [
            SessionCreator(
                region,
                self._identity,
                client_config=client_config,
                verify=verify,
                session=own,
                clocks=Clocks(corrected),
            )
            for region in regions
        ]
        first: SessionCreator | FailoverCreator = creators[0]
        if len(creators) > 1:
            from boto_rolesanywhere.create_session.failover import FailoverCreator

            first = FailoverCreator(creators)
        self.learn_time = first.learn_time
        self._create: Create = first.create
        if config.assumed:
            from boto_rolesanywhere.create_session.assumed_roles import assuming

            self._create = assuming(
                first.create,
                config.assumed,
                own,
                region=config.region,
                verify=verify,
                clock=corrected,
            )

    @hides_frames
    def shared(self) -> Issuer:
        """The one `Issuer` of these inputs in this process, with certificate and key opened.

        All that decides about its calls counts: what certificate, key and chain hold just now, the
        settings, the session's options and its profile's, and the environment.

        Raises:
            RolesAnywhereError: certificate and key cannot be used.
        """
        inputs = Sameness(
            self.config,
            read_sources(self.config.sources).contents(),
            self._options,
            call_options(self._own),
        )
        issuer = _ISSUERS.one(inputs, lambda: self, usable=lambda found: not found.has_rotated)
        issuer.open()
        return issuer

    @hides_frames
    def open(self) -> None:
        """Open and check certificate and key now.

        Raises:
            RolesAnywhereError: they cannot be used.
        """
        self._current()

    @hides_frames
    def create(self) -> RolesAnywhereSession:
        """Call CreateSession.

        Raises:
            RolesAnywhereError: certificate and key cannot be used, or the call failed.
        """
        return self._create(self._current()[1])

    def credentials(
        self, cache: bool | str | os.PathLike[str] | None = False
    ) -> SessionCredentials:
        """Credentials that renew themselves; the first CreateSession is made at the first use.

        Args:
            cache: whether, or in which folder, to share sessions with this user's other processes.

        Raises:
            ConfigurationError: a cache is asked for that cannot be had.
        """
        create: Callable[[], RolesAnywhereSession | Received] = self.create
        folder = None
        if cache is not False and cache is not None:
            create, folder = self._cached(cache)

        def make() -> SessionCredentials:
            return SessionCredentials(create, account_id=self.config.last_role.account)

        return _CREDENTIALS.one(Sameness(self, folder), make)

    @hides_frames
    def create_keyed(self) -> Created:
        """Call CreateSession; gives the session and the key to cache it under.

        Raises:
            RolesAnywhereError: as `create`.
        """
        from boto_rolesanywhere.credentials.cache import Created

        material, identity = self._current()
        session = self._create(identity)
        return Created(session, self._key(material) or "")

    def _cached(
        self, cache: bool | str | os.PathLike[str]
    ) -> tuple[Callable[[], RolesAnywhereSession | Received], str]:
        """What gives a session out of the cache, and the cache's folder."""
        from boto_rolesanywhere.credentials.cache import open_cache

        opened = open_cache(cache)
        if self._unchecked:
            logger.warning(
                "The argument cache has no effect: the endpoint's TLS certificate is not checked,"
                " and other processes must not get such a session."
            )

        def get() -> RolesAnywhereSession | Received:
            # Worked out each time: the files may have been replaced.
            try:
                material = read_sources(self.config.sources)
                self._follow(material)
                key = self._key(material)
            except RolesAnywhereError:
                key = None  # the identity in use goes on
            if key is None:
                return self.create()
            return opened.received(key, self.create_keyed)

        return get, opened.folder

    def _current(self) -> tuple[Material, Identity]:
        try:
            material, identity = self._identity.current()
        except CertificateError as error:
            # Perhaps it is the clock that is wrong: a certificate that was just issued is not valid
            # yet by one that is behind.
            if error.code not in OF_TIME or not self.learn_time():
                raise
            material, identity = self._identity.current()
        self._follow(material)
        return material, identity

    def _follow(self, material: Material) -> None:
        look = Sameness(material.contents())
        if self._first_look is None:
            self._first_look = look
        elif look != self._first_look:
            self.has_rotated = True

    def _key(self, material: Material) -> str | None:
        """The key of the session that `material` signs for; None if it must not be cached."""
        from boto_rolesanywhere.credentials.cache_key import key_of

        if self._unchecked or self._endpoint is None:
            return None
        return key_of(self.config, material.contents(), self._endpoint, self._cached_as)


_ISSUERS: Final[Shared[Issuer]] = Shared()
_CREDENTIALS: Final[Shared[SessionCredentials]] = Shared()


def creator_of(
    config: Config,
    session: botocore.session.Session | None,
    identity: Callable[[], Identity],
    *,
    client_config: ClientConfig | None = None,
    verify: bool | str | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> SessionCreator:
    """The CreateSession call of `config`, for callers that look at its parts.

    The arguments are those of `Issuer`; `identity` gives what signs, at each call.
    """
    own = private_session(session)
    if config.endpoint_url is None:
        endpoint, origin = configured_endpoint(own, client_config)
        config = replace(config, endpoint_url=endpoint or None, endpoint_origin=origin)
    return SessionCreator(
        config,
        identity,
        client_config=client_config,
        verify=verify,
        session=own,
        clocks=Clocks(CorrectedClock(clock)),
    )


def own_session(
    session: boto3.Session | botocore.session.Session | None,
) -> botocore.session.Session:
    """As `as_botocore_session`, but None is a new one of botocore's.

    Raises:
        ConfigurationError: as there.
    """
    if session is None:
        return without_empty_variables(botocore.session.Session())
    return as_botocore_session(session)


def as_botocore_session(
    session: boto3.Session | botocore.session.Session | None,
) -> botocore.session.Session:
    """The botocore session in a session of boto3, or in its default one.

    Raises:
        ConfigurationError: it is something else, or its credentials are awaited.
    """
    if not isinstance(session, botocore.session.Session):
        import boto3

        if session is None:
            if boto3.DEFAULT_SESSION is None:
                boto3.setup_default_session()
            session = boto3.DEFAULT_SESSION
        if not isinstance(session, boto3.Session):
            raise not_a_session(session)
        session = session._session  # noqa: SLF001  # no public name
    if iscoroutinefunction(session.get_credentials):  # one of aiobotocore
        raise not_a_session(
            session, remedy="Use boto_rolesanywhere.aio, which has the same functions for it."
        )
    return session


def not_a_session(
    session: object, expected: str = "a session of boto3 or botocore", remedy: str | None = None
) -> ConfigurationError:
    """The error about a session of another kind."""
    return ConfigurationError(
        f"it is a {type(session).__name__}",
        code="setting-not-text",
        where="the session",
        expected=expected,
        remedy=remedy,
    )

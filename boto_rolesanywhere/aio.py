"""The same for aiobotocore, and for what is built on it: aioboto3, s3fs.

Files, keys and the call of CreateSession never run in the event loop, but in a thread. All tasks
and all loops of the process share what the threads share: the same inputs make one call, and a
failure is everybody's. aiobotocore comes with the extra ``aio``.
"""

from __future__ import annotations

import asyncio
import os
from copy import copy
from typing import TYPE_CHECKING, Generic, TypeVar

import boto3

try:
    from aiobotocore.credentials import AioRefreshableCredentials
    from aiobotocore.session import AioSession
except ImportError as error:
    raise ImportError(
        f"boto_rolesanywhere.aio needs aiobotocore, which cannot be loaded ({error}):"
        " pip install 'boto_rolesanywhere[aio]'"
    ) from error

from boto_rolesanywhere.create_session.signing_time import correct_signing
from boto_rolesanywhere.credentials.attempt import Attempt
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
from boto_rolesanywhere.settings.config import Arguments

from .composition import not_a_session
from .errors import PROVIDER, RolesAnywhereError, hides_frames
from .provider import RolesAnywhereProvider, Watch, put_in_chain
from .session import issuer_for, put_into

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    import botocore.session
    from botocore.config import Config as ClientConfig
    from botocore.credentials import ReadOnlyCredentials

    from boto_rolesanywhere.credentials.refreshing import SessionCredentials
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.settings.sources import (
        CertificateSource,
        ChainSource,
        KeySource,
        SecretSource,
    )

__all__ = ["AioRolesAnywhereProvider", "AioSessionCredentials", "get_session", "install"]

_Result = TypeVar("_Result")


@hides_frames
def get_session(
    cert: CertificateSource | None = None,
    key: KeySource | None = None,
    anchor: str | Sequence[str] | None = None,
    profile: str | Sequence[str] | None = None,
    role: str | None = None,
    *,
    chain: ChainSource | None = None,
    passphrase: SecretSource | None = None,
    region: str | None = None,
    duration: int | None = None,
    session_name: str | None = None,
    endpoint_url: str | Sequence[str] | None = None,
    verify: bool | str | None = None,
    client_config: ClientConfig | None = None,
    profile_name: str | None = None,
    botocore_session: AioSession | boto3.Session | None = None,
    pkcs11_module: str | None = None,
    tpm_tcti: str | None = None,
    cache: bool | str | os.PathLike[str] = False,
    clock_correction: bool = False,
) -> AioSession:
    """A session of aiobotocore whose credentials come from IAM Roles Anywhere.

    They renew themselves. Making the session takes as long as reading the AWS config file, and
    needs no running loop. Settings are checked here. Certificate and key are opened, and
    CreateSession is called, in a thread at the first use.

    The arguments are those of `boto_rolesanywhere.get_session`, but for `botocore_session`: the
    session to put the credentials in is aiobotocore's or aioboto3's, and a new one of aiobotocore
    by default. A callable `passphrase` is called in a thread. The call goes through botocore, whose
    options count as `client_config`.

    Returns:
        The session. For aioboto3: ``aioboto3.Session(botocore_session=…)``; for s3fs:
        ``s3fs.S3FileSystem(session=…)``.

    Raises:
        ConfigurationError: settings are missing or wrong.
        botocore.exceptions.ProfileNotFound: `profile_name` does not exist.
    """
    session = (
        without_empty_variables(AioSession())
        if botocore_session is None
        else as_aio_session(botocore_session)
    )
    arguments = Arguments(
        cert=cert,
        key=key,
        anchor=anchor,
        profile=profile,
        role=role,
        chain=chain,
        passphrase=passphrase,
        region=region,
        duration=duration,
        session_name=session_name,
        endpoint_url=endpoint_url,
        pkcs11_module=pkcs11_module,
        tpm_tcti=tpm_tcti,
    )
    issuer = issuer_for(session, arguments, profile_name, client_config, verify)

    def opened() -> SessionCredentials:
        nonlocal issuer
        issuer = issuer.shared()
        if clock_correction and cache:  # a session out of the cache tells no time
            issuer.learn_time()
        return issuer.credentials(cache)

    put_into(session, AioSessionCredentials(opened), issuer.config.region, profile_name)
    if clock_correction:
        # A client that signs has read its credentials before: then it is the shared issuer's.
        correct_signing(session, lambda: issuer.clock)
    return session


def install(session: AioSession | boto3.Session) -> None:
    """Put IAM Roles Anywhere in the credential chain of a session.

    Where it stands in the chain, `boto_rolesanywhere.install` says.

    Args:
        session: of aiobotocore or aioboto3. Neither has a default session.
    """
    put_in_chain(as_aio_session(session), AioRolesAnywhereProvider, _AioWatch)


class AioRolesAnywhereProvider(RolesAnywhereProvider):
    """As `boto_rolesanywhere.RolesAnywhereProvider`, for the chain of an `AioSession`.

    The session whose config file and profile count is aiobotocore's or aioboto3's.
    """

    @staticmethod
    def _own_session(session: object) -> botocore.session.Session:
        return as_aio_session(session) if session else without_empty_variables(AioSession())

    async def load(self) -> AioSessionCredentials | None:  # type: ignore[override]  # awaited
        """The credentials, or None if nothing is configured for IAM Roles Anywhere.

        Certificate and key are opened and checked in a thread; CreateSession is called at the
        first use.

        Raises:
            RolesAnywhereError: what is configured is wrong, or the profile does not exist (which
                is botocore's `ProfileNotFound` too).
        """
        loaded = await OffLoop(super().load).outcome()
        return None if loaded is None else AioSessionCredentials(lambda: loaded)


class _AioWatch(Watch):
    async def load(self) -> None:  # type: ignore[override]  # awaited
        self.look()


class AioSessionCredentials(AioRefreshableCredentials):  # type: ignore[misc]  # untyped
    """Credentials of IAM Roles Anywhere that are awaited.

    It holds none of its own: it reads those of the `SessionCredentials` that the process shares. A
    read waits for a thread only if a renewal is due, or if there are none yet. If the task that
    waits is cancelled, the attempt goes on for the others.
    """

    def __init__(self, opened: Callable[[], SessionCredentials]) -> None:
        """Open nothing yet.

        Args:
            opened: gives the shared credentials; it may take its time, and is called in a thread.
        """
        # The base class's own __init__ wants credentials, and there are none yet.
        self.method = PROVIDER
        self._open = opened
        self._shared: SessionCredentials | None = None
        self._renewal = OffLoop(self._renewed)

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Access key, secret key, session token and account, which belong together.

        Raises:
            RolesAnywhereError: there is no good session, and none could be made.
        """
        return (await self._current()).get_frozen_credentials()

    async def get_rolesanywhere_session(self) -> RolesAnywhereSession:
        """The session in use, with what the service said about it. Raises as above."""
        return (await self._current()).session

    async def get_access_key(self) -> str | None:
        """The access key alone. Raises as above, like the next three."""
        return (await self.get_frozen_credentials()).access_key

    async def get_secret_key(self) -> str | None:
        """The secret key alone."""
        return (await self.get_frozen_credentials()).secret_key

    async def get_token(self) -> str | None:
        """The session token alone."""
        return (await self.get_frozen_credentials()).token

    async def get_account_id(self) -> str | None:
        """The role's account."""
        return (await self.get_frozen_credentials()).account_id

    def refresh_needed(self, refresh_in: float | None = None) -> bool:
        """Whether the credentials end within `refresh_in` seconds, or are due for renewal."""
        return self._shared is None or self._shared.refresh_needed(refresh_in)

    async def _current(self) -> SessionCredentials:
        shared = self._shared
        if shared is None or shared.refresh_needed():
            return await self._renewal.outcome()
        return shared

    def _renewed(self) -> SessionCredentials:
        """The shared credentials, good ones. In a thread."""
        if self._shared is None:
            self._shared = self._open()
        self._shared.get_frozen_credentials()
        return self._shared


class OffLoop(Generic[_Result]):
    """Runs a function in a thread of its own, for any number of tasks in any number of loops.

    All that wait at a time get the outcome of one run. The thread is not of a loop's pool, which a
    call that takes its time would fill, and which a program waits for at its end.
    """

    def __init__(self, function: Callable[[], _Result]) -> None:
        self._function = function
        self._running: tuple[int, Attempt[_Result]] | None = None

    async def outcome(self) -> _Result:
        """The outcome of the run that is under way, begun if there is none."""
        try:
            return await asyncio.wrap_future(self._begun())
        except RolesAnywhereError as error:
            # Tasks that raise one exception object overwrite each other's traceback.
            raise copy(error) from None

    def _begun(self) -> Future[_Result]:
        # Without a lock: should two loops begin at once, what they call is shared all the same.
        running, process = self._running, os.getpid()
        if running is not None and running[0] == process and not running[1].future.done():
            return running[1].future
        attempt = Attempt(self._function)
        attempt.start()
        self._running = (process, attempt)
        return attempt.future


def as_aio_session(session: object) -> botocore.session.Session:
    """The session of aiobotocore, or that in a session of aioboto3.

    Raises:
        ConfigurationError: it is something else.
    """
    # aioboto3's is a subclass of boto3's.
    inner = session._session if isinstance(session, boto3.Session) else session  # noqa: SLF001  # no public name
    if isinstance(inner, AioSession):
        aio_session: botocore.session.Session = inner
        return aio_session
    raise not_a_session(
        session,
        expected="a session of aiobotocore or aioboto3",
        remedy="For one of boto3 or botocore: boto_rolesanywhere.get_session and .install.",
    )

"""Calls of CreateSession for one `Config`: botocore opens the transport, which processes keep."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.sharing import Sameness, Shared

from .botocore_session import call_options, private_session
from .botocore_transport import BotocoreTransport, open_client
from .call import Clocks, call, parameters
from .corrected_clock import CorrectedClock
from .transport import Request, TransportFault
from .trust import bundle_of, require_bundle
from .way import way_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.config import Config as ClientConfig
    from botocore.session import Session as BotocoreSession

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

    from .transport import Transport
    from .way import Way


# One for each endpoint and its options: a client holds some hundred kilobytes.
_PATIENCE: Final = 5.0  # seconds for an answer whose Date alone counts
_TRANSPORTS: Final[Shared[BotocoreTransport]] = Shared()


class SessionCreator:
    """Calls CreateSession for one Config, with whatever identity is current at the call.

    Safe to use from several threads and after a fork.
    """

    def __init__(
        self,
        config: Config,
        identity: Callable[[], Identity],
        *,
        client_config: ClientConfig | None = None,
        verify: bool | str | None = None,
        session: BotocoreSession | None = None,
        clocks: Clocks | None = None,
        deadline: float | None = None,
    ) -> None:
        """Prepare the calls; nothing is sent yet.

        Args:
            config: ARNs, Region and options of the call.
            identity: gives the identity to sign with; asked at each call, so that it may rotate.
            client_config: botocore's options for this call (proxies, time-outs, attempts, FIPS).
            verify: as in `boto3.client`: False, or the path of a CA bundle.
            session: from `private_session`; None: one without a parent.
            clocks: the times and the chance; None: this machine's.
            deadline: seconds after which a call sends, waits and reads no more; None: 60, or
                longer if the time-outs of `client_config` let one attempt take longer.
        """
        self.config = config
        self._identity = identity
        self._client_config = client_config
        self._verify = verify
        self._session = session or private_session(None)
        self._deadline = deadline
        self._clocks = clocks or Clocks(CorrectedClock())
        # The connections belong to one process: a forked child opens some of its own.
        self._transport: tuple[int, Transport] | None = None

    def create(
        self, identity: Identity | None = None, *, share: float = 1.0
    ) -> RolesAnywhereSession:
        """Call CreateSession.

        Args:
            identity: signs the call; None: the current identity.
            share: of the deadline that this call may take, above 0 to 1.

        Raises:
            RolesAnywhereError: its subclass says why; see `boto_rolesanywhere.errors`.
        """
        identity = identity or self._identity()
        return call(self.config, identity, self._own_transport(), self._clocks, share=share)

    def learn_time(self) -> bool:
        """Ask the endpoint for its time, unsigned; True if the clock was off and is corrected.

        For a certificate that is refused by this machine's clock before it could be sent.
        """
        try:
            transport = self._own_transport()
            draft = transport.draft(parameters(self.config))
        except RolesAnywhereError:
            return False
        if not transport.is_trusted:
            return False
        root = urljoin(draft.url, "/")
        with suppress(TransportFault):
            answer = transport.send(Request("GET", root, {}, b""), _PATIENCE)
            return self._clocks.wall.learn(answer)
        return False

    def _own_transport(self) -> Transport:
        held, process = self._transport, os.getpid()
        if held is None or held[0] != process:
            config = self.config
            where = (config.region, config.endpoint_url, config.endpoint_origin)
            limits = (self._verify, self._deadline, self._client_config)
            inputs = Sameness(process, where, limits, call_options(self._session))
            require_bundle(*bundle_of(self._session, self._verify))
            held = self._transport = (process, _TRANSPORTS.one(inputs, self.open_transport))
        return held[1]

    def open_transport(self) -> BotocoreTransport:
        """A transport of its own, which knows where the call goes.

        Raises:
            ConfigurationError: botocore cannot use its endpoint or another setting.
        """
        bundle = bundle_of(self._session, self._verify)
        verify = bundle[0] or False
        client = open_client(
            self.config, self._session, client_config=self._client_config, verify=verify
        )

        def way() -> Way:
            return way_of(client, self.config, bundle)

        return BotocoreTransport(client, verify=verify, deadline=self._deadline, way=way)

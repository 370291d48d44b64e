"""The transport that is botocore's: its endpoint rules, proxies, CA bundles and time-outs.

No SDK's model has CreateSession, so `data/` has a model of it alone. botocore's client for that
model works out where the call goes and what its body is; its HTTP session sends. Its retries, its
parser and its signer are passed by.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, DataNotFoundError, SSLError
from botocore.httpsession import ProxyConfiguration
from botocore.loaders import Loader
from botocore.utils import get_environ_proxies
from urllib3 import exceptions as urllib3_errors

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.botocore_variables import places_of_settings
from boto_rolesanywhere.settings.urls import bypasses_proxy, is_this_machine, require_proxy_url

from .botocore_session import SERVICE
from .sending import body_of, within
from .transport import Answer, Limits, Proxy, Request
from .trust import BothStores, trust_system_store
from .way import proxy_of, proxy_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.session import Session as BotocoreSession

    from boto_rolesanywhere.settings.config import Config

    from .way import Way

logger = logger_of(__name__)

_PIECE: Final = 4096
_DRAFT: Final = "boto_rolesanywhere-draft"
# botocore's default, 60 seconds each, would hold up the program if a network drops packets.
TIMEOUTS: Final = ClientConfig(connect_timeout=10, read_timeout=30)


class BotocoreTransport:
    """Sends through the HTTP session of a botocore client.

    It keeps no connection open when nobody sends: the next call comes in an hour, and a process
    with many sessions would run out of file descriptors. Safe to use from several threads.

    Attributes:
        limits: as the client's options and AWS_MAX_ATTEMPTS have it.
        is_trusted: whether its TLS is verified, or its endpoint is on this machine.
    """

    def __init__(
        self,
        client: BaseClient,
        *,
        verify: bool | str | None,
        way: Callable[[], Way],
        deadline: float | None = None,
    ) -> None:
        """Send nothing yet.

        Args:
            client: from `open_client`.
            verify: what it was opened with.
            way: tells that of the client's calls, for errors.
            deadline: seconds that a whole call may take; None: 60, or longer if the client's
                time-outs let one attempt take longer.
        """
        self.way = way
        # Last, since another handler adds a header.
        client.meta.events.register_last("before-call", _instead_of_sending, _DRAFT)  # type: ignore[arg-type]  # it answers
        self._client = client
        config: Any = client.meta.config
        url = urlsplit(client.meta.endpoint_url)
        verified = url.scheme == "https" and verify not in {False, ""}
        here = is_this_machine(url.hostname or "")
        proxy, _ = proxy_of(config, client.meta.endpoint_url) if here else (None, "")
        # The system's store takes time to read, so it is read when botocore's own does not do.
        self._may_trust_system = isinstance(verify, BothStores)
        self._trusts_system = False
        self.is_trusted = verified or (here and proxy is None)
        self._sending = 0
        self._lock = threading.Lock()
        timeouts = (config.connect_timeout, config.read_timeout)
        longest = sum(seconds for seconds in timeouts if isinstance(seconds, int | float))
        attempts = (config.retries or {}).get("total_max_attempts")
        usual = Limits()
        self.limits = Limits(
            usual.attempts if attempts is None else max(1, attempts),
            max(usual.deadline, longest) if deadline is None else deadline,
        )

    def proxy(self) -> Proxy | None:
        """That of botocore's settings."""
        meta = self._client.meta
        url, _ = proxy_of(meta.config, meta.endpoint_url)
        return Proxy(url, ProxyConfiguration().proxy_headers_for(url)) if url else None

    def draft(self, parameters: Mapping[str, object]) -> Request:
        """The request that botocore would make, unsigned."""
        try:
            params = self._client.create_session(**parameters)[_DRAFT]  # type: ignore[attr-defined]  # made by botocore
        except BotoCoreError as error:
            raise _unusable(error) from error
        return Request(params["method"], params["url"], dict(params["headers"]), params["body"])

    def send(self, request: Request, seconds: float) -> Answer:
        """Send it in a thread of its own, which is abandoned when the time is over."""
        return within(seconds, lambda given_up: self._send_alone(request, given_up))

    def _send_alone(self, request: Request, given_up: threading.Event) -> Answer:
        """Send it, and close the connections unless others are sending."""
        with self._lock:
            self._sending += 1
        try:
            return self._send(request, given_up)
        finally:
            with self._lock:
                self._sending -= 1
                if not self._sending:
                    self._http_session.close()

    @property
    def _http_session(self) -> Any:  # noqa: ANN401  # botocore's
        # botocore has no public way to its HTTP session; test_botocores_ground.py guards it.
        return self._client._endpoint.http_session  # type: ignore[attr-defined]  # noqa: SLF001  # see above

    def _send(self, request: Request, given_up: threading.Event) -> Answer:
        prepared = AWSRequest(
            method=request.method,
            url=request.url,
            headers=request.headers,
            data=request.body,
            stream_output=True,  # so that `send` leaves the body alone
        ).prepare()
        try:
            response = self._send_prepared(prepared)
        except Exception as error:
            from .botocore_faults import ON_THE_WAY, fault_of  # few calls fail

            if isinstance(error, ON_THE_WAY):
                raise fault_of(error) from error
            raise
        headers = {name.lower(): str(text) for name, text in response.headers.items()}
        with closing(response.raw) as raw:  # or the rest would come before the next answer
            body = body_of(raw.stream(_PIECE), given_up, urllib3_errors.ReadTimeoutError)
        return Answer(response.status_code, headers, body)

    def _send_prepared(self, prepared: AWSPreparedRequest) -> AWSResponse:
        trusted_system = self._trusts_system
        try:
            response: AWSResponse = self._http_session.send(prepared)
        except SSLError as error:
            from .botocore_faults import fault_of

            again = self._may_trust_system and not trusted_system
            if not again or fault_of(error).kind != "certificate":
                raise
            with self._lock:
                if not self._trusts_system:
                    trust_system_store(self._http_session)
                    self._trusts_system = True
            response = self._http_session.send(prepared)
        return response


def _instead_of_sending(params: dict[str, Any], **_: object) -> object:
    """Botocore's event ``before-call``: what would be sent is the answer, and nothing is sent."""
    return SimpleNamespace(status_code=200), {_DRAFT: params}


def open_client(
    config: Config,
    session: BotocoreSession,
    *,
    client_config: ClientConfig | None = None,
    verify: bool | str | None = None,
) -> BaseClient:
    """A botocore client for the call, with its own connections. It signs nothing.

    Args:
        config: of the call.
        session: from `private_session`.
        client_config: botocore's options for this call.
        verify: as in `boto3.client`.

    Raises:
        ConfigurationError: botocore cannot use its endpoint, a number or another setting.
    """
    options = TIMEOUTS
    for each in (session.get_default_client_config(), client_config):
        options = options.merge(each) if each is not None else options
    client = _made(config, session, options, verify)
    url = client.meta.endpoint_url
    by_environment = getattr(options, "proxies", None) is None
    if by_environment and get_environ_proxies(url) and bypasses_proxy(url, os.environ):
        client = _made(config, session, options.merge(ClientConfig(proxies={})), verify)
    else:
        require_usable_proxy(getattr(options, "proxies", None), url)
    _warn_of_plain_http(url)
    return client


def _made(
    config: Config, session: BotocoreSession, options: ClientConfig, verify: bool | str | None
) -> BaseClient:
    try:
        client: BaseClient = session.create_client(
            SERVICE,
            region_name=config.region,
            endpoint_url=config.endpoint_url,
            verify=verify,
            config=options.merge(ClientConfig(signature_version=UNSIGNED)),
        )
    except BotoCoreError as error:
        raise _unusable(error) from error
    # The endpoint or a number is wrong, or a text stands where botocore wants a block.
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if "endpoint" not in str(error).lower():
            raise ConfigurationError(
                f"botocore cannot use what is set for it ({error})",
                code="botocore-setting-unusable",
                where=f"{places_of_settings()} (services, …) or the argument client_config",
            ) from error
        raise ConfigurationError(
            f"botocore cannot use the endpoint that is set for it ({error})",
            code="endpoint-url-invalid",
            where="AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ROLESANYWHERE or endpoint_url",
            expected="a URL such as https://host:443",
        ) from None
    return client


def _unusable(error: BotoCoreError) -> ConfigurationError:
    if isinstance(error, DataNotFoundError):
        name = error.kwargs.get("data_path") or error.kwargs.get("service_name")
        return ConfigurationError(
            f"botocore's data of {name} is missing",
            code="botocore-setting-unusable",
            where=Loader.BUILTIN_DATA_PATH,
            remedy="This installation was made smaller, as for a frozen program or a layer of"
            " Lambda: keep in it rolesanywhere, partitions.json and"
            " sdk-default-configuration.json of botocore/data, and sts if roles are chained.",
        )
    return ConfigurationError(
        f"botocore cannot make the CreateSession call: {str(error).rstrip('.')}",
        code="botocore-setting-unusable",
        remedy=f"Check what is set for botocore itself: {places_of_settings()}.",
    )


def _warn_of_plain_http(endpoint: str) -> None:
    url = urlsplit(endpoint)
    if url.scheme == "http" and not is_this_machine(url.hostname or ""):
        logger.warning(
            "The endpoint %s is not encrypted: everyone on the way can read the credentials. Use"
            " an https:// endpoint.",
            endpoint,
        )


def require_usable_proxy(proxies: Mapping[str, str] | None, endpoint: str) -> None:
    """Refuse the proxy that botocore would take for `endpoint` if its URL cannot be used.

    Args:
        proxies: those of the client's config; None: those of the environment.
        endpoint: URL of the endpoint.

    Raises:
        ConfigurationError: without the proxy's URL.
    """
    chosen = get_environ_proxies(endpoint) if proxies is None else proxies
    if proxy := chosen.get(urlsplit(endpoint).scheme):
        require_proxy_url(proxy, proxy_origin(endpoint, by_option=proxies is not None))

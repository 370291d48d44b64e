"""The one module that calls CreateSession, through a botocore client.

No SDK's model has the operation, so `data/` has a model of it alone. botocore
handles endpoints, proxies, CA bundles, time-outs and retries. Its client does not sign; a handler
of ours signs each attempt with the identity's key.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config as ClientConfig
from botocore.utils import get_environ_proxies

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.credentials.session_value import (
    RolesAnywhereSession,
    optional_value,
    required_word,
)
from boto_rolesanywhere.errors import ConfigurationError, InvalidResponseError
from boto_rolesanywhere.redaction import logger_of
from boto_rolesanywhere.settings.names import LONGEST_SESSION
from boto_rolesanywhere.settings.urls import is_this_machine, require_proxy_url

from .botocore_session import SERVICE, private_session
from .response_body import BODY, take_body
from .sending import send_within
from .service_errors import not_json, translated
from .signer import host_header, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.session import Session as BotocoreSession

    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

logger = logger_of(__name__)

OPERATION: Final = "CreateSession"
_EVENT: Final = f"{SERVICE}.{OPERATION}"
# botocore's default, 60 seconds each, would hold up the program if a network drops packets.
_TIMEOUTS: Final = ClientConfig(connect_timeout=10, read_timeout=30)
_DEADLINE: Final = 120.0  # seconds


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
        clock: Callable[[], datetime] = utc_now,
        deadline: float = _DEADLINE,
    ) -> None:
        """Prepare the calls; nothing is sent yet.

        Args:
            config: ARNs, Region and options of the call.
            identity: gives the identity to sign with; asked at each call, so that it may rotate.
            client_config: botocore's options for this call (proxies, time-outs, retries, FIPS).
            verify: as in `boto3.client`: False, or the path of a CA bundle.
            session: from `private_session`; None: one without a parent.
            clock: gives the time, aware.
            deadline: seconds after which a call sends and reads no more, its retries included.
        """
        self.config = config
        self._identity = identity
        self._client_config = client_config
        self._verify = verify
        self._session = session or private_session(None)
        self._clock = clock
        self._deadline = deadline
        # The connections belong to one process: a forked child opens a client of its own.
        self._client: tuple[int, BaseClient] | None = None
        # The identity that signs this thread's call: botocore does not pass our values on.
        self._signing = threading.local()

    def create(self, identity: Identity | None = None) -> RolesAnywhereSession:
        """Call CreateSession.

        Args:
            identity: signs the call; None: the current identity.

        Raises:
            RolesAnywhereError: its subclass says why; see `boto_rolesanywhere.errors`.
        """
        identity = identity or self._identity()
        with translated(self.config, identity, self._clock):
            self._signing.identity = identity
            self._signing.ends_at = time.monotonic() + self._deadline
            answer = self._own_client().create_session(**_parameters(self.config))
            if answer[BODY] is None:
                raise not_json(self.config)
            return _session(answer[BODY], answer["ResponseMetadata"]["HTTPHeaders"], self._clock)

    def _own_client(self) -> Any:  # noqa: ANN401  # botocore makes its class
        held = self._client
        if held is None or held[0] != os.getpid():
            held = self._client = (os.getpid(), self.open_client())
        return held[1]

    def open_client(self) -> BaseClient:
        """A botocore client for the call, with its own connections.

        Only `create` signs what it sends.

        Raises:
            ConfigurationError: botocore cannot use its endpoint or a number that is set.
            botocore.exceptions.BotoCoreError: botocore refuses other settings.
        """
        session = self._session
        options = _TIMEOUTS
        for config in (session.get_default_client_config(), self._client_config):
            options = options.merge(config) if config is not None else options
        try:
            client: BaseClient = session.create_client(
                SERVICE,
                region_name=self.config.region,
                endpoint_url=self.config.endpoint_url,
                verify=self._verify,
                config=options.merge(ClientConfig(signature_version=UNSIGNED)),
            )
        # The endpoint or a number is wrong, or a text stands where botocore wants a block.
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            if "endpoint" not in str(error).lower():
                raise ConfigurationError(
                    f"botocore cannot use what is set for it ({error})",
                    code="botocore-setting-unusable",
                    where="AWS_MAX_ATTEMPTS and other variables, the profile's settings"
                    " (services, api_versions, …), or the argument client_config",
                ) from error
            raise ConfigurationError(
                f"botocore cannot use the endpoint that is set for it ({error})",
                code="endpoint-unusable",
                where="AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ROLESANYWHERE or endpoint_url",
                expected="a URL such as https://host:443",
            ) from None

        def sign_attempt(request: AWSRequest, **_: object) -> None:
            _sign_request(request, self._signing.identity, self.config.region, self._clock())

        def send_attempt(request: AWSPreparedRequest, **_: object) -> AWSResponse:
            # botocore has no public way to the sending itself. A contract test holds it.
            send = client._endpoint.http_session.send  # type: ignore[attr-defined]  # noqa: SLF001  # see above
            return send_within(self._signing.ends_at - time.monotonic(), send, request)

        require_usable_proxy(getattr(options, "proxies", None), client.meta.endpoint_url)
        _warn_of_plain_http(client.meta.endpoint_url)
        events = client.meta.events
        events.register(f"request-created.{_EVENT}", sign_attempt)
        events.register(f"before-send.{_EVENT}", send_attempt)  # type: ignore[arg-type]  # it answers
        events.register(f"before-parse.{_EVENT}", take_body)
        return client


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
        require_proxy_url(proxy)


def effective_verify(session: BotocoreSession, verify: bool | str | None) -> bool | str:
    """What the endpoint's TLS certificate is checked against: a CA bundle, or True for botocore's.

    False only if `verify` is: an empty variable counts as not set, while botocore would take it for
    a reason to check nothing.

    Args:
        session: whose CA bundle counts.
        verify: as in `boto3.client`.
    """
    if verify is not None:
        return verify
    configured: str | None = session.get_config_variable("ca_bundle")
    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _parameters(config: Config) -> dict[str, Any]:
    optional = {"durationSeconds": config.duration, "roleSessionName": config.session_name}
    return {
        "trustAnchorArn": str(config.trust_anchor),
        "profileArn": str(config.profile),
        "roleArn": str(config.role),
        # Without a duration AWS takes the profile's own; a default sent here would cut it short.
        **{name: value for name, value in optional.items() if value is not None},
    }


def _sign_request(request: AWSRequest, identity: Identity, region: str, now: datetime) -> None:
    del request.headers["Host"]
    # Set here, since HTTP clients write a host name that ends with a dot in different ways.
    request.headers["Host"] = host_header(request.url or "")
    added = sign(
        request.method or "POST",
        request.url or "",
        request.headers.items(),
        request.data,
        identity=identity,
        region=region,
        now=now,
    )
    for name, value in added.items():
        # A header that is set twice would be sent twice.
        del request.headers[name]
        if name == "Authorization":
            # botocore encodes its headers itself, and leaves those that are bytes as they are.
            request.headers[name] = _Unlogged(value.encode("ascii"))  # type: ignore[assignment]  # bytes
        else:
            request.headers[name] = value


class _Unlogged(bytes):
    """Bytes whose repr is hidden: botocore logs a request's headers by it.

    The signature among them can be used for some minutes.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes, hidden>"


def _session(
    body: Mapping[str, Any], headers: Mapping[str, str], clock: Callable[[], datetime]
) -> RolesAnywhereSession:
    from .diagnosis import service_time

    received = clock().astimezone(timezone.utc)
    issued_at = service_time(headers.get("date")) or received
    try:
        answered = body["credentialSet"][0]
        credentials = answered["credentials"]
        user = answered.get("assumedRoleUser") or {}
        session = RolesAnywhereSession(
            access_key_id=required_word(credentials, "accessKeyId"),
            secret_access_key=required_word(credentials, "secretAccessKey"),
            session_token=required_word(credentials, "sessionToken"),
            expiration=_time(required_word(credentials, "expiration")),
            issued_at=issued_at.astimezone(timezone.utc),
            role_arn=optional_value(answered, "roleArn", str),
            assumed_role_arn=optional_value(user, "arn", str),
            assumed_role_id=optional_value(user, "assumedRoleId", str),
            subject_arn=optional_value(body, "subjectArn", str),
            source_identity=optional_value(answered, "sourceIdentity", str),
            packed_policy_size=optional_value(answered, "packedPolicySize", int),
        )
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        # The exception's own text may quote the body, which holds the credentials.
        problem = f"{OPERATION} was answered without usable credentials ({type(error).__name__})"
        raise InvalidResponseError(
            problem,
            code="answer-without-credentials",
            expected="credentialSet[0].credentials with four fields of printable ASCII",
            remedy="Check that the endpoint URL is that of IAM Roles Anywhere.",
        ) from None
    latest = received + timedelta(seconds=LONGEST_SESSION)
    if session.expiration > latest:  # AWS ends every session by then, whatever the answer says
        session = replace(session, expiration=latest)
    if not 0 < session.lifetime <= LONGEST_SESSION:  # the Date is a proxy's, or the clock is off
        session = replace(session, issued_at=received)
    if session.lifetime <= 0:
        raise InvalidResponseError(
            f"{OPERATION} gave credentials that ended at {session.expiration:%Y-%m-%dT%H:%M:%SZ},"
            f" and it was {session.issued_at:%Y-%m-%dT%H:%M:%SZ} when they were given",
            code="answer-without-credentials",
        )
    return session


def _time(text: str) -> datetime:
    # datetime.fromisoformat reads a trailing Z only from Python 3.11 on.
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return time.astimezone(timezone.utc)

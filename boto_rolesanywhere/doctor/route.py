"""Where the call goes: endpoint, proxy and CA bundle, as botocore works them out. Sends nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies

from boto_rolesanywhere.create_session.call import parameters
from boto_rolesanywhere.create_session.trust import (
    BOTOCORES_OWN,
    bundle_of,
    trust_of_the_command,
)
from boto_rolesanywhere.errors import RolesAnywhereError

from .verdict import Verdict, of_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.config import Config as ClientConfig

    from boto_rolesanywhere.create_session.client import SessionCreator
    from boto_rolesanywhere.create_session.transport import Transport
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config
    from boto_rolesanywhere.settings.inputs import Inputs

    from .verdict import Check, Question

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Endpoint, proxy and TLS options of the call.

    Attributes:
        scheme: ``https``, or ``http``.
        host: of the endpoint.
        port: of the endpoint.
        proxy_url: the proxy on the way, with its password if it has one; None for none.
        proxy_headers: the headers for the proxy, such as its authorization.
        bundle: the CA bundle's path; None if nothing is checked.
        bundle_origin: which setting named it.
    """

    scheme: str
    host: str
    port: int
    proxy_url: str | None = field(default=None, repr=False)
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    bundle: str | None = None
    bundle_origin: str = BOTOCORES_OWN

    @property
    def url(self) -> str:
        """The endpoint, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == _PORTS.get(self.scheme)
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{self.port}"

    @property
    def proxy(self) -> tuple[str, int] | None:
        """Host and port of the proxy."""
        if self.proxy_url is None:
            return None
        url = urlsplit(self.proxy_url)
        return url.hostname or "", url.port or _PORTS.get(url.scheme, 80)

    @property
    def shown_proxy(self) -> str:
        """The proxy's URL without user and password."""
        if self.proxy is None:
            return "no proxy"
        host, port = self.proxy
        shown = f"[{host}]" if ":" in host else host
        return f"{urlsplit(self.proxy_url or '').scheme}://{shown}:{port}"


def check_endpoint(question: Question, inputs: Inputs, config: Config) -> Check[Route | None]:
    """Ask botocore where the call goes."""
    from botocore.exceptions import BotoCoreError

    from boto_rolesanywhere.create_session.endpoints import configured_endpoint
    from boto_rolesanywhere.settings.urls import is_this_machine

    try:
        configured_endpoint(inputs.session)
        transport = creator_for(question, inputs, config, _nobody).open_transport()
        bundle = bundle_of(inputs.session, verify_of(question, inputs))
        route = _find_route(transport, config, *bundle)
    except RolesAnywhereError as error:
        yield of_error("endpoint", error)
        return None
    except (BotoCoreError, ValueError) as error:
        remedy = "Correct the Region and the endpoint's settings."
        yield Verdict("endpoint", "fail", str(error), remedy)
        return None
    if route.scheme == "http" and not is_this_machine(route.host):
        yield Verdict(
            "endpoint",
            "warn",
            f"{route.url} is not encrypted: whoever is on the way can read the credentials",
            "Use an https:// endpoint.",
        )
    else:
        yield Verdict("endpoint", "ok", route.url)
    return route


def creator_for(
    question: Question, inputs: Inputs, config: Config, identity: Callable[[], Identity]
) -> SessionCreator:
    """The call that doctor makes: one try, within the question's time-out."""
    from boto_rolesanywhere.composition import creator_of

    return creator_of(
        config,
        inputs.session,
        identity,
        client_config=one_try(question.timeout),
        verify=verify_of(question, inputs),
        clock=question.clock,
    )


def verify_of(question: Question, inputs: Inputs) -> bool | str | None:
    """The command trusts the system's store too, where nobody says otherwise."""
    if question.verify is None and question.flags is not None:
        return trust_of_the_command(inputs.session)
    return question.verify


def one_try(timeout: float) -> ClientConfig:
    """Botocore's options for a call that is made once."""
    from botocore.config import Config as ClientConfig

    return ClientConfig(
        connect_timeout=timeout,
        read_timeout=2 * timeout,
        retries={"total_max_attempts": 1},
    )


def _nobody() -> NoReturn:
    raise AssertionError("a client that only tells its endpoint signs nothing")


def _find_route(transport: Transport, config: Config, bundle: str | None, origin: str) -> Route:
    url = urlsplit(transport.draft(parameters(config)).url)
    proxy = transport.proxy()
    return Route(
        scheme=url.scheme,
        host=url.hostname or "",
        port=url.port or _PORTS[url.scheme],
        proxy_url=proxy.url if proxy else None,
        proxy_headers=proxy.headers if proxy else {},
        bundle=bundle,
        bundle_origin=origin,
    )


def check_proxy(route: Route) -> Check[None]:
    """Say which proxy is used for the endpoint, and why. The client refused an unusable one."""
    found = getproxies().get(route.scheme)
    if route.proxy_url is None:
        text = f"none: NO_PROXY covers {route.host}" if found else "none: the connection is direct"
        yield Verdict("proxy", "ok", text)
        return
    name = f"{route.scheme}_proxy"
    origin = name.upper() if name.upper() in os.environ else name
    yield Verdict("proxy", "ok", f"{route.shown_proxy} (from {origin})")

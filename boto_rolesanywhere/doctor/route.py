"""Where the call goes: endpoint, proxy and CA bundle, as botocore makes them of all its settings.

botocore is asked, and its answer is shown; nothing is sent.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

from .case import OWN_BUNDLE, PORTS, Route
from .verdict import Verdict, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.identity.identity import Identity

    from .case import Case


def check_endpoint(case: Case) -> Iterator[Verdict]:
    """Ask botocore where the call goes."""
    from botocore.config import Config as ClientConfig
    from botocore.exceptions import BotoCoreError

    from boto_rolesanywhere.create_session.client import is_this_machine
    from boto_rolesanywhere.provider import creator_of

    config = case.config
    if config is None:
        yield skipped("endpoint", "the settings are not complete")
        return
    once = ClientConfig(
        connect_timeout=case.timeout,
        read_timeout=2 * case.timeout,
        retries={"total_max_attempts": 1},
    )
    creator = creator_of(
        config,
        case.botocore,
        lambda: cast("Identity", case.identity),  # called only when there is one
        client_config=once,
        verify=case.verify,
        clock=case.clock,
    )
    try:
        case.route = route = _find_route(case, creator.open_client())
    except (BotoCoreError, ValueError) as error:
        remedy = "Correct the Region and the endpoint's settings."
        yield Verdict("endpoint", "fail", str(error), remedy)
        return
    case.creator = creator
    if route.scheme == "http" and not is_this_machine(route.host):
        yield Verdict(
            "endpoint",
            "warn",
            f"{route.url} is not encrypted: whoever is on the way can read the credentials",
            "Use an https:// endpoint.",
        )
    else:
        yield Verdict("endpoint", "ok", route.url)


def _find_route(case: Case, client: Any) -> Route:  # noqa: ANN401  # botocore makes its class
    from botocore.httpsession import ProxyConfiguration
    from botocore.utils import get_environ_proxies

    asked: list[str] = []

    def instead_of_sending(params: dict[str, Any], **_: object) -> object:
        asked.append(params["url"])
        return SimpleNamespace(status_code=200), {}

    client.meta.events.register("before-call.rolesanywhere.CreateSession", instead_of_sending)
    client.create_session(trustAnchorArn="", profileArn="", roleArn="")
    url = urlsplit(asked[0])
    proxies = client.meta.config.proxies
    if proxies is None:
        proxies = get_environ_proxies(asked[0])
    configuration = ProxyConfiguration(proxies)
    proxy_url = configuration.proxy_url_for(asked[0])
    bundle, origin = _bundle(case)
    return Route(
        scheme=url.scheme,
        host=url.hostname or "",
        port=url.port or PORTS[url.scheme],
        proxy_url=proxy_url,
        proxy_headers=tuple(configuration.proxy_headers_for(proxy_url).items())
        if proxy_url
        else (),
        bundle=bundle,
        bundle_origin=origin,
    )


def _bundle(case: Case) -> tuple[str | None, str]:
    """The CA bundle, in botocore's order."""
    from botocore.httpsession import get_cert_path

    if case.verify is False:
        return None, "verify"
    if isinstance(case.verify, str):
        return case.verify, "verify"
    named = case.botocore.get_config_variable("ca_bundle") if case.botocore else None
    if named:
        return str(named), "AWS_CA_BUNDLE" if os.environ.get("AWS_CA_BUNDLE") else "ca_bundle"
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        return bundle, "REQUESTS_CA_BUNDLE"
    return get_cert_path(True), OWN_BUNDLE


def check_proxy(case: Case) -> Iterator[Verdict]:
    """Say which proxy is used for the endpoint, and why."""
    route = case.route
    if route is None:
        yield skipped("proxy", "the endpoint is not known")
        return
    found = getproxies().get(route.scheme)
    if route.proxy_url is None:
        text = f"none: NO_PROXY covers {route.host}" if found else "none: the way is direct"
        yield Verdict("proxy", "ok", text)
        return
    name = f"{route.scheme}_proxy"
    origin = name.upper() if name.upper() in os.environ else name
    try:
        usable = route.proxy is not None
    except ValueError:
        usable = False
    if not usable:
        case.route = None
        yield Verdict(
            "proxy",
            "fail",
            f"what {origin} holds is not the URL of an HTTP proxy",
            f"Set {origin} to http://HOST:PORT; botocore speaks to no other kind.",
        )
        return
    yield Verdict("proxy", "ok", f"{route.shown_proxy} (from {origin})")

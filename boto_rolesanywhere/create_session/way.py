"""How the call gets to the service, and which setting says so: what errors and doctor name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from boto_rolesanywhere.records import NamedTuple

from .plain_route import own_endpoint
from .trust import BOTOCORES_OWN

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from boto_rolesanywhere.settings.config import Config

_FOR_ALL_SERVICES: Final = ("AWS_ENDPOINT_URL", "endpoint_url of ")


class Way(NamedTuple):
    """The way of a call.

    Attributes:
        region: of the call.
        url: of an endpoint other than AWS's own; None for that.
        url_origin: which setting names it.
        proxy: its URL without user and password; None for none.
        proxy_origin: which setting names it.
        bundle: what the endpoint's certificate is checked with: a path; None for no check.
        bundle_origin: which setting names it.
    """

    region: str
    url: str | None = None
    url_origin: str | None = None
    proxy: str | None = None
    proxy_origin: str = ""
    bundle: str | None = None
    bundle_origin: str = BOTOCORES_OWN

    @property
    def place(self) -> str:
        """Who is asked, for the middle of a sentence."""
        if self.url is None:
            return f"IAM Roles Anywhere in {self.region}"
        return f"{self.url} (from {self.url_origin})" if self.url_origin else self.url

    @property
    def advice(self) -> str:
        """What to do if another service is asked by mistake; empty if AWS itself is asked."""
        if self.url is None or self.url_origin is None:
            return ""
        if self.url_origin.startswith(_FOR_ALL_SERVICES) and "ROLESANYWHERE" not in self.url_origin:
            return (
                f"{self.url_origin} is for all services, IAM Roles Anywhere too. If only others are"
                " there, set rolesanywhere_endpoint_url (AWS_ROLESANYWHERE_ENDPOINT_URL) to"
                f" {own_endpoint(self.region) or 'that of AWS'}."
            )
        return f"Correct {self.url_origin}, or leave it out to ask AWS."

    @property
    def through(self) -> str:
        """The proxy, to end a clause with; empty if there is none."""
        return f", through the proxy {self.proxy} (from {self.proxy_origin})" if self.proxy else ""

    @property
    def checked_with(self) -> str:
        """The CA bundle, to end a clause with; empty if nothing is checked."""
        if self.bundle is None:
            return ""
        return f", checked with the CA bundle {self.bundle} ({self.bundle_origin})"


def way_of(client: BaseClient, config: Config, bundle: tuple[str | None, str]) -> Way:
    """The way of the calls of `client`; `bundle` is from `bundle_of`."""
    proxy, origin = proxy_of(client.meta.config, client.meta.endpoint_url)
    endpoint = (config.endpoint_url, config.endpoint_origin)
    return Way(config.region, *endpoint, shown_proxy(proxy), origin, *bundle)


def proxy_of(options: Any, url: str) -> tuple[str | None, str]:  # noqa: ANN401  # botocore's Config
    """The proxy that botocore takes for `url`, None for none; and which setting names it."""
    from botocore.httpsession import ProxyConfiguration
    from botocore.utils import get_environ_proxies

    proxies = getattr(options, "proxies", None)
    by_option = proxies is not None
    found = ProxyConfiguration(proxies if by_option else get_environ_proxies(url)).proxy_url_for(
        url
    )
    return found, proxy_origin(url, by_option=by_option)


def proxy_origin(url: str, *, by_option: bool) -> str:
    """Which setting names the proxy for `url`; `by_option`: one of the client's options does."""
    if by_option:
        return "client_config"
    name = f"{urlsplit(url).scheme}_proxy"
    known = (name, name.upper(), "all_proxy", "ALL_PROXY")
    return next((each for each in known if os.environ.get(each)), "the system's settings")


def shown_proxy(url: str | None) -> str | None:
    """The proxy's URL without user and password."""
    if url is None:
        return None
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"

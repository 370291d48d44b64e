"""What is asked, and what the checks found so far: the one thing that they hand on. No check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import botocore.session
    from cryptography import x509

    from boto_rolesanywhere.create_session.client import SessionCreator
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.identity.opening import Matched
    from boto_rolesanywhere.settings.config import Arguments, Config
    from boto_rolesanywhere.settings.names import Found, Setting
    from boto_rolesanywhere.settings.sources import IdentitySources


PORTS: Final = {"http": 80, "https": 443}


OWN_BUNDLE: Final = "botocore's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way of the call.

    Attributes:
        scheme: ``https``, or ``http``.
        host: of the endpoint.
        port: of the endpoint.
        proxy_url: the proxy on the way, with its password if it has one; None for none.
        proxy_headers: what the proxy is told of who asks.
        bundle: the CA bundle's path; None if nothing is checked.
        bundle_origin: which setting named it.
    """

    scheme: str
    host: str
    port: int
    proxy_url: str | None = field(default=None, repr=False)
    proxy_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    bundle: str | None = None
    bundle_origin: str = OWN_BUNDLE

    @property
    def url(self) -> str:
        """The endpoint, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == PORTS.get(self.scheme)
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{self.port}"

    @property
    def proxy(self) -> tuple[str, int] | None:
        """Host and port of the proxy.

        Raises:
            ValueError: its URL has none.
        """
        if self.proxy_url is None:
            return None
        url = urlsplit(self.proxy_url)
        # Of socks5://host botocore makes http://socks5://host.
        if not url.hostname or "//" in url.path:
            raise ValueError("no host")
        return url.hostname, url.port or PORTS.get(url.scheme, 80)

    @property
    def shown_proxy(self) -> str:
        """The proxy's URL without user and password."""
        if self.proxy is None:
            return "no proxy"
        host, port = self.proxy
        return f"{urlsplit(self.proxy_url or '').scheme}://{host}:{port}"


@dataclass(slots=True, kw_only=True, repr=False)
class Case:
    """One examination under way.

    What was asked:

    Attributes:
        arguments: settings by the names of `get_session`'s arguments.
        environ: the environment.
        profile: the profile asked for; None for that of the environment.
        flags: of the command, with their values; None if this is not the command.
        verify: False, or a CA bundle, for the endpoint.
        anchor_file: the trust anchor's certificate.
        crl_file: a certificate revocation list.
        timeout: seconds for each step on the network.
        clock: gives the time, aware.

    What is known; None as long as it is not, or when it cannot be had:

    Attributes:
        botocore: a session with the profile.
        profile_name: the profile that counts.
        section: its keys.
        found: the settings, with their places.
        sources: certificate, key and chain, unopened.
        arns_agree: whether the ARNs are right.
        config: all settings, checked.
        files_hold: whether all files could be read.
        matched: the key with its certificate.
        chain: the intermediates that are sent.
        anchors: the trust anchor's certificates.
        identity: what signs.
        refused: why AWS would refuse the certificate.
        creator: makes the call.
        route: the way of the call.
        reached: whether the endpoint can be talked to.
        session: what CreateSession gave.
    """

    arguments: Arguments
    environ: Mapping[str, str]
    profile: str | None
    flags: Mapping[str, str] | None
    verify: bool | str | None
    anchor_file: str | None
    crl_file: str | None
    timeout: float
    clock: Callable[[], datetime]

    botocore: botocore.session.Session | None = None
    profile_name: str = "default"
    section: Mapping[str, object] = field(default_factory=dict)
    found: dict[Setting, Found] = field(default_factory=dict)
    sources: IdentitySources | None = None
    arns_agree: bool = False
    config: Config | None = None
    files_hold: bool = False
    matched: Matched | None = None
    chain: tuple[x509.Certificate, ...] | None = None
    anchors: tuple[x509.Certificate, ...] = ()
    identity: Identity | None = None
    refused: str | None = None
    creator: SessionCreator | None = None
    route: Route | None = None
    reached: bool = False
    session: RolesAnywhereSession | None = None

    def close(self) -> None:
        """Let go of the key, unless the caller gave it as an object."""
        if self.identity is not None and self.identity.key is not self.arguments.get("key"):
            self.identity.close()

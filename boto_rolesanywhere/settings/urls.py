"""The URLs of endpoints and proxies.

Of a URL that does not parse, any part may be a password: it is refused here, and quoted nowhere,
before botocore and urllib3 see it, which quote it in their errors and logs.
"""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.redaction import holds_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address

# RFC 3986, section 3.2: the characters of a user and a password, a host's name or an address.
_USER_INFO: Final = r"[A-Za-z0-9._~!$&'()*+,;=:%-]*"
_HOST: Final = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?\])"
# As botocore reads it: without a scheme it is http, and "HTTP:" or "socks5:" is no scheme to it.
_PROXY: Final = rf"(?:https?:)?//(?:{_USER_INFO}@)?{_HOST}(?::([0-9]{{1,5}}))?/?"
_PORTS: Final = range(1, 65536)
_SCHEMES: Final = ("http:", "https:", "//")
_invalid: Final = partial(ConfigurationError, code="endpoint-url-invalid")
_unusable_proxy: Final = partial(
    ConfigurationError,
    code="proxy-url-invalid",
    expected="http://host:port or http://user:password@host:port",
)


# The first that is found is told.
_FAULTS: Final = (
    (
        r"(?i)^socks",
        "the proxy is a SOCKS proxy, and botocore uses none",
        (
            "Name an HTTP proxy; many SOCKS proxies (Dante, ssh -D with privoxy) have one beside"
            " them. NO_PROXY names hosts that need none."
        ),
    ),
    (
        r"^[\s\"'`]|[\s\"'`]$",
        "a quote or a blank before or behind it belongs to the proxy's URL",
        "Remove it: in an env file, quotes are no syntax.",
    ),
    (
        r"^(?!https?:)[A-Za-z][A-Za-z0-9+.-]*://",
        "the proxy's URL begins with neither http:// nor https:// in small letters",
        "Name an HTTP proxy.",
    ),
    (
        r"(?i)(\.pac|wpad\.dat)$",
        "it is the URL of a PAC file, and botocore reads none",
        "Name the proxy that the file names.",
    ),
    (
        "@",
        (
            "the user name or password in the proxy's URL is not percent-encoded, or the URL"
            " cannot be used"
        ),
        "Write / as %2F, # as %23, ? as %3F, : as %3A and @ as %40 in the password.",
    ),
)


def require_endpoint_url(url: str, where: str) -> None:
    """Refuse what is not the URL of an endpoint, or has a user name or password.

    An ``@`` anywhere counts: a bare ``/``, ``#`` or ``?`` in a password moves it into the path.

    Raises:
        ConfigurationError: with `where` it stands, and not the text.
    """
    if "@" in url:
        raise _invalid(
            "there is a user name or password in it", where=where, expected="a URL without one"
        )
    try:
        parts = urlsplit("" if holds_secret(url.partition("://")[2]) else url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise _invalid(
            "it is not an HTTP URL",
            where=where,
            expected="for example https://vpce-0a1b.example:443",
        )


def require_proxy_url(url: object, where: str) -> None:
    """Refuse a proxy's URL that botocore cannot use, or whose password is not percent-encoded.

    urllib3 would take a part of such a password for the host's name, and say so in its errors.

    Raises:
        ConfigurationError: with `where` it stands, and not the text.
    """
    text = url if isinstance(url, str) else ""
    found = re.fullmatch(_PROXY, text if text.startswith(_SCHEMES) else f"//{text}")
    if found is not None and int(found[1] or 80) in _PORTS:
        return
    for pattern, problem, remedy in _FAULTS:
        if re.search(pattern, text):
            raise _unusable_proxy(problem, where=where, remedy=remedy)
    raise _unusable_proxy("the proxy's URL cannot be used", where=where, remedy="Correct it.")


def bypasses_proxy(url: str, environ: Mapping[str, str]) -> bool:
    """Whether NO_PROXY covers the host of `url` as the package requests reads it.

    That knows more than the standard library, which botocore asks: networks (CIDR) for a host that
    is an address, and ends of names; and here ``*.domain`` too.

    Args:
        url: of the endpoint.
        environ: no_proxy counts before NO_PROXY.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [name.strip().lower() for name in listed.split(",")]
    address = address_of(host)
    if address is None:
        ends = [name.removeprefix("*") for name in names if name]
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return any(host.endswith(end) or f"{host}:{port}".endswith(end) for end in ends)
    return any(_covers(name, address) for name in names)


def _covers(name: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return name == "*" or address in ip_network(name.strip("[]"), strict=False)
    except ValueError:
        return False


def is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address, or ``localhost``: nothing leaves this machine then."""
    address = address_of(host)
    return address.is_loopback if address else host.lower().rstrip(".") == "localhost"


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None

"""The way to the endpoint: names, connections and the clock."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.create_session.shown_certificate import connected
from boto_rolesanywhere.create_session.trust import BothStores, trust_system_store
from boto_rolesanywhere.credentials.attempt import Attempt
from boto_rolesanywhere.settings.urls import address_of

from .verdict import Verdict

if TYPE_CHECKING:
    from .route import Route
    from .verdict import Check, Question


def check_name_resolution(route: Route, question: Question) -> Check[bool]:
    """Look up the host to connect to: the proxy, if there is one, else the endpoint."""
    host, port = route.proxy or (route.host, route.port)
    if address_of(host):
        yield Verdict("name-resolution", "ok", f"{host} is an address, not a name")
        return True
    found = _addresses(host, port, question.timeout)
    if isinstance(found, str):
        whose = "the proxy's URL" if route.proxy else "the Region or the endpoint URL"
        yield Verdict(
            "name-resolution",
            "fail",
            f"{host} cannot be resolved ({found})",
            f"Check {whose}, and this machine's DNS"
            + ("." if route.proxy else "; set HTTPS_PROXY if a proxy is needed."),
        )
        return False
    text = f"{host} is {', '.join(found)}"
    if route.proxy:
        text = f"the proxy's {text}; it looks up {route.host} itself"
    yield Verdict("name-resolution", "ok", text)
    return True


def _addresses(host: str, port: int, timeout: float) -> list[str] | str:
    """The addresses; or why there are none."""
    # getaddrinfo knows no time-out; a thread of its own can be left behind.
    attempt = Attempt(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    attempt.start()
    attempt.wait(timeout)
    if not attempt.future.done():
        return f"no answer in {in_words(timeout)}"
    try:
        found = attempt.future.result()
    except (OSError, UnicodeError) as error:
        return reason(error)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_connection(route: Route, question: Question) -> Check[bool]:
    """Connect, through the proxy if there is one."""
    place = f"{route.host} port {route.port}"
    try:
        open_socket(route, question.timeout).close()
    except (OSError, http.client.HTTPException) as error:
        if route.proxy:
            text = f"the proxy {route.shown_proxy} did not connect to {place} ({reason(error)})"
            remedy = (
                "Check that the proxy runs and may be used by this machine for this host; put"
                " the host in NO_PROXY if no proxy is needed."
            )
        else:
            text = f"{place} does not accept connections ({reason(error)})"
            remedy = "Check the firewall for connections out; set HTTPS_PROXY if a proxy is needed."
        yield Verdict("connection", "fail", text, remedy)
        return False
    way = f"through {route.shown_proxy}" if route.proxy else "direct"
    yield Verdict("connection", "ok", f"{place}, {way}")
    return True


def open_socket(route: Route, timeout: float) -> socket.socket:
    """A connection to the endpoint, through the proxy's tunnel if that is the way.

    For http:// endpoints and for proxies that speak TLS themselves it ends at the proxy.
    """
    if route.proxy and not tunnels(route):
        return socket.create_connection(route.proxy, timeout)
    return connected((route.host, route.port), timeout, route.proxy, route.proxy_headers)


def tunnels(route: Route) -> bool:
    """Whether the connection is a tunnel through an ordinary HTTP proxy."""
    return route.scheme == "https" and (route.proxy_url or "").startswith("http:")


def reason(error: Exception) -> str:
    """Why a connection failed, in few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def check_clock(route: Route, question: Question) -> Check[bool]:
    """Compare this machine's clock with the endpoint's, by an empty request."""
    from botocore.exceptions import BotoCoreError

    from boto_rolesanywhere.create_session.diagnosis import (
        CLOCK_TOLERANCE,
        clock_finding,
        service_time,
    )

    try:
        header = _date_header(route, question.timeout)
    except BotoCoreError as error:
        yield Verdict(
            "clock",
            "fail",
            f"the endpoint does not answer: {str(error).rstrip('.')}",
            "Check what answers at the endpoint's address, and the proxies on the way.",
        )
        return False
    now, theirs = question.clock(), service_time(header)
    if theirs is None:
        text = "the endpoint's answer has no Date, so the clock cannot be checked"
        remedy = "Check what answers at the endpoint's address: AWS's answers have a Date."
        yield Verdict("clock", "warn", text, remedy)
    elif (finding := clock_finding(now, theirs)) is None:
        yield Verdict("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, which agrees with the endpoint")
    else:
        off = abs((now - theirs).total_seconds()) > CLOCK_TOLERANCE
        remedy = "Set the clock: `timedatectl set-ntp true`, or `chronyc makestep`."
        yield Verdict("clock", "fail" if off else "warn", finding, remedy)
    return True


def _date_header(route: Route, timeout: float) -> str | None:
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    proxies = {route.scheme: route.proxy_url} if route.proxy_url else {}
    session = URLLib3Session(
        verify=route.bundle or False,  # type: ignore[arg-type]  # a path, as in its own code
        proxies=proxies,
        timeout=(timeout, timeout),  # type: ignore[arg-type]  # a pair, as in its own code
    )
    if isinstance(route.bundle, BothStores):
        trust_system_store(session)
    try:
        answer = session.send(AWSRequest("GET", f"{route.url}/").prepare())
    finally:
        session.close()
    date: str | None = answer.headers.get("date")
    return date

"""The guard refuses foreign hosts (DNS rebinding) and requests that a proxy passed on."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.server.app import Guard
from boto_rolesanywhere.server.exchange import Request

PORT = 9911


def request(
    host: bytes | None, more: Mapping[bytes, bytes] | None = None, *, local: str = "127.0.0.1"
) -> Request:
    headers = dict(more or {}) | ({} if host is None else {b"host": host})
    return Request("GET", "/healthz", headers, local)


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:9911",
        b"localhost:9911",
        b"LocalHost:9911",
        b"[::1]:9911",
        b"127.8.9.10:9911",
        b"[0:0::1]:9911",
    ],
)
def test_loopback_names_with_the_port_are_let_in(host: bytes) -> None:
    assert Guard(PORT).refusal(request(host)) is None


@pytest.mark.parametrize(
    "host",
    [
        None,
        b"",
        b"127.0.0.1",
        b"localhost",
        b"127.0.0.1:9912",
        b"127.0.0.1:",
        b"127.0.0.1:+9911",
        b"127.0.0.1:9911 ",
        b"127.0.0.1:09911x",
        "127.0.0.1:٩٩١١".encode(),
        b"attacker.example:9911",
        b"localhost.attacker.example:9911",
        b"127.0.0.1.attacker.example:9911",
        b"localhost.:9911",
        b"169.254.169.254:9911",
        b"10.0.0.1:9911",
        b"0.0.0.0:9911",
        b"[::1:9911",
        b"::1:9911",
        b"127.0.0.1:9911, attacker.example:9911",
        b"attacker.example@127.0.0.1:9911",
        b"127.1:9911",
        b"2130706433:9911",
    ],
)
def test_every_other_host_is_refused(host: bytes | None) -> None:
    refusal = Guard(PORT).refusal(request(host))

    assert refusal is not None
    assert refusal.status == 400


@pytest.mark.parametrize(
    ("local", "host"),
    [
        ("10.0.0.7", b"10.0.0.7:9911"),
        ("::ffff:10.0.0.7", b"10.0.0.7:9911"),
        ("fd00::7", b"[fd00::7]:9911"),
        ("fd00::7", b"[FD00:0::7]:9911"),
    ],
)
def test_the_address_that_the_connection_came_to_is_let_in(local: str, host: bytes) -> None:
    assert Guard(PORT).refusal(request(host, local=local)) is None
    assert Guard(PORT).refusal(request(host, local="10.0.0.8")) is not None


def test_port_80_may_be_left_out() -> None:
    assert Guard(80).refusal(request(b"localhost")) is None
    assert Guard(80).refusal(request(b"[::1]")) is None


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"forwarded"])
@pytest.mark.parametrize("value", [b"10.0.0.1", b""])
def test_what_a_proxy_passed_on_is_refused_even_if_the_header_is_empty(
    header: bytes, value: bytes
) -> None:
    refusal = Guard(PORT).refusal(request(b"127.0.0.1:9911", {header: value}))

    assert refusal is not None
    assert refusal.status == 400
    assert b"proxy" in refusal.body


@given(
    st.binary(max_size=60)
    | st.builds("{}:{}".format, st.ip_addresses().map(str), st.sampled_from([PORT, 1])).map(
        str.encode
    )
)
def test_of_any_hosts_only_an_address_and_localhost_are_let_in(host: bytes) -> None:
    if Guard(PORT).refusal(request(host)) is None:
        parts = urlsplit(f"//{host.decode('ascii')}")
        assert parts.port == PORT
        assert parts.hostname == "localhost" or ip_address(str(parts.hostname))


@given(st.from_regex(r"[a-z0-9.-]{0,9}[g-z][a-z0-9.-]{0,9}", fullmatch=True))
def test_a_name_that_dns_could_give_is_never_let_in(name: str) -> None:
    refused = Guard(PORT).refusal(request(f"{name}:{PORT}".encode())) is not None

    assert refused == (name != "localhost")

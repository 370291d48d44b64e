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


def request(host: bytes | None, more: Mapping[bytes, bytes] | None = None) -> Request:
    headers = dict(more or {}) | ({} if host is None else {b"host": host})
    return Request("GET", "/healthz", headers)


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:9911",
        b"127.0.0.1",
        b"127.0.0.1:80",
        b"127.8.9.10:9911",
        b"169.254.169.254",
        b"10.0.0.1:65535",
        b"0.0.0.0:9911",
        b"localhost",
        b"LocalHost:9911",
        b"[::1]:9911",
        b"[FD00:0::7]",
        b"[fe80::1%eth0]:1",
    ],
)
def test_addresses_and_localhost_are_let_in_with_any_port(host: bytes) -> None:
    assert Guard().refusal(request(host)) is None


@pytest.mark.parametrize(
    "host",
    [
        None,
        b"",
        b":9911",
        b"127.0.0.1:",
        b"127.0.0.1:+9911",
        b"127.0.0.1:9911 ",
        b"127.0.0.1:09911x",
        b"127.0.0.1:65536",
        "127.0.0.1:٩٩١١".encode(),
        b"attacker.example",
        b"attacker.example:9911",
        b"localhost.attacker.example:9911",
        b"127.0.0.1.attacker.example:9911",
        b"localhost.:9911",
        b"[::1:9911",
        b"::1:9911",
        b"::1",
        b"[127.0.0.1]",
        b"[localhost]",
        b"127.0.0.1:9911, attacker.example:9911",
        b"127.0.0.1, attacker.example",
        b"attacker.example@127.0.0.1:9911",
        b"127.1:9911",
        b"2130706433:9911",
    ],
)
def test_every_other_host_is_refused(host: bytes | None) -> None:
    refusal = Guard().refusal(request(host))

    assert refusal is not None
    assert refusal.status == 400


def test_a_name_that_was_allowed_is_let_in_and_no_other() -> None:
    guard = Guard(["Credentials", "creds.pod.example"])

    for host in (b"credentials:9911", b"CREDS.pod.example", b"localhost", b"10.0.0.1"):
        assert guard.refusal(request(host)) is None
    for host in (b"x.credentials:9911", b"pod.example", b"credentials.:9911"):
        assert guard.refusal(request(host)) is not None


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"forwarded"])
@pytest.mark.parametrize("value", [b"10.0.0.1", b""])
def test_what_a_proxy_passed_on_is_refused_even_if_the_header_is_empty(
    header: bytes, value: bytes
) -> None:
    refusal = Guard().refusal(request(b"127.0.0.1:9911", {header: value}))

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
    if Guard().refusal(request(host)) is None:
        parts = urlsplit(f"//{host.decode('ascii')}")
        assert parts.hostname == "localhost" or ip_address(str(parts.hostname))


@given(st.from_regex(r"[a-z0-9.-]{0,9}[g-z][a-z0-9.-]{0,9}", fullmatch=True))
def test_a_name_that_dns_could_give_is_never_let_in(name: str) -> None:
    refused = Guard().refusal(request(f"{name}:{PORT}".encode())) is not None

    assert refused == (name != "localhost")

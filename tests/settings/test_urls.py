"""The URLs of proxies: which can be used, what is said of the others, and where none is used."""

from __future__ import annotations

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.urls import bypasses_proxy, require_proxy_url

AWS = "https://rolesanywhere.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("socks5://user:QUXX@proxy:1080", "the proxy is a SOCKS proxy"),
        ("socks5h://proxy:1080", "the proxy is a SOCKS proxy"),
        ("SOCKS4://proxy:1080", "the proxy is a SOCKS proxy"),
        ("http://user:QUXX/ZYXW@proxy:8080", "is not percent-encoded"),
        ("http://user:QUXX@ZYXW@proxy:8080", "is not percent-encoded"),
        ("http://user:QUXX#@proxy", "is not percent-encoded"),
        ("ftp://user:QUXX@proxy", "begins with neither http:// nor https://"),
        ("HTTP://user:QUXX@proxy", "begins with neither http:// nor https:// in small letters"),
        ('"http://user:QUXX@proxy"', "a quote or a blank before or behind it"),
        ("http://user:QUXX@proxy ", "a quote or a blank before or behind it"),
        ("http://proxy/proxy.pac", "it is the URL of a PAC file"),
        ("http://proxy/path", "the proxy's URL cannot be used;"),
        ("http://proxy:99999", "the proxy's URL cannot be used;"),
    ],
)
def test_each_fault_has_words_of_its_own_and_none_of_the_url(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        require_proxy_url(url, "HTTPS_PROXY")

    said = str(caught.value)
    assert words in said
    assert said.startswith("HTTPS_PROXY: ")
    assert caught.value.code == "proxy-url-invalid"
    assert "QUXX" not in said
    assert "ZYXW" not in said


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        (AWS, "amazonaws.com"),
        (AWS, ".amazonaws.com"),
        (AWS, "*.amazonaws.com"),
        (AWS, "example.com, *.AMAZONAWS.com"),
        (AWS, "amazonaws.com:443"),
        (AWS, "rolesanywhere.eu-west-1.amazonaws.com"),
        (AWS, "*"),
        ("https://10.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3:8443", "192.168.0.0/16,10.1.2.3"),
        ("https://10.1.2.3", "10.1.2.3/32"),
        ("https://[fd00::7]", "fd00::/8"),
        ("https://10.1.2.3", "*"),
    ],
)
def test_no_proxy_covers_names_ends_and_networks(url: str, listed: str) -> None:
    assert bypasses_proxy(url, {"NO_PROXY": listed})
    assert bypasses_proxy(url, {"no_proxy": listed, "NO_PROXY": "other"})


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        (AWS, ""),
        (AWS, ","),
        (AWS, "example.com"),
        (AWS, "amazonaws.com:8443"),
        (AWS, "10.0.0.0/8"),
        ("https://11.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3", "2.3"),
        ("https://10.1.2.3", "fd00::/8"),
        ("https://[fe80::7]", "fd00::/8"),
    ],
)
def test_no_proxy_covers_nothing_else(url: str, listed: str) -> None:
    assert not bypasses_proxy(url, {"NO_PROXY": listed})

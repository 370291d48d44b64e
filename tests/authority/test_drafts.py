"""Names as they are written on a command line, and what is refused among them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from cryptography import x509

from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DNS:app1.example.com", x509.DNSName("app1.example.com")),
        ("URI:spiffe://example/app1", x509.UniformResourceIdentifier("spiffe://example/app1")),
        ("IP:127.0.0.1", x509.IPAddress(ip_address("127.0.0.1"))),
        ("IP:::1", x509.IPAddress(ip_address("::1"))),
        ("email:a@b.example", x509.RFC822Name("a@b.example")),
        ("dirName:CN=Müller,O=b", x509.DirectoryName(name_of("", "CN=Müller,O=b"))),
    ],
)
def test_alternative_names(text: str, name: x509.GeneralName) -> None:
    assert general_names([text, name]) == (name, name)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("DNS:", r"it is empty"),
        ("URI: ", r"it is empty"),
        ("IP:", r"it is empty"),
        ("DNS:müller.example", r"beyond ASCII.*xn--"),
        ("email:a@müller.example", r"beyond ASCII"),
        ("URI:spiffe://müller", r"beyond ASCII"),
        ("IP:300.1.1.1", r"does not appear to be an IPv4 or IPv6 address"),
        ("dirName:nonsense", r"it has another form"),
        ("app1.example.com", r"of an unknown kind; expected DNS:…"),
        ("dns:app1", r"of an unknown kind"),
        ("", r"of an unknown kind"),
    ],
)
def test_an_alternative_name_that_is_none(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        general_names([text])

    assert (caught.value.code, caught.value.where) == ("authority-value-unusable", "san")


def test_a_subject_is_a_name_a_text_or_the_cn() -> None:
    assert name_of("app1").rfc4514_string() == "CN=app1"
    assert name_of("app1", "CN=Müller,O=example").rfc4514_string() == "CN=Müller,O=example"
    assert name_of("app1", name_of("app2")) == name_of("app2")
    assert name_of("") == x509.Name([])
    with pytest.raises(ConfigurationError, match="RFC 4514"):
        name_of("app1", "nonsense")

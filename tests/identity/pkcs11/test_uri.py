"""RFC 7512 URIs: what they say, and what is said of those that are wrong."""

from __future__ import annotations

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.pkcs11.uri import Pkcs11Uri, parse_pkcs11_uri


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The examples of RFC 7512 section 3, on one line each and without its vendor attributes.
        ("pkcs11:", Pkcs11Uri()),
        ("pkcs11:object=my-pubkey;type=public", Pkcs11Uri(object="my-pubkey", type="public")),
        (
            "pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
            Pkcs11Uri(object="my-key", type="private", pin_source="file:/etc/token"),
        ),
        (
            (
                "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;"
                "model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial="
                "?pin-source=file:/etc/token_pin"
            ),
            Pkcs11Uri(
                token="The Software PKCS#11 Softtoken",
                manufacturer="Snake Oil, Inc.",
                model="1.0",
                object="my-certificate",
                type="cert",
                id=bytes.fromhex("69953e5cf4bdec91"),
                serial="",
                pin_source="file:/etc/token_pin",
            ),
        ),
        (
            "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11",
            Pkcs11Uri(object="my-sign-key", type="private", module_name="mypkcs11"),
        ),
        (
            "pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1",
            Pkcs11Uri(object="my-sign-key", type="private", module_path="/mnt/libmypkcs11.so.1"),
        ),
        (
            (
                "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc."
                "?pin-value=the-pin"
            ),
            Pkcs11Uri(
                token="Software PKCS#11 softtoken",
                manufacturer="Snake Oil, Inc.",
                pin_value="the-pin",
            ),
        ),
        (
            "pkcs11:slot-description=Sun%20Metaslot",
            Pkcs11Uri(slot_description="Sun Metaslot"),
        ),
        (
            (
                "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token;"
                "library-version=1.23"
            ),
            Pkcs11Uri(
                library_manufacturer="Snake Oil, Inc.",
                library_description="Soft Token",
                library_version=(1, 23),
            ),
        ),
        (
            (
                "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;"
                "id=%01%02%03%Ba%dd%Ca%fe%04%05%06"
            ),
            Pkcs11Uri(
                token="My token% created by Joe",
                library_version=(3, 0),
                id=bytes.fromhex("010203baddcafe040506"),
            ),
        ),
        (
            "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert",
            Pkcs11Uri(token="A name with a substring %;", object="my-certificate", type="cert"),
        ),
        (
            "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate",
            Pkcs11Uri(token="Name with a small A with acute: á", object="my-certificate"),
        ),
        # The rest of the grammar.
        ("PKCS11:token=x", Pkcs11Uri(token="x")),
        ("pkcs11:?", Pkcs11Uri()),
        ("pkcs11:token=", Pkcs11Uri(token="")),
        ("pkcs11:type=", Pkcs11Uri()),
        ("pkcs11:id=", Pkcs11Uri(id=b"")),
        ("pkcs11:id=ab%00%ff", Pkcs11Uri(id=b"ab\0\xff")),
        ("pkcs11:slot-id=0", Pkcs11Uri(slot_id=0)),
        ("pkcs11:slot-id=18446744073709551615", Pkcs11Uri(slot_id=2**64 - 1)),
        ("pkcs11:slot-manufacturer=A;serial=1", Pkcs11Uri(slot_manufacturer="A", serial="1")),
        ("pkcs11:library-version=255.255", Pkcs11Uri(library_version=(255, 255))),
        ("pkcs11:token=:[]@!$'()*+,=&", Pkcs11Uri(token=":[]@!$'()*+,=&")),
        (
            "pkcs11:?pin-value=:[]@!$'()*+,=/?|%26%3B",
            Pkcs11Uri(pin_value=":[]@!$'()*+,=/?|&;"),
        ),
        ("pkcs11:token=a+b", Pkcs11Uri(token="a+b")),
        ("pkcs11:?vendor-thing=1&vendor-thing=2&module-name=x", Pkcs11Uri(module_name="x")),
    ],
)
def test_reads(text: str, expected: Pkcs11Uri) -> None:
    assert parse_pkcs11_uri(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a PKCS#11 URI; expected a text that begins with pkcs11:"),
        ("/etc/cert.pem", "not a PKCS#11 URI"),
        ("pkcs11", "not a PKCS#11 URI"),
        ("pkcs11:token", "no attribute at character 8; expected name=value"),
        ("pkcs11:token=a;b", "no attribute at character 16; expected name=value"),
        ("pkcs11:;token", "no attribute at character 9"),
        ("pkcs11:=a", "no attribute at character 8"),
        ("pkcs11:to ken=a", "no attribute at character 8"),
        ("pkcs11:?pin-source=/a&b", "no attribute at character 23; expected name=value; a '&'"),
        ("pkcs11:token=My\ttoken", "attribute 'token' at character 8: '\\t' at character 16"),
        ("pkcs11:token=a\nb", "may not stand there; expected %0A in its place"),
        ("pkcs11:token=100%", "a bare '%' at character 17"),
        ("pkcs11:token=%4", "a bare '%' at character 14; expected % and two hex digits"),
        ("pkcs11:token=%gg", "a bare '%' at character 14"),
        ("pkcs11:token=%ff", "'token' at character 8: not UTF-8"),
        ("pkcs11:token=a%00b", "'token' at character 8: it holds a NUL character"),
        ("pkcs11:lable=a", "'lable' at character 8: unknown; expected one of id, library-"),
        ("pkcs11:token=a;vendor=b", "'vendor' at character 16: unknown"),
        ("pkcs11:Tokens=a", "'Tokens' at character 8: unknown"),
        (
            "pkcs11:token=a;token=a",
            "'token' at character 16: the URI has this attribute twice; expected one value",
        ),
        ("pkcs11:type=;type=cert", "the URI has this attribute twice"),
        ("pkcs11:type=certificate", "'certificate'; expected one of public, private, cert"),
        ("pkcs11:slot-id=", "''; expected a whole number up to 18446744073709551615"),
        ("pkcs11:slot-id=-1", "'-1'; expected a whole number"),
        ("pkcs11:slot-id=%31", "'%31'; expected a whole number"),
        ("pkcs11:slot-id=18446744073709551616", "expected a whole number"),
        (f"pkcs11:slot-id={'9' * 5000}", "expected a whole number"),
        ("pkcs11:library-version=1.", "'1.'; expected M or M.N, each from 0 to 255"),
        ("pkcs11:library-version=256", "'256'; expected M or M.N"),
        ("pkcs11:library-version=1.256", "'1.256'; expected M or M.N"),
        ("pkcs11:library-version=1.2.3", "expected M or M.N"),
        (
            "pkcs11:pin-value=1",
            "'pin-value' at character 8: it stands in the path; expected the attribute af",
        ),
        (
            "pkcs11:?token=a",
            "'token' at character 9: it stands after the '?'; expected the attribute before",
        ),
        (
            "pkcs11:?pin-source=a&pin-source=b",
            "'pin-source' at character 22: the URI has this attribute twice",
        ),
        ("pkcs11:?pin-source=a&pin-value=b", "both pin-value and pin-source are given"),
        ("pkcs11:?module-name=lib/x", "'module-name' at character 9: a path; expected a name"),
        ("pkcs11:?module-name=lib%5Cx", "a path; expected a name without folder"),
        ("pkcs11:?module-path=a%00", "it holds a NUL character"),
        ("pkcs11:token=\udc80", "may not stand there"),
    ],
)
def test_refuses(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_pkcs11_uri(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("PKCS#11 URI")


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:?pin-value=73940226\n1",
        "pkcs11:?pin-value=73940226%",
        "pkcs11:?pin-value=73940226%ff",
        "pkcs11:?pin-value=73940226%00",
        "pkcs11:?pin-value=1&73940226",
        "pkcs11:?pin-value=73940226&pin-value=73940226",
        "pkcs11:?pin-value=73940226&pin-source=/etc/pin",
        "pkcs11:pin-value=73940226",
        "pkcs11:token=a;73940226",
    ],
)
def test_errors_do_not_show_a_pin(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_pkcs11_uri(text)
    error: BaseException | None = caught.value
    while error is not None:
        assert "73940226" not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_neither_repr_nor_str_shows_a_pin() -> None:
    uri = parse_pkcs11_uri("pkcs11:token=a?module-name=b&pin-value=73940226")
    assert "73940226" not in repr(uri)
    assert str(uri) == "pkcs11:token=a?module-name=b"


def test_str_is_the_uri_again() -> None:
    uri = Pkcs11Uri(
        token="My token; 100%", id=b"\x01a", library_version=(2, 40), slot_id=3, pin_source="/a b?&"
    )
    assert str(uri) == (
        "pkcs11:token=My%20token%3B%20100%25;library-version=2.40;id=%01%61;slot-id=3"
        "?pin-source=/a%20b?%26"
    )
    assert parse_pkcs11_uri(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("pkcs11:token=My token;object=a b", "pkcs11:token=My%20token;object=a%20b"),
        ("pkcs11: token=t ; object=k ", "pkcs11:token=t;object=k"),
        ("pkcs11:token=t;x-vendor=1;x-vendor=2", "pkcs11:token=t"),
        ("pkcs11:token=t;object-type=private", "pkcs11:token=t;type=private"),
        ("pkcs11:slot-id=0", "pkcs11:slot-id=0"),
        (
            "pkcs11:token=t;object=schlüssel für #1",
            "pkcs11:token=t;object=schl%C3%BCssel f%C3%BCr %231",
        ),
        ("pkcs11:object=prod/web", "pkcs11:object=prod%2Fweb"),
        ("pkcs11:id=é", "pkcs11:id=%C3%A9"),
        ("pkcs11:;token=t;;object=k;?pin-value=a b&", "pkcs11:token=t;object=k?pin-value=a%20b"),
        ("pkcs11:TOKEN=t;Object=k;Object-Type=Private", "pkcs11:token=t;object=k;type=private"),
        ("pkcs11:token=t?PIN-VALUE=1#2;3", "pkcs11:token=t?pin-value=1%232%3B3"),
    ],
)
def test_what_people_and_older_tools_write_is_read(text: str, plain: str) -> None:
    assert parse_pkcs11_uri(text) == parse_pkcs11_uri(plain)

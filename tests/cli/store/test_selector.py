"""``--cert-selector``: the helper's grammar, its form of names, and what is chosen from a store."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.cli.store.certificate_store import arguments_of, choose, find_certificates
from boto_rolesanywhere.cli.store.helper_names import as_helper_shows
from boto_rolesanywhere.cli.store.selector import Selector, parse_selector
from boto_rolesanywhere.errors import CertificateError, ConfigurationError, PrivateKeyError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import Access, open_identity
from boto_rolesanywhere.settings.config import resolve
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority("Root")
NOW = datetime.now(timezone.utc)
WEB = "Key=x509Subject,Value=CN=web"


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_selector(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WEB, Selector("CN=web")),
        (
            f"{WEB} Key=x509Issuer,Value=CN=CA Key=x509Serial,Value=15D19632234BF759A32802C0DA",
            Selector("CN=web", "CN=CA", 0x15D19632234BF759A32802C0DA),
        ),
        (
            "  Key=x509Issuer,Value=CN=Issuing CA 2,O=A+B\tKey=x509Serial,Value=0f  ",
            Selector(None, "CN=Issuing CA 2,O=A+B", 15),
        ),
        ("Key=x509Subject,Value=CN=aKey=x509Serial,Value=1", Selector("CN=a", None, 1)),
        ("Key=x509Subject,Value=CN=a,Value=b", Selector("CN=a,Value=b")),
    ],
)
def test_the_helpers_grammar(text: str, expected: Selector) -> None:
    assert parse_selector(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is not understood; expected 'Key=x509Subject,Value=CN=web"),
        ("CN=web", "'CN=web' is not understood"),
        ("Key=x509Subject", "'Key=x509Subject' is not understood"),
        ("Key=x509Subject,Value=", "is not understood"),
        (f"{WEB} Key=x509Serial", "is not understood"),
        (f"{WEB}\nmore", "is not understood"),
        ("key=x509Subject,Value=CN=web", "is not understood"),
        (
            "Key=subject,Value=CN=web",
            "'subject' is not a key of a selector; expected one of x509Subject, x509Is",
        ),
        (f"{WEB} {WEB}", "x509Subject is given twice"),
        ("Key=x509Serial,Value=15D1G", "'15D1G' is not a serial number; expected hexadecimal"),
        ("Key=x509Serial,Value=0x15", "'0x15' is not a serial number"),
    ],
)
def test_what_is_wrong_with_a_selector_is_said(text: str, words: str) -> None:
    message = refusal(text)

    assert message.startswith("--cert-selector: ")
    assert words in message


def test_a_selector_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "selector.json"
    pairs = [{"Key": "x509Subject", "Value": "CN=a b"}, {"Key": "x509Serial", "Value": "F"}]
    path.write_text(json.dumps(pairs))

    assert parse_selector(f"file://{path}") == Selector("CN=a b", None, 15)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Key=x509Subject,Value=CN=a", "it is not JSON; expected [{"),
        (b"\xff\xfe", "it is not JSON"),
        (b"{}", "it is not a list of Key and Value"),
        (b"[]", "it is not a list of Key and Value"),
        (b'[{"Key": "x509Subject"}]', "it is not a list of Key and Value"),
        (b'[{"Key": "x509Subject", "Value": 1}]', "it is not a list of Key and Value"),
        (b'[{"Key": "subject", "Value": "CN=a"}]', "'subject' is not a key of a selector"),
        (None, "it cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_file_is_named(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "selector.json"
    if content is not None:
        path.write_bytes(content)

    message = refusal(f"file://{path}")

    assert message.startswith(f"{path}: ")
    assert words in message


@given(st.text(alphabet=st.sampled_from(list("Key=x509Subject,Value CN\n\t+")), max_size=60))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        found = parse_selector(text)
        for value in (found.subject, found.issuer):
            assert value is None or f",Value={value}" in text


@given(
    subject=st.none() | st.text("CN=a,O \\+é", min_size=1).map(str.strip).filter(bool),
    serial=st.none() | st.integers(0, 2**160),
)
def test_a_selector_is_read_as_it_was_written(subject: str | None, serial: int | None) -> None:
    pairs = [] if subject is None else [f"Key=x509Subject,Value={subject}"]
    pairs += [] if serial is None else [f"Key=x509Serial,Value={serial:X}"]
    if pairs:
        assert parse_selector(" ".join(pairs)) == Selector(subject, None, serial)


OID = NameOID
EMAIL = OID.EMAIL_ADDRESS
DC = OID.DOMAIN_COMPONENT.dotted_string


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ([(OID.COMMON_NAME, "web")], "CN=web"),
        (
            # As openssl req orders them.
            [
                (OID.COUNTRY_NAME, "US"),
                (OID.STATE_OR_PROVINCE_NAME, "California"),
                (OID.LOCALITY_NAME, "Mountain View"),
                (OID.ORGANIZATION_NAME, "Google LLC"),
                (OID.ORGANIZATIONAL_UNIT_NAME, "a"),
                (OID.COMMON_NAME, "www"),
            ],
            "CN=www,OU=a,O=Google LLC,L=Mountain View,ST=California,C=US",
        ),
        (
            # Go's order, whatever the certificate's is (golang/go issue 52462).
            [(OID.COMMON_NAME, "foo"), (OID.ORGANIZATION_NAME, "bar"), (OID.COUNTRY_NAME, "FI")],
            "CN=foo,O=bar,C=FI",
        ),
        (
            [
                (OID.SERIAL_NUMBER, "7"),
                (OID.POSTAL_CODE, "1"),
                (OID.STREET_ADDRESS, "s"),
                (OID.COMMON_NAME, "c"),
            ],
            "SERIALNUMBER=7,CN=c,POSTALCODE=1,STREET=s",
        ),
        (
            [(OID.ORGANIZATIONAL_UNIT_NAME, "a"), (OID.ORGANIZATIONAL_UNIT_NAME, "b")],
            "OU=a+OU=b",
        ),
        ([(OID.COMMON_NAME, "a"), (OID.COMMON_NAME, "b")], "CN=b"),
        (
            [(OID.COMMON_NAME, ' #a,b+c"d\\e<f>g;h '), (OID.ORGANIZATION_NAME, "# #")],
            'CN=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\ ,O=\\# #',
        ),
        (
            # Attributes that Go has no names for: the OID and the value's DER, last first.
            [(OID.USER_ID, "1234"), (EMAIL, "a@b.c"), (OID.COMMON_NAME, "foo")],
            "CN=foo,1.2.840.113549.1.9.1=#0c056140622e63,0.9.2342.19200300.100.1.1=#130431323334",
        ),
        (
            [(OID.DOMAIN_COMPONENT, "x" * 200)],
            f"{DC}=#1381c8{'78' * 200}",
        ),
        ([], ""),
    ],
)
def test_names_are_shown_as_the_helper_shows_them(
    attributes: list[tuple[x509.ObjectIdentifier, str]], text: str
) -> None:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])

    assert as_helper_shows(name) == text


def test_what_a_selector_means() -> None:
    one = CA.issue("web", subject="CN=web,OU=app,O=Example").certificate

    def means(**wanted: object) -> bool:
        return Selector(**wanted).matches(one)  # type: ignore[arg-type]  # of several types

    assert means()
    assert means(subject="CN=web,OU=app,O=Example", issuer="CN=Root", serial=one.serial_number)
    # RFC 4514's form too, which openssl and Python print.
    assert means(subject=one.subject.rfc4514_string())
    for pasted in (
        one.subject.rfc4514_string(),
        "O=Example, OU=app, CN=web",
        "subject=CN = web, OU = app, O = Example",
        "/O=Example/OU=app/CN=web",
    ):
        assert means(subject=pasted), pasted
    assert not means(subject="CN=web")
    assert not means(subject="CN=web,OU=app,O=Example", issuer="CN=Other")
    assert not means(serial=one.serial_number + 1)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def chosen(
    store: Path | str, selector: str = WEB, *, secret: Secret | None = None, latest: bool = False
) -> Identity:
    """The identity that the choice opens, through the same way as the command."""
    arguments = arguments_of(choose(selector, str(store), Access(secret), latest=latest))
    arns = {
        "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
        "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
        "role": "arn:aws:iam::123456789012:role/R",
    }
    config = resolve({**arns, "passphrase": secret, **arguments}, environ={}, section={})
    assert config is not None
    sources: IdentitySources = config.sources
    return open_identity(sources, now=NOW)


def test_the_one_that_is_meant_is_chosen_with_its_key_and_chain(store: Path) -> None:
    issuing = CA.issue_intermediate("Issuing")
    web, mail = issuing.issue("web"), issuing.issue("mail")
    for name, one in (("1", mail), ("2", web)):
        (store / f"{name}.crt").write_bytes(one.certificate_pem)
        (store / f"{name}.key").write_bytes(one.private_key_pem)
        (store / f"{name}.key").chmod(0o600)
    (store / "ca.pem").write_bytes(web.chain_pem + CA.certificate.public_bytes(Encoding.PEM))
    (store / "README").write_text("not a certificate")
    (store / "sub").mkdir()

    identity = chosen(store)

    assert identity.certificate == web.certificate
    assert identity.chain == web.chain
    assert chosen(store, "Key=x509Subject,Value=CN=mail").certificate == mail.certificate


def test_one_certificate_in_two_files_is_one(store: Path) -> None:
    web = CA.issue("web")
    web.write(store)

    found = find_certificates(Selector("CN=web"), str(store))

    assert [one.certificate for one in found] == [web.certificate]
    assert chosen(store).certificate == web.certificate


def test_key_and_certificate_may_share_a_file_of_any_kind(store: Path) -> None:
    web, mail = CA.issue("web"), CA.issue("mail")
    p12 = serialize_key_and_certificates(
        b"web", web.private_key, web.certificate, None, BestAvailableEncryption(b"pw")
    )
    (store / "web.p12").write_bytes(p12)
    (store / "mail.pem").write_bytes(mail.private_key_pem + mail.certificate_pem)
    (store / "mail.pem").chmod(0o600)

    secret = Secret("pw")
    assert chosen(store, secret=secret).certificate == web.certificate
    assert chosen(store, "Key=x509Subject,Value=CN=mail").certificate == mail.certificate


def test_an_encrypted_key_opens_with_the_passphrase(store: Path) -> None:
    web = CA.issue("web")
    web.write(store, passphrase="pw")

    assert chosen(store, secret=Secret("pw")).certificate == web.certificate
    with pytest.raises(PrivateKeyError, match="--pkcs8-password-file"):
        chosen(store)


def test_several_are_refused_unless_the_latest_is_asked_for(store: Path) -> None:
    old = CA.issue("web", not_after=NOW + timedelta(days=1))
    new = CA.issue("web", not_after=NOW + timedelta(days=9))
    # The same key, as after a renewal: the selector decides, not the key.
    renewed = CA.issue("web", key=old.private_key, not_after=NOW + timedelta(days=5))
    for name, one in (("old", old), ("new", new)):
        one.write(store, name=name)
    (store / "renewed.pem").write_bytes(renewed.certificate_pem)

    with pytest.raises(CertificateError) as caught:
        choose(WEB, str(store))
    assert "--cert-selector matches 3 certificates in it: CN=web (serial " in str(caught.value)
    assert "Add x509Serial to the selector, or --use-latest-expiring-certificate" in str(
        caught.value
    )
    assert f"{old.serial_number:X}" in str(caught.value)

    assert chosen(store, latest=True).certificate == new.certificate
    for one in (old, renewed):
        by_serial = f"Key=x509Serial,Value={one.serial_number:x}"
        assert chosen(store, by_serial).certificate == one.certificate


def test_what_is_not_there_is_said(store: Path) -> None:
    (store / "web.pem").write_bytes(CA.issue("web").certificate_pem)

    with pytest.raises(CertificateError, match="--cert-selector matches no certificate in it"):
        choose("Key=x509Subject,Value=CN=other", str(store))
    with pytest.raises(PrivateKeyError, match=r"none of its files holds the private key of .*web"):
        choose(WEB, str(store))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (None, "the certificate stores of Windows and macOS are not supported"),
        ("", "the certificate stores of Windows and macOS are not supported"),
        ("/nowhere/gone", "gone: it cannot be read (No such file or directory)"),
        (__file__, "it cannot be read (Not a directory); expected a folder of"),
    ],
)
def test_what_is_no_store_is_said(place: str | None, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose(WEB, place)

    assert words in str(caught.value)


def test_a_home_folder_is_found(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(store.parent))
    CA.issue("web").write(store)

    assert chosen(f"~{os.sep}store").certificate.subject.rfc4514_string() == "CN=web"

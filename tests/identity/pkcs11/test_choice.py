"""A URI that names no token while several are there: which is meant is seen without a PIN."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import in_child
from odd_pkcs11 import OPEN, odd_library
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import Access, open_identity, open_key
from boto_rolesanywhere.identity.pkcs11 import list_token_certificates
from boto_rolesanywhere.settings.sources import CertificateSource, IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate, utc_now

CA = CertificateAuthority()
MODULES = [pytest.param(SOFTHSM, id="direct"), pytest.param(None, id="proxy")]


@pytest.fixture
def first() -> Iterator[SoftToken]:
    with soft_token() as made:
        yield made


@pytest.fixture
def second(first: SoftToken) -> Iterator[SoftToken]:
    """The other token, on which nobody ever tries a PIN that is not its own."""
    other = first.another()
    yield other
    assert not other.wrong_pin_was_tried()


def opened(
    certificate: CertificateSource,
    key: str | None = None,
    *,
    pin: str | None = PIN,
    module: str | None = SOFTHSM,
) -> Identity:
    secret = None if pin is None else Secret(pin)
    sources = IdentitySources(
        certificate=certificate, private_key=key, secret=secret, pkcs11_module=module
    )
    return open_identity(sources, now=utc_now())


def signs_for(identity: Identity, issued: IssuedCertificate) -> bool:
    assert identity.key.sign(b"data")
    return identity.certificate == issued.certificate


def put_key(token: SoftToken, issued: IssuedCertificate, label: str, id_: str = "01") -> None:
    """The private key alone, which nobody sees without the PIN."""
    token.add_key(issued.private_key, label=label, id_=id_)


@pytest.mark.parametrize("module", MODULES)
def test_a_certificate_that_can_be_seen_tells_where_the_hidden_key_is(
    first: SoftToken, second: SoftToken, module: str | None
) -> None:
    issued = CA.issue("app")
    put_key(first, issued, f"key-{first.label}")
    put_key(second, CA.issue("else"), f"key-{first.label}")
    first.add_certificate(issued.certificate, label="under another name", id_="02")
    key = f"pkcs11:object=key-{first.label}"

    assert signs_for(opened(issued.certificate, key, module=module), issued)
    on_token = "pkcs11:object=under%20another%20name"
    assert signs_for(opened(on_token, key, module=module), issued)


def test_a_public_key_that_can_be_seen_tells_it_too(first: SoftToken, second: SoftToken) -> None:
    issued = CA.issue("app")
    put_key(first, issued, "app")
    put_key(second, CA.issue("else"), "app")
    first.add_public_key(issued.private_key.public_key(), label="elsewhere")

    assert signs_for(opened(issued.certificate, "pkcs11:object=app"), issued)


def test_the_certificate_decides_before_the_name(first: SoftToken, second: SoftToken) -> None:
    issued = CA.issue("app")
    put_key(first, issued, "app")
    first.add_public_key(issued.private_key.public_key(), label="elsewhere")
    second.add_certificate(CA.issue("else").certificate, label="app")

    assert signs_for(opened(issued.certificate, "pkcs11:object=app"), issued)


def test_without_any_name_the_certificate_decides(first: SoftToken, second: SoftToken) -> None:
    issued = CA.issue("app")
    put_key(first, issued, "app")
    first.add_certificate(issued.certificate, label="app", id_="01")

    assert signs_for(opened(issued.certificate, "pkcs11:"), issued)
    assert signs_for(opened("pkcs11:"), issued)


def test_of_two_hidden_keys_none_is_tried(first: SoftToken, second: SoftToken) -> None:
    issued = CA.issue("app")
    for token in (first, second):
        put_key(token, issued, "app")

    for pin in (PIN, "9999"):
        with pytest.raises(KeyDeviceError, match=r"2 tokens match: ") as caught:
            opened(issued.certificate, "pkcs11:object=app", pin=pin)
        assert caught.value.code == "token-ambiguous"
        assert first.label in str(caught.value)
        assert second.label in str(caught.value)
        assert "token= or serial=" in str(caught.value.remedy)
    assert not first.wrong_pin_was_tried()


def test_the_same_key_and_certificate_on_two_tokens(first: SoftToken, second: SoftToken) -> None:
    issued = CA.issue("app")
    for token in (first, second):
        put_key(token, issued, "app")
        token.add_certificate(issued.certificate, label="app", id_="01")

    with pytest.raises(KeyDeviceError, match=r"2 tokens match: "):
        opened("pkcs11:object=app", pin="9999")
    assert not first.wrong_pin_was_tried()
    assert signs_for(opened("pkcs11:object=app", f"{first.uri};object=app"), issued)
    assert signs_for(opened(f"{first.uri};object=app"), issued)


def test_a_token_without_a_pin_hides_no_key(first: SoftToken) -> None:
    issued = CA.issue("app")
    first.another(user_pin=False)
    put_key(first, issued, "app")

    assert signs_for(opened(issued.certificate, "pkcs11:object=app"), issued)


def test_a_token_without_a_login_hides_nothing(first: SoftToken, tmp_path: Path) -> None:
    issued = CA.issue("app")
    put_key(first, issued, "app")
    first.another(f"{OPEN}{first.label}")
    odd = odd_library(tmp_path)

    assert in_child(
        lambda: signs_for(opened(issued.certificate, "pkcs11:object=app", module=odd), issued)
    )


@pytest.mark.parametrize("giver", ["certificate", "key"])
def test_the_pin_of_one_uri_goes_to_its_token_alone(
    first: SoftToken, second: SoftToken, giver: str
) -> None:
    issued = CA.issue("app")
    put_key(first, issued, "app")
    first.add_certificate(issued.certificate, label="app", id_="01")
    put_key(second, issued, "app")
    second.add_certificate(issued.certificate, label="app", id_="01")
    uris = {"certificate": "pkcs11:object=app", "key": "pkcs11:object=app"}
    uris[giver] = f"{first.uri};object=app?pin-value={PIN}"

    assert signs_for(opened(uris["certificate"], uris["key"], pin=None), issued)


def test_a_pin_that_is_not_for_the_keys_token(first: SoftToken, second: SoftToken) -> None:
    """The certificate's token may have another PIN than the key's, which no URI gives."""
    issued = CA.issue("app")
    first.add_certificate(issued.certificate, label="app", id_="01")
    put_key(second, issued, "other")
    second.add_public_key(issued.private_key.public_key(), label="other", id_="01")

    for lender in (f"{first.uri};object=app", "pkcs11:object=app"):
        with pytest.raises(PassphraseError, match="the token wants a PIN, and none is given"):
            opened(f"{lender}?pin-value={PIN}", "pkcs11:object=other", pin=None)


def test_a_keys_pin_does_not_bind_a_certificate_that_can_be_seen(
    first: SoftToken, second: SoftToken
) -> None:
    issued = CA.issue("app")
    first.add_certificate(issued.certificate, label="app", id_="01")
    put_key(second, issued, "other")

    key = f"{second.uri};object=other?pin-value={PIN}"
    assert signs_for(opened("pkcs11:object=app", key, pin=None), issued)


def test_certificates_of_all_tokens_are_listed(first: SoftToken, second: SoftToken) -> None:
    certificates = [CA.issue(name).certificate for name in ("one", "two")]
    for token, certificate in zip((first, second), certificates, strict=True):
        token.add_certificate(certificate, label="app", id_="01")

    def listed(uri: str) -> dict[str, int]:
        found = list_token_certificates(uri, module=SOFTHSM)
        return {place: certificate.serial_number for place, certificate in found}

    both = listed("pkcs11:object=app")
    assert set(both.values()) == {certificate.serial_number for certificate in certificates}
    for place, number in both.items():
        assert listed(place) == {place: number}


@pytest.mark.parametrize("point", [True, False], ids=["with-a-point", "without"])
def test_keys_of_one_name_are_told_apart_by_the_certificate(first: SoftToken, point: bool) -> None:
    both = [CA.issue(name) for name in ("old", "new")]
    for issued in both:
        put_key(first, issued, "app")
        if point:
            first.add_certificate(issued.certificate, label="app", id_="01")
    if not point:  # each public key may be each private key's
        for issued in both:
            first.add_public_key(issued.private_key.public_key(), label="app", id_="01")

    for issued in both:
        assert signs_for(opened(issued.certificate, f"{first.uri};object=app"), issued)
    with pytest.raises(PrivateKeyError, match="2 private keys on the token match"):
        open_key(f"{first.uri};object=app", Access(Secret(PIN), SOFTHSM))

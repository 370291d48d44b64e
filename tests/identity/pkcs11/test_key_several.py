"""A URI that may mean several keys, or several tokens: the certificate decides."""

from __future__ import annotations

import pytest
from cryptography import x509
from soft_token import PIN, SOFTHSM, SoftToken

from boto_rolesanywhere.errors import KeyDeviceError, PrivateKeyError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate, utc_now

CA = CertificateAuthority()


def put(token: SoftToken, issued: IssuedCertificate, label: str, id_: str) -> None:
    token.add_key(issued.private_key, label=label, id_=id_)
    token.add_certificate(issued.certificate, label=label, id_=id_)


def opened(
    certificate: str | x509.Certificate, key: str | None = None, *, pin: str | None = PIN
) -> Identity:
    sources = IdentitySources(
        certificate=certificate,
        private_key=key,
        secret=None if pin is None else Secret(pin),
        pkcs11_module=SOFTHSM,
    )
    return open_identity(sources, now=utc_now())


def test_each_key_of_a_token_is_tried_against_the_certificate(token: SoftToken) -> None:
    first, second = CA.issue("first"), CA.issue("second")
    put(token, first, "first", "01")
    put(token, second, "second", "02")

    for issued in (first, second):
        assert opened(issued.certificate, token.uri).certificate == issued.certificate
    for label, issued in (("first", first), ("second", second)):
        on_token = f"{token.uri};object={label}"
        assert opened(on_token, on_token).certificate == issued.certificate


def test_several_usable_identities_are_refused_with_a_list(token: SoftToken) -> None:
    put(token, CA.issue("first"), "first", "01")
    put(token, CA.issue("second"), "second", "02")

    with pytest.raises(PrivateKeyError, match=r"2 identities that could be used") as caught:
        opened(token.uri)

    assert "CN=first" in str(caught.value)
    assert "CN=second" in str(caught.value)
    assert caught.value.code == "identity-ambiguous"


def test_of_several_keys_the_one_with_a_certificate_is_taken(token: SoftToken) -> None:
    issued = CA.issue("first")
    put(token, issued, "first", "01")
    token.add_key(CA.issue("bare").private_key, label="bare", id_="02")
    token.add_public_key(CA.issue("bare").private_key.public_key(), label="bare", id_="02")

    assert opened(token.uri).certificate == issued.certificate


def uri_without_token(label: str) -> str:
    # Tokens of other tests may be there too, since a library is loaded once.
    return f"pkcs11:object={label}"


def test_all_tokens_are_searched_for_an_object(token: SoftToken) -> None:
    issued, other = CA.issue("mine"), token.another()
    label = f"only-on-{other.label}"
    put(other, issued, label, "01")
    put(token, CA.issue("else"), "else", "02")

    identity = opened(uri_without_token(label))

    assert identity.certificate == issued.certificate
    assert identity.key.sign(b"data")


def test_an_object_on_two_tokens_is_decided_by_the_certificate(token: SoftToken) -> None:
    first, second, other = CA.issue("first"), CA.issue("second"), token.another()
    label = f"on-both-{other.label}"
    put(token, first, label, "01")
    put(other, second, label, "01")

    for issued in (first, second):
        assert opened(issued.certificate, uri_without_token(label)).key.public_key() == (
            issued.certificate.public_key()
        )


def test_no_pin_is_tried_on_a_token_without_the_object(token: SoftToken) -> None:
    other = token.another()

    with pytest.raises(KeyDeviceError, match=r"tokens match") as caught:
        opened(CA.issue("x").certificate, uri_without_token(f"nowhere-{other.label}"), pin="9999")

    assert caught.value.code == "token-ambiguous"
    put(other, CA.issue("y"), "y", "01")  # its PIN count is untouched: the right PIN still works


@pytest.mark.parametrize("giver", ["certificate", "key"])
def test_the_pin_of_one_uri_serves_the_other(token: SoftToken, giver: str) -> None:
    issued = CA.issue("app")
    put(token, issued, "app", "01")
    uris = {"certificate": f"{token.uri};object=app", "key": f"{token.uri};object=app;type=private"}
    uris[giver] += f"?pin-value={PIN}"

    assert opened(uris["certificate"], uris["key"], pin=None).key.sign(b"data")


def test_a_pin_does_not_go_to_another_token(token: SoftToken) -> None:
    issued, other = CA.issue("app"), token.another()
    put(token, issued, "app", "01")
    other.add_key(issued.private_key, label="app", id_="01")
    other.add_certificate(issued.certificate, label="app", id_="01")

    with pytest.raises(PrivateKeyError, match="none is given"):
        opened(f"{token.uri};object=app?pin-value={PIN}", f"{other.uri};object=app", pin=None)

"""A token as the source of certificate, chain or key, opened as an identity and used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from raw_session import create_session
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue_intermediate("Issuing").issue("on a token")


@pytest.fixture(scope="module")
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


@pytest.fixture(scope="module")
def token(ca: CertificateAuthority, issued: IssuedCertificate) -> Iterator[SoftToken]:
    with soft_token() as token:
        token.add_key(issued.private_key, label="app", id_="01")
        token.add_certificate(issued.certificate, label="app", id_="01")
        token.add_certificate(issued.chain[0], label="issuing", id_="02")
        token.add_certificate(ca.certificate, label="root", id_="03")
        yield token


@pytest.fixture
def on_token(token: SoftToken) -> IdentitySources:
    """Everything on the token, named by one URI."""
    return IdentitySources(
        certificate=f"{token.uri};object=app", secret=Secret(PIN), pkcs11_module=SOFTHSM
    )


def opened(sources: IdentitySources) -> Identity:
    return open_identity(sources, now=datetime.now(timezone.utc))


def test_one_uri_gives_certificate_intermediates_and_key(
    on_token: IdentitySources, issued: IssuedCertificate, emulator: Emulator
) -> None:
    identity = opened(on_token)
    assert identity.certificate == issued.certificate
    assert identity.chain == issued.chain
    assert create_session(identity, emulator, emulator.trust_anchor_arn) == 201


def test_certificate_and_chain_from_files_with_the_key_on_the_token(
    on_token: IdentitySources, issued: IssuedCertificate, emulator: Emulator
) -> None:
    sources = on_token._replace(
        certificate=issued.certificate_pem,
        private_key=on_token.certificate,
        chain=issued.chain,
    )
    identity = opened(sources)
    assert identity.chain == issued.chain
    assert create_session(identity, emulator, emulator.trust_anchor_arn) == 201


def test_certificate_from_the_token_with_the_key_in_a_file(
    on_token: IdentitySources, issued: IssuedCertificate, emulator: Emulator
) -> None:
    identity = opened(on_token._replace(private_key=issued.private_key))
    assert identity.certificate == issued.certificate
    assert create_session(identity, emulator, emulator.trust_anchor_arn) == 201


def test_chain_from_the_token(
    on_token: IdentitySources, token: SoftToken, issued: IssuedCertificate
) -> None:
    sources = on_token._replace(
        certificate=issued.certificate,
        private_key=issued.private_key,
        chain=f"{token.uri};object=issuing",
    )
    assert opened(sources).chain == issued.chain


def test_a_chain_that_is_not_on_the_token(
    on_token: IdentitySources, token: SoftToken, issued: IssuedCertificate
) -> None:
    sources = on_token._replace(
        certificate=issued.certificate,
        private_key=issued.private_key,
        chain=f"{token.uri};object=isuing",
    )
    with pytest.raises(
        KeyDeviceError, match="object=isuing: the token has no certificate with the"
    ):
        opened(sources)


def test_another_certificate_than_the_keys_is_refused_without_the_pin(
    on_token: IdentitySources, ca: CertificateAuthority, token: SoftToken
) -> None:
    other = ca.issue("other")
    uri = f"{token.uri};object=app?pin-value={PIN}"
    sources = on_token._replace(certificate=other.certificate_pem, private_key=uri, secret=None)
    with pytest.raises(PrivateKeyError) as caught:
        opened(sources)
    assert str(caught.value).startswith(
        "the PKCS#11 token: the private key (EC P-256) does not belong to the certificate (the "
        "certificate given as bytes): that is CN=other, EC P-256."
    )
    assert PIN not in str(caught.value)


def test_a_wrong_pin_is_refused(on_token: IdentitySources, token: SoftToken) -> None:
    with pytest.raises(PassphraseError):
        opened(on_token._replace(secret=Secret("9876")))
    token.give_right_pin()

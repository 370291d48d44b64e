"""Chains, constraints, validity and revocation: what the trust anchor vouches for, and what not."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import (
    CertificateAuthority,
    Digest,
    Emulator,
    IssuedCertificate,
    KeyType,
    RevocationList,
    TrustAnchor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Client

DENIED = "AccessDeniedException"
INSUFFICIENT = (403, DENIED, "Untrusted certificate. Insufficient certificate")
UNTRUSTED = (403, DENIED, "Untrusted signing certificate")
REVOKED = (403, DENIED, "Certificate revoked")
# Not published by AWS; marked as guesses in the emulator too.
EXPIRED = (403, DENIED, "Untrusted certificate. Certificate is expired")
NOT_YET_VALID = (403, DENIED, "Untrusted certificate. Certificate is not yet valid")
TOO_LONG = (403, DENIED, "Untrusted certificate. Certificate chain is too long")


@pytest.mark.parametrize("key_type", ["P-256", "RSA-2048"])
def test_sha1_is_refused_whatever_the_authoritys_key(
    client_of: Callable[[Emulator], Client], key_type: KeyType
) -> None:
    ca = CertificateAuthority(key_type=key_type)
    with Emulator(ca) as emulator:
        assert client_of(emulator).create(ca.issue()).status == 201
        assert client_of(emulator).create(ca.issue(flaws=("sha1",))).refusal == INSUFFICIENT


@pytest.mark.parametrize("digest", ["SHA-256", "SHA-384", "SHA-512"])
@pytest.mark.parametrize("key_type", ["P-384", "RSA-2048", "ML-DSA-65"])
def test_the_authoritys_key_and_hash_play_no_part(
    client_of: Callable[[Emulator], Client], key_type: KeyType, digest: Digest
) -> None:
    try:
        ca = CertificateAuthority(key_type=key_type, digest=digest)
    except ConfigurationError:
        assert key_type == "ML-DSA-65"
        pytest.skip("the installed cryptography has no ML-DSA")
    with Emulator(ca) as emulator:
        assert client_of(emulator).create(ca.issue(key_type="P-256")).status == 201
        stranger = CertificateAuthority(key_type=key_type, digest=digest)
        assert client_of(emulator).create(stranger.issue()).refusal == UNTRUSTED


def below(ca: CertificateAuthority, depth: int) -> CertificateAuthority:
    for level in range(depth):
        ca = ca.issue_intermediate(f"Level {level}")
    return ca


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_intermediates_may_be_sent_in_any_order(
    client: Client, ca: CertificateAuthority, depth: int
) -> None:
    issued = below(ca, depth).issue()
    assert len(issued.chain) == depth
    assert client.create(issued).status == 201
    assert client.create(issued, chain=list(reversed(issued.chain))).status == 201


def test_root_and_leaf_in_the_chain_do_no_harm(client: Client, ca: CertificateAuthority) -> None:
    issued = below(ca, 1).issue()
    chain = [issued.certificate, *issued.chain, ca.certificate]
    assert client.create(issued, chain=chain).status == 201


def test_six_in_the_chain_are_too_many(client: Client, ca: CertificateAuthority) -> None:
    assert client.create(below(ca, 6).issue()).refusal == TOO_LONG


def test_each_intermediate_is_needed(client: Client, ca: CertificateAuthority) -> None:
    issued = below(ca, 3).issue()
    for missing in range(3):
        chain = [one for place, one in enumerate(issued.chain) if place != missing]
        assert client.create(issued, chain=chain).refusal == UNTRUSTED
    assert client.create(issued, chain=[]).refusal == UNTRUSTED


def test_an_intermediate_can_be_the_trust_anchor(
    ca: CertificateAuthority, client_of: Callable[[Emulator], Client]
) -> None:
    anchor = ca.issue_intermediate("Anchor")
    with Emulator(anchor.certificate) as emulator:
        client = client_of(emulator)
        assert emulator.ca is None
        assert client.create(anchor.issue(), chain=[]).status == 201
        assert client.create(anchor.issue_intermediate("Below").issue()).status == 201
        assert client.create(ca.issue()).refusal == UNTRUSTED


def test_a_path_length_is_kept(client: Client, ca: CertificateAuthority) -> None:
    last = ca.issue_intermediate("Last", path_length=0)
    assert client.create(last.issue()).status == 201
    assert client.create(last.issue_intermediate("Too deep").issue()).refusal == UNTRUSTED


def test_a_leaf_cannot_issue(client: Client, ca: CertificateAuthority) -> None:
    leaf = ca.issue("not an authority")
    pretender = CertificateAuthority.from_pem(leaf.certificate_pem, leaf.private_key_pem)
    issued = pretender.issue("impostor")
    assert client.create(issued, chain=[leaf.certificate]).refusal == UNTRUSTED


def key_usage(*, sign_certificates: bool) -> tuple[x509.KeyUsage, bool]:
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return usage, True


@pytest.mark.parametrize("lacking", ["keyCertSign", "CA:TRUE", None])
def test_an_issuer_is_a_ca_and_may_sign(
    client: Client, ca: CertificateAuthority, lacking: str | None
) -> None:
    above = ca.issue(
        "odd",
        flaws=("no-key-usage",) if lacking == "CA:TRUE" else ("no-key-usage", "ca"),
        extensions=[key_usage(sign_certificates=lacking != "keyCertSign")],
    )
    issuer = CertificateAuthority.from_pem(above.certificate_pem, above.private_key_pem)
    answer = client.create(issuer.issue(), chain=[above.certificate])
    assert answer.refusal == UNTRUSTED if lacking else answer.status == 201


def renamed(ca: CertificateAuthority) -> CertificateAuthority:
    """An authority of another name with the same key."""
    name = x509.Name.from_rfc4514_string("CN=renamed")
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(ca.private_key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca.private_key, hashes.SHA256())
    )
    return CertificateAuthority.from_pem(certificate.public_bytes(Encoding.PEM), ca.private_key_pem)


def test_names_must_fit_even_where_the_key_does(
    client: Client, ca: CertificateAuthority, emulator: Emulator
) -> None:
    assert client.create(renamed(ca).issue()).refusal == UNTRUSTED
    issued = ca.issue()
    emulator.import_crl(renamed(ca).crl((issued,)))
    assert client.create(issued).status == 201


def test_an_authority_with_the_same_name_is_not_the_same(
    client: Client, ca: CertificateAuthority
) -> None:
    impostor = CertificateAuthority()
    assert impostor.certificate.subject == ca.certificate.subject
    assert client.create(impostor.issue()).refusal == UNTRUSTED
    assert client.create(impostor.issue(), chain=[impostor.certificate]).refusal == UNTRUSTED


def test_authorities_that_sign_each_other_end_in_a_refusal(
    client: Client, ca: CertificateAuthority
) -> None:
    first = CertificateAuthority("First")
    second = first.issue_intermediate("Second")
    cross = second.issue_intermediate("First").certificate
    issued = second.issue()
    assert client.create(issued, chain=[second.certificate, cross]).refusal == UNTRUSTED


def test_an_anchor_holds_up_to_two_certificates(
    client_of: Callable[[Emulator], Client],
) -> None:
    old, new, other = (CertificateAuthority(name) for name in ("Old", "New", "Other"))
    with Emulator(old.certificate_pem + new.certificate_pem) as emulator:
        assert client_of(emulator).create(old.issue()).status == 201
        assert client_of(emulator).create(new.issue()).status == 201
        assert client_of(emulator).create(other.issue()).refusal == UNTRUSTED
    three = tuple(ca.certificate for ca in (old, new, other))
    with pytest.raises(ConfigurationError, match="3 certificates; expected 1 to 2"):
        emulator.add(TrustAnchor(arn=emulator.trust_anchor_arn, certificates=three))


def test_an_end_entity_certificate_cannot_be_an_anchor(ca: CertificateAuthority) -> None:
    with pytest.raises(ConfigurationError, match="CN=leaf is not a CA certificate"):
        Emulator(ca.issue("leaf").certificate)


def test_an_anchor_is_read_from_pem_or_refused() -> None:
    with pytest.raises(ConfigurationError, match="PEM with one or more CERTIFICATE blocks"):
        Emulator("not a certificate")


@pytest.mark.parametrize("header", ["", "not base64!", b64encode(b"no certificate").decode()])
def test_an_unreadable_certificate_is_insufficient(
    client: Client, issued: IssuedCertificate, emulator: Emulator, header: str
) -> None:
    assert client.create(issued, certificate_header=header).refusal == INSUFFICIENT
    assert emulator.requests[-1].certificate_serial is None


def test_an_unreadable_chain_is_insufficient(client: Client, issued: IssuedCertificate) -> None:
    answer = client.create(issued, headers=[("X-Amz-X509-Chain", "AAAA")])
    assert answer.refusal == INSUFFICIENT


def test_validity_follows_the_emulators_clock(
    ca: CertificateAuthority, issued: IssuedCertificate, client_of: Callable[[Emulator], Client]
) -> None:
    with Emulator(ca) as emulator:
        emulator.clock_offset = timedelta(days=366)
        assert client_of(emulator).create(issued).refusal == EXPIRED
        emulator.clock_offset = timedelta(hours=-2)
        assert client_of(emulator).create(issued).refusal == NOT_YET_VALID


def test_a_revoked_certificate_is_refused_and_others_are_not(
    client: Client, emulator: Emulator, ca: CertificateAuthority
) -> None:
    good, bad = ca.issue("good"), ca.issue("bad")
    assert client.create(bad).status == 201
    emulator.import_crl(ca.crl((bad,)))
    assert client.create(bad).refusal == REVOKED
    assert client.create(good).status == 201


def test_an_expired_list_still_counts(
    client: Client, emulator: Emulator, ca: CertificateAuthority
) -> None:
    bad = ca.issue()
    past = datetime.now(timezone.utc) - timedelta(days=1)
    emulator.import_crl(ca.crl((bad.serial_number,), next_update=past))
    assert client.create(bad).refusal == REVOKED


def test_a_revoked_intermediate_takes_its_certificates_along(
    client: Client, emulator: Emulator, ca: CertificateAuthority
) -> None:
    intermediate = ca.issue_intermediate()
    issued = intermediate.issue()
    assert client.create(issued).status == 201
    emulator.import_crl(ca.crl((intermediate.certificate,)))
    assert client.create(issued).refusal == REVOKED


def test_only_the_issuers_own_enabled_list_counts(
    client: Client, emulator: Emulator, ca: CertificateAuthority
) -> None:
    issued = ca.issue()
    forged = CertificateAuthority()  # of the same name
    for crl in (forged.crl((issued,)), CertificateAuthority("Other").crl((issued,))):
        emulator.import_crl(crl, name="of another")
        assert client.create(issued).status == 201
    own = RevocationList(
        trust_anchor_arn=emulator.trust_anchor_arn, pem=ca.crl((issued,)), enabled=False
    )
    emulator.add(own)
    assert client.create(issued).status == 201
    emulator.import_crl(own.pem)
    assert client.create(issued).refusal == REVOKED


def test_a_trust_anchor_takes_two_lists(emulator: Emulator, ca: CertificateAuthority) -> None:
    for name in ("one", "two", "one"):
        emulator.import_crl(ca.crl((1,)), name=name)

    with pytest.raises(ConfigurationError, match="has 2 revocation lists already"):
        emulator.import_crl(ca.crl((1,)), name="three")


def test_lists_that_importcrl_refuses_are_refused(
    emulator: Emulator, ca: CertificateAuthority
) -> None:
    der = x509.load_pem_x509_crl(ca.crl((1,))).public_bytes(Encoding.DER)
    for pem, words in (
        (ca.crl(), "has no entries"),
        (der, "expected a CRL as PEM"),
        (b"", "0 bytes; expected 1 to 300000"),
        (b"x" * 300_001, "300001 bytes"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            emulator.import_crl(pem)

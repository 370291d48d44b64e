"""Which lists may go to AWS."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from revocation_account import NOW, WEEK, made_list, named_otherwise, point

from boto_rolesanywhere.account.revocation.lists import MAX_BYTES, read_list
from boto_rolesanywhere.account.revocation.rules import (
    authorities_below,
    issuer_of,
    require_importable,
)
from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.testing import CertificateAuthority

URL = "http://pki.example.com/ca.crl"
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def refusal(pem: bytes, *, whole: bool = False) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        require_importable(read_list(pem, "ca.crl"), NOW, whole=whole)
    assert caught.value.where == "ca.crl"
    return caught.value


@pytest.mark.parametrize(
    ("extension", "critical", "words"),
    [
        (x509.DeltaCRLIndicator(3), True, "a delta list, of what changed since 3"),
        (point(URL, user=True), True, "of end-entity certificates alone"),
        (point(user=True), False, "of end-entity certificates alone"),
        (point(of_cas=True), True, "of CA certificates alone"),
        (point(indirect=True), True, "an indirect list"),
        (
            point(reasons=frozenset({x509.ReasonFlags.key_compromise})),
            True,
            "of some reasons alone",
        ),
        (UNKNOWN, True, "a critical extension 1.3.6.1.4.1.99999.1"),
    ],
)
def test_a_part_is_refused(
    ca: CertificateAuthority, extension: x509.ExtensionType, critical: bool, words: str
) -> None:
    error = refusal(made_list(ca, [7], (extension, critical)), whole=True)

    assert error.code == "crl-partial"
    assert words in error.problem


def test_a_list_that_names_its_own_place_may_be_said_to_be_whole(ca: CertificateAuthority) -> None:
    pem = made_list(ca, [7], (point(URL), True))

    error = refusal(pem)
    assert error.code == "crl-partial"
    assert "--whole" in str(error)
    require_importable(read_list(pem, "ca.crl"), NOW, whole=True)


def test_other_extensions_do_no_harm(ca: CertificateAuthority) -> None:
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.private_key.public_key())
    pem = made_list(ca, [7], (key, False), (UNKNOWN, False))

    require_importable(read_list(pem, "ca.crl"), NOW)


def test_a_list_out_of_its_time_is_refused(ca: CertificateAuthority) -> None:
    hour = timedelta(hours=1)
    ended = refusal(made_list(ca, start=NOW - WEEK, end=NOW - hour))
    future = refusal(made_list(ca, start=NOW + hour))

    assert (ended.code, future.code) == ("crl-not-current", "crl-not-current")
    assert "a newer one was due" in ended.problem
    assert "still to come" in future.problem
    # A clock that is a little ahead is no fault.
    require_importable(read_list(made_list(ca, start=NOW + hour / 30), "ca.crl"), NOW)


def test_the_limit_is_that_of_the_pem(ca: CertificateAuthority) -> None:
    serials = [(1 << 158) + number for number in range(8000)]
    large = made_list(ca, serials)
    error = refusal(large)
    assert error.code == "crl-too-large"
    assert "8,000 entries" in error.problem

    fitting = serials[: 8000 * MAX_BYTES // len(large) - 10]
    require_importable(read_list(made_list(ca, fitting), "ca.crl"), NOW)


def test_the_issuer_is_compared_as_names_are(ca: CertificateAuthority) -> None:
    assert issuer_of(read_list(named_otherwise(ca, 1), "x"), [ca.certificate]) == ca.certificate


def test_the_signature_counts_and_not_the_name(ca: CertificateAuthority) -> None:
    namesake = CertificateAuthority(subject=ca.certificate.subject)
    listed = read_list(made_list(namesake), "ca.crl")

    with pytest.raises(CertificateError) as caught:
        issuer_of(listed, [ca.certificate])
    assert caught.value.code == "crl-signature"
    assert issuer_of(listed, [ca.certificate, namesake.certificate]) == namesake.certificate


@pytest.mark.parametrize("key_type", ["RSA-2048", "P-384"])
def test_keys_of_each_kind_verify(key_type: str) -> None:
    authority = CertificateAuthority("Another CA", key_type=key_type)  # type: ignore[arg-type]  # a str
    listed = read_list(authority.crl([7]), "ca.crl")

    assert issuer_of(listed, [authority.certificate]) == authority.certificate


def test_a_key_that_aws_does_not_take_is_named() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name.from_rfc4514_string("CN=Ed CA")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - WEEK)
        .not_valid_after(NOW + WEEK)
        .sign(key, None)
    )
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    signed = builder.last_update(NOW - WEEK).next_update(NOW + WEEK).sign(key, None)
    assert signed.is_signature_valid(key.public_key())

    with pytest.raises(CertificateError, match="Ed25519") as caught:
        issuer_of(read_list(signed.public_bytes(Encoding.DER), "ca.crl"), [certificate])
    assert caught.value.code == "crl-signature"


def test_a_ca_below_the_anchor_counts_if_it_was_issued_there(ca: CertificateAuthority) -> None:
    below = ca.issue_intermediate("Issuing CA")
    lowest = below.issue_intermediate("Lowest CA")
    stranger = CertificateAuthority("Stranger").issue_intermediate("Issuing CA")
    anchors = [ca.certificate]
    others = [lowest.certificate, stranger.certificate, below.certificate]

    trusted = authorities_below(anchors, others)
    assert set(trusted) == {ca.certificate, below.certificate, lowest.certificate}
    assert issuer_of(read_list(made_list(lowest), "x"), trusted) == lowest.certificate
    with pytest.raises(CertificateError) as caught:
        issuer_of(
            read_list(made_list(stranger), "x"), authorities_below(anchors, [stranger.certificate])
        )
    assert caught.value.code == "crl-issuer-foreign"
    assert "CN=Issuing CA" in caught.value.problem

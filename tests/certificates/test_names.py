"""Names are compared as RFC 5280 asks; then the signature decides."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from hypothesis import given
from hypothesis import strategies as st
from slips import CA_KEY, FIELDS, certificate, signed, tlv

from boto_rolesanywhere.certificates.chain import is_issued_by, order_chain
from boto_rolesanywhere.certificates.names import comparable


def name(value: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> bytes:
    attribute = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, value, _type=kind)
    return x509.Name([attribute]).public_bytes()


@pytest.mark.parametrize(
    "other",
    [
        name("Example CA", _ASN1Type.PrintableString),
        name("EXAMPLE ca"),
        name("  Example   CA "),
        name("Example CA", _ASN1Type.BMPString),
        name("Example CA", _ASN1Type.T61String),
    ],
)
def test_string_type_case_and_blanks_do_not_count(other: bytes) -> None:
    assert other != name("Example CA")
    assert comparable(other) == comparable(name("Example CA"))


@pytest.mark.parametrize("other", [name("Example CB"), name("ExampleCA"), b"", b"\x30\x01"])
def test_everything_else_does(other: bytes) -> None:
    assert comparable(other) != comparable(name("Example CA"))


@given(st.binary(max_size=40))
def test_any_bytes_are_equal_to_themselves(encoded: bytes) -> None:
    assert comparable(encoded) == comparable(encoded)
    hash(comparable(encoded))


def test_an_issuer_named_in_another_string_type_is_found() -> None:
    issuer = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(0x13, b"ca"))))
    encoded = signed([*FIELDS[:3], issuer, *FIELDS[4:]])
    leaf = x509.load_der_x509_certificate(encoded)
    ca = certificate(ca=True)

    assert leaf.issuer != ca.subject
    assert is_issued_by(leaf, ca)
    forged = encoded.replace(b"app1", b"app2")
    assert not is_issued_by(x509.load_der_x509_certificate(forged), ca)
    assert order_chain(leaf, [ca]) == ()  # a root
    assert CA_KEY.public_key() == ca.public_key()
    assert ca.public_bytes(Encoding.DER)

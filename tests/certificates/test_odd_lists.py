"""Revocation lists with slips of encoding are read as OpenSSL reads them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from slips import CA_KEY, CA_NAME, KEY, tlv

from boto_rolesanywhere.account.revocation.lists import read_list
from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.odd_lists import load_list

NOW = datetime.now(timezone.utc).replace(microsecond=0)
PLAIN = (
    x509.CertificateRevocationListBuilder(CA_NAME, NOW - timedelta(hours=1), NOW + timedelta(7))
    .add_revoked_certificate(
        x509.RevokedCertificateBuilder().serial_number(5).revocation_date(NOW).build()
    )
    .add_extension(x509.CRLNumber(9), critical=False)
    .sign(CA_KEY, SHA256())
)
TBS, ALGORITHM, _ = der.read_only(PLAIN.public_bytes(Encoding.DER)).children()
FIELDS = [field.raw for field in TBS.children()]
VERSION, INNER, ISSUER, START, END, ENTRIES, EXTENSIONS = FIELDS
(ENTRY,) = der.read_only(ENTRIES).children()
NUMBER = bytes.fromhex("0603551d14")


def signed(*fields: bytes) -> bytes:
    tbs = tlv(0x30, *fields)
    return tlv(0x30, tbs, ALGORITHM.raw, tlv(3, b"\0", CA_KEY.sign(tbs, ec.ECDSA(SHA256()))))


def long(encoded: bytes) -> bytes:
    content = der.read_only(encoded).content
    return encoded[:1] + b"\x83" + len(content).to_bytes(3, "big") + content


CRITICAL_FALSE = tlv(0xA0, tlv(0x30, tlv(0x30, NUMBER, b"\1\1\0", tlv(4, b"\2\1\x09"))))
SLIPS = {
    "a length": (
        signed(VERSION, INNER, long(ISSUER), START, END, ENTRIES, EXTENSIONS),
        "its issuer has a length that is not in its shortest form",
    ),
    "an indefinite length": (
        signed(VERSION, INNER, ISSUER, START, END, b"\x30\x80" + ENTRY.raw + b"\0\0", EXTENSIONS),
        "its list of entries has a length that is not in its shortest form",
    ),
    "a time": (
        signed(VERSION, INNER, ISSUER, START, tlv(0x18, b"20991231235959.5Z"), *FIELDS[5:]),
        "its date has a time that is not written as RFC 5280 asks",
    ),
    "critical FALSE": (
        signed(*FIELDS[:6], CRITICAL_FALSE),
        "it has critical FALSE written out, which DER leaves out",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_list_with_a_slip_is_read_as_it_is(name: str) -> None:
    encoded, slip = SLIPS[name]

    crl, slips = load_list(encoded + b"\n")

    assert slips == (slip,)
    assert [entry.serial_number for entry in crl] == [5]
    assert len(crl) == 1
    assert crl.public_bytes(Encoding.DER) == encoded
    assert crl.is_signature_valid(CA_KEY.public_key())
    assert not crl.is_signature_valid(KEY.public_key())


@pytest.mark.parametrize("name", SLIPS)
def test_crl_sync_takes_it(name: str) -> None:
    listed = read_list(SLIPS[name][0], "the list")
    assert (listed.number, listed.entries) == (9, 1)
    assert listed.entry(5) is not None
    assert listed.is_of(ISSUER)
    assert read_list(listed.pem, "the list").number == 9


def test_what_follows_a_list_is_passed_over() -> None:
    encoded = PLAIN.public_bytes(Encoding.DER)
    crl, slips = load_list(encoded + b"\r\n")
    assert (crl, slips) == (PLAIN, ())


@pytest.mark.parametrize("encoded", [b"", b"0", signed(VERSION, INNER), tlv(0x30)])
def test_what_is_no_list_is_refused_without_a_parsers_words(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it(s structure| is damaged)") as caught:
        load_list(encoded)
    assert "ParseError" not in str(caught.value)

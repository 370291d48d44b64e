"""Certificates with slips of encoding are read, sent as they are, and each slip is named."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from slips import (
    BASIC,
    EXTENSIONS,
    KEY,
    PLAIN,
    SLIPS,
    UNREADABLE,
    certificate,
    extension,
    tlv,
    with_extensions,
    with_field,
)

from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.odd import OddCertificate, load_certificate, readable, slips_of
from boto_rolesanywhere.certificates.rules import problems

CA = certificate(ca=True)


@pytest.mark.parametrize("name", SLIPS)
def test_what_the_library_refuses_is_read_and_named(name: str) -> None:
    encoded, slip = SLIPS[name]
    with pytest.raises(ValueError, match="pars"):
        x509.load_der_x509_certificate(encoded)

    found = load_certificate(encoded)

    assert slips_of(found) == (slip,)
    assert found.serial_number == 5
    assert found.public_key() == KEY.public_key()
    assert found.not_valid_after_utc.date() == PLAIN.not_valid_after_utc.date()
    assert problems(found, datetime.now(timezone.utc)) == ()
    assert is_issued_by(found, CA)  # the signature is over the slip


@pytest.mark.parametrize("name", SLIPS)
def test_the_original_bytes_leave_the_process(name: str) -> None:
    encoded, _ = SLIPS[name]
    found = load_certificate(encoded)

    assert found.public_bytes(Encoding.DER) == encoded
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=found.public_bytes(Encoding.PEM),
        capture_output=True,
        check=False,
    )
    if name != "padded serial number":  # which OpenSSL refuses
        ours = found.fingerprint(SHA256()).hex(":").upper()
        assert shown.stdout.decode().strip().endswith(ours)
    assert found == load_certificate(encoded)
    assert len({found, load_certificate(encoded), PLAIN}) == 2


@pytest.mark.parametrize("name", SLIPS | UNREADABLE)
def test_everything_else_in_it_can_be_read(name: str) -> None:
    encoded, slip = (SLIPS | UNREADABLE)[name]

    found, slips = readable(load_certificate(encoded))

    assert slips == (slip,)
    assert found.subject.rdns
    assert found.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


def test_of_alternative_names_those_that_can_be_read_are_kept() -> None:
    found, _ = readable(load_certificate(UNREADABLE["an address of 5 bytes"][0]))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.b"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (tlv(0x18, b"00000101000000Z"), tlv(0x18, b"99991231235959-0100")),
        (tlv(0x17, b"2001010000-0000"), tlv(0x18, b"99991231235959,5Z")),
    ],
)
def test_a_time_before_the_first_or_after_the_last_is_moved_to_it(start: bytes, end: bytes) -> None:
    found = load_certificate(with_field(4, tlv(0x30, start, end)))

    assert found.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    assert problems(found, datetime.now(timezone.utc)) == ()


def test_a_critical_extension_that_programs_do_not_know_is_named() -> None:
    unknown = extension("06032a0304", b"\1\1\xff", b"\5\0")
    found = load_certificate(with_extensions(*EXTENSIONS, unknown))

    assert slips_of(found) == (
        "its extension 1.2.3.4 is critical, and who does not know it must refuse it",
    )
    assert problems(found, datetime.now(timezone.utc)) == ()


@pytest.mark.parametrize("kind", ["06092a864886f70d010101", "060455080101"])
def test_an_rsa_key_of_another_encoding_is_read(kind: str) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    modulus = key.public_numbers().n.to_bytes(256, "big")  # negative without a zero before it
    encoded = tlv(0x30, tlv(2, modulus), bytes.fromhex("0203010001"))
    algorithm = tlv(0x30, bytes.fromhex(kind), b"\5\0")

    found = load_certificate(with_field(6, tlv(0x30, algorithm, tlv(3, b"\0", encoded))))

    assert found.public_key() == key
    assert slips_of(found) == ("its key has an encoding that is not the usual one of RSA",)


def test_a_plain_certificate_stays_what_it_is() -> None:
    found, slips = readable(load_certificate(PLAIN.public_bytes(Encoding.DER)))
    assert found == PLAIN
    assert not isinstance(found, OddCertificate)
    assert slips == ()


@pytest.mark.parametrize(
    ("encoded", "problem"),
    [
        (b"", "its structure is not that of a certificate"),
        (b"\x30\x03\x02\x01\x05", "its structure is not that of a certificate"),
        (
            with_field(0, bytes.fromhex("a003020103")),
            "its version is 4, and AWS takes version 3 alone",
        ),
        (with_field(4, b"\x30\x04\x17\x02ab"), "its validity is damaged"),
        (with_field(5, b"\x30\x03\x31\x05\x30"), "its subject is damaged"),
        (
            with_extensions(extension(BASIC, b"\2\1\0", b"\x30\0")),
            "its extension basicConstraints is damaged",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_named_by_its_field(encoded: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        load_certificate(encoded)

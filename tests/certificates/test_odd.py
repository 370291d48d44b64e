"""Certificates with slips of encoding are read, sent as they are, and each slip is named."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from slips import (
    BASIC,
    KEY,
    PLAIN,
    SLIPS,
    UNREADABLE,
    certificate,
    extension,
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
        (with_field(0, bytes.fromhex("a003020103")), "its version is 4, and X.509 ends with 3"),
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

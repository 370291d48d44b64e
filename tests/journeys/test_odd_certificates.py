"""Certificates with slips get sessions: the library sends them, and the emulator reads them too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from slips import FIELDS, KEY, SLIPS, UNREADABLE, certificate, signed, tlv

from boto_rolesanywhere.certificates.plain import read_plain
from boto_rolesanywhere.errors import ServiceError
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.session import get_session
from boto_rolesanywhere.testing import Emulator

CA = certificate(ca=True)
KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def session(emulator: Emulator, leaf: bytes | Path, key: bytes = KEY_PEM) -> object:
    made = get_session(
        cert=leaf,
        key=key,
        anchor=emulator.trust_anchor_arn,
        profile=emulator.profile_arn,
        role=emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
    )
    return made.get_credentials().get_frozen_credentials()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(CA) as emulator:
        yield emulator


@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize("name", SLIPS | UNREADABLE)
def test_a_slip_costs_a_warning_and_no_session(
    name: str, form: str, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoded, slip = (SLIPS | UNREADABLE)[name]
    file = tmp_path / "app.crt"
    file.write_bytes(encoded if form == "DER" else Block("CERTIFICATE", encoded).to_pem())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert session(emulator, file)
    warnings = [record.message for record in caplog.records if slip in record.message]
    assert len(warnings) == (0 if read_plain(encoded) else 1)
    assert "ParseError" not in caplog.text


@pytest.mark.parametrize("name", SLIPS | UNREADABLE)
def test_a_stranger_with_a_slip_in_the_chain_does_no_harm(name: str, emulator: Emulator) -> None:
    stranger, _ = (SLIPS | UNREADABLE)[name]
    leaf = certificate().public_bytes(Encoding.PEM)

    assert session(emulator, leaf + Block("CERTIFICATE", stranger).to_pem())


@pytest.mark.parametrize("tag", [0x13, 0x14, 0x0C])
def test_an_issuer_named_in_another_way_is_found(tag: int, emulator: Emulator) -> None:
    issuer = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(tag, b"ca"))))
    assert session(emulator, signed([*FIELDS[:3], issuer, *FIELDS[4:]]))


def test_a_forged_signature_is_refused_all_the_same(emulator: Emulator) -> None:
    encoded, _ = SLIPS["* in a PrintableString"]
    with pytest.raises(ServiceError, match="Untrusted signing certificate"):
        session(emulator, encoded.replace(b"*.example", b"*.exampla"))


@pytest.mark.parametrize("kind", [ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey])
def test_an_authority_with_an_edwards_key_is_verified(
    kind: type[ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey],
) -> None:
    now = datetime.now(timezone.utc)
    ca_key, leaf_key = kind.generate(), ec.generate_private_key(ec.SECP256R1())
    usages = x509.KeyUsage(
        **dict.fromkeys(
            (
                *("digital_signature", "key_cert_sign", "content_commitment", "crl_sign"),
                *("key_encipherment", "data_encipherment", "key_agreement"),
            ),
            True,
        ),
        encipher_only=False,
        decipher_only=False,
    )

    def issue(name: str, key: object, *, ca: bool) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ed CA")])
        return (
            x509.CertificateBuilder(issuer, subject, key, 7)  # type: ignore[arg-type]  # any kind of key
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(usages, critical=True)
            .sign(ca_key, None)
        )

    leaf = issue("app1", leaf_key.public_key(), ca=False).public_bytes(Encoding.PEM)
    key = leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with Emulator(issue("Ed CA", ca_key.public_key(), ca=True)) as emulator:
        assert session(emulator, leaf, key)

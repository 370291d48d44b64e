"""How an identity is put together: what is read, and which key is used."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import asymmetric
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from opened import NOW, signs
from openssl_files import END_ENTITY, OpenSSL
from repository import VECTORS

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import CertificateError, PrivateKeyError
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


def test_objects_of_cryptography_are_taken(issued: IssuedCertificate) -> None:
    sources = IdentitySources(
        certificate=issued.certificate, private_key=issued.private_key, chain=issued.chain
    )
    identity = open_identity(sources, now=NOW)
    assert identity.certificate == issued.certificate
    assert identity.chain == issued.chain
    assert isinstance(identity.key, SoftwareKey)
    assert signs(identity)
    single = sources._replace(chain=issued.chain[0])
    assert open_identity(single, now=NOW).chain == issued.chain
    as_list = sources._replace(chain=list(issued.chain))
    assert open_identity(as_list, now=NOW).chain == issued.chain


def test_bytes_of_any_kind_are_taken(paths: IdentitySources) -> None:
    certificate = Path(str(paths.certificate)).read_bytes()
    key = Path(str(paths.private_key)).read_bytes()
    for kind in (bytes, bytearray, memoryview):
        sources = IdentitySources(certificate=kind(certificate), private_key=kind(key))  # type: ignore[arg-type]  # text or path
        assert signs(open_identity(sources, now=NOW))


def test_intermediates_may_stand_beside_pkcs12(issued: IssuedCertificate, tmp_path: Path) -> None:
    bundle, chain = tmp_path / "app.p12", tmp_path / "chain.pem"
    bundle.write_bytes(
        serialize_key_and_certificates(
            b"app", issued.private_key, issued.certificate, None, NoEncryption()
        )
    )
    bundle.chmod(0o600)
    chain.write_bytes(issued.chain_pem)

    assert open_identity(IdentitySources(bundle, None, chain), now=NOW).chain == issued.chain


def test_an_empty_file_of_intermediates_is_refused(paths: IdentitySources, tmp_path: Path) -> None:
    empty = tmp_path / "chain.pem"
    empty.touch()
    with pytest.raises(CertificateError, match="it is empty"):
        open_identity(paths._replace(chain=empty), now=NOW)


@pytest.mark.skipif(os.getuid() != 0, reason="takes root's rights away for a moment")
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("other", ["ed25519", "locked", "damaged"])
def test_a_key_beside_it_that_cannot_be_used_does_no_harm(
    ca: CertificateAuthority, issued: IssuedCertificate, tmp_path: Path, other: str, reverse: bool
) -> None:
    beside = {
        "ed25519": asymmetric.ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "locked": ca.issue("locked").write(tmp_path, passphrase="x").private_key.read_bytes(),
        "damaged": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    }[other]
    keys = [beside, issued.private_key_pem][:: -1 if reverse else 1]
    sources = IdentitySources(certificate=issued.certificate_pem, private_key=b"".join(keys))

    signature = open_identity(sources, now=NOW).sign(b"data")

    assert verify_signature(issued.certificate.public_key(), signature, b"data")


def test_a_key_that_this_user_may_not_read(paths: IdentitySources) -> None:
    os.seteuid(12345)
    try:
        with pytest.raises(CertificateError, match="this process may not read it"):
            open_identity(paths, now=NOW)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("size", ["44", "65", "87"])
def test_an_mldsa_key_asks_for_a_newer_cryptography_where_it_is_too_old(
    size: str, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in versions before 47, whose package has no such module.
    monkeypatch.delattr(asymmetric, "mldsa", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    path = VECTORS / "mldsa" / f"ML-DSA-{size}-both.pem"
    with pytest.raises(PrivateKeyError) as caught:
        open_identity(IdentitySources(certificate=issued.certificate, private_key=path), now=NOW)
    assert str(caught.value) == (
        f"{path}: it holds an ML-DSA-{size} key, which the installed cryptography cannot use. "
        "Install cryptography 48 or later, or use an EC or RSA key."
    )


@pytest.mark.parametrize("serial", ["0", "-5"])
def test_odd_serial_numbers_are_read_where_warnings_are_errors(serial: str, tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    openssl.key("odd.key")
    openssl.write("odd.cnf", END_ENTITY.encode())
    openssl("req", "-new", "-key", "odd.key", "-subj", "/CN=odd", "-out", "odd.csr")
    openssl(
        *("x509", "-req", "-in", "odd.csr", "-signkey", "odd.key", "-out", "odd.crt"),
        *("-set_serial", serial, "-extfile", "odd.cnf"),
    )
    bundle = openssl.read("odd.crt") + openssl.read("odd.key")
    identity = open_identity(IdentitySources(certificate=bundle), now=datetime.now(timezone.utc))
    assert identity.serial_number == serial
    assert identity.chain == ()


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ('"/pki/app.pem"', "stands in quotes"),
        ("\N{LEFT DOUBLE QUOTATION MARK}/app.pem\N{RIGHT DOUBLE QUOTATION MARK}", "in quotes"),
        ("file:///pki/app.pem", "without file://"),
        ("/pki/app.pem  # mine", "give it a line of its own"),
        ("$HOME/app.pem", "Variables in paths are not expanded"),
        ("%USERPROFILE%/app.pem", "Variables in paths are not expanded"),
        ("0x81000101", "is written handle:0x81000101"),
        ("tpm:0x81000101", "is written handle:0x81000101"),
    ],
)
def test_a_path_as_a_shell_or_the_aws_cli_takes_it_is_recognised(path: str, remedy: str) -> None:
    with pytest.raises(CertificateError) as caught:
        open_identity(IdentitySources(certificate=path), now=NOW)
    assert remedy in (caught.value.remedy or "")

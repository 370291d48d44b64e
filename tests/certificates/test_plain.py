"""What is read here is as `cryptography` reads it; what it refuses is not plain."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding
from slips import SLIPS

from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.plain import PlainCertificate, is_certificate, read_plain
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()
EC = CA.issue("web", san=["DNS:web.example", "URI:spiffe://example/web"]).certificate
RSA = CA.issue("web", key=rsa.generate_private_key(65537, 2048)).certificate
ANCHOR = CA.certificate
KINDS = pytest.mark.parametrize("certificate", [EC, RSA, ANCHOR], ids=["EC", "RSA", "CA"])


def plain(certificate: x509.Certificate) -> PlainCertificate:
    found = read_plain(certificate.public_bytes(Encoding.DER))
    assert found is not None
    return found


def values(certificate: x509.Certificate | PlainCertificate) -> tuple[object, ...]:
    scheme = certificate.signature_algorithm_parameters
    return (
        certificate.version.name,
        certificate.version.value,
        certificate.serial_number,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.tbs_certificate_bytes,
        certificate.signature,
        type(scheme),
        scheme.algorithm.name if isinstance(scheme, ECDSA) else None,
        certificate.signature_hash_algorithm and certificate.signature_hash_algorithm.name,
        certificate.public_bytes(Encoding.DER),
        certificate.public_bytes(Encoding.PEM),
        _public_key(certificate),
    )


def _public_key(certificate: x509.Certificate | PlainCertificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "damaged"


@KINDS
def test_all_that_is_read_here_is_as_the_library_reads_it(certificate: x509.Certificate) -> None:
    found = plain(certificate)

    assert values(found) == values(certificate)
    assert found == certificate == copy.deepcopy(found)
    assert found == plain(certificate)
    assert len({found, plain(certificate)}) == 1
    assert found != plain(CA.issue("web").certificate)
    assert found != 1


@KINDS
def test_the_rest_is_the_librarys(certificate: x509.Certificate) -> None:
    found = plain(certificate)

    assert found.subject == certificate.subject
    assert list(found.extensions) == list(certificate.extensions)
    with pytest.raises(AttributeError):
        _ = found.nonsense


def test_a_signature_is_checked_with_either_kind() -> None:
    for leaf in (EC, plain(EC)):
        for issuer in (ANCHOR, plain(ANCHOR)):
            assert is_issued_by(leaf, issuer)
            assert not is_issued_by(issuer, leaf)


def test_what_is_odd_is_not_plain() -> None:
    for encoded, _ in SLIPS.values():
        assert read_plain(encoded) is None
    assert read_plain(b"") is None
    assert read_plain(b"\x30\x00") is None


def mutations(encoded: bytes) -> Iterator[bytes]:
    """Each byte changed in several ways, left out, and put there twice."""
    for at, byte in enumerate(encoded):
        for other in {byte ^ 1, byte ^ 0x80, byte ^ 0x20, (byte + 1) & 0xFF, 0, 0xFF} - {byte}:
            yield encoded[:at] + bytes([other]) + encoded[at + 1 :]
        yield encoded[:at] + encoded[at + 1 :]
        yield encoded[:at] + encoded[at : at + 1] + encoded[at:]


@KINDS
def test_what_the_library_would_refuse_is_never_taken_for_plain(
    certificate: x509.Certificate,
) -> None:
    tried = taken = 0
    for encoded in mutations(certificate.public_bytes(Encoding.DER)):
        tried += 1
        if (found := read_plain(encoded)) is None:
            continue
        taken += 1
        own = quietly(lambda encoded=encoded: x509.load_der_x509_certificate(encoded))
        assert values(found) == values(own)

    assert tried > 2000
    assert taken > 100  # such as another letter in a name


def test_only_objects_that_are_certificates_are_taken_for_one() -> None:
    assert is_certificate(EC)
    assert is_certificate(plain(EC))
    assert not is_certificate(EC.subject)
    assert not is_certificate("certificate")


def test_the_librarys_slow_part_is_not_loaded_for_an_identity(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    paths = CA.issue("web").write(tmp_path_factory.mktemp("pki"))
    program = (
        "import sys; from datetime import datetime, timezone\n"
        "from boto_rolesanywhere.identity.opening import open_identity\n"
        "from boto_rolesanywhere.settings.sources import IdentitySources\n"
        "sources = IdentitySources(certificate=sys.argv[1], private_key=sys.argv[2])\n"
        "open_identity(sources, now=datetime.now(timezone.utc)).sign(b'')\n"
        "sys.exit('cryptography.x509' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(paths.certificate), str(paths.private_key)]
    assert subprocess.run(command, check=False).returncode == 0

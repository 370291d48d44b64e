"""What AWS asks of a certificate, judged on certificates made here."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA1, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID
from made_certificates import (
    CA_RULES,
    DAY,
    GOOD,
    LEAF_RULES,
    NOW,
    issue,
    raw,
    rsa_of,
    usage,
)

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.rules import check_certificate, problems
from boto_rolesanywhere.errors import CertificateError


def codes(certificate: x509.Certificate, now: datetime = NOW) -> list[str]:
    return [one.code for one in problems(certificate, now)]


CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS


SAN_OF_RUBBISH = raw(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x03\x82\x01\xff")


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (issue(), []),
        (issue(extensions=(usage(digital_signature=True),)), []),
        (issue(key=rsa_of(2048)), []),
        (issue(digest=SHA384()), []),
        (issue(extensions=(*GOOD, SAN_OF_RUBBISH)), []),
        (issue(extensions=(CA_RULES, usage(digital_signature=True))), ["ca"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x03\x01\x01\x00"), GOOD[1])), []),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x03\x01\x01\x01"), GOOD[1])), ["ca"]),
        (issue(extensions=(LEAF_RULES,)), ["key-usage"]),
        (issue(extensions=(usage(digital_signature=False),)), ["key-usage"]),
        (issue(extensions=(usage(digital_signature=False, key_encipherment=True),)), ["key-usage"]),
        (issue(subject=""), ["subject"]),
        (issue(key=rsa_of(1024)), ["key"]),
        (issue(key=ed25519.Ed25519PrivateKey.generate().public_key()), ["key"]),
        (issue(extensions=(CA_RULES, SAN_OF_RUBBISH)), ["ca", "key-usage"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b""),)), ["malformed"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x00"),)), ["key-usage"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x02\x07\x80\x00"),)), []),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x02\x08\x80"),)), ["malformed"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x81\x02\x07\x80"),)), []),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x04\x02\x07\x80"),)), ["malformed"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x05"),)), ["malformed"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x05\x00"),)), ["malformed"]),
    ],
)
def test_each_problem_is_found(certificate: x509.Certificate, expected: list[str]) -> None:
    assert codes(certificate) == expected
    for finding in problems(certificate, NOW):
        assert finding.text.startswith(("it ", "its "))
        assert finding.remedy.endswith(".")


def test_a_hash_below_sha256_is_found() -> None:
    # `cryptography` no longer signs with SHA-1, but reads it: only the name is changed here.
    encoded = issue().public_bytes(Encoding.DER)
    sha256, sha1 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06072a8648ce3d0401")
    tbs, algorithm, signature = der.read_only(encoded).children()
    weak = der.encode(der.SEQUENCE, sha1)
    tbs_content = tbs.content.replace(algorithm.raw, weak)
    assert sha256 not in tbs_content
    certificate = x509.load_der_x509_certificate(
        der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, tbs_content) + weak + signature.raw)
    )
    assert isinstance(certificate.signature_hash_algorithm, SHA1)
    (finding,) = problems(certificate, NOW)
    assert (finding.code, finding.text) == ("hash", "its CA signed it with SHA-1")


def test_a_signature_algorithm_that_nobody_knows_is_not_called_weak() -> None:
    encoded = issue().public_bytes(Encoding.DER)
    ecdsa_sha256 = bytes.fromhex("06082a8648ce3d040302")
    unknown = x509.load_der_x509_certificate(
        encoded.replace(ecdsa_sha256, bytes.fromhex("06082a8648ce3d04037f"))
    )
    assert codes(unknown) == []


def test_the_times_count_as_valid_themselves() -> None:
    certificate = issue(start=NOW, end=NOW + DAY)
    second = timedelta(seconds=1)
    assert codes(certificate, NOW) == []
    assert codes(certificate, NOW - second) == ["not-yet-valid"]
    assert codes(certificate, NOW + DAY) == []
    assert codes(certificate, NOW + DAY + second) == ["expired"]


def test_an_error_names_the_file_both_times_and_the_clock() -> None:
    certificate = issue()
    east = timezone(timedelta(hours=2))
    with pytest.raises(CertificateError) as caught:
        check_certificate(certificate, now=(NOW + 2 * DAY).astimezone(east), where="app.pem")
    assert str(caught.value) == (
        "app.pem: AWS would refuse this certificate: it has expired (valid from 2030-05-31 "
        "12:00:00 UTC to 2030-06-02 12:00:00 UTC); this machine's clock says 2030-06-03 12:00:00 "
        "UTC. Renew the certificate; if the clock is wrong, set it."
    )
    check_certificate(certificate, now=NOW)


def test_all_problems_are_told_at_once_each_remedy_once() -> None:
    bad = issue(subject="", extensions=(CA_RULES,), end=NOW - timedelta(hours=1))
    with pytest.raises(CertificateError) as caught:
        check_certificate(bad, now=NOW)
    assert caught.value.problem.startswith("AWS would refuse this certificate: it has expired (")
    assert caught.value.problem.endswith(
        "; its subject is empty; it is a CA's (basicConstraints says CA:TRUE); it has no keyUsage, "
        "and AWS asks for it"
    )
    assert caught.value.remedy == (
        "Renew the certificate; if the clock is wrong, set it. Have it issued with a subject, such "
        "as a CN. Use an end-entity certificate that this CA issued, with CA:FALSE. Have it issued "
        "with keyUsage = critical, digitalSignature."
    )

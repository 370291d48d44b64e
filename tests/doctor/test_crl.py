"""What the doctor says of a revocation list."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from examined import ISSUING, ROOT, examined, only, written
from revocation_account import made_list, named_otherwise, point

from boto_rolesanywhere.doctor import Verdict
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


class TestRevocation:
    def test_a_list_of_an_unknown_version(self, folder: Path) -> None:
        listed = x509.load_pem_x509_crl(ISSUING.crl((4711,))).public_bytes(Encoding.DER)
        version = listed.index(b"\x02\x01\x01")  # the first INTEGER: v2
        broken = listed[: version + 2] + b"\x05" + listed[version + 3 :]
        found = self.checked(ISSUING.issue("app"), folder, broken)
        assert found.status == "fail"
        assert "it is not a certificate revocation list" in found.text

    def test_a_list_of_tomorrow(self, folder: Path) -> None:
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        crl = ISSUING.crl((4711,), last_update=tomorrow)
        found = self.checked(ISSUING.issue("app"), folder, crl)
        assert found.status == "warn"
        assert f"it is of {tomorrow:%Y-%m-%d %H:%M} UTC, which is still to come" in found.text

    def checked(
        self, issued: IssuedCertificate, folder: Path, crl: bytes, **options: str
    ) -> Verdict:
        (folder / "list").write_bytes(crl)
        arguments = written(issued, folder)
        return only(examined(arguments, crl=str(folder / "list"), **options), "crl")

    def test_a_list_that_is_not_there(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        found = only(examined(arguments, crl=str(folder / "none")), "crl")
        assert "there is no such file; expected the revocation list" in found.text

    def test_a_certificate_that_is_not_in_it(self, folder: Path) -> None:
        found = self.checked(ISSUING.issue("app"), folder, ISSUING.crl((4711,)))
        assert found.status == "ok"
        assert found.text == "CN=Issuing, 1 entry, the certificate is not among them"

    def test_a_revoked_certificate(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        found = self.checked(issued, folder, ISSUING.crl((issued,)))
        assert found.status == "fail"
        assert "CN=app was revoked on" in found.text
        assert f"{issued.serial_number:x}" in found.text

    def test_the_issuer_is_compared_as_names_are(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        found = self.checked(issued, folder, named_otherwise(ISSUING, issued.serial_number))
        assert found.status == "fail"
        assert "CN=app was revoked on" in found.text
        assert "its issuer" not in found.text

    def test_a_revoked_intermediate(self, folder: Path) -> None:
        anchor, _ = ROOT.write(folder)
        crl = ROOT.crl((ISSUING.certificate,))
        issued = ISSUING.issue("app")
        found = self.checked(issued, folder, crl, trust_anchor_certificate=str(anchor))
        assert "CN=Issuing was revoked on" in found.text

    def test_the_serial_number_in_another_cas_list_means_nothing(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        crl = CertificateAuthority("Other").crl((issued,))
        found = self.checked(issued, folder, crl)
        assert found.status == "warn"
        assert "issued none of the certificates" in found.text

    def test_an_expired_list(self, folder: Path) -> None:
        now = datetime.now(timezone.utc)
        crl = ISSUING.crl(
            (1,), last_update=now - timedelta(days=9), next_update=now - timedelta(days=2)
        )
        found = self.checked(ISSUING.issue("app"), folder, crl)
        assert found.status == "warn"
        assert f"a newer one was due on {now - timedelta(days=2):%Y-%m-%d}" in found.text

    def test_an_empty_list(self, folder: Path) -> None:
        found = self.checked(ISSUING.issue("app"), folder, ISSUING.crl())
        assert found.status == "warn"
        assert "AWS refuses to import an empty list" in found.text

    def test_der(self, folder: Path) -> None:
        der = x509.load_pem_x509_crl(ISSUING.crl((1,))).public_bytes(Encoding.DER)
        found = self.checked(ISSUING.issue("app"), folder, der)
        assert (found.status, "it is DER, and ImportCrl takes PEM" in found.text) == ("warn", True)
        assert "openssl crl -inform DER" in str(found.remedy)

    def test_a_delta_list(self, folder: Path) -> None:
        delta = made_list(ISSUING, [7], (x509.DeltaCRLIndicator(3), True))
        found = self.checked(ISSUING.issue("app"), folder, delta)
        assert found.status == "warn"
        assert "it is a delta list, of what changed since 3" in found.text
        assert "a complete list as well" in str(found.remedy)

    def test_a_list_that_says_where_it_is(self, folder: Path) -> None:
        listed = made_list(ISSUING, [7], (point("http://pki.example.com/ca.crl"), True))
        assert self.checked(ISSUING.issue("app"), folder, listed).status == "ok"

    def test_a_list_signed_by_another_key(self, folder: Path) -> None:
        found = self.checked(
            ISSUING.issue("app"), folder, CertificateAuthority("Issuing").crl((1,))
        )
        assert found.status == "warn"
        assert "its signature does not verify" in found.text

    def test_a_list_whose_issuer_is_not_at_hand(self, folder: Path) -> None:
        found = self.checked(ROOT.issue("app"), folder, ROOT.crl((1,)))
        assert found.status == "warn"
        assert "its issuer's certificate is not here" in found.text

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"hello", "it is not a certificate revocation list"),
            (ROOT.certificate_pem, "it holds CERTIFICATE"),
            (ROOT.crl((1,)) * 2, "it holds 2 blocks 'X509 CRL'"),
            (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "it is not a cert"),
            (b"-----BEGIN X509 CRL-----\nAAAA\n", "cut short"),
            (b"", "it is empty"),
        ],
    )
    def test_what_is_no_list(self, folder: Path, content: bytes, words: str) -> None:
        found = self.checked(ROOT.issue("app"), folder, content)
        assert found.status == "fail"
        assert words in found.text

"""What the doctor says of the certificate, its chain and the trust anchor."""

from __future__ import annotations

from base64 import encodebytes
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from examined import ARNS, ISSUING, ROOT, bad, examined, named, only, written
from slips import KEY, SLIPS

from boto_rolesanywhere.testing import CertificateAuthority


class TestChain:
    def test_what_is_sent_and_what_is_left_out(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        stranger = CertificateAuthority("Other").issue_intermediate("Stranger")
        bundle = folder / "chain.pem"
        bundle.write_bytes(
            ROOT.certificate_pem + stranger.certificate_pem + ISSUING.certificate_pem
        )
        arguments = written(issued, folder) | {"chain": str(bundle)}

        found = only(examined(arguments), "chain")

        assert found.status == "warn"
        assert "CN=Stranger is not part of the chain and is not sent" in found.text
        assert found.details == (
            ("sent 1", "CN=Issuing"),
            ("left out", "CN=Root (self-signed: AWS has its own copy)"),
        )

    def test_a_trust_anchor_that_aws_would_not_take(self, folder: Path) -> None:
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Poor")])
        key = ec.generate_private_key(ec.SECP256R1())
        poor = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(tomorrow)
            .not_valid_after(tomorrow + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, SHA256())
        )
        anchor = folder / "anchor.pem"
        weak = ROOT.issue_intermediate("Weak", flaws=("sha1",)).certificate_pem
        anchor.write_bytes(poor.public_bytes(Encoding.PEM) + weak)
        arguments = written(ISSUING.issue("app"), folder)

        found = only(examined(arguments, trust_anchor_certificate=str(anchor)), "trust-anchor")

        assert found.status == "fail"
        assert "CN=Poor: its keyUsage lacks keyCertSign" in found.text
        assert "CN=Weak: its CA signed it with SHA-1" in found.text
        assert "CN=Weak: its keyUsage" not in found.text
        assert f"CN=Poor: it is not valid yet (valid from {tomorrow:%Y-%m-%d}" in found.text

    def test_an_end_entity_that_issued_another(self, folder: Path) -> None:
        first = ISSUING.issue("first")
        own = CertificateAuthority.from_pem(
            first.certificate_pem + ISSUING.certificate_pem, first.private_key_pem
        )

        found = only(examined(written(own.issue("second"), folder)), "chain")

        assert found.status == "fail"
        assert "CN=first is not a CA" in found.text

    def test_an_issuer_that_cannot_be_read(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        broken = issued.certificate.public_bytes(Encoding.DER).replace(b"Issuing", b"\xff" * 7)
        pem = encodebytes(broken).decode()
        (folder / "odd.pem").write_text(
            f"-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----\n"
            + issued.private_key_pem.decode()
        )

        found = only(examined({**ARNS, "cert": str(folder / "odd.pem")}), "chain")

        assert "the issuer, CN=\xff\xff\xff" in found.text

    def test_it_is_told_where_the_certificate_names_its_revocation_list(self, folder: Path) -> None:
        names = [x509.UniformResourceIdentifier("http://ca.example/list.crl")]
        points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
        issued = ISSUING.issue("app", extensions=[(points, False)])

        found = only(examined(written(issued, folder)), "constraints")

        assert found.details == (("revocation list", "http://ca.example/list.crl"),)

    def test_a_chain_that_is_too_long(self, folder: Path) -> None:
        authority = ROOT
        for number in range(6):
            authority = authority.issue_intermediate(f"Level {number}")
        verdicts = examined(written(authority.issue("app"), folder))
        assert "has 6 intermediates" in only(verdicts, "chain").text

    @pytest.mark.parametrize("authority", [ROOT, ISSUING])
    def test_it_ends_at_the_trust_anchor(
        self, folder: Path, authority: CertificateAuthority
    ) -> None:
        anchor, _ = authority.write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert found.status == "ok"
        assert found.text.startswith("the chain ends at CN=")

    def test_it_ends_somewhere_else(self, folder: Path) -> None:
        anchor, _ = CertificateAuthority("Other").write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert found.status == "fail"
        assert (
            "the chain does not end at the trust anchor: CN=Issuing was issued by CN=Root"
            in found.text
        )

    def test_a_ca_of_the_same_name_with_another_key(self, folder: Path) -> None:
        anchor, _ = CertificateAuthority("Root").write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert "names the trust anchor as its issuer, but another key signed it" in found.text

    def test_an_anchor_that_can_be_none(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        past = datetime.now(timezone.utc) - timedelta(days=10)
        old = CertificateAuthority("Old", not_before=past - timedelta(days=9), not_after=past)
        bundle = folder / "anchors.pem"
        bundle.write_bytes(
            old.certificate_pem + ROOT.issue("leaf").certificate_pem + ROOT.certificate_pem
        )
        found = only(examined(arguments, trust_anchor_certificate=str(bundle)), "trust-anchor")
        assert found.status == "fail"
        assert "CN=Old: it has expired (valid from" in found.text
        assert "CN=leaf: it is not a CA's" in found.text
        assert "it holds 3 certificates" in found.text

    def test_an_anchor_file_without_a_certificate(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        key = str(arguments["key"])
        found = only(examined(arguments, trust_anchor_certificate=key), "trust-anchor")
        assert "it holds 1 private key and no certificate" in found.text

    def test_an_anchor_file_that_is_not_there(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        given = str(folder / "none.pem")
        found = only(examined(arguments, trust_anchor_certificate=given), "trust-anchor")
        assert f"{given}: there is no such file; expected the trust anchor" in found.text


class TestCertificate:
    @pytest.mark.parametrize(
        ("flaw", "words"),
        [
            ("ca", "it is a CA's"),
            ("no-digital-signature", "lacks digitalSignature"),
            ("no-key-usage", "has no keyUsage"),
            ("sha1", "signed it with SHA-1"),
            ("v1", "X.509 v1"),
            ("empty-subject", "its subject is empty"),
        ],
    )
    def test_what_aws_would_refuse(self, folder: Path, flaw: str, words: str) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=(flaw,)), folder))
        found = named(verdicts, "constraints")
        assert {one.status for one in found} == {"fail"}
        assert any(words in one.text for one in found)
        assert only(verdicts, "key").status == "ok"

    def test_values_that_become_no_session_tag_are_warned_of_where_no_call_is_made(
        self, folder: Path
    ) -> None:
        issued = ROOT.issue(subject="CN=John (EMP1),O=Example")

        sound, warned = named(examined(written(issued, folder)), "constraints")

        assert (sound.status, warned.status) == ("ok", "warn")
        assert "x509Subject/CN: STS refuses '(' ')' in a value" in warned.text
        assert "doctor without --offline" in str(warned.remedy)

    def test_a_slip_of_encoding_is_a_warning(self, folder: Path) -> None:
        encoded, slip = SLIPS["critical FALSE"]
        (folder / "odd.der").write_bytes(encoded)
        verdict = only(
            examined({"cert": str(folder / "odd.der"), "key": KEY, **ARNS}), "constraints"
        )
        assert (verdict.status, slip in verdict.text) == ("warn", True)

    def test_an_expired_certificate_is_a_matter_of_validity_alone(self, folder: Path) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=("expired",)), folder))
        assert bad(verdicts) == {("validity", "fail")}
        assert "it expired 1 day ago" in only(verdicts, "validity").text

    def test_a_certificate_of_the_future(self, folder: Path) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=("not-yet-valid",)), folder))
        assert bad(verdicts) == {("validity", "fail")}
        assert "is not valid for another" in only(verdicts, "validity").text

    def test_an_expired_intermediate(self, folder: Path) -> None:
        old = ROOT.issue_intermediate("Old", flaws=("expired",))
        found = named(examined(written(old.issue("app"), folder)), "validity")
        assert [one.status for one in found] == ["ok", "fail"]
        assert found[1].text.startswith("CN=Old: until")

    @pytest.mark.parametrize(
        ("life", "left", "status"),
        [
            (timedelta(days=365), timedelta(days=31), "ok"),
            (timedelta(days=365), timedelta(days=29), "warn"),
            (timedelta(days=30), timedelta(days=11), "ok"),
            (timedelta(days=30), timedelta(days=9), "warn"),
            (timedelta(hours=24), timedelta(hours=9), "ok"),
            (timedelta(hours=24), timedelta(hours=7), "warn"),
        ],
    )
    def test_it_warns_ahead_of_the_end(
        self, folder: Path, life: timedelta, left: timedelta, status: str
    ) -> None:
        end = datetime.now(timezone.utc) + left
        issued = ROOT.issue("app", not_before=end - life, not_after=end)
        assert only(examined(written(issued, folder)), "validity").status == status

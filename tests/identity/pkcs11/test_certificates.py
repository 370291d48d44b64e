"""Certificates on a (software) PKCS#11 token: found, or not found and why."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from soft_token import PIN, SoftToken
from token_objects import CA, certificates, opened, read

from boto_rolesanywhere.certificates.chain import find_leaf, order_chain
from boto_rolesanywhere.errors import CertificateError, KeyDeviceError
from boto_rolesanywhere.settings.sources import Secret


class TestCertificates:
    def test_named_first_then_the_others(self, token: SoftToken) -> None:
        intermediate = CA.issue_intermediate()
        issued, other = intermediate.issue("web"), CA.issue("other")
        token.add_certificate(other.certificate, label="other", id_="02")
        token.add_certificate(intermediate.certificate, label="intermediate")
        token.add_certificate(issued.certificate, label="web", id_="01")
        token.add_key(issued.private_key, label="web", id_="01")
        for rest in (";object=web", ";id=%01", ";object=web;type=cert", ";id=%01;object=web"):
            found = certificates(token, rest)
            assert found[0] == issued.certificate
            assert len(found) == 3
            assert all(each in found for each in (other.certificate, intermediate.certificate))
        key = opened(token, ";object=web")
        leaf = find_leaf(found, key.public_key())
        assert leaf == issued.certificate
        assert order_chain(leaf, found) == (intermediate.certificate,)

    def test_they_need_no_pin(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")

        def never() -> str:
            raise AssertionError("asked for a PIN without need")

        uri = f"{token.uri};object=web"
        assert len(read(uri, secret=Secret(never))) == 1

    def test_private_ones_need_it(self, token: SoftToken) -> None:
        issued = CA.issue()
        value = issued.certificate.public_bytes(Encoding.DER)
        token.add_odd_certificate(value, label="web", private=True)
        with pytest.raises(KeyDeviceError, match="no certificate on the token"):
            certificates(token, ";object=web")
        found = read(f"{token.uri};object=web", secret=Secret(PIN))
        assert found == (issued.certificate,)

    def test_attestations_are_told_apart_by_label(self, token: SoftToken) -> None:
        issued = CA.issue("web")
        attestation = CA.issue("YubiKey PIV Attestation 9a", key=issued.private_key)
        label = "X.509 Certificate for PIV Attestation 9a"
        token.add_certificate(attestation.certificate, label=label, id_="01")
        token.add_certificate(
            issued.certificate, label="X.509 Certificate for PIV Authentication", id_="01"
        )
        assert certificates(token, ";id=%01") == (issued.certificate,)
        asked_for = certificates(token, f";object={label.replace(' ', '%20')}")
        assert asked_for == (attestation.certificate, issued.certificate)

    def test_one_that_cannot_be_read(self, token: SoftToken) -> None:
        issued = CA.issue()
        token.add_certificate(issued.certificate, label="good")
        token.add_odd_certificate(b"0\x03\x02\x01\x01", label="broken")
        assert certificates(token, ";object=good") == (issued.certificate,)
        with pytest.raises(CertificateError, match=r"cannot be read; expected an X\.509"):
            certificates(token, ";object=broken")

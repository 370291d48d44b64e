"""An identity of which the key, or all of it, is on a (software) PKCS#11 token."""

from __future__ import annotations

from pathlib import Path

import pytest
from soft_token import PIN, SOFTHSM, SoftToken
from token_objects import CA

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.identity.pkcs11 import open_token_key
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import IssuedCertificate, utc_now


class TestIdentity:
    @pytest.fixture
    def issued(self, token: SoftToken) -> IssuedCertificate:
        intermediate = CA.issue_intermediate()
        issued = intermediate.issue("web")
        token.add_key(issued.private_key, label="web", id_="01")
        token.add_certificate(intermediate.certificate, label="intermediate")
        token.add_certificate(issued.certificate, label="web", id_="01")
        return issued

    def test_all_of_it_on_the_token(self, token: SoftToken, issued: IssuedCertificate) -> None:
        identity = open_identity(
            IdentitySources(
                certificate=f"{token.uri};object=web?pin-value={PIN}", pkcs11_module=SOFTHSM
            ),
            now=utc_now(),
        )
        assert identity.certificate == issued.certificate
        assert identity.chain == issued.chain
        assert verify_signature(issued.certificate.public_key(), identity.sign(b"x"), b"x")

    def test_the_key_alone_on_the_token(
        self, token: SoftToken, issued: IssuedCertificate, tmp_path: Path
    ) -> None:
        paths = issued.write(tmp_path)
        identity = open_identity(
            IdentitySources(
                certificate=paths.certificate,
                chain=paths.chain,
                private_key=f"{token.uri};object=web",
                secret=Secret(PIN),
                pkcs11_module=SOFTHSM,
            ),
            now=utc_now(),
        )
        assert identity.certificate == issued.certificate
        assert verify_signature(issued.certificate.public_key(), identity.sign(b"x"), b"x")


def test_no_error_shows_the_pin(token: SoftToken) -> None:
    pin = "83461527"
    for rest in ("", ";object=x", ";type=data", ";serial=x"):
        for query in ("", "&module-name=softhsm2", "&module-path=/nowhere", "&module-name=none"):
            with pytest.raises(RolesAnywhereError) as caught:
                open_token_key(f"{token.uri}{rest}?pin-value={pin}{query}")
            assert pin not in str(caught.value)
            assert pin not in repr(vars(caught.value))

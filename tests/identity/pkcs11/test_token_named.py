"""Which token a URI names."""

from __future__ import annotations

import pytest
from soft_token import PIN, SOFTHSM, SoftToken
from token_objects import CA, certificates, fails, opened, read

from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.pkcs11 import open_token_key, read_token_certificates
from boto_rolesanywhere.settings.sources import Secret


class TestWhichToken:
    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("manufacturer", "SoftHSM%20project"),
            ("model", "SoftHSM%20v2"),
            ("library-manufacturer", "SoftHSM"),
            ("slot-manufacturer", "SoftHSM%20project"),
        ],
    )
    def test_every_attribute_counts(self, token: SoftToken, attribute: str, value: str) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web")
        assert opened(token, f";{attribute}={value}")
        assert "no such token" in fails(token, f";{attribute}={value}x")

    def test_by_serial_number_alone(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        with pytest.raises(KeyDeviceError) as caught:
            read_token_certificates("pkcs11:token=nobody", module=SOFTHSM)
        serial = str(caught.value).partition("(serial ")[2].partition(")")[0]
        assert len(read(f"pkcs11:serial={serial}")) == 1

    def test_several_match(self, token: SoftToken) -> None:
        other = token.another()
        with pytest.raises(KeyDeviceError) as caught:
            read_token_certificates("pkcs11:object=web", module=SOFTHSM)
        assert "2 tokens match" in str(caught.value)
        assert f"'{token.label}' (serial " in str(caught.value)
        assert f"'{other.label}' (serial " in str(caught.value)
        assert "token= or serial=" in str(caught.value)

    def test_slot_0_is_any_slot_if_no_token_is_there(self, token: SoftToken) -> None:
        # AWS's helper (1.8.0) passes over slot-id=0; SoftHSM numbers its slots at random.
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read(f"{token.uri};slot-id=0")) == 1
        assert "no such token" in fails(token, ";slot-id=1")

    def test_the_only_one_needs_no_name(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read("pkcs11:object=web")) == 1

    def test_two_with_one_label(self, token: SoftToken) -> None:
        token.another(token.label)
        with pytest.raises(KeyDeviceError, match="2 tokens match"):
            certificates(token)

    def test_as_p11tool_writes_it(self, token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="my key; 100% / ü?", id_="00ff3b")
        monkeypatch.setenv("GNUTLS_PIN", PIN)
        listed = token.run(
            *("p11tool", "--provider", SOFTHSM, "--login", "--list-privkeys", "--only-urls"),
            token.uri,
        )
        uri = listed.strip()
        assert uri.startswith("pkcs11:")
        assert "id=%00%FF%3B" in uri
        key = open_token_key(uri, module=SOFTHSM, secret=Secret(PIN))
        assert key.public_key() == issued.certificate.public_key()

"""Which file a pin-source names, and that a PIN is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.pkcs11.pin import TokenPin, pin_source_path
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
from boto_rolesanywhere.settings.sources import Secret


class TestPinSource:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("/etc/pin", "/etc/pin"),
            ("etc/pin", "etc/pin"),
            ("./a:b", "./a:b"),
            ("file:/etc/pin", "/etc/pin"),
            ("file:///etc/my%20pin", "/etc/my pin"),
            ("FILE://localhost/etc/pin", "/etc/pin"),
            ("C:\\pin", "C:\\pin"),
        ],
    )
    def test_a_file(self, source: str, expected: str) -> None:
        assert pin_source_path(source) == Path(expected)

    @pytest.mark.parametrize(
        "source",
        ["", "|/usr/bin/ask", "https://host/pin", "file://host/pin", "file:", "prog:x", "file://["],
    )
    def test_something_else(self, source: str) -> None:
        with pytest.raises(ConfigurationError, match="a command is never run") as caught:
            pin_source_path(source)
        assert str(caught.value).startswith("pin-source of the PKCS#11 URI: ")

    @pytest.mark.parametrize("source", ["{}/absent", "{}", "file:%2500"])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, source: str) -> None:
        uri = parse_pkcs11_uri(f"pkcs11:?pin-source={source.format(tmp_path)}")
        with pytest.raises(ConfigurationError, match=r"the passphrase file .* cannot be read \("):
            TokenPin(uri, None).ask()


def test_a_pin_is_not_in_the_repr() -> None:
    pin = TokenPin(parse_pkcs11_uri("pkcs11:token=a?pin-value=73940226"), Secret("83461527"))
    pin.ask()
    assert pin.known() == "73940226"
    assert repr(pin) == "<TokenPin for pkcs11:token=a>"

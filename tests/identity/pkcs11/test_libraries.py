"""Which library is loaded, and one that does not come up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from soft_token import SOFTHSM, SoftToken
from token_objects import CA, certificates, read

from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.pkcs11 import read_token_certificates


class TestWhichLibrary:
    @pytest.mark.parametrize(
        ("query", "module"),
        [
            (f"?module-path={SOFTHSM}", None),
            ("?module-name=softhsm2", None),
            ("?module-name=SoftHSM2", None),
            ("?module-path=/usr/lib/softhsm&module-name=softhsm2", None),
            ("?module-path=/nowhere.so", SOFTHSM),
            ("", "libsofthsm2.so"),
            ("", None),
        ],
    )
    def test_where_it_is_found(self, token: SoftToken, query: str, module: str | None) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read(token.uri + query, module=module)) == 1

    def test_not_a_library(self, tmp_path: Path) -> None:
        path = tmp_path / "text.so"
        path.write_text("text")
        with pytest.raises(KeyDeviceError, match="no PKCS#11 library that this process can load"):
            read_token_certificates("pkcs11:", module=str(path))

    def test_a_library_that_does_not_come_up(
        self, token: SoftToken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        monkeypatch.setenv("SOFTHSM2_CONF", str(token.folder / "absent.conf"))
        with pytest.raises(KeyDeviceError) as caught:
            certificates(token)
        assert "GeneralError" in str(caught.value) or "no such token" in str(caught.value)
        monkeypatch.undo()

    def test_python_pkcs11_is_missing(self, token: SoftToken) -> None:
        program = (
            "import sys; sys.modules['pkcs11'] = None\n"
            "from boto_rolesanywhere.identity.pkcs11 import open_token_key\n"
            "try: open_token_key('pkcs11:token=x')\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        said = token.run(sys.executable, "-c", program)
        assert said.startswith("KeyDeviceError keys on PKCS#11 tokens need the package python-pkcs")
        assert "pip install 'boto_rolesanywhere[pkcs11]'" in said

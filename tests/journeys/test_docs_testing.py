"""The Python of docs/testing.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pages import text_of

from boto_rolesanywhere.testing import CertificateAuthority, Emulator


def block(section: str) -> str:
    text = text_of("testing.md").partition(f"\n## {section}\n")[2]
    found = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_emulator_and_its_control_plane_as_the_page_uses_them() -> None:
    ca = CertificateAuthority()
    names: dict[str, Any] = {"ca": ca, "crl": ca.crl((ca.issue("lost"),))}
    # There is no request yet whose reason the page's last line could show.
    exec(block("The emulator").replace("emulator.requests[-1].reason", "emulator.requests"), names)
    assert names["emulator"].profile.duration_seconds == 43200
    with Emulator(ca, tls=True) as emulator:
        names["emulator"] = emulator
        exec(block("The control plane"), names)
        (held,) = names["client"].list_crls()["crls"]
    assert held["enabled"] is True


def test_the_certificates_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    names: dict[str, Any] = {}
    exec(block("Certificates"), names)
    assert (tmp_path / names["paths"].private_key).stat().st_mode & 0o777 == 0o600
    assert names["crl"].startswith(b"-----BEGIN X509 CRL-----")


def test_the_test_of_the_page(
    rolesanywhere_ca: CertificateAuthority, rolesanywhere_emulator: Emulator
) -> None:
    names: dict[str, Any] = {}
    exec(block("With pytest"), names)
    names["test_my_service"](
        rolesanywhere_ca=rolesanywhere_ca, rolesanywhere_emulator=rolesanywhere_emulator
    )

"""The path of the PKCS#11 library that a setting names. No test loads a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.pkcs11.library_path import library_path, usual_folders
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders with libraries, after one that does not exist."""
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (
        first / "p11-kit-proxy.so",
        first / "libtoken.so.1.2",
        first / "libtokens.so",
        second / "libtoken.so",
        second / "vendor.dll",
        second / "card.dylib",
    ):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (first / "libfolder.so").mkdir()
    return [tmp_path / "absent", first, second]


class TestLibrary:
    @pytest.mark.parametrize(
        ("query", "module", "expected"),
        [
            ("", None, "first/p11-kit-proxy.so"),
            ("", "", "first/p11-kit-proxy.so"),
            ("?module-name=token", None, "first/libtoken.so.1.2"),
            ("?module-name=TOKEN", None, "first/libtoken.so.1.2"),
            ("?module-name=vendor", None, "second/vendor.dll"),
            ("?module-name=card", None, "second/card.dylib"),
            ("", "libtokens.so", "first/libtokens.so"),
            ("?module-name=token", "card", "second/card.dylib"),
            ("?module-path={}/second/libtoken.so", None, "second/libtoken.so"),
            ("?module-path={}/second/libtoken.so&module-name=card", None, "second/libtoken.so"),
            ("?module-path={}/second&module-name=token", None, "second/libtoken.so"),
            ("?module-path={}/absent.so", "{}/second/card.dylib", "second/card.dylib"),
        ],
    )
    def test_found(
        self, tmp_path: Path, folders: list[Path], query: str, module: str | None, expected: str
    ) -> None:
        uri = parse_pkcs11_uri("pkcs11:" + query.format(tmp_path))
        module = module and module.format(tmp_path)
        assert library_path(uri, module, folders=folders) == str(tmp_path / expected)

    def test_two_names_of_one_file_are_one_library(
        self, tmp_path: Path, folders: list[Path]
    ) -> None:
        (tmp_path / "link.so").symlink_to(folders[1] / "libtokens.so")
        uri = parse_pkcs11_uri("pkcs11:?module-name=tokens")
        by_link = library_path(uri, str(tmp_path / "link.so"))
        assert by_link == library_path(uri, folders=folders)

    def test_in_the_home_folder(
        self, tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        path = library_path(parse_pkcs11_uri("pkcs11:"), "~/second/libtoken.so", folders=folders)
        assert path == str(tmp_path / "second/libtoken.so")

    @pytest.mark.parametrize(
        ("query", "module", "said"),
        [
            ("", "/opt/no/libsofthsm2.so", "(pkcs11_module): there is no file /opt/no/libsofthsm2"),
            ("", "/opt/no/libsofthsm2.so", "apt-get install softhsm2 (Debian, Ubuntu), dnf insta"),
            ("", "/opt/no/libykcs11.so", "brew install yubico-piv-tool (macOS)"),
            ("", "/opt/no/libtpm2_pkcs11.so.1", "dnf install tpm2-pkcs11 (Fedora)"),
            ("", "~nobody-of-that-name/x.so", "there is no file ~nobody-of-that-name/x.so"),
            ("", "absent", "there is no library 'absent' in "),
            ("", "folder", "there is no library 'folder' in "),
            ("?module-path={}/first", None, "first is a folder; expected a PKCS#11 library"),
            ("?module-path=/opt/no.so", None, "module-path of the PKCS#11 URI: there is no file"),
            ("?module-name=opensc-pkcs11", None, "module-name of the PKCS#11 URI: there is no lib"),
            ("?module-name=opensc-pkcs11", None, "apt-get install opensc-pkcs11 (Debian, Ubuntu)"),
            ("?module-name=cloudhsm", None, "Install the token vendor's PKCS#11 library"),
            ("", "/nul\0/x.so", "there is no file"),
        ],
    )
    def test_not_found(
        self, tmp_path: Path, folders: list[Path], query: str, module: str | None, said: str
    ) -> None:
        uri = parse_pkcs11_uri("pkcs11:" + query.format(tmp_path))
        with pytest.raises(ConfigurationError) as caught:
            library_path(uri, module, folders=folders)
        assert said in str(caught.value)

    def test_no_proxy(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            library_path(parse_pkcs11_uri("pkcs11:"), folders=[tmp_path])
        assert f"there is no library 'p11-kit-proxy' in {tmp_path}. Install" in str(caught.value)
        assert "apt-get install p11-kit (Debian, Ubuntu), dnf install p11-kit" in str(caught.value)
        assert "brew install p11-kit (macOS)" in str(caught.value)

    def test_the_usual_folders(self) -> None:
        folders = list(usual_folders())
        assert Path("/usr/local/lib/pkcs11") in folders
        assert len(folders) == len(set(folders))

"""Which PKCS#11 library serves a token: a path from what was configured. It loads nothing."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .uri import Pkcs11Uri

PROXY: Final = "p11-kit-proxy"
# Name: packages of Debian and Ubuntu, of Fedora, of Homebrew.
_PACKAGES: Final = {
    "p11-kit": ("p11-kit", "p11-kit", "p11-kit"),
    "softhsm": ("softhsm2", "softhsm", "softhsm"),
    "opensc": ("opensc-pkcs11", "opensc", "opensc"),
    "ykcs11": ("ykcs11", "yubico-piv-tool", "yubico-piv-tool"),
    "tpm2": ("libtpm2-pkcs11-1", "tpm2-pkcs11", None),
}
_missing: Final = partial(ConfigurationError, code="pkcs11-library-unusable")


def library_path(
    uri: Pkcs11Uri, module: str | None = None, *, folders: Iterable[Path] | None = None
) -> str:
    """The library to load, as a real path: two names of one file are one library.

    Args:
        uri: its module-path and module-name are asked after `module`.
        module: what was configured: a path, or a name to look for in `folders`; None if nothing.
        folders: where to look for a name; None for the usual places of this system.

    Raises:
        ConfigurationError: there is no such file, with the path that was tried and the package
            that holds it.
    """
    places = list(usual_folders() if folders is None else folders)
    if module:
        if Path(module).name != module:
            return _existing(expand(module), "the PKCS#11 library (pkcs11_module)")
        return _named(module, places, "the PKCS#11 library (pkcs11_module)")
    if uri.module_path is not None:
        path = expand(uri.module_path)
        if uri.module_name is not None and path.is_dir():
            return _named(uri.module_name, [path], "module-name of the PKCS#11 URI")
        return _existing(path, "module-path of the PKCS#11 URI")
    if uri.module_name is not None:
        return _named(uri.module_name, places, "module-name of the PKCS#11 URI")
    return _named(PROXY, places, "the PKCS#11 library, p11-kit's proxy unless another is named")


def usual_folders() -> Iterator[Path]:
    """The folders in which distributions and vendors install PKCS#11 libraries."""
    if sys.platform == "win32":
        programs = Path("C:/Program Files")
        yield Path("C:/Windows/System32")
        yield programs / "OpenSC Project/OpenSC/pkcs11"
        yield programs / "Yubico/Yubico PIV Tool/bin"
        yield Path("C:/SoftHSM2/lib")
        return
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    libraries = (f"/usr/lib/{multiarch}", "/usr/lib64", "/usr/lib", "/usr/local/lib")
    if sys.platform == "darwin":
        libraries = ("/opt/homebrew/lib", "/usr/local/lib", "/Library/OpenSC/lib")
    for library in libraries:
        yield from (Path(library), Path(library, "pkcs11"), Path(library, "softhsm"))


def expand(path: str) -> Path:
    """`path` with a leading ``~`` resolved, if it can be; never an error."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # Path.expanduser raises for no such user


def _existing(path: Path, where: str) -> str:
    if path.is_file():
        return str(path.resolve())
    problem = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
    raise _missing(problem, where=where, expected="a PKCS#11 library", remedy=_install(path.name))


def _named(name: str, folders: Iterable[Path], where: str) -> str:
    folders = list(folders)
    for folder in folders:
        found = _find(name, folder)
        if found:
            return str(found.resolve())
    raise _missing(
        f"there is no library {name!r} in {', '.join(map(str, folders))}",
        where=where,
        remedy=_install(name),
    )


def _find(name: str, folder: Path) -> Path | None:
    # RFC 7512 section 2.3: a module's name has no case, and stands without what the system puts
    # around it ("lib", ".so"). A whole file name, as pkcs11_module= may give it, is taken too.
    pattern = re.compile(
        rf"(lib)?{re.escape(name)}(\.(so(\.\d+)*|dylib|dll))?", re.IGNORECASE | re.ASCII
    )
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: (len(entry.name), entry.name))
    except OSError:
        return None  # a usual folder that this system does not have, or does not show
    return next((file for file in entries if pattern.fullmatch(file.name) and file.is_file()), None)


def _install(name: str) -> str:
    remedy = "Install the token vendor's PKCS#11 library, or give its path as pkcs11_module."
    for part, (debian, fedora, homebrew) in _PACKAGES.items():
        if part in name.lower():
            remedy = f"Install it: apt-get install {debian} (Debian, Ubuntu), dnf install {fedora}"
            remedy += " (Fedora)" + (f", brew install {homebrew} (macOS)." if homebrew else ".")
    return remedy

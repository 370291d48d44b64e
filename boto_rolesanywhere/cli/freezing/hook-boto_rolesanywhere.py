# ruff: noqa: N999 -- PyInstaller's name for it
"""PyInstaller's hook: the files that are no modules, and the modules that are loaded by name.

PyInstaller runs it and reads `datas` and `hiddenimports`.
"""

from __future__ import annotations

from pathlib import Path
from pkgutil import walk_packages

PACKAGE = "boto_rolesanywhere"
HOME = Path(__file__).parents[2]
# Tests do not belong in a program, nor do modules of extras that are not installed.
LEFT_OUT = (f"{PACKAGE}.testing", f"{PACKAGE}.cli.freezing", f"{PACKAGE}.aio")

datas = [
    (str(file), str(Path(PACKAGE) / file.parent.relative_to(HOME)))
    for pattern in ("*.json", "*.md", "py.typed")
    for file in HOME.rglob(pattern)
]
hiddenimports = [
    module.name
    for module in walk_packages([str(HOME)], f"{PACKAGE}.")
    if not module.name.startswith(LEFT_OUT)
]

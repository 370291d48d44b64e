"""For programs that are frozen (PyInstaller): where the hook is that says what this package needs.

PyInstaller finds it by the entry point ``pyinstaller40`` of setup.cfg.
"""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """The folder with ``hook-boto_rolesanywhere.py``."""
    return [str(Path(__file__).parent)]

"""How this program is started again, as by a line of ``credential_process``."""

from __future__ import annotations

import shutil
import sys

from .outcome import PROGRAM


def own_program() -> list[str]:
    """The words that start this program from any folder."""
    program = shutil.which(PROGRAM)
    return [program] if program else [sys.executable, "-m", "boto_rolesanywhere"]

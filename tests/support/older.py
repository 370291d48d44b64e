"""Sessions of a command in another process that grow older when a test says so; see aging.py."""

from __future__ import annotations

import os
from pathlib import Path

# What runs in place of the module boto_rolesanywhere.
AGING = str(Path(__file__).with_name("aging.py"))
# By then an hour's session is due for renewal, whatever point was drawn; by then it has ended.
DUE, ENDED = 2700, 3660


def grow_older(ahead: Path, seconds: int) -> None:
    """Move the clock of the command whose variable SECONDS_AHEAD names the file `ahead`."""
    os.truncate(ahead, ahead.stat().st_size + seconds)

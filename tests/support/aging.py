"""The command, whose sessions age as a test says; tests run this file as a program.

The steady clock of its credentials is ahead by as many seconds as the file that SECONDS_AHEAD names
is long. So a test comes to the renewal and to the end of an hour's session without waiting for
them, and nothing depends on how fast the machine is. A file's length changes in one step.
"""

import os
from pathlib import Path

from boto_rolesanywhere.cli import main
from boto_rolesanywhere.clock import steady
from boto_rolesanywhere.credentials.keeper import Keeper
from boto_rolesanywhere.credentials.refreshing import SessionCredentials

FILE = Path(os.environ["SECONDS_AHEAD"])
FILE.touch()


def ahead() -> float:
    return steady() + FILE.stat().st_size


def choose(function: object, **defaults: object) -> None:
    """Change what a function takes for an argument that its callers leave out."""
    function.__kwdefaults__.update(defaults)  # type: ignore[attr-defined]  # of a function


choose(SessionCredentials.__init__, monotonic=ahead)
choose(Keeper.__init__, tick=0.05)
raise SystemExit(main())

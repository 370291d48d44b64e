"""A task in a forked child of the test's process, which ends with it whatever happens."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

PATIENCE = 60  # seconds


def in_child(task: Callable[[], bool]) -> bool:
    """Whether the task was done, and told so, in a child."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)  # its default ends the child, even one that waits for a lock
        done = False
        try:
            done = task()
        except BaseException as error:  # noqa: BLE001  # the parent only learns that it failed
            sys.stderr.write(f"in the child: {type(error).__name__}: {error}\n")
        finally:
            os._exit(0 if done else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

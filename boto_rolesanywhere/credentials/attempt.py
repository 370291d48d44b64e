"""One attempt, which any number of threads wait for."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_NOBODY: Final = 0  # is no thread's number
_Result = TypeVar("_Result")


class Attempt(Generic[_Result]):
    """Work that is done once, in a thread of its own; all who wait for it have its outcome at once.

    Ctrl-C interrupts only who waits: the work goes on, and the next caller finds it done. The
    thread is a daemon, so an interpreter that ends does not wait for it, and it ends with its work.

    Attributes:
        future: what comes of the work. Nobody can cancel it.
    """

    def __init__(self, work: Callable[[], _Result]) -> None:
        """Begin nothing yet."""
        self._work = work
        self.future: Future[_Result] = Future()
        self.future.set_running_or_notify_cancel()
        self._runner = _NOBODY

    @property
    def runs_here(self) -> bool:
        """Whether this very thread does the work, and so would wait for itself."""
        return self._runner == threading.get_ident()

    def begin(self) -> bool:
        """Begin the work in a thread; False if the system gives none: then call `run`."""
        if sys.is_finalizing():  # before Python 3.12, new threads are accepted then and never run
            return False
        target = copy_context().run
        try:
            # It raises where there are no daemons: in a subinterpreter that allows none.
            threading.Thread(
                target=target, args=(self.run,), name="credentials", daemon=True
            ).start()
        except RuntimeError:
            return False
        return True

    def start(self) -> None:
        """Begin the work in a thread; do it in this one if the system gives none."""
        if not self.begin():
            self.run()

    def run(self) -> None:
        """Do the work in this thread."""
        self._runner = threading.get_ident()
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001  # raised again by who waits
            self._runner = _NOBODY
            self.future.set_exception(error)
        else:
            self._runner = _NOBODY
            self.future.set_result(result)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is over, for `seconds` at most."""
        with suppress(NotYetError):
            self.future.exception(seconds)

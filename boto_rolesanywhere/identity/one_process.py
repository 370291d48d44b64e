"""A key stays in its process: no fork falls into its use, and nothing pickles it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import RLock


class NotPickled:
    """The parent of keys that another process must open anew."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be pickled: open the identity again in the other "
            "process"
        )


def hold_in_forks(locks: Callable[[], Iterable[RLock]]) -> None:
    """Have each fork wait for these locks, in their order.

    Otherwise a child that is forked while another thread holds one would find it, and the locks of
    the library that it guards, taken for ever. They are re-entrant, since a signal handler may fork
    while its thread holds one.
    """

    def acquire() -> None:
        for lock in locks():
            lock.acquire()

    def release() -> None:
        for lock in reversed([*locks()]):
            with suppress(RuntimeError):  # Ctrl-C has broken off the wait for it
                lock.release()

    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(before=acquire, after_in_parent=release, after_in_child=release)

"""PKCS#11 libraries in this process: loaded once, called by one thread at a time, fork-safe.

A caller of a library holds `LIBRARIES.lock` during the call, and uses no handle (session, object)
from an earlier `LIBRARIES.generation`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final

import pkcs11
from pkcs11.exceptions import PKCS11Error

from boto_rolesanywhere.identity.one_process import hold_in_forks

from .errors import is_already_initialized
from .library_path import PROXY

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812  # a class, whatever its name
    from pkcs11.types import Session

_PROXY_FILES: Final = (PROXY, "libp11-kit")  # the proxy is libp11-kit itself, under another name


class Libraries:
    """All PKCS#11 libraries that this process has loaded through us.

    python-pkcs11 initialises them without locking and releases the GIL in each call, so calls from
    several threads crash the process. One lock serves all of them, not one each: p11-kit's proxy
    calls other libraries, which may be in use directly too. A process signs about once an hour.

    Attributes:
        lock: held during every call; re-entrant.
        generation: goes up whenever the libraries were started anew, which voids all handles.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.generation = 0
        self._loaded: dict[str, Library] = {}
        self._process = os.getpid()

    def get(self, path: str) -> Library:
        """The library at `path` (a real path), loaded and initialised."""
        self.follow_fork()
        library = self._loaded.get(path) or self._load(path)
        if not library.initialized:
            library.initialize()
        return library

    def restart(self) -> None:
        """Finalize and initialise every library. Cures what a fork or a lost token leaves behind.

        All at once, since the proxy may use the same libraries. If a library does not start again,
        `get` raises the error.
        """
        self._finalize()
        self._initialize()

    def is_current(self, generation: int) -> bool:
        """Whether handles of `generation` are alive in this process."""
        return generation == self.generation and self._process == os.getpid()

    def follow_fork(self) -> None:
        """After a fork, start anew: a child shares neither sessions nor logins with its parent."""
        if self._process != os.getpid():
            self.restart()

    def _load(self, path: str) -> Library:
        # The proxy also loads the library for TPMs, which otherwise writes to standard error about
        # each TPM that it does not find.
        os.environ.setdefault("TSS2_LOG", "all+none")
        try:
            library = pkcs11.lib(path)
        except PKCS11Error as error:
            if not (is_already_initialized(error) and self._loaded):
                raise
            # The proxy came first and has initialised it. The other way round works.
            self._finalize()
            try:
                library = pkcs11.lib(path)
            finally:
                self._initialize()
        self._loaded[path] = library
        return library

    def _finalize(self) -> None:
        self.generation += 1
        self._process = os.getpid()
        for library in self._loaded.values():
            with suppress(
                PKCS11Error
            ):  # a forked child or another part of the program finalized it
                library.finalize()

    def _initialize(self) -> None:
        # The proxy last: it accepts libraries that are initialised already; they do not accept the
        # proxy's initialisation.
        for path in sorted(self._loaded, key=_is_proxy):
            with suppress(PKCS11Error):
                self._loaded[path].initialize()


LIBRARIES: Final = Libraries()
hold_in_forks(lambda: (LIBRARIES.lock,))


def close_session(session: Session, generation: int) -> None:
    """Close a session of that generation, unless it died before: never an error.

    The number of a dead session may be another's by now.
    """
    with LIBRARIES.lock:
        if LIBRARIES.is_current(generation):
            with suppress(PKCS11Error):
                session.close()


def _is_proxy(path: str) -> bool:
    return Path(path).name.startswith(_PROXY_FILES)

"""An identity that follows its files: read again when asked, rebuilt when they changed.

There is no polling: each refresh of a session asks for the identity. Certificate,
chain and key are taken together or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.chain import is_in_time
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import logger_of

from .material import read_sources
from .opening import build_identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from boto_rolesanywhere.settings.sources import IdentitySources

    from .identity import Identity
    from .material import Material

logger = logger_of(__name__)

# Two equal reads in a row: no file is being replaced any more.
_READS: Final = 3


class RotatingIdentity:
    """Gives the current identity.

    It compares the files' contents, not their times: so it follows a swapped symlink (Kubernetes,
    cert-manager) and a file written in place. If the new files cannot be used, it keeps the old
    identity, and warns once for each such set of files.
    """

    def __init__(self, sources: IdentitySources, clock: Callable[[], datetime]) -> None:
        """Open nothing yet. `clock` gives the time, aware."""
        self._sources = sources
        self._clock = clock
        self._held: tuple[Material, Identity] | None = None
        self._warned_of: object = None

    def __call__(self) -> Identity:
        """The identity, rebuilt if its files changed. Raises as `current` does."""
        return self.current()[1]

    def current(self) -> tuple[Material, Identity]:
        """The identity, rebuilt if its files changed, and the material it was built from.

        Raises:
            RolesAnywhereError: it cannot be opened, and there is no earlier identity to keep.
        """
        held, now = self._held, self._clock()
        usable = held is not None and all(
            is_in_time(each, now) for each in (held[1].certificate, *held[1].chain)
        )
        material = None
        try:
            material = self._read(held[0] if held else None)
            # An expired identity is built anew, which says what is wrong with it, or finds the next
            # certificate in the same file.
            if held is not None and usable and held[0] == material:
                return held
            in_use = held[1] if held is not None and usable else None
            identity = build_identity(material, self._sources, now=now, in_use=in_use)
        except RolesAnywhereError as error:
            if held is None or not usable:
                raise
            self._warn_once(str(error) if material is None else material, str(error))
            return held
        self._held = held = (material, identity)
        self._warned_of = None
        return held

    def _read(self, known: Material | None) -> Material:
        material = read_sources(self._sources)
        for _ in range(_READS):
            if material == known:
                break
            known, material = material, read_sources(self._sources)
        return material

    def _warn_once(self, refused: object, text: str) -> None:
        # Compared by the material: the error's text may hold the time.
        if refused != self._warned_of:
            self._warned_of = refused
            logger.warning(
                "The certificate in use is kept, the new one cannot be used yet: %s", text
            )

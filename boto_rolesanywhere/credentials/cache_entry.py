"""One cached session: its file, and whether that file is to be trusted.

The command reads one for each answer from the cache, so nothing heavy is imported here: neither
botocore and cryptography nor `typing`, `dataclasses`, `json` or `re`. `cache` decides when an entry
is renewed, and by whom.

A file holds four lines:

1. ``boto_rolesanywhere session 2`` and the SHA-256 of the rest, so that a torn file is seen;
2. the key; when the session was received, may be renewed, must be renewed and ends, in seconds
   since the epoch by the clock of this machine; when it was received in seconds since the machine
   started, and the name of that start, if there is one;
3. the answer to ``credential_process``, as it is printed;
4. the rest of what the service said, as JSON.
"""

from __future__ import annotations

from hashlib import sha256

from boto_rolesanywhere.settings.cache_folder import read_own_file
from boto_rolesanywhere.settings.names import LONGEST_SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .moment import Moment

SUFFIX: Final = ".session"
_MAGIC: Final = b"boto_rolesanywhere session 2 "


class Entry:
    """A session as the cache keeps it. Its repr shows no secret.

    Its age is measured by the time since the machine started, if the entry was received since then:
    the wall clock may have been set. If both clocks do not agree that it is fresh, it is renewed.

    Attributes:
        key: what `entry_key` gave for the inputs of the call.
        received: when it came, by this machine's clock, in seconds since the epoch.
        advisory: from then on one process renews it while the others use it.
        mandatory: from then on everyone waits for the renewal.
        expiry: from then on it is of no use.
        boot_id: the start of the machine before it came; "" if that is not known.
        boot: seconds from that start until it came.
        answer: JSON for ``credential_process``, in one line.
        details: JSON of the rest, in one line.
    """

    __slots__ = (
        *("advisory", "answer", "boot", "boot_id", "details", "expiry", "key", "mandatory"),
        "received",
    )

    def __init__(
        self,
        key: str,
        times: tuple[float, float, float, float],
        *,
        answer: str,
        details: str,
        boot_id: str = "",
        boot: float = 0.0,
    ) -> None:
        self.key = key
        self.received, self.advisory, self.mandatory, self.expiry = times
        self.boot_id, self.boot = boot_id, boot
        self.answer = answer
        self.details = details

    def age(self, now: Moment) -> float:
        """Seconds since it was received.

        Below 0 if that is not known, since the wall clock was set back and no other can be asked.
        """
        return self._after(now.wall, now.boot_id, now.boot)

    def is_later_than(self, other: Entry) -> bool:
        """Whether it was received later."""
        return other._after(self.received, self.boot_id, self.boot) > 0

    def _after(self, wall: float, boot_id: str, boot: float) -> float:
        """Seconds from its arrival until then."""
        return boot - self.boot if boot_id and boot_id == self.boot_id else wall - self.received

    def is_good(self, now: Moment) -> bool:
        """Whether it can be used."""
        return 0 <= self.age(now) < self.expiry - self.received

    def is_fresh(self, now: Moment) -> bool:
        """Whether it can be used and needs no renewal yet."""
        return self._is_before(now, self.advisory)

    def is_at_its_end(self, now: Moment) -> bool:
        """Whether its renewal is worth waiting for."""
        return not self._is_before(now, self.mandatory)

    def _is_before(self, now: Moment, end: float) -> bool:
        """Whether it is so by both clocks."""
        return self.received <= now.wall < end and 0 <= self.age(now) < end - self.received

    def to_bytes(self) -> bytes:
        """The content of its file."""
        times = (self.received, self.advisory, self.mandatory, self.expiry, self.boot)
        head = " ".join((self.key, *map(repr, times), self.boot_id))
        return sealed(_MAGIC, head, self.answer, self.details)

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry | None:
        """What `to_bytes` made; None for anything else."""
        try:
            head, answer, details = unsealed(_MAGIC, data)
            key, received, advisory, mandatory, expiry, boot, boot_id = head.split(" ")
            times = (float(received), float(advisory), float(mandatory), float(expiry))
            since = float(boot)
        except ValueError:
            return None
        entry = cls(key, times, answer=answer, details=details, boot_id=boot_id, boot=since)
        return entry if entry._is_credible() else None

    def _is_credible(self) -> bool:
        """Whether its times are those of a session; infinity and "not a number" are not."""
        inner = (self.advisory, self.mandatory)
        ends = self.received <= self.expiry <= self.received + LONGEST_SESSION
        return ends and all(self.received <= time <= self.expiry for time in inner)

    def __repr__(self) -> str:
        return f"<Entry {self.key[:8]}… until {self.expiry}>"


def read_entry(folder: str, key: str) -> Entry | None:
    """The entry of `key`; None if there is none that can be trusted.

    This module does not trust a link, another user's file, a file that others may read or write, a
    torn file, an entry of other inputs, or anything in a folder that is not this user's alone.
    """
    data = read_own_file(folder, key + SUFFIX)
    entry = Entry.from_bytes(data) if data is not None else None
    return entry if entry is not None and entry.key == key else None


def sealed(magic: bytes, head: str, text: str, details: str) -> bytes:
    """The content of a file of the cache: its kind, the SHA-256 of the rest, and three lines."""
    rest = f"{head}\n{text}\n{details}\n".encode()
    return magic + sha256(rest).hexdigest().encode() + b"\n" + rest


def unsealed(magic: bytes, data: bytes) -> tuple[str, str, str]:
    """The three lines that `sealed` was given.

    Raises:
        ValueError: it was made by something else, or is torn.
    """
    first, _, rest = data.partition(b"\n")
    if first != magic + sha256(rest).hexdigest().encode():
        raise ValueError
    head, text, details, _ = rest.decode().split("\n")
    return head, text, details

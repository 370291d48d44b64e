"""What an authority has issued and revoked: one SQLite database, one transaction a step.

A step either happened or did not, whenever the process is killed. A certificate is in the records
before anybody sees it, so none is ever in circulation that cannot be revoked.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS: Final = "records.sqlite"  # in the authority's folder
_LAYOUT: Final = 1
_SCHEMA: Final = """
CREATE TABLE certificate (
  serial TEXT PRIMARY KEY,      -- hexadecimal, lower case, no leading zero
  name TEXT NOT NULL,           -- the name it was issued under
  subject TEXT NOT NULL,        -- RFC 4514
  not_after TEXT NOT NULL,      -- UTC, ISO 8601, like every time here
  recorded_at TEXT NOT NULL,
  der BLOB,                     -- NULL if only its line was taken over from another CA's records
  revoked_at TEXT,
  reason TEXT
);
CREATE INDEX certificate_name ON certificate (name);
CREATE TABLE revocation_list (
  number INTEGER PRIMARY KEY,
  next_update TEXT NOT NULL,
  der BLOB NOT NULL
);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Two commands at once wait for each other; a token may take a second for each signature.
_PATIENCE: Final = 60.0


def no_authority(folder: Path) -> ConfigurationError:
    """The error for a folder without a CA."""
    return ConfigurationError(
        "there is no CA",
        code="authority-missing",
        where=str(folder),
        remedy="`boto-rolesanywhere ca init` makes one; --ca names the folder of another.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One certificate of the authority's.

    Attributes:
        serial_number: of the certificate.
        name: the name it was issued under.
        subject: as in RFC 4514.
        not_after: when it ends.
        der: the certificate; None if only its line was taken over from another CA's records.
        revoked_at: None as long as it is not revoked.
        reason: why it was revoked, by its name in RFC 5280 (``keyCompromise``).
    """

    serial_number: int
    name: str
    subject: str
    not_after: datetime
    der: bytes | None = None
    revoked_at: datetime | None = None
    reason: str | None = None


class Records:
    """The database of one authority.

    Several processes may use it at once. A connection is opened for each step, so that nothing of
    it crosses a fork.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet.

        Args:
            path: of the database.
        """
        self.path = path

    def create(self) -> None:
        """Make the database, with mode 0600, whatever the umask.

        Raises:
            OSError: it cannot be written, or is there already.
        """
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self.path.chmod(0o600)
        with self._connected() as connection:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_LAYOUT}; COMMIT;")

    @contextmanager
    def step(self) -> Iterator[Step]:
        """One transaction, which no other process interleaves; undone if it raises.

        Raises:
            ConfigurationError: there is no such database, or it is of a newer version.
        """
        try:
            there = self.path.stat() is not None
        except (FileNotFoundError, NotADirectoryError):
            there = False
        except OSError as error:
            raise self._unusable(str(error.strerror)) from None
        if not there:
            raise no_authority(self.path.parent)
        with self._connected() as connection:
            layout = connection.execute("PRAGMA user_version").fetchone()[0]
            if layout != _LAYOUT:
                raise ConfigurationError(
                    f"its records have the layout {layout}, and this version knows {_LAYOUT}",
                    code="authority-records-unusable",
                    where=str(self.path),
                    remedy="Use the version of boto_rolesanywhere that wrote them, or a newer one.",
                )
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or undoes it
                yield Step(connection)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
            with closing(connection):
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from None

    def _unusable(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"the CA's records cannot be used ({reason})",
            code="authority-records-unusable",
            where=str(self.path),
        )


class Step:
    """What can be done within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, record: Record, now: datetime) -> None:
        """Record a certificate.

        Raises:
            ConfigurationError: its serial number is there already.
        """
        try:
            self._connection.execute(
                "INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    f"{record.serial_number:x}",
                    record.name,
                    record.subject,
                    _text(record.not_after),
                    _text(now),
                    record.der,
                    _text(record.revoked_at) if record.revoked_at else None,
                    record.reason,
                ),
            )
        except sqlite3.IntegrityError:
            raise ConfigurationError(
                f"the serial number {record.serial_number:x} is in the CA's records already",
                code="authority-value-unusable",
            ) from None

    def find(self, serial_number: int) -> Record | None:
        """The certificate with this serial number."""
        rows = self._select("WHERE serial = ?", f"{serial_number:x}")
        return rows[0] if rows else None

    def latest(self, name: str) -> Record | None:
        """The newest certificate that was issued under this name."""
        rows = self._select("WHERE name = ? ORDER BY rowid DESC LIMIT 1", name)
        return rows[0] if rows else None

    def all(self) -> tuple[Record, ...]:
        """Every certificate, the oldest first."""
        return self._select("ORDER BY rowid")

    def revoked(self) -> tuple[Record, ...]:
        """Every revoked certificate, the oldest first."""
        return self._select("WHERE revoked_at IS NOT NULL ORDER BY rowid")

    def revoke(self, serial_number: int, reason: str, now: datetime) -> None:
        """Mark a certificate as revoked; one that is revoked stays as it was."""
        self._connection.execute(
            "UPDATE certificate SET revoked_at = ?, reason = ?"
            " WHERE serial = ? AND revoked_at IS NULL",
            (_text(now), reason, f"{serial_number:x}"),
        )

    def next_list_number(self) -> int:
        """The number of the next revocation list: one more than any that was made."""
        row = self._connection.execute("SELECT max(number) FROM revocation_list").fetchone()
        return int(row[0] or 0) + 1

    def add_list(self, number: int, next_update: datetime, der: bytes) -> None:
        """Record a revocation list; of the older ones, only the numbers are needed any more."""
        self._connection.execute("UPDATE revocation_list SET der = x''")
        self._connection.execute(
            "INSERT INTO revocation_list VALUES (?, ?, ?)", (number, _text(next_update), der)
        )

    def newest_list(self) -> bytes | None:
        """The newest revocation list, in DER; None if none was made here."""
        query = "SELECT der FROM revocation_list ORDER BY number DESC LIMIT 1"
        row = self._connection.execute(query).fetchone()
        return bytes(row[0]) or None if row else None

    def setting(self, name: str) -> str | None:
        """A value that is kept with the authority."""
        query = "SELECT value FROM setting WHERE name = ?"
        row = self._connection.execute(query, (name,)).fetchone()
        return str(row[0]) if row else None

    def set(self, name: str, value: str) -> None:
        """Keep a value with the authority. Never a secret."""
        self._connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def _select(self, condition: str, *values: str) -> tuple[Record, ...]:
        query = f"SELECT * FROM certificate {condition}"  # noqa: S608  # conditions of this file
        return tuple(_record(row) for row in self._connection.execute(query, values))


def _record(row: sqlite3.Row) -> Record:
    return Record(
        serial_number=int(row["serial"], 16),
        name=row["name"],
        subject=row["subject"],
        not_after=_time(row["not_after"]),
        der=row["der"],
        revoked_at=_time(row["revoked_at"]) if row["revoked_at"] else None,
        reason=row["reason"],
    )


def _text(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="seconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""Who asked for sessions with a certificate of a trust anchor."""

from __future__ import annotations

from copy import deepcopy
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from .principal import subject_arn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509


# Ours: an emulator may run for weeks.
MOST_SUBJECTS: Final = 1000
MOST_CREDENTIALS: Final = 100  # of one subject


class Subjects:
    """Everybody who asked for a session with a certificate of a trust anchor.

    Of very many, those stay who came last.

    Attributes:
        on_change: is called after each change.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, dict[str, Any]] = {}  # in each the credentials, by serial number
        self.on_change: Callable[[], None] = lambda: None

    def note(
        self, certificate: x509.Certificate, prefix: str, now: datetime, *, failed: bool
    ) -> None:
        """Somebody asked with `certificate`. A failure of a stranger's is not noted by callers."""
        from cryptography.hazmat.primitives.serialization import Encoding

        _, partition, _, region, account = prefix.split(":")
        arn = subject_arn(certificate, partition, region, account)
        time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        serial = str(certificate.serial_number)
        seen = {
            "seenAt": time,
            "serialNumber": serial,
            "issuer": certificate.issuer.rfc4514_string(),
            "enabled": True,
            "x509CertificateData": certificate.public_bytes(Encoding.PEM).decode("ascii"),
            "failed": failed,
        }
        fresh = {
            "subjectArn": arn,
            "subjectId": arn.rpartition("/")[2],
            "enabled": True,
            "x509Subject": certificate.subject.rfc4514_string(),
            "createdAt": time,
            "credentials": {},
        }
        with self._lock:
            held = self._held.pop(arn, fresh) | {"lastSeenAt": time, "updatedAt": time}
            credentials = held["credentials"]
            credentials.pop(serial, None)  # so that the one that came last stands last
            credentials[serial] = seen
            self._held[arn] = held
            _keep_last(credentials, MOST_CREDENTIALS)
            _keep_last(self._held, MOST_SUBJECTS)
        self.on_change()

    def has(self, arn: str) -> bool:
        """Whether there is a subject of that ARN."""
        with self._lock:
            return arn in self._held

    def all(self) -> list[dict[str, Any]]:
        """The summaries."""
        with self._lock:
            return [
                {name: value for name, value in held.items() if name != "credentials"}
                for held in self._held.values()
            ]

    def one(self, subject_id: str) -> dict[str, Any] | None:
        """The detail of one, by its id; None if there is none."""
        with self._lock:
            for held in self._held.values():
                if held["subjectId"] == subject_id:
                    credentials = list(held["credentials"].values())
                    return {**held, "credentials": credentials, "instanceProperties": []}
        return None

    def dump(self) -> dict[str, dict[str, Any]]:
        """Everything, as JSON has it."""
        with self._lock:
            return deepcopy(self._held)

    def load(self, dumped: dict[str, dict[str, Any]]) -> None:
        """Take what `dump` gave."""
        with self._lock:
            self._held = dumped


def _keep_last(table: dict[str, dict[str, Any]], most: int) -> None:
    for key in list(table)[: max(len(table) - most, 0)]:
        del table[key]

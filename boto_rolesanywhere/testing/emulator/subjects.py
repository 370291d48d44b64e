"""Who asked for sessions with a certificate of a trust anchor."""

from __future__ import annotations

from copy import deepcopy
from threading import Lock
from typing import TYPE_CHECKING, Final

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
        self._held: dict[str, dict[str, object]] = {}
        self._credentials: dict[str, dict[str, dict[str, object]]] = {}
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
        seen: dict[str, object] = {
            "seenAt": time,
            "serialNumber": serial,
            "issuer": certificate.issuer.rfc4514_string(),
            "enabled": True,
            "x509CertificateData": certificate.public_bytes(Encoding.PEM).decode("ascii"),
            "failed": failed,
        }
        with self._lock:
            held = self._held.setdefault(
                arn,
                {
                    "subjectArn": arn,
                    "subjectId": arn.rpartition("/")[2],
                    "enabled": True,
                    "x509Subject": certificate.subject.rfc4514_string(),
                    "createdAt": time,
                },
            )
            held |= {"lastSeenAt": time, "updatedAt": time}
            credentials = self._credentials.setdefault(arn, {})
            credentials.pop(serial, None)  # so that the one that came last stands last
            credentials[serial] = seen
            _keep_last(credentials, MOST_CREDENTIALS)
            self._held[arn] = self._held.pop(arn)
            for gone in _keep_last(self._held, MOST_SUBJECTS):
                del self._credentials[gone]
        self.on_change()

    def has(self, arn: str) -> bool:
        """Whether there is a subject of that ARN."""
        with self._lock:
            return arn in self._held

    def all(self) -> list[dict[str, object]]:
        """The summaries."""
        with self._lock:
            return [dict(held) for held in self._held.values()]

    def one(self, subject_id: str) -> dict[str, object] | None:
        """The detail of one, by its id; None if there is none."""
        with self._lock:
            for arn, held in self._held.items():
                if held["subjectId"] == subject_id:
                    credentials = list(self._credentials[arn].values())
                    return {**held, "credentials": credentials, "instanceProperties": []}
        return None

    def dump(self) -> dict[str, object]:
        """Everything, as JSON has it."""
        with self._lock:
            return deepcopy({"held": self._held, "credentials": self._credentials})

    def load(self, dumped: dict[str, dict[str, dict[str, object]]]) -> None:
        """Take what `dump` gave."""
        with self._lock:
            self._held = dumped["held"]
            self._credentials = dumped["credentials"]  # type: ignore[assignment]  # as dumped


def _keep_last(table: dict[str, dict[str, object]], most: int) -> list[str]:
    """Forget the first entries above `most`; their keys."""
    gone = list(table)[: max(len(table) - most, 0)]
    for key in gone:
        del table[key]
    return gone

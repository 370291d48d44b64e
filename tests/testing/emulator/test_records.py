"""The emulator remembers the last requests, not all of weeks."""

from __future__ import annotations

from datetime import datetime, timezone

from boto_rolesanywhere.testing.emulator.records import (
    MOST_BYTES,
    MOST_RECORDS,
    Records,
    RequestRecord,
)


def record(number: int, body: bytes = b"") -> RequestRecord:
    return RequestRecord(
        received_at=datetime.now(timezone.utc),
        method="POST",
        path=f"/{number}",
        query="",
        headers={},
        body=body,
        outcome="created",
        status=201,
        access_key_id="ASIA",
    )


def test_the_oldest_are_forgotten() -> None:
    records = Records()
    for number in range(MOST_RECORDS + 1):
        records.append(record(number))
    assert len(records.all()) == MOST_RECORDS
    assert records.all()[0].path == "/1"
    assert records.created == MOST_RECORDS + 1
    assert len(records.wait_for(MOST_RECORDS + 1, timeout=0)) == MOST_RECORDS


def test_large_bodies_are_forgotten_sooner() -> None:
    records, body = Records(), bytes(MOST_BYTES // 3 + 1)
    for number in range(4):
        records.append(record(number, body))
    assert [each.path for each in records.all()] == ["/2", "/3"]

"""The emulator remembers the last requests, not all of weeks."""

from __future__ import annotations

from datetime import datetime, timezone

from boto_rolesanywhere.testing.emulator.records import MOST_RECORDS, Records, RequestRecord


def test_the_oldest_are_forgotten() -> None:
    records = Records()
    for number in range(MOST_RECORDS + 1):
        records.append(
            RequestRecord(
                received_at=datetime.now(timezone.utc),
                method="POST",
                path=f"/{number}",
                query="",
                headers={},
                body=b"",
                outcome="created",
                status=201,
                access_key_id="ASIA",
            )
        )
    assert len(records.all()) == MOST_RECORDS
    assert records.all()[0].path == "/1"
    assert records.created == MOST_RECORDS + 1

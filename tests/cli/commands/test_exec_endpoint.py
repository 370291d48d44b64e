"""``exec --serve``: the endpoint renews, and answers the command alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import processes
from exec_runs import PATIENCE, python, words_of
from older import AGING, DUE

from boto_rolesanywhere.testing import Emulator


def test_a_long_run_renews_by_its_endpoint(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    code = f"""
import json, os, time, urllib.request
request = urllib.request.Request(
    os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    headers={{"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}},
)
keys = []
end = time.monotonic() + 20
while len(keys) < 3 and time.monotonic() < end:
    key = json.load(urllib.request.urlopen(request))["AccessKeyId"]
    if key not in keys:
        keys.append(key)
        os.truncate(os.environ["SECONDS_AHEAD"], len(keys) * {DUE})
    time.sleep(0.05)
print(*keys)
"""
    done = processes.run(
        *words_of([*flags, "--serve"], [sys.executable, "-c", code]),
        module=AGING,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "SECONDS_AHEAD": str(tmp_path / "ahead")},
    )

    keys = done.stdout.split()
    assert len(keys) == 3, done.stderr
    assert keys == [record.access_key_id for record in emulator.requests][:3]


def test_the_private_endpoint_wants_its_token_and_has_no_imds(flags: list[str]) -> None:
    code = """
import os, urllib.error, urllib.request
url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
base = url.split("/credentials")[0]
requests = [
    urllib.request.Request(url),
    urllib.request.Request(url, headers={"Authorization": "guess"}),
    urllib.request.Request(base + "/latest/api/token", method="PUT"),
    urllib.request.Request(base + "/healthz"),
]
for request in requests:
    try:
        print(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    done = python([*flags, "--serve"], code)

    assert done.stdout.split() == ["401", "401", "404", "404"], done.stderr

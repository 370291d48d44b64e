"""CreateSession with nothing but the signer and the standard library."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timezone

from boto_rolesanywhere.create_session.signer import sign
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.testing import Emulator


def create_session(identity: Identity, emulator: Emulator, trust_anchor_arn: str) -> int:
    """The status with which the emulator answers `identity`."""
    url = f"{emulator.endpoint_url}/sessions"
    body = json.dumps(
        {
            "trustAnchorArn": trust_anchor_arn,
            "profileArn": emulator.profile_arn,
            "roleArn": emulator.role_arn,
        }
    ).encode()
    headers = {"Content-Type": "application/json"}
    headers |= sign(
        *("POST", url, headers, body),
        identity=identity,
        region="eu-west-1",
        now=datetime.now(timezone.utc),
    )
    request = urllib.request.Request(url, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)

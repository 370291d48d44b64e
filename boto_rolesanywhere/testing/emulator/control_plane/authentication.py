"""Is the request signed with an administrator's access key? Ordinary SigV4, worked out again."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.testing.emulator.answers import UNSIGNED, Refusal, Refused
from boto_rolesanywhere.testing.emulator.signature import CLOCK_SKEW, canonical_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto_rolesanywhere.testing.emulator.wire import Received

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[^/,\s]+)"
    r"/rolesanywhere/aws4_request), ?SignedHeaders=(?P<headers>[^,\s]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
# What every service of AWS answers; the model lists none of them for this one.
_UNKNOWN_KEY: Final = Refusal(
    "The security token included in the request is invalid.", "UnrecognizedClientException"
)
_MISMATCH: Final = Refusal(
    "The request signature we calculated does not match the signature you provided.",
    "InvalidSignatureException",
)


def check(
    received: Received, administrators: Mapping[str, str], *, region: str, now: datetime
) -> None:
    """Check the signature.

    Args:
        received: the request.
        administrators: secret access keys by access key id; empty to let everybody in.
        region: of the endpoint.
        now: the service's time.

    Raises:
        Refused: there is none, its key is unknown, or it is wrong.
    """
    if not administrators:
        return
    header, timestamp = received.header("authorization"), received.header("x-amz-date")
    found = _AUTHORIZATION.fullmatch(header.strip()) if header else None
    if found is None or timestamp is None:
        raise Refused(UNSIGNED, "there is no Authorization of SigV4, or no X-Amz-Date")
    secret = administrators.get(found["key"])
    if secret is None:
        raise Refused(_UNKNOWN_KEY, "the access key is no administrator's")
    _check_scope(found, timestamp, region, now)
    names = tuple(found["headers"].split(";"))
    if "host" not in names:
        raise Refused(_MISMATCH, "host is not signed")
    digest = sha256(canonical_request(received, names).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{found['scope']}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (found["date"], region, "rolesanywhere", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, found["signature"]):
        raise Refused(_MISMATCH, "the signature is not the key's over this request")


def _check_scope(found: re.Match[str], timestamp: str, region: str, now: datetime) -> None:
    if found["region"] != region:
        raise Refused(_MISMATCH, f"the scope's Region is {found['region']}, not {region}")
    try:
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Refused(_MISMATCH, "X-Amz-Date is no time") from None
    skew: timedelta = abs(signed_at - now)
    if not timestamp.startswith(found["date"]) or skew > CLOCK_SKEW:
        raise Refused(_MISMATCH, f"X-Amz-Date is {skew.total_seconds():.0f} s from the clock here")

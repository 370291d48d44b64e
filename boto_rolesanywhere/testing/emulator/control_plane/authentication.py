"""Is the request signed with an administrator's access key? Ordinary SigV4, worked out again."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.testing.emulator.answers import Refusal, Refused
from boto_rolesanywhere.testing.emulator.signature import (
    check_scope,
    read_authorization,
    string_to_sign,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from boto_rolesanywhere.testing.emulator.wire import Received

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
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
    authorization = read_authorization(received)
    secret = administrators.get(authorization.credential)
    if secret is None:
        raise Refused(_UNKNOWN_KEY, "the access key is no administrator's")
    try:
        check_scope(authorization, region, now)
    except Refused as refused:
        raise Refused(_MISMATCH, refused.reason) from None
    if authorization.algorithm != _ALGORITHM or "host" not in authorization.signed_headers:
        raise Refused(_MISMATCH, f"host is not signed, or not with {_ALGORITHM}")
    key = f"AWS4{secret}".encode()
    for part in authorization.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.digest(key, string_to_sign(received, authorization).encode(), "sha256")
    if not hmac.compare_digest(expected, authorization.signature):
        raise Refused(_MISMATCH, "the signature is not the key's over this request")

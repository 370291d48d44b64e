"""The body of an answer, read before botocore reads it.

botocore's parser trusts an answer's shape: a body that is not JSON, or has a number where an object
should be, makes it raise any exception. And it logs the body. So this module takes out what the
call needs, and botocore gets no body.
"""

from __future__ import annotations

import json
from typing import Any, Final

BODY: Final = "boto_rolesanywhere"
"""Where the parsed answer has the body of a success: a dict, or None if it is no JSON object."""

_REDIRECT: Final = 300
# The fields of an error in the AWS restJson1 protocol.
_OF_AN_ERROR: Final = ("message", "Message", "__type", "code")


def take_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Botocore's event ``before-parse``: keep only the fields that name the error."""
    body = _json_object(response_dict["body"])
    kept = {}
    if response_dict["status_code"] < _REDIRECT:
        customized_response_dict[BODY] = body
    elif body is not None:
        kept = {name: body[name] for name in _OF_AN_ERROR if isinstance(body.get(name), str)}
    response_dict["body"] = json.dumps(kept).encode()


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(body.decode())
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or too deep
        return None
    return read if isinstance(read, dict) else None

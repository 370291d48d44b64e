"""The body of an answer, read before botocore reads it.

botocore's parser takes an answer's shape on trust: what is not JSON, or a number where an object
should be, ends there in whatever exception Python has for it. And it logs the body. So it gets
none: what the call needs is taken out here.
"""

from __future__ import annotations

import json
from typing import Any, Final

BODY: Final = "boto_rolesanywhere"
"""Where the parsed answer has the body of a success: a dict, or None if it is no JSON object."""

_REDIRECT: Final = 300
# Of an error, as the AWS restJson1 protocol names them.
_OF_AN_ERROR: Final = ("message", "Message", "__type", "code")


def take_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Botocore's event ``before-parse``: leave of the body what says which error it was."""
    body = _json_object(response_dict["body"])
    told = {}
    if response_dict["status_code"] < _REDIRECT:
        customized_response_dict[BODY] = body
    elif body is not None:
        told = {name: body[name] for name in _OF_AN_ERROR if isinstance(body.get(name), str)}
    response_dict["body"] = json.dumps(told).encode()


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(body.decode())
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or too deep
        return None
    return read if isinstance(read, dict) else None

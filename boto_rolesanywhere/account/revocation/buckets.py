"""A list in an S3 bucket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from .downloads import WHOLE, read_all

if TYPE_CHECKING:
    from boto_rolesanywhere.account.administrator import Administrator

_PIECE: Final = 65536


def read_object(administrator: Administrator, bucket: str, key: str) -> bytes:
    """The content of an object, limited in size and time.

    Raises:
        RolesAnywhereError: it cannot be read, or is larger than any list.
    """
    answer = administrator.call("s3", "GetObject", Bucket=bucket, Key=key)
    pieces = answer["Body"].iter_chunks(_PIECE)
    return read_all(pieces, f"s3://{bucket}/{key}", time.monotonic() + WHOLE)

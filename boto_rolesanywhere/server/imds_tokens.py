"""The session tokens of IMDSv2, without a store: a token proves by itself until when it is good."""

from __future__ import annotations

import hmac
import math
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_NONCE: Final = 16
_TIME: Final = 8
_PROOF: Final = 32
_SIZE: Final = _TIME + _NONCE + _PROOF


class MetadataTokens:
    """Makes tokens and tells how long they are good.

    A token is its end, a nonce, and the HMAC-SHA256 of both under a key that dies with the
    process. Nothing is kept, so no number of requests fills the memory or pushes out the token of
    another client.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Choose a key.

        Args:
            monotonic: seconds that never go back.
            random: so many unpredictable bytes.
        """
        self._monotonic = monotonic
        self._random = random
        self._key = random(_PROOF)

    def issue(self, seconds: int) -> bytes:
        """A token that is good for so many seconds; safe in a header."""
        end = int((self._monotonic() + seconds) * 1000)
        claim = end.to_bytes(_TIME, "big") + self._random(_NONCE)
        return urlsafe_b64encode(claim + self._proof(claim))

    def remaining(self, token: bytes) -> int | None:
        """Seconds that it is still good, rounded up; None if it has ended or is not ours."""
        try:
            content = urlsafe_b64decode(token)
        except ValueError:
            return None
        claim, proof = content[:-_PROOF], content[-_PROOF:]
        if len(content) != _SIZE or not hmac.compare_digest(proof, self._proof(claim)):
            return None
        left = int.from_bytes(claim[:_TIME], "big") / 1000 - self._monotonic()
        return math.ceil(left) if left > 0 else None

    def _proof(self, claim: bytes) -> bytes:
        return hmac.digest(self._key, claim, "sha256")

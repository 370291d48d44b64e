"""IMDSv2, as far as SDKs use it for credentials. No sockets.

EC2 User Guide, "Use the Instance Metadata Service": a client fetches a token by PUT, with the
token's time to live in a header, and sends it with every other request; without a token it gets
nothing (no IMDSv1).
"""

from __future__ import annotations

import hmac
import math
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from .exchange import Answer, Route, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exchange import Request
    from .role import ServedRole

TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105  # a path
CREDENTIALS_PATH: Final = "/latest/meta-data/iam/security-credentials"
_TTL: Final = b"x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN: Final = b"x-aws-ec2-metadata-token"
_LONGEST_TTL: Final = 21600  # six hours, as in EC2
# The parts of a token, in bytes.
_END: Final = 8
_NONCE: Final = 16
_PROOF: Final = 32

_UNAUTHORIZED: Final = answer(401, b"Unauthorized\n")
_BAD_TTL: Final = answer(
    400, b"X-aws-ec2-metadata-token-ttl-seconds must be a whole number from 1 to 21600.\n"
)


class MetadataTokens:
    """Makes tokens and says how long they are good.

    A token is its end, a nonce, and the HMAC-SHA256 of both under a key that dies with the
    process. Nothing is stored, so no number of requests fills the memory or pushes out the token of
    another client.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Choose a key."""
        self._monotonic = monotonic
        self._random = random
        self._key = random(_PROOF)

    def issue(self, seconds: int) -> bytes:
        """A token that is good for that many seconds; safe in a header."""
        end = int((self._monotonic() + seconds) * 1000)
        claim = end.to_bytes(_END, "big") + self._random(_NONCE)
        return urlsafe_b64encode(claim + self._proof(claim))

    def remaining(self, token: bytes) -> int | None:
        """Seconds that the token is still good, rounded up; None if it has ended or is not ours."""
        try:
            content = urlsafe_b64decode(token)
        except ValueError:
            return None
        # The decoder passes over characters that are not base64, and over what follows the end.
        if len(content) != _END + _NONCE + _PROOF or urlsafe_b64encode(content) != token:
            return None
        claim, proof = content[:-_PROOF], content[-_PROOF:]
        if not hmac.compare_digest(proof, self._proof(claim)):
            return None
        left = int.from_bytes(claim[:_END], "big") / 1000 - self._monotonic()
        return math.ceil(left) if left > 0 else None

    def _proof(self, claim: bytes) -> bytes:
        return hmac.digest(self._key, claim, "sha256")


class MetadataService:
    """Serves one role, as an instance has one."""

    def __init__(self, role: ServedRole, tokens: MetadataTokens) -> None:
        """Serve `role` to every client that fetches a token first."""
        self._role = role
        self._tokens = tokens

    def routes(self) -> dict[str, Route]:
        """Each path with and without a slash at its end, since SDKs differ in that."""
        plain = {
            TOKEN_PATH: Route("PUT", self._token),
            CREDENTIALS_PATH: Route("GET", self._role_name),
            f"{CREDENTIALS_PATH}/{self._role.name}": Route(
                "GET", self._credentials, self._role.wait
            ),
        }
        return plain | {f"{path}/": route for path, route in plain.items()}

    def _token(self, request: Request) -> Answer:
        ttl = request.headers.get(_TTL, b"").strip()
        # isdigit of bytes is ASCII's alone; five digits hold the longest.
        if not ttl.isdigit() or len(ttl) > len(str(_LONGEST_TTL)):
            return _BAD_TTL
        seconds = int(ttl)
        if not 1 <= seconds <= _LONGEST_TTL:
            return _BAD_TTL
        return answer(200, self._tokens.issue(seconds), more_headers=((_TTL, b"%d" % seconds),))

    def _role_name(self, request: Request) -> Answer:
        left = self._remaining(request)
        if left is None:
            return _UNAUTHORIZED
        return answer(200, self._role.name.encode(), more_headers=((_TTL, b"%d" % left),))

    def _credentials(self, request: Request) -> Answer:
        left = self._remaining(request)
        if left is None:
            return _UNAUTHORIZED
        found = self._role.metadata_answer()
        return Answer(found.status, found.body, (*found.headers, (_TTL, b"%d" % left)))

    def _remaining(self, request: Request) -> int | None:
        token = request.headers.get(_TOKEN)
        return None if token is None else self._tokens.remaining(token)

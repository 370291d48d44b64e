"""IMDSv2, as far as SDKs use it for credentials. No sockets.

EC2 User Guide, "Use the Instance Metadata Service": a token is fetched by PUT with its TTL in a
header, and every other request carries it; without it there is nothing (no IMDSv1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .exchange import Answer, Route, answer

if TYPE_CHECKING:
    from .exchange import Request
    from .imds_tokens import MetadataTokens
    from .role import ServedRole

TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105  # a path
CREDENTIALS_PATH: Final = "/latest/meta-data/iam/security-credentials"
_TTL: Final = b"x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN: Final = b"x-aws-ec2-metadata-token"
_LONGEST_TTL: Final = 21600  # six hours, as in EC2

_UNAUTHORIZED: Final = answer(401, b"Unauthorized\n")
_BAD_TTL: Final = answer(
    400, b"X-aws-ec2-metadata-token-ttl-seconds must be a whole number from 1 to 21600.\n"
)


class MetadataService:
    """Serves one role, as an instance has one."""

    def __init__(self, role: ServedRole, tokens: MetadataTokens) -> None:
        """Serve `role` to whoever fetches a token first."""
        self._role = role
        self._tokens = tokens

    def routes(self) -> dict[str, Route]:
        """Each with and without a slash at its end, since SDKs differ in that."""
        plain = {
            TOKEN_PATH: Route("PUT", self._token),
            CREDENTIALS_PATH: Route("GET", self._role_name),
            f"{CREDENTIALS_PATH}/{self._role.name}": Route("GET", self._credentials),
        }
        return plain | {f"{path}/": route for path, route in plain.items()}

    async def _token(self, request: Request) -> Answer:
        ttl = request.headers.get(_TTL, b"").strip()
        # isdigit of bytes is ASCII's alone; five digits hold the longest.
        if not ttl.isdigit() or len(ttl) > len(str(_LONGEST_TTL)):
            return _BAD_TTL
        seconds = int(ttl)
        if not 1 <= seconds <= _LONGEST_TTL:
            return _BAD_TTL
        return answer(200, self._tokens.issue(seconds), extra=((_TTL, b"%d" % seconds),))

    async def _role_name(self, request: Request) -> Answer:
        left = self._remaining(request)
        if left is None:
            return _UNAUTHORIZED
        return answer(200, self._role.name.encode(), extra=((_TTL, b"%d" % left),))

    async def _credentials(self, request: Request) -> Answer:
        left = self._remaining(request)
        if left is None:
            return _UNAUTHORIZED
        given = await self._role.metadata_answer()
        return Answer(given.status, given.body, (*given.headers, (_TTL, b"%d" % left)))

    def _remaining(self, request: Request) -> int | None:
        token = request.headers.get(_TOKEN)
        return None if token is None else self._tokens.remaining(token)

"""Chooses the token that a URI means among several, without trying a PIN.

All of it runs within `TokenAccess.run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs11.constants import TokenFlag

from .libraries import LIBRARIES, close_session
from .objects import find_objects, shows_public_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from pkcs11.types import Session, Token

    from .uri import Pkcs11Uri

    Clue: TypeAlias = Callable[[Token], bool]


def meant_tokens(
    tokens: list[Token], uri: Pkcs11Uri, wanted: Sequence[PublicKeyTypes]
) -> list[Token]:
    """Those of `tokens` that the URI can mean: several if nothing visible decides.

    Args:
        tokens: all that match the URI.
        uri: of which the slot's number and the object's label and id count.
        wanted: the public keys of the certificates that are given, if any are.
    """
    for clue in _clues(uri, wanted):
        if len(tokens) > 1:
            tokens = [token for token in tokens if clue(token)] or tokens
    return tokens


def _clues(uri: Pkcs11Uri, wanted: Sequence[PublicKeyTypes]) -> Iterator[Clue]:
    """Tests that tell the right token from others, the surest first."""
    # A slot that awaits a new token has one without name or keys: SoftHSM always shows one.
    yield lambda token: bool(token.flags & TokenFlag.TOKEN_INITIALIZED)
    if uri.slot_id is not None:
        yield lambda token: token.slot.slot_id == uri.slot_id
    if wanted:
        yield lambda token: _seen(token, lambda session: shows_public_key(session, wanted))
    if uri.object is not None or uri.id is not None:
        yield lambda token: _seen(
            token, lambda session: bool(find_objects(session, label=uri.object, id_=uri.id))
        )
        # A token without a login has nothing that it could hide.
        yield lambda token: bool(token.flags & TokenFlag.LOGIN_REQUIRED)
    # Without a user PIN nobody can have logged in to write a private key.
    yield (
        lambda token: (
            not token.flags & TokenFlag.LOGIN_REQUIRED
            or bool(token.flags & TokenFlag.USER_PIN_INITIALIZED)
        )
    )


def _seen(token: Token, look: Callable[[Session], bool]) -> bool:
    """What `look` finds on the token without a login, unless this process is logged in."""
    session = token.open()
    try:
        return look(session)
    finally:
        close_session(session, LIBRARIES.generation)

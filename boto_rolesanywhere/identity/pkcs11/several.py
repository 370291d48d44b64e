"""The keys that one URI may mean: several on a token, or on several tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import KeyDeviceError

from .key import TokenKey
from .libraries import LIBRARIES
from .objects import uris_of_keys
from .token import close_session, pinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from .token import TokenAccess
    from .uri import Pkcs11Uri


def open_keys(uri: Pkcs11Uri, access_to: Callable[[Pkcs11Uri], TokenAccess]) -> list[TokenKey]:
    """The one key that `uri` means, or all that it may mean, opened.

    The PIN is tried on those tokens only that show an object of the URI's name.

    Args:
        uri: of the keys.
        access_to: gives access to the token of a URI.

    Raises:
        KeyDeviceError: as of one key; several tokens match, and the URI names no object.
    """
    access = access_to(uri)
    try:
        return [TokenKey(access)]
    except KeyDeviceError as error:
        if error.code != "token-ambiguous":
            raise
        ambiguous = error
    tokens = access.run(lambda: [pinned(uri, token) for token in access.matching()])
    names_object = uri.object is not None or uri.id is not None
    if len(tokens) > 1 and not names_object:
        raise ambiguous
    keys = [key for token in tokens for key in _uris_on(access_to(token))]
    if not keys:
        raise ambiguous
    return [TokenKey(access_to(key)) for key in keys]


def _uris_on(access: TokenAccess) -> list[Pkcs11Uri]:
    def look() -> list[Pkcs11Uri]:
        session = access.open(login=True)
        try:
            return uris_of_keys(session, access.uri)
        finally:
            close_session(session, LIBRARIES.generation)

    return access.run(look)

"""Errors that several commands raise, each in the same words, and how they show a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.places import TOKEN, kind_of

if TYPE_CHECKING:
    from boto_rolesanywhere.identity.pkcs11.uri import Pkcs11Uri


def both_given(first: str, second: str, remedy: str | None = None) -> ConfigurationError:
    """Two flags contradict each other."""
    return ConfigurationError(
        f"{first} and {second} were both given, and exclude each other",
        code="flags-exclusive",
        remedy=remedy,
    )


def without_effect(flag: str, expected: str) -> ConfigurationError:
    """A flag lacks what it goes with."""
    return ConfigurationError(
        "it has no effect here", code="flags-exclusive", where=flag, expected=expected
    )


def unreadable(error: OSError, where: str, expected: str | None = None) -> ConfigurationError:
    """The system does not let this process read a file or folder."""
    return ConfigurationError(
        f"it cannot be read ({error.strerror})",
        code="file-unreadable",
        where=where,
        expected=expected,
    )


def require_no_pin(text: str, where: str, instead: str) -> None:
    """Refuse a URI with a PIN that would be written to a file.

    Args:
        text: a place of any kind.
        where: who named it.
        instead: the flags that say where the PIN is.

    Raises:
        ConfigurationError: it has a pin-value.
    """
    if kind_of(text) == TOKEN and _uri(text).pin_value is not None:
        raise ConfigurationError(
            "the PIN in it (pin-value) is not written to a file",
            code="setting-not-storable",
            where=where,
            expected=instead,
        )


def shown_place(place: str) -> str:
    """The place without a PIN, which a URI may hold."""
    return str(_uri(place)) if kind_of(place) == TOKEN else place


def _uri(text: str) -> Pkcs11Uri:
    from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri  # few name a token

    return parse_pkcs11_uri(text)

"""What ``inspect`` and ``trust-policy`` look at: a certificate's file, JSON files, context keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.refusals import unreadable
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.names import gather

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from boto_rolesanywhere.identity.files.contents import Contents
    from boto_rolesanywhere.identity.files.reading import Role
    from boto_rolesanywhere.inspection.certificate import CertificateInspection

_LONGEST_TEXT: Final = 1024 * 1024  # bytes; a trust policy has a few thousand at most


def inspect_place(
    place: str,
    now: datetime,
    *,
    intermediates: str | None = None,
    attribute_mappings: str | None = None,
    session_name: str | None = None,
) -> CertificateInspection:
    """Inspect the end-entity certificate of a file or token.

    Args:
        place: the file, or a ``pkcs11:`` URI.
        now: for the validity.
        intermediates: the place of more certificates.
        attribute_mappings: the file of the profile's.
        session_name: as it will be asked for.

    Raises:
        RolesAnywhereError: one of them cannot be read.
    """
    from boto_rolesanywhere.inspection.certificate import choose_leaf, inspect_certificate
    from boto_rolesanywhere.inspection.session_tags import AttributeMappings

    opened = [_open(place, "certificate")]
    if intermediates:
        opened.append(_open(intermediates, "chain"))
    mappings = None
    if attribute_mappings:
        text = read_text(attribute_mappings)
        mappings = AttributeMappings.parse(text, where=attribute_mappings)
    candidates = [
        certificate
        for contents in opened
        for certificate in (*contents.certificates, *contents.beside)
    ]
    return inspect_certificate(
        choose_leaf(opened[0].certificates),
        candidates,
        now=now,
        mappings=mappings,
        session_name=session_name,
    )


def context_of(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The condition keys of ``--context KEY=VALUE``, each with its values.

    Raises:
        ConfigurationError: one is no such pair.
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ConfigurationError(
                f"it is {pair!r}",
                code="setting-invalid",
                where="--context",
                expected="KEY=VALUE, as in aws:SourceIp=10.0.0.1",
            )
        found[key] = (*found.get(key, ()), value)
    return found


def read_text(place: str) -> bytes:
    """What a file of JSON holds; ``-`` is standard input.

    Raises:
        ConfigurationError: it cannot be read, or is far too long for what it should be.
    """
    try:
        if place == "-":
            text = sys.stdin.buffer.read(_LONGEST_TEXT + 1)
        else:
            with Path(place).open("rb") as file:
                text = file.read(_LONGEST_TEXT + 1)
    except OSError as error:
        raise unreadable(error, place, "a file with JSON") from None
    if len(text) > _LONGEST_TEXT:
        raise ConfigurationError(
            f"it is larger than {_LONGEST_TEXT} bytes",
            code="path-not-a-file",
            where=place,
            expected="a file with JSON",
        )
    return text


def name_of_text(place: str) -> str:
    """What `read_text` reads there, for errors."""
    return "standard input" if place == "-" else place


def _open(place: str, role: Role) -> Contents:
    from boto_rolesanywhere.cli.inputs import access_with
    from boto_rolesanywhere.identity.opening import open_certificates

    return open_certificates(place, role, access_with(None, gather({}, os.environ, {}), os.environ))

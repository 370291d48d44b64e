"""Unusable inputs, and the check that each is refused in the words of `refusals.json`.

There ``{folder}`` stands for the folder of the files and ``…`` for anything.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from openssl_files import OpenSSL
from repository import VECTORS

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret

Make = Callable[[OpenSSL], IdentitySources]
WORDS = json.loads((VECTORS / "refusals.json").read_text("utf-8"))


def sources(
    certificate: object, key: object = None, *, chain: object = None, secret: Secret | None = None
) -> IdentitySources:
    """As `IdentitySources`, but for values of any type."""
    return IdentitySources(
        certificate=certificate,  # type: ignore[arg-type]  # that is the point
        private_key=key,  # type: ignore[arg-type]  # wrong ones too
        chain=chain,  # type: ignore[arg-type]  # wrong ones too
        secret=secret,
    )


def key_file(name: str, make: Callable[[OpenSSL], bytes], secret: Secret | None = None) -> Make:
    """A key's file with these bytes, beside the good certificate."""

    def sources_of(openssl: OpenSSL) -> IdentitySources:
        return sources(openssl.path("ec.crt"), openssl.write(name, make(openssl)), secret=secret)

    return sources_of


def certificate_file(name: str, make: Callable[[OpenSSL], bytes], key: str = "ec.key") -> Make:
    """A certificate's file with these bytes, beside the good key."""

    def sources_of(openssl: OpenSSL) -> IdentitySources:
        return sources(openssl.write(name, make(openssl)), openssl.path(key))

    return sources_of


def output(*command: str) -> Callable[[OpenSSL], bytes]:
    return lambda openssl: openssl(*command)


def check(name: str, make: Make, openssl: OpenSSL, later: timedelta = timedelta()) -> None:
    """Open what `make` gives, `later` than now, and hold the error to its class and words."""
    with pytest.raises(RolesAnywhereError) as caught:
        open_identity(make(openssl), now=datetime.now(timezone.utc) + later)
    text = str(caught.value)
    kind, words = WORDS["refusals"][name]
    fields = {"folder": openssl.folder, "here": Path.cwd(), **WORDS["shared"]}
    expected = re.escape(words.format_map(fields)).replace("…", ".*")
    assert re.fullmatch(expected, text), text
    assert type(caught.value).__name__ == kind
    # Nobody shall see a parser's traceback above ours, nor a secret.
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "secret" not in text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text

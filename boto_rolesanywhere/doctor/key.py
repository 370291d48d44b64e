"""The key: whether it opens, belongs to a certificate, and really signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import RolesAnywhereError

from .verdict import Verdict, of_error, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .case import Case


def check_key(case: Case) -> Iterator[Verdict]:
    """Open the key wherever it is, find its certificate, and try a signature."""
    from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key
    from boto_rolesanywhere.certificates.reading import describe_subject
    from boto_rolesanywhere.create_session.diagnosis import signature_fits
    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.identity.material import read_sources
    from boto_rolesanywhere.identity.opening import match_key

    if case.sources is None or not case.files_hold:
        what = "the settings are not complete" if case.sources is None else "a file is not usable"
        yield skipped("key", what)
        return
    try:
        matched = match_key(read_sources(case.sources), case.sources, now=case.clock())
        public_key = matched.leaf.public_key()
        algorithm = algorithm_for(public_key)
        probe = Identity(certificate=matched.leaf, chain=(), key=matched.key, algorithm=algorithm)
        fits = signature_fits(probe)
    except RolesAnywhereError as error:
        yield of_error("key", error)
        return
    case.matched = matched
    kind = describe_key(public_key)
    if not fits:
        yield Verdict(
            "key",
            "fail",
            f"what the key ({kind}) signs does not verify with its certificate",
            "The key's device or program does not sign as it should: see SigningKey.",
        )
        return
    case.identity = probe
    text = f"{kind}, belongs to {describe_subject(matched.leaf)}, and its signature verifies"
    yield Verdict("key", "ok", text, details=(("signs as", algorithm),))

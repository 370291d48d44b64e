"""A local stand-in for IAM Roles Anywhere, for your tests and ours.

`CertificateAuthority` makes certificates, good ones and bad ones; `Emulator` answers CreateSession
as the service does, on loopback. `SigningKeyCompliance` is the suite that every signing key has to
pass. All are loaded when they are first used: the emulator needs the extra ``testing``, the suite
needs pytest, the authority nothing.

::

    from boto_rolesanywhere.testing import CertificateAuthority, Emulator

    ca = CertificateAuthority()
    with Emulator(ca) as emulator:
        ...  # emulator.endpoint_url, emulator.trust_anchor_arn, emulator.profile_arn, …
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto_rolesanywhere.clock import Clock as Clock
    from boto_rolesanywhere.clock import utc_now as utc_now
    from boto_rolesanywhere.testing.emulator.facade import Emulator as Emulator
    from boto_rolesanywhere.testing.emulator.records import RequestRecord as RequestRecord
    from boto_rolesanywhere.testing.emulator.resources import Profile as Profile
    from boto_rolesanywhere.testing.emulator.resources import RevocationList as RevocationList
    from boto_rolesanywhere.testing.emulator.resources import Role as Role
    from boto_rolesanywhere.testing.emulator.resources import TrustAnchor as TrustAnchor
    from boto_rolesanywhere.testing.emulator.tls import TlsFiles as TlsFiles

    from .ca import CertificateAuthority as CertificateAuthority
    from .ca import Flaw as Flaw
    from .compliance import SigningKeyCompliance as SigningKeyCompliance
    from .drafts import Digest as Digest
    from .issued import IssuedCertificate as IssuedCertificate
    from .issued import IssuedPaths as IssuedPaths
    from .keys import KeyType as KeyType

# Where each lives, from this folder; `.clock` is the one beside it.
_HOMES = {
    "CertificateAuthority": "ca",
    "Clock": ".clock",
    "Digest": "drafts",
    "Emulator": "emulator.facade",
    "Flaw": "ca",
    "IssuedCertificate": "issued",
    "IssuedPaths": "issued",
    "KeyType": "keys",
    "Profile": "emulator.resources",
    "RequestRecord": "emulator.records",
    "RevocationList": "emulator.resources",
    "Role": "emulator.resources",
    "SigningKeyCompliance": "compliance",
    "TlsFiles": "emulator.tls",
    "TrustAnchor": "emulator.resources",
    "utc_now": ".clock",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)

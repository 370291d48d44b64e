"""A local stand-in for IAM Roles Anywhere, for your tests and ours.

`CertificateAuthority` makes certificates, good ones and bad ones; `Emulator` answers CreateSession
as the service does, on loopback. `SigningKeyCompliance` is the suite that every signing key has to
pass; it needs pytest. All are loaded when they are first used.

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
    from boto_rolesanywhere.authority.drafts import Digest as Digest
    from boto_rolesanywhere.authority.issued import IssuedCertificate as IssuedCertificate
    from boto_rolesanywhere.authority.issued import IssuedPaths as IssuedPaths
    from boto_rolesanywhere.authority.keys import KeyType as KeyType
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

# Where each name lives in the package.
_HOMES = {
    "CertificateAuthority": "testing.ca",
    "Clock": "clock",
    "Digest": "authority.drafts",
    "Emulator": "testing.emulator.facade",
    "Flaw": "testing.ca",
    "IssuedCertificate": "authority.issued",
    "IssuedPaths": "authority.issued",
    "KeyType": "authority.keys",
    "Profile": "testing.emulator.resources",
    "RequestRecord": "testing.emulator.records",
    "RevocationList": "testing.emulator.resources",
    "Role": "testing.emulator.resources",
    "SigningKeyCompliance": "testing.compliance",
    "TlsFiles": "testing.emulator.tls",
    "TrustAnchor": "testing.emulator.resources",
    "utc_now": "clock",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f"boto_rolesanywhere.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

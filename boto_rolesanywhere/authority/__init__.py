"""A certificate authority of one's own: keys, certificates, records, revocation lists.

`testing.CertificateAuthority` stands on the same parts. From Python::

    from boto_rolesanywhere.authority import Wish, create_root, open_authority

    create_root(Path("ca"), "Example CA")
    authority = open_authority(Path("ca"))
    issued = authority.issue(Wish.named("app1", san=["DNS:app1.example.com"]))

`create_root` and `open_authority` take an object that signs (`boto_rolesanywhere.SigningKey`) in
the place of a key in a file. Each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .authority import Authority as Authority
    from .authority import Wish as Wish
    from .folder import adopt as adopt
    from .folder import create_issuing as create_issuing
    from .folder import create_root as create_root
    from .folder import open_authority as open_authority
    from .issued import IssuedCertificate as IssuedCertificate
    from .records import Record as Record

# Where each name lives in this folder.
_HOMES = {
    "Authority": "authority",
    "IssuedCertificate": "issued",
    "Record": "records",
    "Wish": "authority",
    "adopt": "folder",
    "create_issuing": "folder",
    "create_root": "folder",
    "open_authority": "folder",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""What is asked, and what the checks found so far: the one thing that they hand on. No check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import botocore.session
    from cryptography import x509

    from boto_rolesanywhere.config import Config
    from boto_rolesanywhere.create_session import SessionCreator
    from boto_rolesanywhere.identity import Identity
    from boto_rolesanywhere.identity.opening import Matched
    from boto_rolesanywhere.identity.sources import IdentitySources
    from boto_rolesanywhere.session_value import RolesAnywhereSession
    from boto_rolesanywhere.settings import Found, Setting

    from .route import Route


@dataclass(slots=True, kw_only=True, repr=False)
class Case:
    """One examination under way.

    What was asked:

    Attributes:
        arguments: settings by the names of `get_session`'s arguments.
        environ: the environment.
        profile: the profile asked for; None for that of the environment.
        by_flag: whether the arguments came as flags.
        verify: False, or a CA bundle, for the endpoint.
        anchor_file: the trust anchor's certificate.
        crl_file: a certificate revocation list.
        timeout: seconds for each step on the network.
        clock: gives the time, aware.

    What is known; None as long as it is not, or when it cannot be had:

    Attributes:
        botocore: a session with the profile.
        profile_name: the profile that counts.
        section: its keys.
        found: the settings, with their places.
        sources: certificate, key and chain, unopened.
        arns_agree: whether the ARNs are right.
        config: all settings, checked.
        files_hold: whether all files could be read.
        matched: the key with its certificate.
        chain: the intermediates that are sent.
        anchors: the trust anchor's certificates.
        identity: what signs.
        refused: why AWS would refuse the certificate.
        creator: makes the call.
        route: the way of the call.
        reached: whether the endpoint can be talked to.
        session: what CreateSession gave.
    """

    arguments: Mapping[str, object]
    environ: Mapping[str, str]
    profile: str | None
    by_flag: bool
    verify: bool | str | None
    anchor_file: str | None
    crl_file: str | None
    timeout: float
    clock: Callable[[], datetime]

    botocore: botocore.session.Session | None = None
    profile_name: str = "default"
    section: Mapping[str, object] = field(default_factory=dict)
    found: dict[Setting, Found] = field(default_factory=dict)
    sources: IdentitySources | None = None
    arns_agree: bool = False
    config: Config | None = None
    files_hold: bool = False
    matched: Matched | None = None
    chain: tuple[x509.Certificate, ...] | None = None
    anchors: tuple[x509.Certificate, ...] = ()
    identity: Identity | None = None
    refused: str | None = None
    creator: SessionCreator | None = None
    route: Route | None = None
    reached: bool = False
    session: RolesAnywhereSession | None = None

    def close(self) -> None:
        """Let go of the key, unless the caller gave it as an object."""
        if self.identity is not None and self.identity.key is not self.arguments.get("key"):
            self.identity.close()

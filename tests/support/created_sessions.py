"""The call, made by the client under test."""

from __future__ import annotations

import botocore.session
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.composition import config_of
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.call import Clocks
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.create_session.corrected_clock import CorrectedClock
from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up
from boto_rolesanywhere.testing import Emulator

NO_WAITING = ClientConfig(retries={"total_max_attempts": 1})


def create(
    emulator: Emulator,
    identity: Identity,
    *,
    endpoint_url: str | None = None,
    client_config: ClientConfig | None = NO_WAITING,
    verify: str | bool | None = None,
    partition: str = "aws",
) -> RolesAnywhereSession:
    """A session, made by the call under test."""
    creator = creator_for(
        emulator, identity, endpoint_url=endpoint_url, client_config=client_config, verify=verify
    )
    assert creator.config.trust_anchor.partition == partition
    return creator.create()


def creator_for(
    emulator: Emulator,
    identity: Identity,
    *,
    endpoint_url: str | None = None,
    client_config: ClientConfig | None = None,
    verify: str | bool | None = None,
) -> SessionCreator:
    session = botocore.session.Session()
    arguments: Arguments = {
        "cert": b"given below",
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": endpoint_url,
    }
    config = config_of(look_up(session, arguments=arguments))
    assert config is not None
    return SessionCreator(
        config,
        lambda: identity,
        client_config=client_config,
        verify=verify,
        session=private_session(session),
        clocks=Clocks(CorrectedClock(), sleep=lambda _: None),
    )

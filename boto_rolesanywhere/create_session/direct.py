"""From settings to one session without botocore: for a command that makes one call and ends.

The one exception to "CreateSession goes through botocore" (see docs/architecture.md). It is taken
where nothing is set that botocore would have to read. What is signed, sent, tried again, read and
explained is the code of every other call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.credentials.cache import Created
from boto_rolesanywhere.credentials.cache_key import key_of
from boto_rolesanywhere.errors import CertificateError, hides_frames
from boto_rolesanywhere.identity.rotation import RotatingIdentity
from boto_rolesanywhere.settings.config import resolve, warn_of_misspelt
from boto_rolesanywhere.settings.names import gather
from boto_rolesanywhere.settings.profile_reader import read_plain_profile

from .call import Clocks, call
from .corrected_clock import OF_TIME, CorrectedClock
from .direct_transport import DirectTransport
from .plain_route import plain_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boto_rolesanywhere.settings.config import Arguments, Config
    from boto_rolesanywhere.settings.names import Found, Setting

    from .plain_route import Route


@hides_frames
def create_directly(
    arguments_for: Callable[[Mapping[Setting, Found]], Arguments],
    flags: Mapping[str, str],
    profile_name: str | None,
    environ: Mapping[str, str],
) -> Created | None:
    """One session, and the key to cache it under; None where `Issuer` has to make it.

    Args:
        arguments_for: gives the settings that are no text, for those that are set.
        flags: of the command, with the values that their settings have.
        profile_name: the profile of the settings; None if none is read for them.
        environ: the environment.

    Raises:
        RolesAnywhereError: settings, certificate or key cannot be used, or the call failed.
    """
    read = read_plain_profile(profile_name, environ)
    if read is None or "role_arn" in read:
        return None
    section = {} if profile_name is None else read
    found = gather({}, environ, section, flags=flags, profile_name=profile_name)
    config = resolve(
        arguments_for(found),
        environ=environ,
        section=section,
        flags=flags,
        profile_name=profile_name,
    )
    route = plain_route(config, read, environ) if config is not None else None
    if config is None or route is None or config.others:
        return None
    warn_of_misspelt(section, profile_name)
    return _created(config, route)


def _created(config: Config, route: Route) -> Created | None:
    clock = CorrectedClock()
    try:
        material, identity = RotatingIdentity(config.sources, clock).current()
    except CertificateError as error:
        if error.code in OF_TIME:  # then the service is asked for its time
            return None
        raise
    transport = DirectTransport(config.region, route)
    session = call(config, identity, transport, Clocks(clock))
    return Created(session, key_of(config, material.contents(), route.endpoint))

"""The environment variables that botocore reads: which are set, and that empty ones are not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigChainFactory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar

    import botocore.session

    Session = TypeVar("Session", bound=botocore.session.Session)


def without_empty_variables(session: Session) -> Session:
    """The session, which passes over variables that are empty now.

    So it is in AWS's other SDKs, and in scripts and units that pass on what may be empty. botocore
    takes some of them for a value, such as an empty AWS_PROFILE for the name of a profile.
    """
    store = session.get_component("config_store")
    filled = {name: text for name, text in os.environ.items() if text}
    factory = ConfigChainFactory(session=session, environ=filled)
    for name, (key, variables, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        if any(os.environ.get(variable) == "" for variable in _each(variables)):
            provider = factory.create_config_chain(
                instance_name=name,
                env_var_names=variables,
                config_property_names=key,
                default=default,
                conversion_func=conversion,
            )
            store.set_config_provider(name, provider)
    return session


def places_of_settings() -> str:
    """Where botocore's settings are from, for an error: the variables that are set, the profile."""
    known = (_each(variables) for _, variables, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values())
    found = sorted({name for names in known for name in names if os.environ.get(name)})
    return ", ".join([*found, "the profile"])


def _each(variables: str | list[str] | None) -> Iterator[str]:
    yield from [variables] if isinstance(variables, str) else variables or []

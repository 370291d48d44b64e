"""Environment variables that are set and empty: they count as not set.

So it is in AWS's other SDKs, and in scripts and units that pass on what may be empty. botocore
takes some of them for a value, such as an empty AWS_PROFILE for the name of a profile.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigChainFactory

if TYPE_CHECKING:
    from typing import TypeVar

    import botocore.session

    Session = TypeVar("Session", bound=botocore.session.Session)


def without_empty_variables(session: Session) -> Session:
    """The session, which passes over variables that are empty now."""
    store = session.get_component("config_store")
    filled = {name: text for name, text in os.environ.items() if text}
    factory = ConfigChainFactory(session=session, environ=filled)
    for name, (key, variables, default, conversion) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        named = [variables] if isinstance(variables, str) else variables or []
        if any(os.environ.get(variable) == "" for variable in named):
            provider = factory.create_config_chain(
                instance_name=name,
                env_var_names=variables,
                config_property_names=key,
                default=default,
                conversion_func=conversion,
            )
            store.set_config_provider(name, provider)
    return session

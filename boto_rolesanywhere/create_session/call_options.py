"""What decides where and how botocore sends a call, beside the call's own arguments."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from boto_rolesanywhere.settings.inputs import read_section

if TYPE_CHECKING:
    from botocore.session import Session as BotocoreSession


def call_options(session: BotocoreSession) -> list[object]:
    """The options of `session`, its profile's section, and the environment, as they are now.

    Raises:
        ConfigurationError: the session's profile does not exist, or the file cannot be parsed.
    """
    return [
        session.get_default_client_config(),
        session.instance_variables(),
        read_section(session),
        session.full_config.get("services"),
        {name: text for name, text in os.environ.items() if _decides(name)},
    ]


def _decides(variable: str) -> bool:
    """Whether botocore chooses endpoint, proxy, CA bundle, retries and more by it."""
    name = variable.upper()
    return name.startswith(("AWS_", "REQUESTS_CA_BUNDLE")) or "_PROXY" in name

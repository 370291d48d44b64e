"""What decides where and how botocore sends a call, beside the call's own arguments."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.settings.inputs import read_section

if TYPE_CHECKING:
    from botocore.session import Session as BotocoreSession

# The variables by which botocore chooses endpoint, proxy, CA bundle, time-outs and more.
_DECIDES: Final = re.compile(r"AWS_.*|REQUESTS_CA_BUNDLE|.*_proxy", re.IGNORECASE)


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
        {name: text for name, text in os.environ.items() if _DECIDES.match(name)},
    ]

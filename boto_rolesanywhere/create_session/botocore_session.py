"""A botocore session with what one call of one service needs, and nothing that takes long to load.

An ordinary session registers 120 handlers for other services, and its first client reads all
endpoints of AWS (1.2 MB of JSON) and all operations of the service. None of that decides about
CreateSession: its endpoint comes from the rules of the service, which botocore applies as ever.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config as ClientConfig
from botocore.handlers import add_recursion_detection_header
from botocore.loaders import Loader, create_loader
from botocore.session import Session as BotocoreSession

from boto_rolesanywhere._version import __version__
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
from boto_rolesanywhere.settings.inputs import read_section

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE: Final = "rolesanywhere"
_MODEL: Final = "service-2"
_ENDPOINTS: Final = "endpoints"
_FILE: Final = str(Path(__file__).with_name("data") / f"{_MODEL}.json")


def private_session(parent: BotocoreSession | None) -> BotocoreSession:
    """A session of our own with the settings of `parent`.

    Not `parent` itself: it may be waiting for these very credentials, and it must not get the model
    and the handlers that are added here.
    """
    session = without_empty_variables(BotocoreSession(include_builtin_handlers=False))
    # The one of botocore's handlers that adds a header to every service's requests; the other,
    # which counts attempts, is the call's own.
    session.register("before-call", add_recursion_detection_header)  # type: ignore[arg-type]  # takes its event's arguments
    session.user_agent_extra = f"boto_rolesanywhere/{__version__}"
    if parent is not None:
        with_settings_of(parent, session)
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


def with_settings_of(parent: BotocoreSession, session: BotocoreSession) -> BotocoreSession:
    """`session`, with the profile, the Region and the other settings of `parent`."""
    for name, value in parent.instance_variables().items():
        session.set_config_variable(name, value)
    if (options := parent.get_default_client_config()) is not None:
        session.set_default_client_config(plain_options(options))
    return session


def call_options(session: BotocoreSession) -> list[object]:
    """What decides where and how botocore sends a call of `session`, as it is now.

    That is the session's options, its profile's section, and the environment.

    Raises:
        ConfigurationError: the session's profile does not exist, or the file cannot be parsed.
    """
    return [
        session.get_default_client_config(),
        session.instance_variables(),
        read_section(session),
        session.full_config.get("services"),
        {name: text for name, text in os.environ.items() if _decides(name.upper())},
    ]


def _decides(variable: str) -> bool:
    """Whether botocore chooses endpoint, proxy, CA bundle, retries and more by it."""
    return variable.startswith(("AWS_", "REQUESTS_CA_BUNDLE")) or "_PROXY" in variable


def plain_options(options: ClientConfig) -> ClientConfig:
    """Those of the options that botocore itself has: a subclass (aiobotocore's) has more."""
    if type(options) is ClientConfig:
        return options
    defaults: Mapping[str, object] = ClientConfig.OPTION_DEFAULTS
    chosen = {name: getattr(options, name, default) for name, default in defaults.items()}
    return ClientConfig(
        **{name: value for name, value in chosen.items() if value != defaults[name]}  # type: ignore[arg-type]  # its own options
    )


class _OneServiceLoader(Loader):
    """Loads the data of one service: the model that lies here, the rest from botocore."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  # botocore's
        """The one service. botocore would look into all 400 folders before it loads one."""
        return [SERVICE]

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:  # noqa: ANN401  # botocore's
        """The data of this type; as a model the one operation, which no SDK's model has."""
        if type_name == _MODEL:
            # The package may lie in a zip archive, where botocore opens no file. To load
            # importlib.resources, which asks the loader too, each start would pay.
            return json.loads(__spec__.loader.get_data(_FILE))  # type: ignore[union-attr]  # it has it
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """The data of this name, and the file that it is from.

        botocore's own endpoints are derived from its partitions, as far as a service with rules
        needs them: they decide about proxies alone. A file of the user's is read.
        """
        if name != _ENDPOINTS or self._user_has(name):
            return super().load_data_with_path(name)
        partitions = self.load_data("partitions")["partitions"]
        data = {"version": 3, "partitions": [_endpoints(each) for each in partitions]}
        return data, f"{self.BUILTIN_DATA_PATH}/{name}"

    def _user_has(self, name: str) -> bool:
        folders = (path for path in self.search_paths if path != self.BUILTIN_DATA_PATH)
        return any(self.file_loader.exists(f"{folder}/{name}") for folder in folders)


def _endpoints(partition: Mapping[str, Any]) -> dict[str, Any]:
    """A partition in the form of botocore's endpoints.json."""
    outputs = partition["outputs"]
    plain, dual_stack = outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]
    variants = []
    if outputs["supportsFIPS"]:
        variants.append((plain, "-fips", ["fips"]))
    if outputs["supportsDualStack"]:
        variants.append((dual_stack, "", ["dualstack"]))
    if len(variants) > 1:
        variants.append((dual_stack, "-fips", ["dualstack", "fips"]))
    return {
        "partition": partition["id"],
        "dnsSuffix": plain,
        "regionRegex": partition["regionRegex"],
        "regions": [name for name in partition["regions"] if not name.startswith("aws-")],
        "services": {},
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": [
                {
                    "dnsSuffix": suffix,
                    "hostname": f"{{service}}{mark}.{{region}}.{{dnsSuffix}}",
                    "tags": tags,
                }
                for suffix, mark, tags in variants
            ],
        },
    }


@cache
def _loader(data_path: str | None) -> Loader:
    """Reads each file once a process, since that is slow."""
    paths = create_loader(data_path).search_paths
    return _OneServiceLoader(extra_search_paths=paths, include_default_search_paths=False)

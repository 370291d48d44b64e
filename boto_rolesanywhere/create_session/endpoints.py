"""The endpoint of a call whose settings name none: botocore's, or AWS's own."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.inputs import read_section
from boto_rolesanywhere.settings.urls import require_endpoint_url

if TYPE_CHECKING:
    from botocore.config import Config as ClientConfig
    from botocore.session import Session as BotocoreSession

    from boto_rolesanywhere.settings.config import Config


def located(
    config: Config, session: BotocoreSession, client_config: ClientConfig | None
) -> tuple[str | None, tuple[Config, ...]]:
    """The endpoint as `entry_key` takes it, and the call's Regions with their endpoints.

    Raises:
        ConfigurationError: botocore's settings name one endpoint for several Regions.
    """
    if config.endpoint_url:
        return " ".join(each.endpoint_url or "" for each in config.regions), config.regions
    endpoint, origin = configured_endpoint(session, client_config)
    if not config.others:
        return endpoint, (replace(config, endpoint_url=endpoint or None, endpoint_origin=origin),)
    if endpoint:
        raise ConfigurationError(
            "it names one endpoint, and there are several trust anchors",
            code="endpoint-url-invalid",
            where=origin,
            remedy="Give one for each trust anchor as endpoint_url"
            " (AWS_ROLESANYWHERE_ENDPOINT_URL, rolesanywhere_endpoint_url).",
        )
    return endpoint, config.regions


def configured_endpoint(
    session: BotocoreSession, client_config: ClientConfig | None = None
) -> tuple[str | None, str]:
    """The endpoint that botocore will take from its settings, and which of them names it.

    "" for AWS's own, None if it is unknown.

    Raises:
        ConfigurationError: it is no URL, or holds a user name or password.
    """
    from boto_rolesanywhere.settings.profile_reader import endpoint_and_origin

    name = "ignore_configured_endpoint_urls"
    options = (client_config, session.get_default_client_config())
    ignored = next(
        (value for each in options if (value := getattr(each, name, None)) is not None),
        session.instance_variables().get(name),
    )
    endpoint, origin = endpoint_and_origin(
        read_section(session),
        session.full_config.get("services", {}),
        os.environ,
        ignored=ignored,
    )
    if endpoint:
        require_endpoint_url(endpoint, origin)
    return endpoint, origin

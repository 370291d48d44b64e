"""Whether a call needs nothing of botocore's, and where it goes then.

botocore has some forty settings, and each may be a proxy, a CA bundle or another endpoint. So
nothing is passed over: a call is plain only if every variable of AWS's and every key of the profile
is one that is known here to decide nothing about it. Whatever else is set, botocore reads it.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH110, PTH111

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.settings.names import PREFIX
from boto_rolesanywhere.settings.profile_reader import endpoint_and_origin

from .trust import holds_certificates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto_rolesanywhere.settings.config import Config

_OURS: Final = f"AWS_{PREFIX.upper()}"
# What a variable begins with, or holds, that may decide about a call: in capitals.
_BEGINS: Final = ("AWS_", "BOTOCORE_", "_X_AMZN_", "REQUESTS_", "SSL_", "SSLKEYLOGFILE")
_HOLDS: Final = "_PROXY"
# Of these, the variables that are read here or decide nothing about CreateSession.
_VARIABLES: Final = frozenset({
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_OUTPUT",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_ROLESANYWHERE",
    "AWS_PAGER",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    # Of the system's store, which a plain call trusts as every other one of the command does.
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
})  # fmt: skip
# The same of a profile's keys.
_KEYS: Final = frozenset({
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "cli_pager",
    "credential_process",
    "endpoint_url",
    "output",
    "region",
    "sts_regional_endpoints",
})  # fmt: skip
# botocore's partitions: what stands before the last two parts of a Region's name → DNS suffix.
_SUFFIXES: Final = {
    **dict.fromkeys(("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"), "amazonaws.com"),
    "cn": "amazonaws.com.cn",
    "eusc-de": "amazonaws.eu",
    "eu-isoe": "cloud.adc-e.uk",
    "us-gov": "amazonaws.com",
    "us-iso": "c2s.ic.gov",
    "us-isob": "sc2s.sgov.gov",
    "us-isof": "csp.hci.ic.gov",
}
_OF_A_HOST: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_LOOPBACK: Final = ("127.0.0.1", "localhost")


class Route(NamedTuple):
    """Where a plain call goes.

    Attributes:
        url: of the endpoint, without a path.
        host: its host's name.
        port: its port; None for the usual one.
        encrypted: whether it is https.
        bundle: the file of CA certificates that AWS_CA_BUNDLE names; None for botocore's.
        endpoint: as the setting has it; "" for AWS's own endpoint of the Region.
        origin: the setting that names it.
    """

    url: str
    host: str
    port: int | None
    encrypted: bool
    bundle: str | None
    endpoint: str
    origin: str | None


def plain_route(
    config: Config, section: Mapping[str, str], environ: Mapping[str, str]
) -> Route | None:
    """Where the call goes; None if botocore has to say.

    Args:
        config: of the call.
        section: all of the profile that botocore would read.
        environ: the environment.
    """
    # Elsewhere the system's own settings may name a proxy.
    if sys.platform != "linux" or os.path.exists(os.path.expanduser("~/.aws/models")):
        return None
    if config.assumed or not all(key in _KEYS or key.startswith(PREFIX) for key in section):
        return None
    if not all(_decides_nothing(name) for name, text in environ.items() if text):
        return None
    bundle = environ.get("AWS_CA_BUNDLE") or None
    if bundle is not None and not holds_certificates(bundle):
        return None
    endpoint, origin = config.endpoint_url, config.endpoint_origin
    if not endpoint:
        endpoint, origin = endpoint_and_origin(section, {}, environ)
    if endpoint is None:
        return None
    url = endpoint or own_endpoint(config.region)
    return _to(url, bundle, endpoint, origin) if url else None


def _decides_nothing(variable: str) -> bool:
    name = variable.upper()
    if name in _VARIABLES or name.startswith(_OURS):
        return True
    return not name.startswith(_BEGINS) and _HOLDS not in name


def own_endpoint(region: str) -> str | None:
    """AWS's endpoint of a Region, without botocore; None if its partition is not known."""
    area = "-".join(region.split("-")[:-2])
    return f"https://rolesanywhere.{region}.{_SUFFIXES[area]}" if area in _SUFFIXES else None


def _to(url: str, bundle: str | None, endpoint: str, origin: str | None) -> Route | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    bare = url.rstrip("/")
    plain = bare == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    named = host[:1].isalnum() and host[-1:].isalnum() and _OF_A_HOST.issuperset(host)
    encrypted = parts.scheme == "https"
    # What leaves this machine unencrypted is warned of elsewhere.
    private = encrypted or (parts.scheme == "http" and host in _LOOPBACK)
    if not (plain and named and private and port != 0):
        return None
    return Route(bare, host, port, encrypted, bundle, endpoint, origin or None)

"""A call is made without botocore only where botocore would find nothing to add."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.config import Config as ClientConfig
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.loaders import Loader

from boto_rolesanywhere.composition import creator_of
from boto_rolesanywhere.create_session.call import parameters
from boto_rolesanywhere.create_session.plain_route import Route, plain_route
from boto_rolesanywhere.settings.config import Arguments, Config, resolve

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a route is plain on Linux alone")

# What botocore reads for a call, and a value of each. All of it makes the call botocore's.
DECIDES: dict[str, str] = {
    "account_id_endpoint_mode": "required",
    "api_versions": "x",
    "auth_scheme_preference": "sigv4a",
    "csm_client_id": "x",
    "csm_enabled": "true",
    "csm_host": "x",
    "csm_port": "1",
    "data_path": "/models",
    "defaults_mode": "standard",
    "disable_host_prefix_injection": "true",
    "disable_request_compression": "true",
    "ec2_metadata_service_endpoint": "http://x",
    "ec2_metadata_service_endpoint_mode": "ipv6",
    "ec2_metadata_v1_disabled": "true",
    "endpoint_discovery_enabled": "true",
    "ignore_configured_endpoint_urls": "true",
    "imds_use_ipv6": "true",
    "max_attempts": "1",
    "metadata_service_num_attempts": "1",
    "metadata_service_timeout": "1",
    "parameter_validation": "false",
    "request_checksum_calculation": "when_required",
    "request_min_compression_size_bytes": "1",
    "response_checksum_validation": "when_required",
    "retry_mode": "adaptive",
    "s3_disable_express_session_auth": "true",
    "sigv4a_signing_region_set": "*",
    "tcp_keepalive": "true",
    "use_dualstack_endpoint": "true",
    "use_fips_endpoint": "true",
    "user_agent_appid": "x",
}
# What the route itself follows, or what decides nothing about CreateSession, with the reason.
FOLLOWED: dict[str, str] = {
    "ca_bundle": "the variable is followed; the key of a profile makes the call botocore's",
    "config_file": "the profile is read from it",
    "credentials_file": "the profile is read from it",
    "profile": "it is read",
    "region": "the call's Region is always named: by a setting of ours, or the trust anchor's",
    "sts_regional_endpoints": "it is of another service",
}
# Options of a client. The command hands none over, so each of them would come by a variable above.
OPTIONS = {
    *("account_id_endpoint_mode", "auth_scheme_preference", "client_cert"),
    *("client_context_params", "connect_timeout", "defaults_mode", "disable_request_compression"),
    *("endpoint_discovery_enabled", "ignore_configured_endpoint_urls", "inject_host_prefix"),
    *("max_pool_connections", "parameter_validation", "proxies", "proxies_config"),
    *("read_timeout", "region_name", "request_checksum_calculation"),
    *("request_min_compression_size_bytes", "response_checksum_validation", "retries", "s3"),
    *("s3_disable_express_session_auth", "signature_version", "sigv4a_signing_region_set"),
    *("tcp_keepalive", "use_dualstack_endpoint", "use_fips_endpoint", "user_agent"),
    *("user_agent_appid", "user_agent_extra"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def config_in(region: str = "eu-west-1", endpoint_url: str | None = None) -> Config:
    arn = f"arn:aws:rolesanywhere:{region}:123456789012"
    arguments: Arguments = {
        "cert": b"unread",
        "anchor": f"{arn}:trust-anchor/1",
        "profile": f"{arn}:profile/2",
        "role": "arn:aws:iam::123456789012:role/R",
        "endpoint_url": endpoint_url,
    }
    config = resolve(arguments, environ={}, section={})
    assert config is not None
    return config


def route(
    config: Config | None = None, section: dict[str, str] | None = None, **environ: str
) -> Route | None:
    return plain_route(config or config_in(), section or {}, environ)


def named(variable: str) -> tuple[str | None, list[str]]:
    """The key of a profile and the variables by which botocore reads a setting."""
    key, variables, *_ = BOTOCORE_DEFAUT_SESSION_VARIABLES[variable]
    return key, [variables] if isinstance(variables, str) else list(variables or ())


def test_every_setting_of_botocore_is_accounted_for() -> None:
    """A new one of botocore's belongs in one of the tables above."""
    assert set(BOTOCORE_DEFAUT_SESSION_VARIABLES) == {*DECIDES, *FOLLOWED}
    assert set(ClientConfig.OPTION_DEFAULTS) == OPTIONS


@pytest.mark.parametrize("setting", DECIDES)
def test_what_botocore_would_have_to_read_makes_the_call_botocores(setting: str) -> None:
    key, variables = named(setting)
    assert key or variables
    for variable in variables:
        assert route(**{variable: DECIDES[setting]}) is None, variable
    if key:
        assert route(section={key: DECIDES[setting]}) is None, key


@pytest.mark.parametrize(
    "variable",
    [
        *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY"),
        *("REQUESTS_CA_BUNDLE", "SSL_KEY_FILE", "SSLKEYLOGFILE", "BOTOCORE_EXPERIMENTAL"),
        *("AWS_A_SETTING_OF_TOMORROW", "AWS_LAMBDA_FUNCTION_NAME", "_X_AMZN_TRACE_ID"),
    ],
)
def test_other_variables_make_the_call_botocores_too(variable: str) -> None:
    assert route(**{variable: "x"}) is None


@pytest.mark.parametrize(
    "section",
    [
        *({"ca_bundle": "/ca.pem"}, {"services": "x"}, {"a_key_of_tomorrow": "x"}, {"s3": "\nx"}),
        *({"proxy": "x"}, {"role_arn": "arn"}, {"endpoint_url": "http://elsewhere.example"}),
    ],
)
def test_a_profile_with_more_makes_the_call_botocores(section: dict[str, str]) -> None:
    assert route(section=section) is None


def test_what_decides_nothing_does_no_harm() -> None:
    section = {"region": "us-east-1", "output": "json", "rolesanywhere_duration": "900"}
    environ = {"AWS_PROFILE": "x", "AWS_REGION": "us-east-1", "AWS_ROLESANYWHERE_REGION": "x"}
    assert route(section=section, PATH="/bin", **environ) == route()
    assert route(HTTPS_PROXY="") == route()
    # A conda environment sets them: test_trust.py sees that such a call trusts what they name.
    assert route(SSL_CERT_FILE="/store.pem", SSL_CERT_DIR="/store") == route()


def test_models_of_the_users_make_the_call_botocores(home: Path) -> None:
    assert route() is not None
    (home / ".aws" / "models").mkdir(parents=True)
    assert route() is None


def test_a_ca_bundle_is_taken_if_it_is_a_file_with_a_certificate(home: Path) -> None:
    bundle = home / "ca.pem"
    assert route(AWS_CA_BUNDLE=str(bundle)) is None
    bundle.touch()
    assert route(AWS_CA_BUNDLE=str(bundle)) is None
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    found = route(AWS_CA_BUNDLE=str(bundle))
    assert found is not None
    assert found.bundle == str(bundle)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://vpce-1.example", "vpce-1.example", None),
        ("https://vpce-1.example:8443/", "vpce-1.example", 8443),
        ("http://127.0.0.1:80", "127.0.0.1", 80),
    ],
)
def test_a_plain_endpoint_is_taken(url: str, host: str, port: int | None) -> None:
    for found in (
        route(config_in(endpoint_url=url)),
        route(AWS_ENDPOINT_URL=url),
        route(section={"endpoint_url": url}),
    ):
        assert found is not None
        assert (found.host, found.port, found.endpoint) == (host, port, url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://x.example/path", "https://x.example?query", "https://x.example#part"),
        *("http://x.example", "https://x.example.", "https://[::1]", "https://x.example:0"),
        *("https://u:p@x.example", "HTTPS://x.example", "ftp://x.example", "https://x.example:y"),
        *("https://ä.example", "https://x_y.example", "x.example", "https://"),
    ],
)
def test_any_other_endpoint_is_botocores(url: str) -> None:
    assert route(AWS_ENDPOINT_URL_ROLESANYWHERE=url) is None


def regions() -> list[str]:
    """Every Region of every partition, and others that look like them."""
    path = Path(Loader.BUILTIN_DATA_PATH) / "partitions.json"
    partitions = json.loads(path.read_text())["partitions"]
    known = [name for partition in partitions for name in partition["regions"]]
    known = [name for name in known if not name.startswith("aws-")]
    return [*known, *(f"{name.rstrip('0123456789')}99" for name in known)]


def test_every_regions_endpoint_is_botocores_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert len(regions()) > 60
    for region in regions():
        config = config_in(region)
        creator = creator_of(config, botocore.session.Session(), lambda: None)  # type: ignore[arg-type, return-value]  # nothing is signed
        draft = creator.open_transport().draft(parameters(config))
        found = route(config)
        assert found is not None, region
        assert f"{found.url}/sessions" == draft.url


def test_a_region_of_no_known_partition_is_botocores() -> None:
    assert route(config_in("moon-base-1")) is None

"""The undocumented parts of botocore that this package uses; a release that moves one fails here.

Read a failure here as: botocore has changed, look at the place named.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED, credentials
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config as ClientConfig
from botocore.credentials import RefreshableCredentials
from botocore.httpsession import URLLib3Session


def test_the_oldest_release_that_is_allowed_is_tried() -> None:
    # scripts/test makes an environment of each lock file, and runs this file there too.
    root = Path(__file__).parents[2]
    oldest = re.search(r"botocore>=([0-9.]+)", (root / "setup.cfg").read_text())[1]
    versions = [path.stem for path in (root / "tests" / "botocores").glob("*.lock")]

    assert f"{oldest}.0" in versions
    assert "1.43.117" in versions
    for version in versions:
        lock = (root / "tests" / "botocores" / f"{version}.lock").read_text()
        assert f"\nbotocore=={version} " in lock


def test_the_assume_role_provider_has_a_builder_for_source_profiles() -> None:
    # provider.install replaces it.
    resolver = botocore.session.Session().get_component("credential_provider")
    assume_role = resolver.get_provider("assume-role")

    assert isinstance(assume_role._profile_provider_builder, credentials.ProfileProviderBuilder)
    signature = inspect.signature(credentials.ProfileProviderBuilder.providers)
    assert list(signature.parameters) == ["self", "profile_name", "disable_env_vars"]


def test_a_session_keeps_its_credentials_in_one_attribute() -> None:
    # session.get_session sets it.
    session = botocore.session.Session()
    session._credentials = marker = object()

    assert session.get_credentials() is marker
    assert boto3.Session(botocore_session=session).get_credentials() is marker


def test_refreshable_credentials_read_through_refresh() -> None:
    # credentials.SessionCredentials overrides _refresh alone.
    for name in ("access_key", "secret_key", "token", "account_id"):
        source = inspect.getsource(getattr(RefreshableCredentials, name).fget)
        assert "self._refresh()" in source
        assert f"return self._{name}" in source
    source = inspect.getsource(RefreshableCredentials.get_frozen_credentials)
    assert "self._refresh()" in source
    assert "return self._frozen_credentials" in source


def test_an_event_may_answer_in_place_of_sending_and_has_the_whole_request() -> None:
    # botocore_transport takes the request there, after the handler that adds a header.
    client = botocore.session.Session().create_client(
        "sts", region_name="eu-west-1", config=ClientConfig(signature_version=UNSIGNED)
    )
    seen: list[str] = []

    def early(**_: object) -> None:
        seen.append("early")

    def answer(params: dict[str, object], **_: object) -> object:
        seen.append("last")
        return SimpleNamespace(status_code=200), {"request": params}

    client.meta.events.register_last("before-call", answer)
    client.meta.events.register("before-call", early)
    request = client.get_caller_identity()["request"]

    assert seen == ["early", "last"]
    assert request["method"] == "POST"
    assert request["url"].startswith("https://sts.")
    assert request["headers"]["User-Agent"]
    assert b"GetCallerIdentity" in AWSRequest("POST", "http://x/", data=request["body"]).body


def test_a_clients_http_session_sends_and_leaves_the_body_unread() -> None:
    # botocore_transport sends through it, and reads the body within limits.
    client = botocore.session.Session().create_client("sts", region_name="eu-west-1")
    assert isinstance(client._endpoint.http_session, URLLib3Session)
    source = inspect.getsource(URLLib3Session.send)
    assert "if not request.stream_output" in source
    assert "preload_content=False" in source
    assert "retries=Retry(False)" in source

    class Raw:
        def stream(self) -> list[bytes]:
            return [b"a", b"b"]

    response = AWSResponse("http://localhost/", 200, {"Date": "now"}, Raw())
    assert response.raw.stream() == [b"a", b"b"]
    assert dict(response.headers.items()) == {"Date": "now"}


@pytest.mark.parametrize("options", [{"total_max_attempts": 3}, {"max_attempts": 2}])
def test_a_client_knows_how_many_attempts_the_user_wants(options: dict[str, int]) -> None:
    # botocore_transport reads them there, whichever way they were set.
    client = botocore.session.Session().create_client(
        "sts", region_name="eu-west-1", config=ClientConfig(retries=options)
    )
    assert client.meta.config.retries["total_max_attempts"] == 3


def test_a_closed_http_session_has_no_connections_and_can_send_again() -> None:
    # botocore_transport closes it when nobody sends.
    session = URLLib3Session()
    pool = session._manager.connection_from_url("http://127.0.0.1:9/")
    session.close()

    assert len(session._manager.pools) == 0
    assert session._manager.connection_from_url("http://127.0.0.1:9/") is not pool
    assert "self._proxy_managers" in inspect.getsource(URLLib3Session.close)

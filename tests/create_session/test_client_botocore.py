"""The undocumented parts of botocore that this package uses; a release that moves one fails here.

Read a failure here as: botocore has changed, look at the place named.
"""

from __future__ import annotations

import inspect

import boto3
import botocore.session
from botocore import credentials
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import RefreshableCredentials
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session


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


def test_the_signing_event_comes_for_every_attempt() -> None:
    # create_session signs in it.
    source = inspect.getsource(Endpoint.create_request)

    assert "request-created" in source
    assert "self.create_request" in inspect.getsource(Endpoint._send_request)


def test_the_body_passes_through_an_event_before_it_is_parsed_and_logged() -> None:
    # response_body takes it out there, and hands it on in the dictionary that is merged.
    source = inspect.getsource(Endpoint._do_get_response)
    assert source.index("before-parse") < source.index("parser.parse(")
    assert source.index("parser.parse(") < source.index("update(customized_response_dict)")


def test_an_event_may_send_in_place_of_botocore_and_what_it_raises_is_an_attempts_error() -> None:
    # client sends there, within limits.
    source = inspect.getsource(Endpoint._do_get_response)
    sending = source.index("try:"), source.index("before-send"), source.index("self._send(")
    assert sending == tuple(sorted(sending))
    assert "if http_response is None" in source
    assert "except Exception as e" in source[sending[2] :]
    assert "self.http_session.send(request)" in inspect.getsource(Endpoint._send)
    client = botocore.session.Session().create_client("sts", region_name="eu-west-1")
    assert isinstance(client._endpoint.http_session, URLLib3Session)


def test_a_body_is_left_unread_if_the_request_says_so_and_comes_from_stream() -> None:
    # sending reads it.
    assert "if not request.stream_output" in inspect.getsource(URLLib3Session.send)

    class Raw:
        def stream(self) -> list[bytes]:
            return [b"a", b"b"]

    response = AWSResponse("http://localhost/", 200, {"Date": "now"}, Raw())
    again = AWSResponse(response.url, response.status_code, response.headers, Raw())
    assert (again.content, again.headers["date"]) == (b"ab", "now")


def test_a_header_of_bytes_keeps_its_own_type() -> None:
    # create_session hides the signature from logs by the value's repr.
    class Hidden(bytes):
        __slots__ = ()

        def __repr__(self) -> str:
            return "<hidden>"

    request = AWSRequest("GET", "http://localhost/", headers={})
    request.headers["Authorization"] = Hidden(b"signature")
    Endpoint._encode_headers(None, request.headers)

    assert "signature" not in str(request.prepare())
    assert request.prepare().headers["Authorization"] == b"signature"

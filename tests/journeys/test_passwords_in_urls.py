"""A password in a URL (of a proxy, or of an endpoint) is shown nowhere, however it is written."""

from __future__ import annotations

import logging
import string
import traceback
from urllib.parse import quote

import pytest
from botocore.config import Config as ClientConfig
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import boto_rolesanywhere
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError
from boto_rolesanywhere.testing import CertificateAuthority

APP = CertificateAuthority().issue("app")
ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
ARGUMENTS = {
    "cert": APP.certificate_pem,
    "key": APP.private_key_pem,
    "anchor": f"{ARN}:trust-anchor/7b4d0b52-5352-4b32-978a-11734bf56c61",
    "profile": f"{ARN}:profile/cdd59325-8d0c-4cfe-9df0-7ef5c284cb59",
    "role": "arn:aws:iam::123456789012:role/RolesAnywhere",
}
# Nobody listens there, so the way ends at once.
HOST = "127.0.0.1:9"
ONCE = ClientConfig(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
VARIABLES = [
    "HTTPS_PROXY",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_ROLESANYWHERE",
    "AWS_ROLESANYWHERE_ENDPOINT_URL",
]
# Two words that stand in nothing else, with anything that can be typed around them.
ODD = st.text(string.punctuation + " ", max_size=3)
PASSWORDS = st.builds(lambda *odd: f"{odd[0]}QUXX{odd[1]}ZYXW{odd[2]}", ODD, ODD, ODD)
each_variable = pytest.mark.parametrize("variable", VARIABLES)


def shown_by_a_call(caplog: pytest.LogCaptureFixture) -> tuple[RolesAnywhereError, str]:
    caplog.clear()
    with caplog.at_level(logging.DEBUG), pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(
            **ARGUMENTS, client_config=ONCE
        ).get_credentials().get_frozen_credentials()
    return caught.value, caplog.text + "".join(traceback.format_exception(caught.value))


@each_variable
@given(password=PASSWORDS)
@example(password="QUXX/ZYXW")
@example(password="QUXX#ZYXW")
@example(password="QUXX?ZYXW")
@example(password="/QUXXZYXW")
@example(password="QUXX@ZYXW")
@example(password="QUXX[ZYXW]")
@example(password="QUXX://ZYXW")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neither_error_nor_traceback_nor_log_has_any_of_it(
    variable: str,
    password: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(variable, f"http://user:{password}@{HOST}")

    _, shown = shown_by_a_call(caplog)

    assert "QUXX" not in shown
    assert "ZYXW" not in shown


# Not URLs, or not the URLs that they were meant to be: the password stands elsewhere.
TORN = [
    "http://user:QUXX/ZYXW",
    "http://user:QUXX?ZYXW",
    "user:QUXX",
    "user:QUXX/ZYXW",
    f"http:user:QUXX@{HOST}",
    f"http:/user:QUXX@{HOST}",
    f"HTTP://user:QUXX@{HOST}",
    f"user:QUXX://ZYXW@{HOST}",
    f"socks5://user:QUXX@{HOST}",
    "http://user:QUXX@127.0.0.1:99999",
    f"http://user:QUXX%C3%A4@{HOST}",
]


@each_variable
@pytest.mark.parametrize("url", TORN)
def test_a_url_that_does_not_parse_is_not_quoted(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(variable, url)

    _, shown = shown_by_a_call(caplog)
    said = repr([verdict.to_json() for verdict in examine(ARGUMENTS, timeout=1)])

    for text in (shown, said, caplog.text):
        assert "QUXX" not in text
        assert "ZYXW" not in text


@each_variable
@pytest.mark.parametrize("password", ["QUXX/ZYXW", "QUXX#ZYXW", "QUXX", "QUXX%2FZYXW"])
def test_doctor_says_none_of_it(
    variable: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"http://user:{password}@{HOST}")

    verdicts = list(examine(ARGUMENTS, timeout=1))

    assert any(verdict.status == "fail" for verdict in verdicts)
    said = repr([verdict.to_json() for verdict in verdicts])
    assert "QUXX" not in said
    assert "ZYXW" not in said


def test_a_proxys_password_that_is_not_encoded_is_named_for_what_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:QUXX/ZYXW@{HOST}")
    error, _ = shown_by_a_call(caplog)
    assert isinstance(error, ConfigurationError)
    assert error.code == "proxy-url-invalid"

    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{quote('QUXX/ZYXW', safe='')}@{HOST}")
    error, _ = shown_by_a_call(caplog)
    assert error.code == "endpoint-unreachable"

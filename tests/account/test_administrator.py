"""The administrator's calls: whose credentials, and what is said when they fail."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from one_answer import answering as answering_all

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.pace import Pace
from boto_rolesanywhere.errors import (
    ConfigurationError,
    EndpointError,
    InvalidResponseError,
    NoSuchProfileError,
    RolesAnywhereError,
    ServiceError,
    ThrottledError,
)
from boto_rolesanywhere.testing import Emulator


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def answering(status: int, code: str, message: str = "no") -> Administrator:
    """An administrator to whom AWS always answers so, and who does not wait between two calls."""
    administrator = Administrator(region="eu-west-1", pace=Pace(sleep=lambda _: None))

    class Raw:
        def stream(self) -> list[bytes]:
            return [json.dumps({"message": message}).encode()]

    def answer(request: AWSRequest, **_: object) -> AWSResponse:
        headers = {"x-amzn-errortype": code, "content-type": "application/json"}
        return AWSResponse(str(request.url), status, headers, Raw())  # type: ignore[arg-type]  # all that is read of it

    administrator.session.register("before-send.rolesanywhere", answer)
    return administrator


@pytest.mark.parametrize(
    ("status", "service_code", "code", "said"),
    [
        (403, "AccessDeniedException", "administrator-denied", "rolesanywhere:ListTrustAnchors"),
        (403, "ExpiredTokenException", "administrator-credentials-missing", "sso login"),
        (400, "ValidationException", "administrator-call-refused", "ValidationException"),
        (404, "ResourceNotFoundException", "administrator-call-refused", "HTTP 404"),
    ],
)
def test_a_refusal_is_explained(
    credentials: None, status: int, service_code: str, code: str, said: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        list(answering(status, service_code).pages("rolesanywhere", "ListTrustAnchors", "x"))

    assert refused.value.code == code
    assert refused.value.service_code == service_code
    assert said in str(refused.value)
    assert "ListTrustAnchors" in str(refused.value)


def test_what_else_an_operation_needs_is_named(credentials: None) -> None:
    with pytest.raises(ServiceError, match=r"iam:PassRole .*iam:PassedToService"):
        answering(403, "AccessDeniedException").call(
            "rolesanywhere", "CreateProfile", name="app1", roleArns=[]
        )


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/setup"])
def test_the_systems_store_is_trusted_too(
    credentials: None, monkeypatch: pytest.MonkeyPatch, role: str | None, *, trusted: bool
) -> None:
    with Emulator(tls=True) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
        # It knows no STS, and answers a role's call as STS would not, if the call gets there.
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.endpoint_url)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(emulator.ca_bundle_path))
        administrator = Administrator(region="eu-west-1", account_role=role)
        if trusted and role is None:
            assert list(administrator.pages("rolesanywhere", "ListTrustAnchors", "trustAnchors"))
            return
        with pytest.raises(InvalidResponseError if trusted else EndpointError) as refused:
            administrator.call("rolesanywhere", "ListTrustAnchors")

    assert ("certificate verify failed" in str(refused.value)) is not trusted


@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/setup"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_DEFAULT_REGION"])
def test_an_empty_variable_does_not_count(
    credentials: None,
    monkeypatch: pytest.MonkeyPatch,
    moto_url: str,
    variable: str,
    role: str | None,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    monkeypatch.setenv(variable, "")

    assert Administrator(region="eu-west-1", account_role=role).account == "123456789012"


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_the_variable_that_names_no_profile_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "gone")
    with pytest.raises(NoSuchProfileError) as refused:
        Administrator()
    assert refused.value.where == variable


@pytest.mark.parametrize(
    ("status", "service_code", "code"),
    [(429, "ThrottlingException", "throttled"), (503, "ServiceUnavailable", "service-failed")],
)
def test_retries_come_before_an_error(
    credentials: None, monkeypatch: pytest.MonkeyPatch, status: int, service_code: str, code: str
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)

    with pytest.raises(RolesAnywhereError) as refused:
        answering(status, service_code).call("rolesanywhere", "ListCrls")

    assert refused.value.code == code
    assert isinstance(refused.value, ThrottledError) == (status == 429)
    assert len(waits) == 7


def test_a_parameter_that_botocore_refuses_is_an_error_of_ours(credentials: None) -> None:
    with pytest.raises(ConfigurationError) as refused:
        answering(200, "").call("rolesanywhere", "GetCrl", crlId=3)
    assert refused.value.code == "botocore-setting-unusable"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_an_endpoint_that_is_not_there(
    credentials: None, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(EndpointError, match="administrator's call did not reach AWS") as refused:
        Administrator(region="eu-west-1").call("sts", "GetCallerIdentity")
    assert f"AWS at http://127.0.0.1:9 (from {variable})" in str(refused.value)
    assert f"Correct {variable}, or unset it to ask AWS." in str(refused.value.remedy)


def test_a_refusal_of_another_endpoint_names_it(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering_all(403, {}, b'{"message": "no"}') as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", url)
        with pytest.raises(ServiceError) as refused:
            Administrator(region="eu-west-1").call("rolesanywhere", "ListCrls")
    assert f"that of AWS at {url} (from AWS_ENDPOINT_URL_ROLESANYWHERE)" in str(refused.value)


@pytest.mark.parametrize("body", [b"<html>Please log in", b"<html>Please log in</html>", b"{}"])
@pytest.mark.parametrize("service", ["sts", "rolesanywhere"])
def test_an_answer_of_something_else_is_named(
    credentials: None, monkeypatch: pytest.MonkeyPatch, service: str, body: bytes
) -> None:
    def ask(administrator: Administrator) -> object:
        if service == "sts":
            return administrator.account
        return list(administrator.pages("rolesanywhere", "ListTrustAnchors", "trustAnchors"))

    with answering_all(200, {}, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(InvalidResponseError) as refused:
            ask(Administrator(region="eu-west-1"))
    said = f"AWS at {url} (from AWS_ENDPOINT_URL): {service} answered as AWS does not"
    assert said in str(refused.value)


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as missing:
        Administrator(region="eu-west-1").call("sts", "GetCallerIdentity")
    assert missing.value.code == "administrator-credentials-missing"

    with pytest.raises(ConfigurationError) as missing:
        Administrator().client("iam")
    assert missing.value.code == "region-missing"

    for region in (None, "eu-west-1"):
        with pytest.raises(NoSuchProfileError, match="--admin-profile"):
            Administrator(profile="nobody", region=region)

    with pytest.raises(ConfigurationError, match="--account-role"):
        Administrator(account_role="arn:aws:iam::123456789012:user/x")


def test_a_config_file_that_botocore_cannot_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError, match=str(tmp_path)) as unreadable:
        Administrator()

    assert unreadable.value.code == "botocore-setting-unusable"


def test_the_profile_gives_region_and_credentials(clean_environment: Path) -> None:
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "config").write_text(
        "[profile admin]\nregion = eu-central-1\naws_access_key_id = AKIAADMIN\n"
        "aws_secret_access_key = secret\n"
    )
    administrator = Administrator(profile="admin")

    assert administrator.region == "eu-central-1"
    assert Administrator(profile="admin", region="us-east-1").region == "us-east-1"
    found = administrator.session.get_credentials()
    assert found is not None
    assert found.access_key == "AKIAADMIN"


def test_another_account_is_entered_through_its_role(
    credentials: None, monkeypatch: pytest.MonkeyPatch, moto_url: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    role = "arn:aws:iam::210987654321:role/Administrator"
    administrator = Administrator(region="eu-west-1", account_role=role)

    assert administrator.account == "210987654321"
    assert administrator.partition == "aws"
    administrator.call(
        "iam", "CreateRole", RoleName="of-the-other-account", AssumeRolePolicyDocument="{}"
    )
    names = [found["RoleName"] for found in administrator.pages("iam", "ListRoles", "Roles")]
    assert "of-the-other-account" in names
    own = boto3.client("iam", region_name="eu-west-1").list_roles()["Roles"]
    assert "of-the-other-account" not in [found["RoleName"] for found in own]
    administrator.call("iam", "DeleteRole", RoleName="of-the-other-account")


def test_a_role_that_cannot_be_assumed(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    role = "arn:aws:iam::210987654321:role/Administrator"
    with pytest.raises(ConfigurationError) as missing:
        Administrator(region="eu-west-1", account_role=role).call("iam", "ListRoles")

    assert missing.value.code == "administrator-credentials-missing"


def test_whether_botocore_knows_a_parameter(credentials: None) -> None:
    administrator = Administrator(region="eu-west-1")

    assert administrator.takes("rolesanywhere", "CreateProfile", "acceptRoleSessionName")
    assert not administrator.takes("rolesanywhere", "CreateProfile", "of-next-year")

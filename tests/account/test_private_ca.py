"""AWS Private CA is asked for what its key, its mode and its own end allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from cryptography import x509
from private_cas import (
    certificate_of,
    create_below,
    create_ca,
    create_root,
    documented_templates,
    moto_ca,
)

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.private_ca import PrivateCa, serial_text
from boto_rolesanywhere.authority import create_root as create_own_root
from boto_rolesanywhere.authority.drafts import general_names, name_of
from boto_rolesanywhere.authority.keys import generate_key
from boto_rolesanywhere.authority.requests import alternative_names, make_request
from boto_rolesanywhere.authority.revocation import REASONS
from boto_rolesanywhere.certificates.rules import problems
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    ServiceError,
    ThrottledError,
)

KEY: Final = generate_key("P-256")
CSR: Final = make_request(name_of("app1"), general_names(["DNS:app1.example.com"]), KEY)
QUARTER: Final = timedelta(days=90)


def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def administrator(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Iterator[Administrator]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    with documented_templates():
        yield Administrator(region="eu-west-1")


@pytest.fixture
def arn(administrator: Administrator) -> str:
    return create_root(administrator.client("acm-pca"))


@pytest.fixture
def sent(administrator: Administrator) -> list[dict[str, Any]]:
    """The parameters of each call that changes something."""
    found: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        found.append(dict(params))

    for operation in ("IssueCertificate", "RevokeCertificate"):
        events_of(administrator).register(f"provide-client-params.acm-pca.{operation}", note)
    return found


def events_of(administrator: Administrator) -> Any:  # noqa: ANN401  # botocore's
    return administrator.client("acm-pca").meta.events


def answer(administrator: Administrator, operation: str, code: str, *, times: int = 99) -> None:
    """Let AWS refuse an operation so many times."""
    left = [times]

    class Raw:
        def stream(self) -> list[bytes]:
            return [json.dumps({"__type": code, "message": "in AWS's words"}).encode()]

    def refuse(request: AWSRequest, **_: object) -> AWSResponse | None:
        left[0] -= 1
        return AWSResponse(str(request.url), 400, {}, Raw()) if left[0] >= 0 else None  # type: ignore[arg-type]  # read alone

    events_of(administrator).register(f"before-send.acm-pca.{operation}", refuse)


def test_a_certificate_is_issued_from_the_request(administrator: Administrator, arn: str) -> None:
    said: list[str] = []
    issued = PrivateCa(administrator, arn, tell=said.append).issue(CSR, QUARTER)

    assert problems(issued.certificate, now()) == ()
    assert issued.certificate.subject == name_of("app1")
    assert alternative_names(issued.certificate) == general_names(["DNS:app1.example.com"])
    assert issued.certificate.public_key() == KEY.public_key()
    assert issued.chain == ()  # the issuer is the root, which is not sent
    root = x509.load_pem_x509_certificate(certificate_of(administrator.client("acm-pca"), arn))
    issued.certificate.verify_directly_issued_by(root)
    purposes = issued.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert said == [f"{issued.arn}: being issued"]


def test_the_chain_comes_without_the_root(administrator: Administrator, tmp_path: Path) -> None:
    root = create_own_root(tmp_path / "root", "Own root")
    arn = create_below(administrator.client("acm-pca"), root)

    issued = PrivateCa(administrator, arn).issue(CSR, QUARTER)

    (above,) = issued.chain
    issued.certificate.verify_directly_issued_by(above)
    above.verify_directly_issued_by(root.certificate)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("RSA_2048", "SHA256WITHRSA"),
        ("RSA_3072", "SHA256WITHRSA"),
        ("RSA_4096", "SHA256WITHRSA"),
        ("EC_prime256v1", "SHA256WITHECDSA"),
        ("EC_secp384r1", "SHA384WITHECDSA"),
        ("EC_secp521r1", "SHA512WITHECDSA"),
        ("ML_DSA_44", "ML_DSA_44"),
        ("ML_DSA_65", "ML_DSA_65"),
        ("ML_DSA_87", "ML_DSA_87"),
    ],
)
def test_the_signature_is_that_of_the_cas_key(
    administrator: Administrator, sent: list[dict[str, Any]], key: str, algorithm: str
) -> None:
    arn = create_root(administrator.client("acm-pca"), key=key)
    sent.clear()

    PrivateCa(administrator, arn).issue(CSR, QUARTER)

    assert [call["SigningAlgorithm"] for call in sent] == [algorithm]


def test_every_key_that_botocore_knows_is_thought_of(administrator: Administrator) -> None:
    service = administrator.client("acm-pca").meta.service_model
    shape = service.shape_for("CertificateAuthorityConfiguration")
    from boto_rolesanywhere.account.private_ca import _SIGNING

    known = shape.members["KeyAlgorithm"].enum
    assert set(known) - set(_SIGNING) <= {"SM2"}
    algorithms = service.operation_model("IssueCertificate").input_shape.members["SigningAlgorithm"]
    assert {_SIGNING[key] for key in known if key in _SIGNING} <= set(algorithms.enum)


@pytest.mark.parametrize("key", ["SM2", "FALCON_512"])
def test_a_key_that_roles_anywhere_does_not_take(
    administrator: Administrator, arn: str, sent: list[dict[str, Any]], key: str
) -> None:
    moto_ca(arn).certificate_authority_configuration["KeyAlgorithm"] = key

    with pytest.raises(ConfigurationError, match=key) as caught:
        PrivateCa(administrator, arn).issue(CSR, QUARTER)

    assert caught.value.code == "private-ca-unusable"
    assert sent == []


@pytest.mark.parametrize(
    ("mode", "days", "left", "validity", "said"),
    [
        ("GENERAL_PURPOSE", 90, 364, {"Type": "DAYS", "Value": 90}, ""),
        ("GENERAL_PURPOSE", 90, 90, "the end", "own certificate ends before"),
        ("GENERAL_PURPOSE", 90, 5, "the end", "own certificate ends before"),
        ("SHORT_LIVED_CERTIFICATE", 90, 364, {"Type": "DAYS", "Value": 7}, "7 days at most"),
        ("SHORT_LIVED_CERTIFICATE", 7, 364, {"Type": "DAYS", "Value": 7}, ""),
        ("SHORT_LIVED_CERTIFICATE", 3, 364, {"Type": "DAYS", "Value": 3}, ""),
        ("SHORT_LIVED_CERTIFICATE", 90, 2, "the end", "own certificate ends before"),
    ],
)
def test_the_validity_is_bounded(
    administrator: Administrator,
    arn: str,
    sent: list[dict[str, Any]],
    mode: str,
    days: int,
    left: int,
    validity: object,
    said: str,
) -> None:
    moto_ca(arn).usage_mode = mode
    end = moto_ca(arn).certificate.not_valid_after_utc  # type: ignore[union-attr]  # it has one
    told: list[str] = []
    then = end - timedelta(days=left)
    issuing = PrivateCa(administrator, arn, tell=told.append, clock=lambda: then)

    issuing.issue(CSR, timedelta(days=days))

    the_end = {"Type": "ABSOLUTE", "Value": int(end.timestamp())}
    expected = the_end if validity == "the end" else validity
    assert [call["Validity"] for call in sent] == [expected]
    assert said in "".join(told)


@pytest.mark.parametrize("status", ["PENDING_CERTIFICATE", "DISABLED", "DELETED", "FAILED"])
def test_a_ca_that_is_not_active(administrator: Administrator, arn: str, status: str) -> None:
    moto_ca(arn).status = status

    with pytest.raises(ConfigurationError, match=status) as caught:
        PrivateCa(administrator, arn).issue(CSR, QUARTER)

    assert (caught.value.code, caught.value.where) == ("private-ca-unusable", arn)


def test_a_ca_without_a_certificate(administrator: Administrator) -> None:
    arn = create_ca(administrator.client("acm-pca"))

    with pytest.raises(ConfigurationError, match="PENDING_CERTIFICATE"):
        PrivateCa(administrator, arn).issue(CSR, QUARTER)


@pytest.mark.parametrize("status", ["EXPIRED", "ACTIVE"])
def test_a_ca_that_has_ended(administrator: Administrator, arn: str, status: str) -> None:
    moto_ca(arn).status = status
    later = now() + timedelta(days=366) if status == "ACTIVE" else now()

    with pytest.raises(CertificateError) as caught:
        PrivateCa(administrator, arn, clock=lambda: later).issue(CSR, QUARTER)

    assert caught.value.code == "authority-ended"


def test_the_template_is_of_the_cas_partition(
    administrator: Administrator, sent: list[dict[str, Any]]
) -> None:
    arn = create_root(administrator.client("acm-pca"))
    in_china = arn.replace("arn:aws:", "arn:aws-cn:")
    sent.clear()
    with pytest.raises(ServiceError):  # moto has no such CA
        PrivateCa(administrator, in_china).issue(CSR, QUARTER)
    from boto_rolesanywhere.account import private_ca

    assert private_ca.template_arn("aws-cn", "EndEntityCertificate/V1") == (
        "arn:aws-cn:acm-pca:::template/EndEntityCertificate/V1"
    )
    PrivateCa(administrator, arn).issue(CSR, QUARTER, template="EndEntityCertificate/V1")
    assert [call["TemplateArn"] for call in sent] == [
        "arn:aws:acm-pca:::template/EndEntityCertificate/V1"
    ]


def test_the_same_request_is_known_again(
    administrator: Administrator, arn: str, sent: list[dict[str, Any]]
) -> None:
    authority = PrivateCa(administrator, arn)
    other = make_request(name_of("app2"), (), KEY)
    for csr, days in ((CSR, 90), (CSR, 90), (other, 90), (CSR, 30)):
        authority.issue(csr, timedelta(days=days))

    tokens = [call["IdempotencyToken"] for call in sent]
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 3
    assert {len(token) for token in tokens} == {36}


def test_what_roles_anywhere_would_refuse_is_said(administrator: Administrator, arn: str) -> None:
    with pytest.raises(CertificateError, match="it has no keyUsage") as caught:
        PrivateCa(administrator, arn).issue(
            CSR, QUARTER, template="BlankEndEntityCertificate_CSRPassthrough/V1"
        )

    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{arn}/certificate/")


def test_a_certificate_for_another_key_is_refused(administrator: Administrator, arn: str) -> None:
    own = certificate_of(administrator.client("acm-pca"), arn).decode()

    def swap(parsed: dict[str, str], **_: object) -> None:
        parsed["Certificate"] = own

    events_of(administrator).register("after-call.acm-pca.GetCertificate", swap)

    with pytest.raises(CertificateError, match="another key"):
        PrivateCa(administrator, arn).issue(CSR, QUARTER)


def test_a_certificate_that_takes_its_time_is_waited_for(
    administrator: Administrator, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", waits.append)
    answer(administrator, "GetCertificate", "RequestInProgressException", times=3)

    assert PrivateCa(administrator, arn).issue(CSR, QUARTER)
    assert waits == [1, 1, 1]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("RequestInProgressException", "administrator-call-refused"),
        ("AccessDeniedException", "administrator-denied"),
        ("RequestFailedException", "administrator-call-refused"),
    ],
)
def test_a_certificate_that_does_not_come(
    administrator: Administrator,
    arn: str,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    expected: str,
) -> None:
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda _: None)
    answer(administrator, "GetCertificate", code)

    with pytest.raises(ServiceError, match=code) as caught:
        PrivateCa(administrator, arn).issue(CSR, QUARTER)

    assert caught.value.code == expected


def test_a_shared_ca_may_allow_another_template(administrator: Administrator, arn: str) -> None:
    answer(administrator, "IssueCertificate", "AccessDeniedException")
    authority = PrivateCa(administrator, arn)

    with pytest.raises(ServiceError, match="--template EndEntityCertificate/V1") as caught:
        authority.issue(CSR, QUARTER)
    with pytest.raises(ServiceError) as plain:
        authority.issue(CSR, QUARTER, template="EndEntityCertificate/V1")

    assert caught.value.code == plain.value.code == "administrator-denied"
    assert "acm-pca:IssueCertificate" in str(caught.value)
    assert "--template" not in str(plain.value)


def test_throttling_is_said_after_all_retries(
    administrator: Administrator, arn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    answer(administrator, "IssueCertificate", "ThrottlingException")

    with pytest.raises(ThrottledError):
        PrivateCa(administrator, arn).issue(CSR, QUARTER)


@pytest.mark.parametrize("text", ["", "ca", "arn:aws:acm-pca:eu-west-1:1:certificate-authority/x"])
def test_another_arn_is_refused(administrator: Administrator, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PrivateCa(administrator, text)

    assert caught.value.code == "arn-invalid"


@pytest.mark.parametrize(
    ("serial", "text"),
    [
        (0x1, "01"),
        (0xABC, "0a:bc"),
        (0x670744768000B7F4055627FFD55CEBCC, "67:07:44:76:80:00:b7:f4:05:56:27:ff:d5:5c:eb:cc"),
    ],
)
def test_a_serial_number_is_written_in_octets(serial: int, text: str) -> None:
    assert serial_text(serial) == text


@pytest.mark.parametrize("reason", [one for one in REASONS if one != "certificateHold"])
def test_a_certificate_is_revoked(
    administrator: Administrator, arn: str, sent: list[dict[str, Any]], reason: str
) -> None:
    shape = administrator.client("acm-pca").meta.service_model.shape_for("RevocationReason")

    revocation = PrivateCa(administrator, arn).revoke(0xABC, reason)

    assert revocation == (True, False)
    (call,) = sent
    assert call["CertificateSerial"] == "0a:bc"
    assert call["RevocationReason"] in shape.enum
    assert call["RevocationReason"].replace("_", "").lower() in (
        reason.lower(),
        "certificateauthoritycompromise",
    )
    assert list(moto_ca(arn).revoked_certificates) == ["0a:bc"]


def test_a_hold_is_refused(administrator: Administrator, arn: str, sent: list[Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PrivateCa(administrator, arn).revoke(0xABC, "certificateHold")

    assert caught.value.code == "authority-value-unusable"
    assert sent == []


def test_what_was_revoked_before_is_no_error(administrator: Administrator, arn: str) -> None:
    answer(administrator, "RevokeCertificate", "RequestAlreadyProcessedException")

    assert PrivateCa(administrator, arn).revoke(0xABC) == (False, False)


def test_other_refusals_of_a_revocation_are_errors(administrator: Administrator, arn: str) -> None:
    answer(administrator, "RevokeCertificate", "ResourceNotFoundException")

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        PrivateCa(administrator, arn).revoke(0xABC)


def test_whether_a_list_will_have_it_is_known(administrator: Administrator, arn: str) -> None:
    authority = PrivateCa(administrator, arn)
    moto_ca(arn).revocation_configuration = {
        "CrlConfiguration": {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": "lists"}
    }
    assert authority.revoke(1).is_listed is True
    answer(administrator, "DescribeCertificateAuthority", "AccessDeniedException")
    assert authority.revoke(2).is_listed is None

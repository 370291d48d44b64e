"""The main job: certificate, key and ARNs in, an ordinary boto3 session out."""

from __future__ import annotations

import json
import re
import socket
from datetime import timedelta
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, ProfileNotFound
from commands import ended
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from sessions import set_variables

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    PrivateKeyError,
    SessionDeniedError,
)
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue("app")


def call(emulator: Emulator, issued: IssuedCertificate, **arguments: object) -> boto3.Session:
    given: dict[str, object] = {
        "cert": issued.certificate_pem,
        "key": issued.private_key_pem,
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url,
    }
    return boto_rolesanywhere.get_session(**(given | arguments))  # type: ignore[arg-type]  # any


def credentials(session: boto3.Session) -> SessionCredentials:
    held = session.get_credentials()
    assert isinstance(held, SessionCredentials)
    return held


def body(emulator: Emulator) -> dict[str, object]:
    content = json.loads(emulator.requests[-1].body)
    assert isinstance(content, dict)
    return content


def test_the_session_has_credentials_of_the_role(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    session = call(emulator, issued)
    assert emulator.requests == []  # nothing is asked for before it is needed

    frozen = credentials(session).get_frozen_credentials()

    assert frozen.access_key == emulator.requests[0].access_key_id
    assert frozen.account_id == emulator.account
    assert type(session) is boto3.Session
    assert emulator.created == 1


def test_what_the_service_said_is_at_hand(emulator: Emulator, issued: IssuedCertificate) -> None:
    given = credentials(call(emulator, issued)).session

    assert given.role_arn == emulator.role_arn
    arn = str(given.assumed_role_arn)
    assert arn.startswith(f"arn:aws:sts::{emulator.account}:assumed-role/RolesAnywhere/")
    assert arn.endswith(f"{issued.serial_number:x}")
    assert given.source_identity == "CN=app"
    assert given.subject_arn is not None
    assert ":subject/" in given.subject_arn
    assert given.packed_policy_size is not None
    assert given.lifetime == pytest.approx(3600, abs=1)


@pytest.mark.parametrize("key_type", ["RSA-2048", "P-256", "P-384", "P-521"])
def test_each_key_type_gets_a_session(
    ca: CertificateAuthority, emulator: Emulator, key_type: str
) -> None:
    session = call(emulator, ca.issue("typed", key_type=key_type))  # type: ignore[arg-type]  # a str

    assert credentials(session).session.access_key_id.startswith("ASIA")


def test_paths_and_intermediates(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path
) -> None:
    issued = ca.issue_intermediate("one").issue_intermediate("two").issue("deep")
    paths = issued.write(tmp_path)

    apart = call(
        emulator, issued, cert=str(paths.certificate), key=paths.private_key, chain=paths.chain
    )
    together = call(emulator, issued, cert=paths.bundle, key=str(paths.private_key))

    assert credentials(apart).session
    assert credentials(together).session
    chains = [record.headers["x-amz-x509-chain"].count(",") for record in emulator.requests]
    assert chains == [1, 1]


def test_a_ca_that_signs_with_another_hash_changes_nothing(emulator: Emulator) -> None:
    ca = CertificateAuthority(key_type="RSA-2048", digest="SHA-512")
    with Emulator(ca) as other:
        assert credentials(call(other, ca.issue("ec"))).session


def test_the_lifetime_is_told_by_the_services_clock(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    emulator.clock_offset = timedelta(minutes=4)

    assert abs(credentials(call(emulator, issued)).session.lifetime - 3600) < 10


def test_no_duration_is_sent_unless_given(emulator: Emulator, issued: IssuedCertificate) -> None:
    assert credentials(call(emulator, issued)).session
    assert set(body(emulator)) == {"trustAnchorArn", "profileArn", "roleArn"}

    assert credentials(call(emulator, issued, duration=900)).session.lifetime == pytest.approx(
        900, abs=1
    )
    assert body(emulator)["durationSeconds"] == 900


def test_a_session_name_is_sent_when_given(
    ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    with Emulator(ca, accept_role_session_name=True) as emulator:
        session = credentials(call(emulator, issued, session_name="web-1")).session

    assert str(session.assumed_role_arn).endswith("/web-1")


def test_the_region_is_the_anchors_unless_boto3_would_choose(
    emulator: Emulator, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(emulator, issued).region_name == "eu-west-1"

    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    session = call(emulator, issued)

    assert session.region_name == "ap-south-1"
    assert credentials(session).session  # the call itself goes to the trust anchor's Region
    assert "/eu-west-1/rolesanywhere/" in emulator.requests[-1].headers["authorization"]


def test_everything_may_come_from_the_environment(
    emulator: Emulator,
    issued: IssuedCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = issued.write(tmp_path)
    set_variables(monkeypatch, paths, emulator)

    assert credentials(boto_rolesanywhere.get_session()).session


def write_profile(
    folder: Path, emulator: Emulator, issued: IssuedCertificate, name: str = "profile onprem"
) -> Path:
    paths = issued.write(folder)
    config = folder / "config"
    config.write_text(
        f"""[{name}]
region = eu-north-1
rolesanywhere_certificate = {paths.certificate}
rolesanywhere_private_key = {paths.private_key}
rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}
rolesanywhere_profile_arn = {emulator.profile_arn}
rolesanywhere_role_arn = {emulator.role_arn}
rolesanywhere_endpoint_url = {emulator.endpoint_url}
"""
    )
    return config


def test_everything_may_come_from_a_profile(
    emulator: Emulator,
    issued: IssuedCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(write_profile(tmp_path, emulator, issued)))

    named = boto_rolesanywhere.get_session(profile_name="onprem")
    assert credentials(named).session
    assert named.region_name == "eu-north-1"
    assert named.profile_name == "onprem"

    monkeypatch.setenv("AWS_PROFILE", "onprem")
    assert credentials(boto_rolesanywhere.get_session()).session
    assert emulator.created == 2


def test_the_default_place_of_the_config_file(
    emulator: Emulator, issued: IssuedCertificate, clean_environment: Path
) -> None:
    folder = clean_environment / ".aws"
    folder.mkdir()
    write_profile(folder, emulator, issued, name="default")

    assert credentials(boto_rolesanywhere.get_session()).session


def test_a_profile_that_does_not_exist_is_botocores_error(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    with pytest.raises(ProfileNotFound, match="nowhere"):
        call(emulator, issued, profile_name="nowhere")


def test_nothing_configured_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "work")

    with pytest.raises(ConfigurationError, match="nothing is configured for IAM") as caught:
        boto_rolesanywhere.get_session()

    assert caught.value.where == "arguments, environment and profile 'work'"


def test_a_given_botocore_session_is_the_one_that_is_used(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = botocore.session.Session()
    given.set_credentials("AKIAOLD", "old")

    session = call(emulator, issued, botocore_session=given)

    assert credentials(session) is given.get_credentials()
    assert session._session is given
    # The model that CreateSession needs is kept from the session's own clients.
    operations = given.get_service_model("rolesanywhere").operation_names
    assert "CreateSession" not in operations


def test_a_given_session_of_boto3_is_what_comes_back_and_makes_clients(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    given = boto3.Session(region_name="eu-west-1")

    session = call(emulator, issued, botocore_session=given)

    assert session is given
    assert credentials(session).session
    assert given.client("s3").upload_file  # boto3 puts it there once in each botocore session
    assert given.resource("s3").meta


def test_a_call_that_fails_leaves_the_session_as_it_was(
    emulator: Emulator,
    issued: IssuedCertificate,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    given = boto3.Session(region_name="eu-west-1")

    with pytest.raises(ProfileNotFound):
        call(emulator, issued, botocore_session=given, profile_name="nowhere")
    with pytest.raises(PrivateKeyError):
        call(emulator, issued, botocore_session=given, profile_name="work", key=b"no key")

    assert given.profile_name == "default"
    assert given.client("s3")


class OnceKey:
    """A key that signs once: a token that wants another touch, a service that has gone."""

    def __init__(self, issued: IssuedCertificate) -> None:
        self.asked = 0
        self._key = issued.private_key

    def public_key(self) -> PublicKeyTypes:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        return self._key.sign(data, ec.ECDSA(SHA256()))


@pytest.mark.parametrize(
    ("message", "asked"),
    [("Certificate revoked", 1), ("Invalid signature", 2), ("Something new", 2)],
)
def test_a_key_is_tried_again_only_if_the_signature_may_be_at_fault_and_may_fail(
    emulator: Emulator, issued: IssuedCertificate, message: str, asked: int
) -> None:
    key = OnceKey(issued)
    emulator.inject(faults.ErrorStatus(403, "AccessDeniedException", message))

    with pytest.raises(SessionDeniedError, match=message) as caught:
        credentials(call(emulator, issued, key=key)).get_frozen_credentials()

    assert key.asked == asked
    told = any("the key could not be tried again" in one for one in caught.value.findings)
    assert told == (asked > 1)


@pytest.mark.parametrize(
    "text",
    [
        "services = m\n[services m]\nrolesanywhere = https://vpce.example",
        "api_versions = x",
        "max_attempts =\n  a = 5",
    ],
)
def test_what_botocore_cannot_use_is_an_error_in_words(
    emulator: Emulator,
    issued: IssuedCertificate,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str,
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\n{text}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    with pytest.raises(ConfigurationError, match="botocore cannot use"):
        credentials(call(emulator, issued, endpoint_url=None)).get_frozen_credentials()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"verify": 5}, "argument verify: it is no path; expected False, or the path of a CA"),
        ({"verify": "/no/such.pem"}, "argument verify: there is no file '/no/such.pem'"),
        ({"cache": 5}, "argument cache: it is a int; expected True, False or a folder's path"),
        ({"botocore_session": 5}, "the session: it is a int; expected a session of boto3"),
        ({"client_config": {}}, "argument client_config: it is a dict"),
    ],
)
def test_an_argument_of_another_type_is_refused_in_words(
    emulator: Emulator, issued: IssuedCertificate, given: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        call(emulator, issued, **given)


@pytest.mark.parametrize(
    ("flaw", "error", "wording"),
    [
        ("expired", CertificateError, "expired"),
        ("not-yet-valid", CertificateError, "not valid yet"),
        ("ca", CertificateError, "CA"),
        ("no-digital-signature", CertificateError, "digitalSignature"),
        ("sha1", CertificateError, "SHA-?1"),
        ("wrong-key", PrivateKeyError, "key"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_anything_is_sent(
    ca: CertificateAuthority, emulator: Emulator, flaw: str, error: type[Exception], wording: str
) -> None:
    with pytest.raises(error, match=wording):
        call(emulator, ca.issue("flawed", flaws=(flaw,)))  # type: ignore[arg-type]  # a str

    assert [each for each in emulator.requests if each.operation == "CreateSession"] == []


def test_a_refusal_reaches_whoever_uses_the_session_as_botocores_errors(
    emulator: Emulator,
) -> None:
    session = call(emulator, CertificateAuthority("Another CA").issue("stranger"))
    client = session.client("sts", endpoint_url=emulator.endpoint_url)

    with pytest.raises(SessionDeniedError) as caught:
        client.get_caller_identity()

    assert isinstance(caught.value, ClientError)
    assert isinstance(caught.value, CredentialRetrievalError)
    assert caught.value.service_message == "Untrusted signing certificate"


def test_a_clock_that_is_off_is_named_as_the_reason_where_nothing_vouches_for_the_services(
    emulator: Emulator, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.clock_offset = timedelta(minutes=12)
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **named: look_up("127.0.0.1", *rest, **named)
    )
    url = emulator.endpoint_url.replace("127.0.0.1", "private.example")  # over plain HTTP

    with pytest.raises(SessionDeniedError, match="Invalid signature") as caught:
        _ = credentials(call(emulator, issued, endpoint_url=url)).session

    (finding,) = caught.value.findings
    assert "behind the service's, which is more than the 5 minutes allowed" in finding


def test_a_session_name_that_the_profile_does_not_take(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    with pytest.raises(SessionDeniedError, match="Not authorized to set roleSessionName") as caught:
        _ = credentials(call(emulator, issued, session_name="web-1")).session

    assert caught.value.causes == ("the profile does not accept role session names",)


def test_an_intermediate_that_has_ended_is_named(
    ca: CertificateAuthority, emulator: Emulator
) -> None:
    ended = ca.issue_intermediate("Ended", flaws=("expired",)).issue("app")

    with pytest.raises(SessionDeniedError) as caught:
        credentials(call(emulator, ended, chain=ended.chain_pem)).get_frozen_credentials()

    assert any("intermediate CN=Ended, which was sent, is" in one for one in caught.value.findings)


def test_another_region_than_the_anchors_is_named(
    ca: CertificateAuthority, issued: IssuedCertificate
) -> None:
    with Emulator(ca, region="eu-west-2") as emulator:
        anchor = emulator.trust_anchor_arn.replace("eu-west-2", "eu-west-1")
        profile = emulator.profile_arn.replace("eu-west-2", "eu-west-1")
        session = call(emulator, issued, anchor=anchor, profile=profile, region="eu-west-2")

        with pytest.raises(SessionDeniedError) as caught:
            _ = credentials(session).session

    finding = "the call went to eu-west-2, the trust anchor is in eu-west-1 (leave the Region out"
    assert any(finding in one for one in caught.value.findings)


def test_credentials_renew_themselves(emulator: Emulator, issued: IssuedCertificate) -> None:
    create = credentials(call(emulator, issued, duration=900))._create
    seconds = iter(range(10_000))  # each look at the clock is a second later
    held = SessionCredentials(create, wall=lambda: 0.0, monotonic=lambda: float(next(seconds)))

    seen = [held.get_frozen_credentials().access_key for _ in range(2000)]

    assert emulator.created == len(set(seen)) == 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("region = eu-west-1\n  rolesanywhere_role_arn = x", "The lines below region begin with"),
        ("s3 =\n  a = b\n  rolesanywhere_role_arn = x", "The lines below s3 begin with blanks"),
        ("rolesanywhere-role-arn = x", "rolesanywhere-role-arn is not a setting"),
        ("region = eu-west-1", None),
    ],
)
def test_lines_that_only_look_like_settings_are_told(
    lines: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(f"[profile onprem]\n{lines}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError, match="nothing is configured") as raised:
        boto_rolesanywhere.get_session(profile_name="onprem")

    told = [str(raised.value.remedy), ended("env", "--config-profile", "onprem", status=2).stderr]
    told.append(str(list(examine(profile_name="onprem", offline=True))))
    assert all((words or "begin with blanks") in text for text in told) == (words is not None)


def test_a_profile_with_a_line_alone_is_told_how_it_gets_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "credential_process = aws_signing_helper credential-process --certificate c.pem"
    (tmp_path / "config").write_text(f"[profile onprem]\n{line}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError, match="nothing is configured") as raised:
        boto_rolesanywhere.get_session(profile_name="onprem")

    told = ended("env", "--config-profile", "onprem", status=2).stderr
    for text in (str(raised.value.remedy), told):
        assert "`boto-rolesanywhere configure --from-profile onprem` makes settings" in text

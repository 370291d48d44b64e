"""Calls that are refused: by us before anything is sent, by botocore, and by the service."""

from __future__ import annotations

import re
import socket
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, ProfileNotFound
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from session_calls import call, credentials

from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    PrivateKeyError,
    SessionDeniedError,
)
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults


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

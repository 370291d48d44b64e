"""No secret and no key material reaches a log at DEBUG, a repr or an error."""

from __future__ import annotations

import logging
import secrets
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue("app")


def key_material(issued: IssuedCertificate) -> list[str]:
    key = issued.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    number = key.private_numbers().private_value
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return [str(number), f"{number:x}", *pem.splitlines()[1:-1]]


def credentials(emulator: Emulator, issued: IssuedCertificate) -> SessionCredentials:
    session = boto_rolesanywhere.get_session(
        issued.certificate_pem,
        issued.private_key_pem,
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        passphrase=PASSPHRASE,
        endpoint_url=emulator.endpoint_url,
    )
    held = session.get_credentials()
    assert isinstance(held, SessionCredentials)
    return held


def test_a_call_logged_in_full_shows_none(
    emulator: Emulator, issued: IssuedCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        frozen = credentials(emulator, issued).get_frozen_credentials()

    signature = emulator.requests[0].headers["authorization"].rpartition("Signature=")[2]
    logged = "\n".join([*caplog.messages, *(repr(record.args) for record in caplog.records)])
    assert "CreateSession" in logged
    assert "bytes, hidden>" in logged
    for secret in (
        frozen.secret_key,
        frozen.token,
        signature,
        PASSPHRASE,
        *key_material(issued),
    ):
        assert secret
        assert secret not in logged


@pytest.mark.parametrize(
    "fault",
    [
        faults.MalformedJson(),
        faults.TruncatedBody(keep=400),
        faults.MissingFields(("credentialSet.credentials.expiration",)),
        faults.HtmlBody(200),
    ],
)
def test_an_answer_that_went_wrong_shows_none_in_error_or_log(
    emulator: Emulator,
    issued: IssuedCertificate,
    fault: faults.Fault,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(secrets, "token_bytes", lambda size: b"Z" * size)  # the emulator's own
    emulator.inject(fault, times=None)
    held = credentials(emulator, issued)

    with caplog.at_level(logging.DEBUG), pytest.raises(RolesAnywhereError) as caught:
        held.get_frozen_credentials()

    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert "WlpaWlpa" not in shown  # as both the secret key and the token begin
    for record in emulator.requests:
        if record.access_key_id:
            assert record.access_key_id not in shown


def test_no_repr_shows_any(emulator: Emulator, issued: IssuedCertificate) -> None:
    held = credentials(emulator, issued)
    frozen = held.get_frozen_credentials()

    shown = repr([held, frozen, held.session, held._create.__self__.__dict__])

    for secret in (frozen.secret_key, frozen.token, PASSPHRASE, *key_material(issued)):
        assert secret not in shown

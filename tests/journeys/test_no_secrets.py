"""No secret and no key material reaches a log at DEBUG, a repr or an error."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate, faults

Arguments = Callable[[IssuedCertificate, IssuedCertificate], dict[str, Any]]
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


WRONG = "W0ng/Pa55phrase"
ARN = "arn:aws:rolesanywhere:eu-west-1:123456789012"
ARNS = {
    "anchor": f"{ARN}:trust-anchor/7b4d0b52-5352-4b32-978a-11734bf56c61",
    "profile": f"{ARN}:profile/cdd59325-8d0c-4cfe-9df0-7ef5c284cb59",
    "role": "arn:aws:iam::123456789012:role/R",
}


def locked(issued: IssuedCertificate, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    return issued.private_key.private_bytes(Encoding.PEM, form, encryption)


def pkcs12(issued: IssuedCertificate) -> bytes:
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    key, certificate = issued.private_key, issued.certificate
    return serialize_key_and_certificates(b"app", key, certificate, None, encryption)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (lambda a, _: {"key": locked(a), "passphrase": WRONG}, "passphrase-wrong"),
        (
            lambda a, _: {"key": locked(a, PrivateFormat.TraditionalOpenSSL), "passphrase": WRONG},
            "passphrase-wrong",
        ),
        (
            lambda a, _: {"cert": pkcs12(a), "key": None, "passphrase": WRONG},
            "passphrase-wrong",
        ),
        (
            lambda a, _: {"cert": pkcs12(a), "key": None, "passphrase": WRONG.encode() + b"\xff"},
            "passphrase-unusable",
        ),
        (lambda a, _: {"key": locked(a), "passphrase": lambda: [WRONG]}, "passphrase-unusable"),
        (lambda a, _: {"key": locked(a), "passphrase": f"{WRONG}\ud800"}, "passphrase-unusable"),
        (lambda _, b: {"key": b.private_key_pem}, "key-not-of-certificate"),
        (lambda a, _: {"key": a.private_key_pem.decode()}, "content-given-as-path"),
        (lambda a, _: {"key": a.private_key_pem[:120]}, "pem-damaged"),
        (lambda a, _: {"cert": a.private_key_pem, "key": a.certificate_pem}, None),
        (lambda a, _: {"key": a.private_key_pem, "passphrase": WRONG, "anchor": "x"}, None),
    ],
)
def test_no_frame_of_an_error_holds_one(
    ca: CertificateAuthority, issued: IssuedCertificate, arguments: Arguments, code: str | None
) -> None:
    other = ca.issue("other")

    with pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(
            **{"cert": issued.certificate_pem, **ARNS, **arguments(issued, other)}
        )

    assert code in (None, caught.value.code)
    assert_nothing_captured(caught.value, WRONG, *key_material(issued), *key_material(other))


def test_no_frame_of_a_hostile_answers_error_holds_credentials(
    emulator: Emulator, issued: IssuedCertificate
) -> None:
    held = credentials(emulator, issued)
    emulator.inject(faults.MissingFields())

    with pytest.raises(RolesAnywhereError) as caught:
        held.get_frozen_credentials()

    assert caught.value.code == "answer-foreign"
    assert_nothing_captured(caught.value, *key_material(issued), PASSPHRASE, "secretAccessKey")


def test_what_a_callable_of_the_programs_raised_keeps_its_frames(
    issued: IssuedCertificate,
) -> None:
    def broken() -> str:
        raise KeyError("vault")

    with pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(
            issued.certificate_pem, locked(issued), passphrase=broken, **ARNS
        )

    assert "in broken" in "".join(traceback.format_exception(caught.value))


def assert_nothing_captured(error: BaseException, *unwanted: str) -> None:
    """As reporters of errors do: all variables of all frames, but those of the test itself."""
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(captured.format())
    assert "boto_rolesanywhere" in text
    assert [secret for secret in unwanted if secret in text] == []


def test_a_misspelt_argument_leaves_nothing_in_the_frames(issued: IssuedCertificate) -> None:
    arguments = {"cert": issued.certificate_pem, "key": issued.private_key_pem, **ARNS}

    with pytest.raises(TypeError, match="passphras") as caught:
        boto_rolesanywhere.get_session(**arguments, passphras=PASSPHRASE)

    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = [frame for frame in stack if frame.filename != __file__]
    shown = str([frame.locals for frame in ours])
    assert ours
    assert PASSPHRASE not in shown
    assert "PRIVATE KEY" not in shown

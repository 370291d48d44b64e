"""CreateSession with a key that is not in a file: its certificate, and the call."""

from __future__ import annotations

import gc
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

import boto_rolesanywhere
from boto_rolesanywhere.testing import (
    CertificateAuthority,
    Emulator,
    IssuedCertificate,
    IssuedPaths,
)


def certificate_for(ca: CertificateAuthority, public_key: PublicKeyTypes) -> x509.Certificate:
    """An end-entity certificate, where the private key is not at hand."""
    now = datetime.now(timezone.utc)
    usage = dict.fromkeys(
        [
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ],
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=key in a device"))
        .issuer_name(ca.certificate.subject)
        .public_key(public_key)  # type: ignore[arg-type]  # of any key that signs
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .sign(ca.private_key, SHA256())
    )


def session_at(emulator: Emulator, **arguments: Any) -> boto3.Session:  # noqa: ANN401  # get_session's own
    """A session of the emulator's role; `cert`, `key` and more are `get_session`'s."""
    return boto_rolesanywhere.get_session(
        anchor=emulator.trust_anchor_arn,
        profile=emulator.profile_arn,
        role=emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
        **arguments,
    )


def opens_a_session(emulator: Emulator, **arguments: Any) -> bool:  # noqa: ANN401  # get_session's own
    """Whether the emulator, which verifies with code of its own, gave credentials."""
    gc.collect()  # what an earlier call left, perhaps in a circle, would be shared
    before = emulator.created
    credentials = session_at(emulator, **arguments).get_credentials()
    assert credentials
    key_id = credentials.get_frozen_credentials().access_key
    return emulator.created == before + 1 and key_id == emulator.requests[-1].access_key_id


def set_variables(monkeypatch: pytest.MonkeyPatch, paths: IssuedPaths, emulator: Emulator) -> None:
    """Configure a workload by the environment alone."""
    for name, value in {
        "CERTIFICATE": paths.certificate,
        "PRIVATE_KEY": paths.private_key,
        "TRUST_ANCHOR_ARN": emulator.trust_anchor_arn,
        "PROFILE_ARN": emulator.profile_arn,
        "ROLE_ARN": emulator.role_arn,
        "ENDPOINT_URL": emulator.endpoint_url,
    }.items():
        monkeypatch.setenv(f"AWS_ROLESANYWHERE_{name}", str(value))


def keys_from(emulator: Emulator, issued: IssuedCertificate, **changes: str) -> object:
    """The keys of a new session with this certificate, of the emulator's first resources.

    Args:
        emulator: a running one.
        issued: the end-entity certificate with its key.
        changes: arguments of `get_session` that are others.
    """
    gc.collect()  # what an earlier call left, perhaps in a circle, would be shared
    given = {
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url,
    }
    made = boto_rolesanywhere.get_session(
        cert=issued.certificate_pem, key=issued.private_key_pem, **(given | changes)
    )
    credentials = made.get_credentials()
    assert credentials is not None
    return credentials.get_frozen_credentials()

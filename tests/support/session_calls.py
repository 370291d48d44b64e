"""A session of boto3 for the emulator's role, and the credentials that it holds."""

from __future__ import annotations

import boto3

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.testing import Emulator, IssuedCertificate


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

"""The public API as a user's type checker sees it: mypy --strict reads it, nobody runs it."""

from __future__ import annotations

from pathlib import Path

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from typing_extensions import assert_type

import boto_rolesanywhere
from boto_rolesanywhere import (
    RolesAnywhereProvider,
    RolesAnywhereSession,
    ServiceError,
    SigningKey,
    get_session,
    install,
)
from boto_rolesanywhere.credentials.refreshing import SessionCredentials


class OwnKey:
    def public_key(self) -> PublicKeyTypes:
        return ec.generate_private_key(ec.SECP256R1()).public_key()

    def sign(self, data: bytes) -> bytes:
        return data


def ask() -> str:
    return "passphrase"


assert_type(get_session(), boto3.Session)
assert_type(
    get_session(
        "cert.pem",
        Path("key.pem"),
        "arn",
        "arn",
        "arn",
        chain=b"-----BEGIN",
        passphrase=ask,
        region="eu-west-1",
        duration=3600,
        session_name="web",
        endpoint_url="https://localhost",
        verify="ca.pem",
        client_config=Config(),
        profile_name="onprem",
    ),
    boto3.Session,
)
get_session("cert.pem", key=OwnKey())
get_session("cert.pem", key=ec.generate_private_key(ec.SECP256R1()), passphrase=b"x")
get_session("cert.pem", duration="3600")  # type: ignore[arg-type]  # mypy must object
get_session("cert.pem", key=5)  # type: ignore[arg-type]  # mypy must object
get_session("cert.pem", "key.pem", chains="chain.pem")  # type: ignore[call-arg]

key: SigningKey = OwnKey()
install()
install(boto3.Session())
assert_type(RolesAnywhereProvider().load(), SessionCredentials | None)
assert_type(boto_rolesanywhere.__version__, str)


def fields(session: RolesAnywhereSession, error: ServiceError) -> None:
    assert_type(session.subject_arn, str | None)
    assert_type(session.packed_policy_size, int | None)
    assert_type(error.causes, tuple[str, ...])

"""Sessions of aiobotocore for the emulator's role."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aiobotocore.session import AioSession
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from pages import blocks, equip, reading

from boto_rolesanywhere import aio
from boto_rolesanywhere.testing import Emulator, IssuedCertificate

PATIENCE = 30  # seconds


def arguments(emulator: Emulator, issued: IssuedCertificate, **changes: object) -> dict[str, Any]:
    """`get_session`'s."""
    return {
        "cert": issued.certificate_pem,
        "key": issued.private_key_pem,
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url,
    } | changes


def aio_session(emulator: Emulator, issued: IssuedCertificate, **changes: object) -> AioSession:
    """A session that has called nothing yet."""
    return aio.get_session(**arguments(emulator, issued, **changes))


async def keys_of(session: AioSession) -> tuple[str, str, str]:
    """Access key, secret key and token."""
    credentials = await session.get_credentials()
    frozen = await credentials.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token


class Key:
    """A key of the user's that asks a function before each signature."""

    def __init__(self, issued: IssuedCertificate, ask: Any = os.getpid) -> None:  # noqa: ANN401  # anything callable
        self._key = issued.private_key
        self._ask = ask

    def public_key(self) -> PublicKeyTypes:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        self._ask()
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        return self._key.sign(data, ec.ECDSA(SHA256()))


def type_page(folder: Path, moto_url: str, needed: str) -> list[str]:
    """Run the blocks of docs/async.md that need this; what each prints."""
    with reading(folder / "reader") as reader:
        equip(reader)
        reader.variables.update(AWS_ENDPOINT_URL_S3=moto_url, AWS_ENDPOINT_URL_STS=moto_url)
        return [reader.type(block) for block in blocks("async.md", needed)]

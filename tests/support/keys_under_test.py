"""Signing keys as users might write them: good ones, and one for each mistake easily made."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from boto_rolesanywhere.errors import PrivateKeyError

PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = PRIVATE_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
ECDSA = ec.ECDSA(SHA256())


class GoodKey:
    """A key with all that the suite asks for, in few lines."""

    def __init__(self) -> None:
        self.closed = False

    def public_key(self) -> PublicKeyTypes:
        return PRIVATE_KEY.public_key()

    def sign(self, data: bytes) -> bytes:
        if self.closed:
            raise PrivateKeyError("the key is closed", code="made-up")
        return PRIVATE_KEY.sign(data, ECDSA)

    def close(self) -> None:
        self.closed = True

    def __reduce__(self) -> NoReturn:
        raise TypeError("a GoodKey cannot be pickled")


class KeyWithoutClose:
    """`close` is optional."""

    public_key = GoodKey.public_key
    __reduce__ = GoodKey.__reduce__

    def sign(self, data: bytes) -> bytes:
        return PRIVATE_KEY.sign(data, ECDSA)


class RawSignature(GoodKey):
    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(super().sign(data))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class HashedTwice(GoodKey):
    def sign(self, data: bytes) -> bytes:
        return super().sign(hashlib.sha256(data).digest())


class NotBytes(GoodKey):
    def sign(self, data: bytes) -> bytes:
        return bytearray(super().sign(data))  # type: ignore[return-value]


class Truncating(GoodKey):
    """As a device with a small buffer, whose driver does not say so."""

    def sign(self, data: bytes) -> bytes:
        return super().sign(data[:1024])


class NotThreadSafe(GoodKey):
    """Hands the data over through one buffer, as a C library might."""

    buffer = b""

    def sign(self, data: bytes) -> bytes:
        self.buffer = data
        time.sleep(0.001)  # the device's command travels
        return super().sign(self.buffer)


class Deadlocking(GoodKey):
    """Its lock stays locked in a child that is forked while another thread signs."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def sign(self, data: bytes) -> bytes:
        with self.lock:
            time.sleep(0.005)  # the device takes its time
            return super().sign(data)


class BoundToItsProcess(GoodKey):
    """As a connection that does not survive a fork."""

    def __init__(self) -> None:
        import os

        super().__init__()
        self.pid, self.getpid = os.getpid(), os.getpid

    def sign(self, data: bytes) -> bytes:
        if self.getpid() != self.pid:
            raise ConnectionError("the session belongs to another process")
        return super().sign(data)


class DyingInChildren(BoundToItsProcess):
    def sign(self, data: bytes) -> bytes:
        if self.getpid() != self.pid:
            import os
            import signal

            os.kill(self.getpid(), signal.SIGKILL)
        return super().sign(data)


class Picklable(GoodKey):
    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[override]
        return int, ("0",)


class PicklingFailsOtherwise(GoodKey):
    def __reduce__(self) -> NoReturn:
        raise RuntimeError("no")


class LeakingRepr(GoodKey):
    def __repr__(self) -> str:
        return f"<LeakingRepr {SECRET.hex()}>"


class LeakingReprLater(GoodKey):
    """Shows its secret once it has been used."""

    used = False

    def sign(self, data: bytes) -> bytes:
        self.used = True
        return super().sign(data)

    def __repr__(self) -> str:
        return f"<LeakingReprLater {SECRET!r}>" if self.used else "<LeakingReprLater>"


class CloseOnlyOnce(GoodKey):
    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        super().close()


class SigningWhenClosed(GoodKey):
    def close(self) -> None:
        pass


class AnyErrorWhenClosed(GoodKey):
    def sign(self, data: bytes) -> bytes:
        if self.closed:
            raise ValueError("no file descriptor")
        return super().sign(data)


class UnsupportedKey(GoodKey):
    def public_key(self) -> PublicKeyTypes:
        return ed25519.Ed25519PrivateKey.generate().public_key()


class ShortRsaKey(GoodKey):
    def public_key(self) -> PublicKeyTypes:
        return rsa.generate_private_key(65537, 1024).public_key()


class ChangingPublicKey(GoodKey):
    def public_key(self) -> PublicKeyTypes:
        return ec.generate_private_key(ec.SECP256R1()).public_key()


class OtherPublicKey(GoodKey):
    """Stable, but not the expected one."""

    def __init__(self) -> None:
        super().__init__()
        self.other = ec.generate_private_key(ec.SECP256R1()).public_key()

    def public_key(self) -> PublicKeyTypes:
        return self.other


class NoKeyAtAll:
    def public_key(self) -> PublicKeyTypes:
        return PRIVATE_KEY.public_key()

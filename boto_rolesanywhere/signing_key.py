"""What a private key must do to sign for us, wherever it lives. Imports nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

Algorithm = Literal["AWS4-X509-RSA-SHA256", "AWS4-X509-ECDSA-SHA256", "AWS4-X509-MLDSA"]
Digest = Literal["SHA256", "SHA384", "SHA512"]


@runtime_checkable
class SigningKey(Protocol):
    """A private key, wherever it lives. Anything with these two methods can be passed as `key`.

    `sign` gives the signature over `data` itself (the key hashes it), in the form that AWS wants:

    * RSA: PKCS #1 v1.5 with SHA-256;
    * EC (P-256, P-384, P-521): ECDSA with SHA-256, DER-encoded (r, s);
    * ML-DSA: pure ML-DSA (no pre-hash) with an empty context.

    Several threads may call it at once, and so may a forked child. The caller that made the key
    closes it.
    """

    def public_key(self) -> PublicKeyTypes:
        """The public key, as an object of `cryptography`."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign `data`."""
        ...


@runtime_checkable
class DigestSigningKey(SigningKey, Protocol):
    """A key of a device, which also signs as AWS does not want it: to try the device."""

    def sign_with(self, data: bytes, digest: Digest) -> bytes:
        """Sign `data` as `sign` does, but with this digest."""
        ...

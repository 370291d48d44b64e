"""Keys in a TPM 2.0 that sign: opening them, their passwords, their signatures.

`device` reaches the TPM, `stored` knows where keys are kept, `password` which password may be
tried, `errors` explains return codes. A program can also use a TPM through its PKCS#11 module,
without this folder.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.one_process import NotPickled

from . import public as tpm_public
from .device import device_at, load_library
from .errors import TpmBusyError
from .password import KeyPassword
from .stored import find_persistent_key, read_file_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.settings.sources import Secret
    from boto_rolesanywhere.signing_key import Digest, SigningKey

    from .device import TpmConnection, TpmDevice
    from .password import Try
    from .stored import StoredKey

# Without a resource manager two processes can fill the three slots of a TPM for a moment.
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds between tries


def open_tpm_key(
    source: str | bytes,
    *,
    tcti: str | None = None,
    secret: Secret | None = None,
    where: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> SigningKey:
    """A key that a TPM holds, or can load.

    Opening a key from a file does not use the TPM: the first signature does. Opening a handle reads
    its public key from the TPM at once.

    Args:
        source: ``handle:0x81000101`` (a persistent key), or the PEM of a ``TSS2 PRIVATE KEY`` as
            OpenSSL's tpm2 provider, tpm2_encodeobject and tpm2-pytss write it. Other PEM blocks,
            CRLF and text around it do no harm.
        tcti: how to reach the TPM; None: the variable TPM2TOOLS_TCTI, and if that is not set, the
            kernel's resource manager (``device:/dev/tpmrm0``).
        secret: the key's password, asked for at the first signature; None if the key has none.
        where: the file that `source` was read from, for error messages.
        sleep: waits that many seconds, when the TPM is busy.

    Raises:
        ConfigurationError: `source` is not a persistent handle.
        PrivateKeyError: the key cannot be read, or cannot sign as AWS wants it.
        KeyDeviceError: tpm2-pytss is missing; the TPM does not answer, or has no such key.
    """
    device = device_at(tcti)
    if isinstance(source, bytes):
        stored = read_file_key(source, where=where or "TSS2 PRIVATE KEY")
    else:
        stored = find_persistent_key(source, device)
    return TpmKey(stored, device, secret, sleep)


class TpmKey(NotPickled):
    """A `SigningKey` in a TPM. Open it with `open_tpm_key`.

    It may be used from several threads (they take turns) and after a fork. The password goes to
    the TPM unencrypted: the way there is trusted.
    """

    __slots__ = ("_device", "_password", "_sleep", "_stored")

    def __init__(
        self,
        stored: StoredKey,
        device: TpmDevice,
        secret: Secret | None,
        sleep: Callable[[float], object],
    ) -> None:
        self._stored = stored
        self._device = device
        self._password = KeyPassword(stored, secret)
        self._sleep = sleep

    def public_key(self) -> PublicKeyTypes:
        """The public key, as an object of `cryptography`."""
        return self._stored.public

    def sign(self, data: bytes) -> bytes:
        """Sign `data`: RSA PKCS #1 v1.5, or ECDSA as DER, with SHA-256.

        Raises:
            PassphraseError: the password is missing, or the TPM refused it (now or before).
            KeyDeviceError: the TPM does not answer, is locked out, does not know the key, …
            PrivateKeyError: the key has been closed, or replaced in the TPM.
        """
        return self.sign_with(data, "SHA256")

    def sign_with(self, data: bytes, digest: Digest) -> bytes:
        """Sign `data` with a digest that AWS may not take. Raises as `sign` does."""
        if self._password.closed:
            raise PrivateKeyError(
                "the TPM key has been closed",
                code="key-closed",
                where=self._stored.where,
                remedy="Open it anew.",
            )
        digested = hashlib.new(digest, data).digest()
        if _is_p256(self._stored.public):
            # SEC 1, 4.1.3: ECDSA takes as much of a digest as its curve is long. So a device signs
            # any digest, also one whose name it does not know or its key is not bound to.
            digest, digested = "SHA256", digested[:32]
        # Before any lock is taken: the user's callable may do anything.
        tried = self._password.obtain()
        return self._sign_patiently(digested, digest, tried)

    def close(self) -> None:
        """Forget the password. Between signatures the TPM keeps nothing of this key loaded."""
        self._password.close()

    def _sign_patiently(self, digested: bytes, digest: Digest, tried: Try) -> bytes:
        pauses, device = iter(_PAUSES), self._device
        while True:
            try:
                # The device's lock first: whoever waits for it must not hold up other processes.
                with device.lock, self._password.turn(tried, self._sleep):
                    self._password.refuse_beforehand(tried)
                    with device.connection(self._stored.where) as tpm:
                        return self._sign_once(tpm, digested, digest, tried)
            except TpmBusyError:  # noqa: PERF203  # the loop is there to try again
                if (pause := next(pauses, None)) is None:
                    raise
                self._sleep(pause)

    def _sign_once(self, tpm: TpmConnection, digested: bytes, digest: Digest, tried: Try) -> bytes:
        def sign(password: bytes | None) -> bytes:
            stored = self._stored
            with (
                stored.loaded(tpm, self._device, password) as handle,
                self._device.explained("sign", stored.where),
            ):
                return _sign_digest(tpm, handle, digested, digest, stored.scheme)

        with self._device.explained("sign", self._stored.where):
            self._password.keep_from_lockout(tpm, tried)
            try:
                signature = sign(tried.password)
            except PassphraseError as error:
                self._password.refused(tried, error, tpm, without=lambda: sign(None))
                raise
        self._password.taken(tried)
        return signature

    def __repr__(self) -> str:
        return f"<TpmKey {self._stored.where} (TPM at {self._device.tcti})>"


def _is_p256(key: PublicKeyTypes) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    return isinstance(key, EllipticCurvePublicKey) and key.key_size == 256  # noqa: PLR2004  # bits


def _sign_digest(
    tpm: TpmConnection, handle: int, digested: bytes, digest: Digest, scheme: int
) -> bytes:
    library = load_library()
    in_scheme = library.TPMT_SIG_SCHEME(scheme=scheme)
    in_scheme.details.any.hashAlg = tpm_public.HASHES[digest]
    # TPM 2.0 Library, Part 3, 20.2 (TPM2_Sign): for an unrestricted key the ticket may be this
    # NULL ticket, which says that the digest was made outside the TPM.
    ticket = library.TPMT_TK_HASHCHECK(
        tag=library.TPM2_ST.HASHCHECK, hierarchy=library.TPM2_RH.NULL, digest=b""
    )
    return bytes(tpm.sign(handle, library.TPM2B_DIGEST(digested), in_scheme, ticket))

"""Where TPM keys are kept, and how the TPM loads them.

A key is in a `TSS2 PRIVATE KEY` file, from which the TPM must load it, or at a persistent handle in
the TPM.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError, PrivateKeyError

from .device import load_library
from .public import public_key, signature_scheme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from .device import TpmConnection, TpmDevice
    from .errors import Step

_BLOCK: Final = re.compile(
    rb"-----BEGIN TSS2 PRIVATE KEY-----(.*?)-----END TSS2 PRIVATE KEY-----", re.DOTALL
)
_HANDLE: Final = re.compile(r"handle:((?:0[xX])?[0-9a-fA-F]{1,8})")
# TPM 2.0 Library, Part 2, 7.5: the handles of persistent objects (TPM_HT_PERSISTENT), and 7.4:
# the owner hierarchy (TPM_RH_OWNER), whose primary key is made anew for each use.
_PERSISTENT: Final = range(0x81000000, 0x82000000)
_OWNER: Final = 0x40000001


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey(ABC):
    """A key as a file or the TPM keeps it.

    Attributes:
        where: its file or handle, for error messages.
        identifier: what tells this key from every other key.
        public: its public key.
        scheme: the TPM_ALG_ID with which it signs.
        has_password: as its file says; None if that is nowhere said.
    """

    where: str
    identifier: bytes = field(repr=False)
    public: PublicKeyTypes
    scheme: int
    has_password: bool | None = None

    @abstractmethod
    def loaded(
        self, tpm: TpmConnection, device: TpmDevice, password: bytes | None
    ) -> AbstractContextManager[int]:
        """Its ESYS_TR, ready to sign within the `with`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKey(StoredKey):
    """A key in a file, which its TPM alone can decrypt.

    Attributes:
        private_blob: TPM2B_PRIVATE, encrypted by the parent.
        public_blob: TPM2B_PUBLIC.
        parent: handle of the key below which it is loaded.
    """

    private_blob: object = field(repr=False)
    public_blob: object = field(repr=False)
    parent: int

    @contextmanager
    def loaded(
        self, tpm: TpmConnection, device: TpmDevice, password: bytes | None
    ) -> Iterator[int]:
        """Load the key, and flush it afterwards: the TPM has few slots."""
        step: Step = "primary" if self.parent == _OWNER else "parent"
        loadable = load_library("tpm2_pytss.tsskey").TSSPrivKey(
            self.private_blob, self.public_blob, not password, self.parent
        )
        with device.explained(step, self.where):
            handle: int = loadable.load(tpm, password)
        try:
            yield handle
        finally:
            with device.explained("sign", self.where):
                tpm.flush_context(handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistentKey(StoredKey):
    """A key that stays in the TPM.

    Attributes:
        handle: the TPM's handle for it.
        name: digest of its public area, by which the TPM tells keys apart.
    """

    handle: int
    name: bytes = field(repr=False)

    @contextmanager
    def loaded(
        self, tpm: TpmConnection, device: TpmDevice, password: bytes | None
    ) -> Iterator[int]:
        """Find it again."""
        with device.explained("handle", self.where):
            handle = tpm.tr_from_tpmpublic(self.handle)
            if bytes(tpm.tr_get_name(handle)) != self.name:
                raise PrivateKeyError(
                    "the handle holds another key than when it was opened",
                    code="key-changed",
                    where=self.where,
                    remedy="Open the identity anew, with the new key's certificate.",
                )
            tpm.tr_set_auth(handle, password)
        yield handle


def read_file_key(data: bytes, *, where: str) -> FileKey:
    """The key in the PEM `data`. The TPM is not asked.

    Raises:
        PrivateKeyError: it cannot be read, or cannot sign as AWS wants it.
        KeyDeviceError: tpm2-pytss is not installed.
    """
    tsskey, failure = load_library("tpm2_pytss.tsskey"), load_library().TSS2_Exception
    try:
        der = _der(data)
        parsed = tsskey.TSSPrivKey.from_der(der)
    except (ValueError, TypeError, failure) as error:
        raise PrivateKeyError(
            f"the TPM key cannot be read: {error}",
            code="tpm-key-unreadable",
            where=where,
            expected="one PEM block TSS2 PRIVATE KEY with a loadable key without a policy",
            remedy="Write it again with OpenSSL's tpm2 provider or tpm2_encodeobject.",
        ) from error
    parent = int(parsed.parent)
    if parent != _OWNER and parent not in _PERSISTENT:
        raise PrivateKeyError(
            f"the TPM key's parent {parent:#x} is not supported",
            code="tpm-parent-unusable",
            where=where,
            expected=f"the owner hierarchy ({_OWNER:#x}) or a persistent key (0x81……)",
            remedy="Create the key below one of these.",
        )
    area = parsed.public.publicArea
    return FileKey(
        where=where,
        identifier=hashlib.sha256(der).digest(),
        public=public_key(area, where=where),
        scheme=signature_scheme(area),
        has_password=not parsed.empty_auth,
        private_blob=parsed.private,
        public_blob=parsed.public,
        parent=parent,
    )


def find_persistent_key(source: str, device: TpmDevice) -> PersistentKey:
    """The key at `source`, such as ``handle:0x81000101``, its public half read from the TPM.

    Raises:
        ConfigurationError: `source` is not a persistent handle.
        KeyDeviceError: tpm2-pytss is missing; the TPM does not answer, or has no such key.
        PrivateKeyError: the key cannot sign as AWS wants it.
    """
    match = _HANDLE.fullmatch(source)
    number = int(match[1], 16) if match else 0
    if number not in _PERSISTENT:
        raise ConfigurationError(
            "this is not the handle of a persistent key in a TPM",
            code="tpm-handle-invalid",
            where=source,
            expected="handle:0x81…, from handle:0x81000000 to handle:0x81ffffff",
            remedy="`tpm2_getcap handles-persistent` lists them.",
        )
    with device.connection(source) as tpm, device.explained("handle", source):
        handle = tpm.tr_from_tpmpublic(number)
        name = bytes(tpm.tr_get_name(handle))
        area = tpm.read_public(handle)[0].publicArea
    return PersistentKey(
        where=source,
        identifier=device.tcti.encode() + name,
        public=public_key(area, where=source),
        scheme=signature_scheme(area),
        handle=number,
        name=name,
    )


def _der(data: bytes) -> bytes:
    # tpm2-pytss's own PEM reader knows neither CRLF nor a missing newline at the end.
    blocks = _BLOCK.findall(data)
    if len(blocks) != 1:
        raise ValueError(f"{len(blocks)} complete PEM blocks were found")
    return b64decode(b"".join(blocks[0].split()), validate=True)

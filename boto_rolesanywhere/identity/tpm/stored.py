"""Where TPM keys are kept, and how the TPM loads them.

A key is in a `TSS2 PRIVATE KEY` file, from which the TPM must load it, or at a persistent handle in
the TPM.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from boto_rolesanywhere.errors import ConfigurationError, PrivateKeyError
from boto_rolesanywhere.identity.files.pem import scan
from boto_rolesanywhere.records import NamedTuple

from .device import load_library
from .public import counts_wrong_passwords, public_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from .device import TpmConnection, TpmDevice

    Loader: TypeAlias = Callable[
        [TpmConnection, TpmDevice, bytes | None], AbstractContextManager[int]
    ]

_HANDLE: Final = re.compile(r"handle:\s*((?:0[xX])?0*[0-9a-fA-F]{1,8})")
# TPM 2.0 Library, Part 2, 7.5: the handles of persistent objects (TPM_HT_PERSISTENT), and 7.4:
# the owner hierarchy (TPM_RH_OWNER), whose primary key is made anew for each use.
_PERSISTENT: Final = range(0x81000000, 0x82000000)
_OWNER: Final = 0x40000001

TssKey: TypeAlias = Any  # tpm2_pytss's TSSPrivKey, which has no types


class StoredKey(NamedTuple):
    """A key as a file or the TPM keeps it.

    Attributes:
        where: its file or handle, for error messages.
        identifier: what tells this key from every other key.
        public: its public key.
        scheme: the TPM_ALG_ID with which it signs.
        loaded: gives its ESYS_TR, ready to sign within the `with`; takes the connection, its
            device and the key's password.
        counts: whether a wrong password counts towards the TPM's lock-out.
        has_password: as its file says; None if that is nowhere said.
    """

    where: str
    identifier: bytes
    public: PublicKeyTypes
    scheme: int
    loaded: Loader
    counts: bool
    has_password: bool | None = None


def read_file_key(data: bytes, *, where: str) -> StoredKey:
    """The key in the PEM `data`. The TPM is not asked.

    Raises:
        PrivateKeyError: it cannot be read, or cannot sign as AWS wants it.
        KeyDeviceError: tpm2-pytss is not installed.
    """
    try:
        der = _der(data)
        parsed = load_library("tpm2_pytss.tsskey").TSSPrivKey.from_der(der)
    except (ValueError, TypeError, load_library().TSS2_Exception) as error:
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
    public, scheme = public_key(area, where=where)
    identifier, load = hashlib.sha256(der).digest(), partial(_load, parsed, where)
    counts = counts_wrong_passwords(area)
    return StoredKey(where, identifier, public, scheme, load, counts, not parsed.empty_auth)


@contextmanager
def _load(
    parsed: TssKey, where: str, tpm: TpmConnection, device: TpmDevice, password: bytes | None
) -> Iterator[int]:
    """Load a file's key, and flush it afterwards: the TPM has few slots."""
    loadable = type(parsed)(parsed.private, parsed.public, not password, parsed.parent)
    with device.explained("primary" if int(parsed.parent) == _OWNER else "parent", where):
        handle: int = loadable.load(tpm, password)
    try:
        yield handle
    finally:
        with device.explained("sign", where):
            tpm.flush_context(handle)


def find_persistent_key(source: str, device: TpmDevice) -> StoredKey:
    """The key at `source`, such as ``handle:0x81000101``, its public half read from the TPM.

    Raises:
        ConfigurationError: `source` is not a persistent handle.
        KeyDeviceError: tpm2-pytss is missing; the TPM does not answer, or has no such key.
        PrivateKeyError: the key cannot sign as AWS wants it.
    """
    number = _number(source)
    with device.connection(source) as tpm, device.explained("handle", source):
        handle = tpm.tr_from_tpmpublic(number)
        name = bytes(tpm.tr_get_name(handle))
        area = tpm.read_public(handle)[0].publicArea
    public, scheme = public_key(area, where=source)
    # Its name does not tell a key from the same one with another password, at another handle.
    identifier = f"{device.tcti}\n{number:x}\n".encode() + name
    find = partial(_find, name, source)
    return StoredKey(source, identifier, public, scheme, find, counts_wrong_passwords(area))


def _number(source: str) -> int:
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
    return number


@contextmanager
def _find(
    name: bytes, where: str, tpm: TpmConnection, device: TpmDevice, password: bytes | None
) -> Iterator[int]:
    """Find a key of the TPM again."""
    with device.explained("handle", where):
        handle = tpm.tr_from_tpmpublic(_number(where))
        if bytes(tpm.tr_get_name(handle)) != name:
            raise PrivateKeyError(
                "the handle holds another key than when it was opened",
                code="key-changed",
                where=where,
                remedy="Open the identity anew, with the new key's certificate.",
            )
        tpm.tr_set_auth(handle, password)
    yield handle


def _der(data: bytes) -> bytes:
    # tpm2-pytss's own PEM reader knows neither CRLF nor a missing newline at the end.
    found = [block.der for block in scan(data) if block.label == "TSS2 PRIVATE KEY"]
    if len(found) != 1:
        raise ValueError(f"{len(found)} complete PEM blocks were found")
    return found[0]

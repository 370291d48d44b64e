"""The way to a TPM: tpm2-pytss loaded when it is needed, one connection at a time, fork-safe.

A connection lives for one signature. With swtpm that costs 3 ms more than a lasting connection, but
nothing has to survive a fork or a restart of the TPM or its resource manager, and signatures, which
are about an hour apart, hold no slot of the TPM in between.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.one_process import hold_in_forks

from .errors import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from .errors import Step

TCTI_VARIABLE: Final = "TPM2TOOLS_TCTI"  # as tpm2-tools reads it
DEVICE_VARIABLE: Final = "TPM_DEVICE"  # as AWS's helper reads it: a path
# The kernel's resource manager; without one, the TPM itself, which one program at a time may use.
_DEVICES: Final = ("/dev/tpmrm0", "/dev/tpm0")

TpmConnection: TypeAlias = Any  # tpm2_pytss.ESAPI, which has no types; its handles are ints


class TpmDevice:
    """One TPM, as one TCTI reaches it. Get it from `device_at`."""

    def __init__(self, tcti: str) -> None:
        self.tcti = tcti
        self.lock = RLock()

    @contextmanager
    def connection(self, where: str) -> Iterator[TpmConnection]:
        """Connect, for the body of the `with`. Other threads wait meanwhile."""
        esapi = load_library().ESAPI
        with self.lock:
            with self.explained("connect", where):
                connection: TpmConnection = esapi(self.tcti)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def explained(self, step: Step, where: str) -> Iterator[None]:
        """Turn the TPM's return codes into errors of ours."""
        try:
            yield
        except load_library().TSS2_Exception as error:
            raise explain(int(error.rc), step, where=f"{where} (TPM at {self.tcti})") from error


_devices: Final[dict[str, TpmDevice]] = {}
_registry: Final = RLock()


def device_at(tcti: str | None) -> TpmDevice:
    """The TPM at `tcti`, or where the environment says, or the kernel's: one object for each."""
    # ESAPI(None) would search for itself and ignore the variable.
    chosen = (tcti or os.environ.get(TCTI_VARIABLE, "")).strip() or _device()
    if chosen.startswith("/"):
        # As AWS's helper takes it in its variable: the socket of a swtpm is a TPM as well.
        chosen = f"{'swtpm:path=' if Path(chosen).is_socket() else 'device:'}{chosen}"
    with _registry:
        return _devices.setdefault(chosen, TpmDevice(chosen))


def _device() -> str:
    there = (path for path in _DEVICES if Path(path).exists())
    return os.environ.get(DEVICE_VARIABLE, "").strip() or next(there, _DEVICES[0])


@cache
def load_library(name: str = "tpm2_pytss") -> ModuleType:
    """A module of tpm2-pytss, which takes 100 ms to import."""
    # Otherwise tpm2-tss writes each failing command to standard error; our errors explain them.
    os.environ.setdefault("TSS2_LOG", "all+none")
    try:
        return import_module(name)
    except ImportError as error:
        problem = (
            "keys in a TPM need the package tpm2-pytss, which is not installed"
            if isinstance(error, ModuleNotFoundError)
            else f"the package tpm2-pytss cannot be loaded: {error.msg}"
        )
        raise KeyDeviceError(
            problem,
            code="package-missing",
            remedy="Install it: pip install 'boto_rolesanywhere[tpm]'. It is compiled then; on "
            "Debian this needs: apt-get install gcc pkg-config python3-dev libtss2-dev.",
        ) from error


def _locks() -> Iterator[RLock]:
    """For a fork: no connection may be open then, or the child would share it."""
    yield _registry
    yield from (device.lock for device in _devices.values())


hold_in_forks(_locks)

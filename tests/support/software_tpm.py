"""A TPM 2.0 for tests: swtpm, and the usual tools to make keys in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PACKAGES = (
    "swtpm swtpm-tools tpm2-tools tpm2-openssl libtss2-dev libtss2-tcti-swtpm0 gcc pkg-config"
)
GET_CAPABILITY = b"\0\0\0\1"  # of swtpm's control channel
SIGNING = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"


class SoftwareTpm:
    """A running swtpm. All files that the tools leave behind are in `folder`."""

    def __init__(self, tcti: str, folder: Path) -> None:
        self.tcti = tcti
        self.folder = folder

    def run(self, *command: str, flush: bool = True) -> str:
        """Run a tool of tpm2-tools (or openssl), and free the slots it leaves occupied."""
        environment = {
            **os.environ,
            "TPM2TOOLS_TCTI": self.tcti,
            "TPM2OPENSSL_TCTI": self.tcti,
            "TSS2_LOG": "all+none",
        }
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        if flush:
            self.flush()
        return done.stdout

    def flush(self) -> None:
        """Free all slots, those of sessions too: tpm2_encodeobject leaves its own."""
        for kind in ("--transient-object", "--loaded-session"):
            self.run("tpm2_flushcontext", kind, flush=False)

    def fill(self) -> None:
        """Occupy all slots: a TPM must have three, and swtpm has no more."""
        for _ in range(3):
            self.run("tpm2_createprimary", "-C", "o", "-G", "ecc", flush=False)

    def control(self, command: str) -> None:
        """Do to swtpm what a machine's power supply does: `--stop`, `-i`."""
        port = int(self.tcti.rpartition("=")[2]) + 1
        subprocess.run(["swtpm_ioctl", "--tcp", f"127.0.0.1:{port}", command], check=True)

    def pem(self, *options: str, algorithm: str = "EC") -> bytes:
        """A `TSS2 PRIVATE KEY` file, made by OpenSSL's tpm2 provider."""
        arguments = [part for option in options for part in ("-pkeyopt", option)]
        self.run(
            *("openssl", "genpkey", "-provider", "tpm2", "-propquery", "?provider=tpm2"),
            *("-algorithm", algorithm, *arguments, "-out", "key.pem"),
        )
        return (self.folder / "key.pem").read_bytes()

    def parent(self, handle: int, *options: str) -> int:
        """A persistent storage key at `handle`."""
        self.run("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", "parent.ctx", *options)
        self.run("tpm2_evictcontrol", "-C", "o", "-c", "parent.ctx", hex(handle))
        return handle

    def persistent(
        self, handle: int, algorithm: str, *options: str, attributes: str = SIGNING
    ) -> str:
        """A persistent key below the parent at 0x81000001. Gives its name for `open_tpm_key`."""
        self.run(
            *("tpm2_create", "-C", "0x81000001", "-G", algorithm, "-a", attributes),
            *("-u", "key.pub", "-r", "key.priv", *options),
        )
        self._persist(handle)
        return f"handle:{handle:#x}"

    def _persist(self, handle: int) -> None:
        """Put the key of key.pub and key.priv there."""
        self.run(
            *("tpm2_load", "-C", "0x81000001", "-u", "key.pub", "-r", "key.priv", "-c", "key.ctx")
        )
        self.run("tpm2_evictcontrol", "-C", "o", "-c", "key.ctx", hex(handle))

    def public_key_of_pem(self, password: str = "") -> PublicKeyTypes:
        """The public key of the last `pem`, as OpenSSL reads it."""
        self.run(
            *("openssl", "pkey", "-provider", "tpm2", "-provider", "base"),
            *("-in", "key.pem", "-passin", f"pass:{password}", "-pubout", "-out", "public.pem"),
        )
        return load_pem_public_key((self.folder / "public.pem").read_bytes())

    def public_key_of_handle(self, handle: int) -> PublicKeyTypes:
        """The public key of a persistent key, as tpm2-tools read it."""
        self.run("tpm2_readpublic", "-c", hex(handle), "-f", "pem", "-o", "public.pem")
        return load_pem_public_key((self.folder / "public.pem").read_bytes())

    def evict(self, handle: int) -> None:
        """Take a persistent key out."""
        self.run("tpm2_evictcontrol", "-C", "o", "-c", hex(handle))

    def failed_tries(self) -> int:
        """How many wrong passwords count towards the lock-out now."""
        properties = self.run("tpm2_getcap", "properties-variable")
        line = next(line for line in properties.splitlines() if "LOCKOUT_COUNTER" in line)
        return int(line.split(":")[1], 16)

    def clear_lockout(self) -> None:
        """Start counting wrong passwords from nought."""
        self.run("tpm2_dictionarylockout", "--clear-lockout")

    def allow_tries(self, number: int) -> None:
        """Have so many wrong passwords lock the TPM."""
        self.run(
            *("tpm2_dictionarylockout", "--setup-parameters", f"--max-tries={number}"),
            *("--recovery-time=1000", "--lockout-recovery-time=1000"),
        )

    def change_password(self, handle: int, old: str, new: str, to: int | None = None) -> None:
        """Put the last `persistent` key there anew, or `to` another handle, with another password.

        Its name stays the same.
        """
        self.run(
            *("tpm2_changeauth", "-C", "0x81000001", "-c", hex(handle), "-p", old, new),
            *("-r", "key.priv"),
        )
        if to is None:
            self.evict(handle)
        self._persist(to or handle)

    def occupied_slots(self) -> list[str]:
        """The handles of what is loaded."""
        return self.run("tpm2_getcap", "handles-transient", flush=False).split()


@contextmanager
def software_tpm() -> Iterator[SoftwareTpm]:
    """Start a swtpm with a parent at 0x81000001; stop it at the end.

    Skips the test if something is not installed; in CI that is a failure.
    """
    _require_packages()
    folder = Path(tempfile.mkdtemp(prefix="swtpm-"))
    process, port = _start(folder)
    try:
        tpm = SoftwareTpm(f"swtpm:host=127.0.0.1,port={port}", folder)
        tpm.parent(0x81000001)
        yield tpm
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    while True:
        port, control = _ports()
        with control:
            process = subprocess.Popen(
                [
                    *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}"),
                    *("--server", f"type=tcp,port={port}"),
                    *("--ctrl", f"type=tcp,fd={control.fileno()}"),
                    *("--flags", "not-need-init,startup-clear"),
                ],
                pass_fds=(control.fileno(),),
            )
        # It answers when both its ports are open. If another program has taken the first in the
        # meantime, it ends instead.
        if _answers(port + 1):
            return process, port
        process.wait()


def _answers(control_port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", control_port), timeout=60) as channel:
            channel.sendall(GET_CAPABILITY)
            return bool(channel.recv(1))
    except ConnectionError:
        return False


def _ports() -> tuple[int, socket.socket]:
    """A free port, and a socket that listens on the next, where the TCTI looks for the controls."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            control = socket.socket()
            try:
                control.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                control.close()
                continue
            control.listen()
            return port, control


def _require_packages() -> None:
    missing = [
        tool
        for tool in ("swtpm", "swtpm_ioctl", "tpm2_create", "openssl")
        if not shutil.which(tool)
    ]
    missing += [] if find_spec("tpm2_pytss") else ["tpm2_pytss"]
    if not missing:
        return
    message = (
        f"not installed: {', '.join(missing)}; as root: apt-get install "
        f"--no-install-recommends {PACKAGES}, then pip install 'boto_rolesanywhere[tpm]'"
    )
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)

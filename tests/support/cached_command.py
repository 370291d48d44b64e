"""One user of ``credential-process``: a home, a certificate, and the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from commands import arns, environment, identity, run

from boto_rolesanywhere.credentials.cache_entry import Entry
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

CA = CertificateAuthority()


HEAVY = ("boto3", "botocore", "cryptography", "argparse", "json", "re", "typing", "dataclasses")


class Caller:
    """One user: a home, a certificate, and the command line that asks the emulator."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator = emulator
        self.home = home
        self.paths = CA.issue("web").write(home / "pki")
        self.flags = (*identity(self.paths), *arns(emulator))
        self.before = emulator.created

    def run(
        self, *more: str, flags: tuple[str, ...] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        given = self.flags if flags is None else flags
        return run("credential-process", *given, *more, env=environment(self.home, **variables))

    def key_id(self, *more: str, warned: bool = False, **variables: str) -> str:
        done = self.run(*more, **variables)
        assert done.returncode == 0, done.stderr.decode()
        assert bool(done.stderr) == warned, done.stderr.decode()
        found: str = json.loads(done.stdout)["AccessKeyId"]
        return found

    @property
    def created(self) -> int:
        return self.emulator.created - self.before

    @property
    def folder(self) -> Path:
        return self.home / ".cache" / "boto_rolesanywhere"

    def entry(self) -> tuple[Path, Entry]:
        (path,) = self.folder.glob("*.session")
        entry = Entry.from_bytes(path.read_bytes())
        assert entry is not None
        return path, entry

    def age(self, *, advisory: bool = True, mandatory: bool = False, ended: bool = False) -> None:
        """Let the cached session be due, without waiting for it."""
        path, entry = self.entry()
        entry.received -= 10
        entry.boot -= 10
        for name, due in (("advisory", advisory), ("mandatory", mandatory), ("expiry", ended)):
            if due:
                setattr(entry, name, entry.received + 1)
        path.write_bytes(entry.to_bytes())

"""`ca`, and credentials for what it issued."""

from __future__ import annotations

from pathlib import Path

from commands import arns, ended

from boto_rolesanywhere.testing import Emulator


def ca(*arguments: str, status: int = 0) -> str:
    done = ended("ca", *arguments, status=status)
    return done.stdout if status == 0 else done.stderr


def credentials(emulator: Emulator, name: str, *, status: int = 0) -> str:
    """What credential-process answers for NAME.pem and NAME.key."""
    flags = ("--certificate", f"{name}.pem", "--private-key", f"{name}.key")
    done = ended("credential-process", *flags, *arns(emulator), "--no-cache", status=status)
    return done.stdout + done.stderr


def trusting(folder: Path) -> Emulator:
    return Emulator((folder / "trust-anchor.pem").read_bytes())

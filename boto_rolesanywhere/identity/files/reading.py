"""Reading a certificate, key or chain as bytes, and saying which file is wrong when that fails.

Nothing here looks into the bytes.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Literal, TypeAlias

from boto_rolesanywhere.errors import CertificateError, PrivateKeyError, RolesAnywhereError
from boto_rolesanywhere.records import NamedTuple
from boto_rolesanywhere.redaction import holds_secret
from boto_rolesanywhere.settings.places import home_path, slip_of

FileSource: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview"
Role = Literal["certificate", "private key", "chain", "trust anchor", "revocation list"]

# The largest of our inputs, a chain or a PKCS#12 file, has some tens of kilobytes; a wrong path
# may lead to a disk image.
MAX_BYTES = 4 * 1024 * 1024
_READABLE = stat.S_IRGRP | stat.S_IROTH
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0
# Compiled only when a path is wrong: compiling costs time at each start.
_HANDLE = r"(?i)(?:tpm:)?0x81[0-9a-f]{6}"
_PERCENT = r"%\w+%"  # as Windows writes a variable


class Part(NamedTuple):
    """The bytes of one input. Equal to another when role, place and bytes are the same.

    Attributes:
        role: what it is for.
        where: the file, or how else it was given; for messages.
        data: the bytes as they were read.
        exposed: whether others may read the file than it is meant for (see `excess`).
    """

    role: Role
    where: str
    data: bytes
    exposed: bool = False

    def __repr__(self) -> str:
        return f"<Part {self.role}: {self.where}>"  # its bytes may be a key's

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:  # a tuple has one of its own
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])

    def error(
        self,
        problem: str,
        *,
        code: str,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> RolesAnywhereError:
        """An error of the class that suits the role, naming the place."""
        kind = PrivateKeyError if self.role == "private key" else CertificateError
        return kind(problem, code=code, where=self.where, expected=expected, remedy=remedy)


def read_part(source: FileSource, role: Role) -> Part:
    """The bytes given, or those of the file at that path (``~`` is expanded).

    Raises:
        CertificateError, PrivateKeyError: there is no such file, it cannot be read, it is not a
            regular file, or it is empty.
        ConfigurationError: the home folder in the path does not exist.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        part = Part(role, f"the {role} given as bytes", bytes(source))
    else:
        part = _read_file(_path(source, role), role)
    if not part.data.strip(b"\0\t\n\r "):
        raise part.error("it is empty", code="setting-not-text", expected=f"a {role} in PEM or DER")
    return part


def _path(source: str | os.PathLike[str], role: Role) -> Path:
    text, part = os.fspath(source), Part(role, role, b"")
    if "-----BEGIN" in text:
        raise part.error(
            "PEM was given as str, where a path is expected",
            code="content-given-as-path",
            remedy="Write it into a file and give its path; in Python, pass it as bytes:"
            " text.encode().",
        )
    if not text:
        raise part.error("the path is empty", code="setting-not-text")
    if holds_secret(text):
        raise part.error(
            "this is not a path, and is not shown, since it seems to be a secret",
            code="content-given-as-path",
            expected="a path, or a pkcs11: URI without quotes around it",
            remedy=f"Write the {role} into a file and give its path; in Python, pass it as bytes.",
        )
    return home_path(text)


def _read_file(path: Path, role: Role) -> Part:
    part = Part(role, str(path) if str(path).isprintable() else repr(str(path)), b"")
    try:
        if path.is_dir():
            raise part.error(
                "it is a directory", code="path-not-a-file", expected=f"a file with the {role}"
            )
        # A named pipe that nobody writes to would block for ever: look before opening.
        if path.exists() and not path.is_file():
            raise part.error(
                "it is a pipe, socket or device",
                code="path-not-a-file",
                expected="a regular file",
                remedy=f"Put the {role} into a file; in Python it can be passed as bytes too.",
            )
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _missing(path, part) from None
    except PermissionError:
        remedy = "Check the owner and the mode of the file and of the folders above it."
        raise part.error(
            "this process may not read it", code="file-unreadable", remedy=remedy
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise part.error(f"it cannot be read ({reason})", code="file-unreadable") from None
    if len(data) > MAX_BYTES:
        raise part.error(
            "it is larger than 4 MiB",
            code="path-not-a-file",
            expected=f"a {role} in PEM or DER",
        )
    return part._replace(data=data, exposed=bool(excess(facts, _user()) & _READABLE))


def excess(facts: os.stat_result, user: int) -> int:
    """The bits of a secret file's mode that let others read or write it; 0 where modes say nothing.

    A user who is not the owner reads the file through its group, as services get their keys:
    a Secret's files with ``fsGroup`` (Kubernetes), the group ``ssl-cert`` (Debian).

    Args:
        facts: the file's.
        user: the effective user ID of the reader.
    """
    if os.name != "posix":
        return 0
    needed = 0 if user in {_ROOT, facts.st_uid} else stat.S_IRGRP
    return facts.st_mode & (_READABLE | _WRITABLE) & ~needed


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else _ROOT


def _missing(path: Path, part: Part) -> RolesAnywhereError:
    folder = path.parent
    if path.is_symlink():
        problem = f"it is a symbolic link to {path.readlink()}, which does not exist"
    elif folder.is_dir():
        problem = "there is no such file"
    else:
        problem = f"there is no such file, nor the folder {folder}"
    remedy = _odd(str(path))
    if remedy is None and not path.is_absolute():
        remedy = f"The path is relative to {_here()}."
    return part.error(problem, code="file-missing", expected=f"the {part.role}", remedy=remedy)


def _odd(path: str) -> str | None:
    """What to do about a path that was written as for a shell or the AWS CLI."""
    if slip := slip_of(path, "path"):
        return slip
    if re.fullmatch(_HANDLE, path):
        return f"The key at a handle of a TPM is written handle:{path.rpartition(':')[2]}."
    if path.startswith(("file:/", "fileb:/")):
        return "Write the path alone, without file://."
    is_variable = "$" in path or re.search(_PERCENT, path)
    return "Variables in paths are not expanded." if is_variable else None


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "the current folder, which is gone"

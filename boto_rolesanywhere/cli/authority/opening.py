"""What the actions of ``ca`` share: the CA's folder, what opens its key, and the files written."""

from __future__ import annotations

import errno
import os
import re
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.authority.folder import open_authority
from boto_rolesanywhere.authority.pair import replace_pair, write_file
from boto_rolesanywhere.cli.outcome import PROGRAM
from boto_rolesanywhere.errors import ConfigurationError, PassphraseError
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.settings.names import PKCS11_MODULE, TPM_TCTI
from boto_rolesanywhere.settings.passphrases import read_secret_file
from boto_rolesanywhere.settings.profile_section import quoted_name, with_section
from boto_rolesanywhere.settings.sources import Secret

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from boto_rolesanywhere.authority.authority import Authority

CA_VARIABLE: Final = "AWS_ROLESANYWHERE_CA"
_CA_FOLDER: Final = "~/.boto-rolesanywhere/ca"
_PASSPHRASE_FILE: Final = "--passphrase-file"  # noqa: S105  # its name
_PASSPHRASE_ENV: Final = "--passphrase-env"  # noqa: S105  # its name
# As a file's name it hides nothing, leaves no folder, and is no flag to the next command.
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Declare ``--ca``."""
    parser.add_argument(
        "--ca", metavar="FOLDER", help=f"the CA's folder; default: {CA_VARIABLE} or {_CA_FOLDER}"
    )


def add_passphrase(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Declare where the passphrase or PIN is; never the secret itself."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(_PASSPHRASE_FILE, metavar="FILE", help=f"holds {purpose}")
    group.add_argument(_PASSPHRASE_ENV, metavar="NAME", help=f"the variable with {purpose}")


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare ``--out`` and ``--force``."""
    parser.add_argument("--out", metavar="FOLDER", help=f"where files go; default: {default}")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def folder_of(arguments: argparse.Namespace) -> Path:
    """The CA's folder, absolute."""
    return Path(arguments.ca or os.environ.get(CA_VARIABLE) or _CA_FOLDER).expanduser().absolute()


def next_command(arguments: argparse.Namespace, words: str) -> str:
    """A command line of ``ca`` for the same CA, to type next."""
    folder = f" --ca {shlex.quote(arguments.ca)}" if arguments.ca else ""
    return f"{PROGRAM} ca {words}{folder}"


def authority_of(arguments: argparse.Namespace) -> Authority:
    """The CA that the arguments name.

    Raises:
        ConfigurationError: there is none.
    """
    return open_authority(folder_of(arguments), access_of(arguments))


def access_of(arguments: argparse.Namespace) -> Access:
    """What opens the CA's key: passphrase or PIN, asked for at a terminal if none is given."""
    secret = secret_of(arguments)
    if secret is None and sys.stdin.isatty():
        from getpass import getpass

        secret = Secret(lambda: getpass("Passphrase or PIN of the CA's key: "), "the prompt")
    module, tcti = (
        os.environ.get(setting.variable) or None for setting in (PKCS11_MODULE, TPM_TCTI)
    )
    return Access(secret, module, tcti)


def secret_of(arguments: argparse.Namespace) -> Secret | None:
    """The passphrase or PIN that the flags name.

    Raises:
        ConfigurationError: the variable is not set.
    """
    path = getattr(arguments, "passphrase_file", None)
    variable = getattr(arguments, "passphrase_env", None)
    if path:
        return Secret(lambda: read_secret_file(path, _PASSPHRASE_FILE), _PASSPHRASE_FILE, file=path)
    if not variable:
        return None
    if variable not in os.environ:
        raise ConfigurationError(
            "the environment variable that it names is not set",
            code="variable-not-set",
            where=_PASSPHRASE_ENV,
        )
    return Secret(os.environ[variable], _PASSPHRASE_ENV)


def output_of(arguments: argparse.Namespace, default: Path) -> Path:
    """Where files go, absolute."""
    return Path(arguments.out).expanduser().absolute() if arguments.out else default.absolute()


def require_file_name(name: str) -> str:
    """A name that files can be called by.

    Raises:
        ConfigurationError: it is none.
    """
    if not _FILE_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a file",
            code="authority-name-unusable",
            expected="letters, digits, dots and hyphens, as in app1.example.com",
            remedy="NAME is for the files; --subject takes any distinguished name, such as"
            " CN=Müller,O=example.",
        )
    return name


def require_free(paths: tuple[Path, ...], *, force: bool) -> None:
    """Refuse to overwrite, before anything is issued.

    Raises:
        ConfigurationError: a file is there, and may not be replaced.
    """
    for path in () if force else paths:
        if os.path.lexists(path):
            raise ConfigurationError(
                "it is there already",
                code="authority-file-taken",
                where=str(path),
                remedy="Name another folder with --out, or add --force.",
            )


def require_writable(folder: Path) -> None:
    """Make the folder if it is missing, before anything is issued that would go there.

    Raises:
        ConfigurationError: files cannot be written there.
    """
    with writing(folder):
        make_private_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def require_profile_name(profile: str) -> None:
    """Refuse a profile's name that the config file cannot hold, before anything is issued.

    Raises:
        ConfigurationError: it is none.
    """
    with_section(b"", f"profile {quoted_name(profile)}", {}, shell_words=True)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write each file in one step, with mode 0600; folders that are missing get mode 0700.

    Raises:
        ConfigurationError: one cannot be written.
    """
    for path, content in files.items():
        with writing(path):
            write_file(path, content)


def write_pair(certificate_path: Path, certificates: bytes, key_path: Path, key: bytes) -> None:
    """Write a certificate and its key in the place of those that are there.

    Raises:
        ConfigurationError: one cannot be written.
    """
    with writing(certificate_path):
        replace_pair(certificate_path, certificates, key_path, key)


@contextmanager
def naming_flags() -> Iterator[None]:
    """Let an error about a passphrase that is missing name the flags of these commands."""
    try:
        yield
    except PassphraseError as error:
        if error.code not in ("passphrase-missing", "pin-missing"):
            raise
        raise PassphraseError(
            error.problem,
            code=error.code,
            where=error.where,
            remedy=f"Give it by {_PASSPHRASE_FILE} FILE or {_PASSPHRASE_ENV} NAME.",
        ) from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals into words."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be written ({error.strerror})",
            code="file-unwritable",
            where=str(error.filename or path),
        ) from None


def read_file(path: Path) -> bytes:
    """The content of a file.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"it cannot be read ({error.strerror})", code="file-unreadable", where=str(path)
        ) from None

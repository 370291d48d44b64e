"""What the actions of ``ca`` share: the CA's folder, what opens its key, and the files written."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.authority.folder import open_authority
from boto_rolesanywhere.cli.outcome import PROGRAM
from boto_rolesanywhere.cli.prompt import asked_secret
from boto_rolesanywhere.errors import ConfigurationError, PassphraseError
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.settings.names import CA_VARIABLE, PKCS11_MODULE, TPM_TCTI
from boto_rolesanywhere.settings.passphrases import read_secret_file
from boto_rolesanywhere.settings.places import home_path
from boto_rolesanywhere.settings.sources import Secret

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from boto_rolesanywhere.authority.authority import Authority

_CA_FOLDER: Final = "~/.boto-rolesanywhere/ca"
# Whose passphrase or PIN: flags are made of these names.
CAS_KEY: Final = "passphrase"
NEW_KEY: Final = "key-passphrase"


def add_folder(parser: argparse._ActionsContainer) -> None:
    """Declare ``--ca``."""
    parser.add_argument(
        "--ca", metavar="FOLDER", help=f"the CA's folder; default: {CA_VARIABLE} or {_CA_FOLDER}"
    )


def add_passphrase(parser: argparse.ArgumentParser, purpose: str, whose: str = CAS_KEY) -> None:
    """Declare where the passphrase or PIN is; never the secret itself."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(f"--{whose}-file", metavar="FILE", help=f"holds {purpose}")
    group.add_argument(f"--{whose}-env", metavar="NAME", help=f"the variable with {purpose}")


def folder_of(arguments: argparse.Namespace) -> Path:
    """The CA's folder, absolute."""
    return home_path(arguments.ca or os.environ.get(CA_VARIABLE) or _CA_FOLDER).absolute()


def next_command(arguments: argparse.Namespace, words: str) -> str:
    """A command for the same CA, to type next."""
    if private_ca := getattr(arguments, "pca", None):
        return f"{PROGRAM} {words} --pca {private_ca}"
    folder = f" --ca {shlex.quote(arguments.ca)}" if arguments.ca else ""
    return f"{PROGRAM} {words}{folder}"


def authority_of(arguments: argparse.Namespace) -> Authority:
    """The CA that the arguments name.

    Raises:
        ConfigurationError: there is none.
    """
    return open_authority(folder_of(arguments), access_of(arguments))


def access_of(arguments: argparse.Namespace) -> Access:
    """What opens the CA's key: passphrase or PIN, asked for at a terminal if none is given."""
    secret = secret_of(arguments) or asked_secret()
    module, tcti = (
        os.environ.get(setting.variable) or None for setting in (PKCS11_MODULE, TPM_TCTI)
    )
    return Access(secret, module, tcti)


def secret_of(arguments: argparse.Namespace, whose: str = CAS_KEY) -> Secret | None:
    """The passphrase or PIN that the flags name.

    Raises:
        ConfigurationError: the variable is not set.
    """
    name = whose.replace("-", "_")
    path = getattr(arguments, f"{name}_file", None)
    variable = getattr(arguments, f"{name}_env", None)
    file_flag, flag = f"--{whose}-file", f"--{whose}-env"
    if path:
        return Secret(lambda: read_secret_file(path, file_flag), file_flag, file=path)
    if variable and variable not in os.environ:
        raise ConfigurationError(
            "the environment variable that it names is not set",
            code="variable-not-set",
            where=flag,
        )
    return Secret(os.environ[variable], flag) if variable else None


@contextmanager
def naming_flags(whose: str) -> Iterator[None]:
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
            remedy=f"Give it by --{whose}-file FILE or --{whose}-env NAME.",
        ) from None

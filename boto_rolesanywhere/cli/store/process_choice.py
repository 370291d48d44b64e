"""What the ``--cert-selector`` of a profile's ``credential_process`` line chooses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from boto_rolesanywhere.cli.flag_table import LATEST, SELECTOR, STORE
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import PROCESS, Inputs, read_section
from boto_rolesanywhere.settings.names import PKCS11_MODULE
from boto_rolesanywhere.settings.passphrases import configured_secret
from boto_rolesanywhere.settings.sources import Secret

from .certificate_store import Choice, arguments_of, choose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.session import Session

    from boto_rolesanywhere.settings.process_line import ProcessLine


def chosen_arguments(selection: Mapping[str, str], inputs: Inputs) -> Arguments:
    """Certificate, key and chain, as arguments of `get_session`.

    Args:
        selection: the flags of the line that choose.
        inputs: of its other flags.
    """
    return arguments_of(_choose(selection, inputs))


def chosen_flags(line: ProcessLine, session: Session, profile: str) -> dict[str, str]:
    """The flags that name what the line of `profile` chooses now.

    Raises:
        ConfigurationError: the intermediates are in several files.
    """
    section = (
        read_section(session, line.config_profile, by_flag=True) if line.config_profile else {}
    )
    variable = line.secret_variable or ""
    choice = _choose(
        line.selection,
        Inputs(
            session=session,
            arguments=Arguments(),
            environ={variable: os.environ[variable]} if variable in os.environ else {},
            section={**section, **line.section()},
            profile_name=profile,
        ),
    )
    places = sorted({issuer.place for issuer in choice.chain} - {choice.leaf.place})
    if len(places) > 1:
        raise ConfigurationError(
            f"the intermediates of its certificate are in {len(places)} files, and a profile names"
            " one",
            code="setting-not-storable",
            where=f"{SELECTOR} of {PROCESS}",
            expected="all intermediates in one file, or --credential-process, which writes a line"
            " with the selector",
        )
    flags = {"--certificate": choice.leaf.place, "--private-key": choice.key}
    return flags | {"--intermediates": places[0]} if places else flags


def _choose(selection: Mapping[str, str], inputs: Inputs) -> Choice:
    found, secret = inputs.found(), inputs.arguments.get("passphrase")
    if not isinstance(secret, Secret):
        secret = configured_secret(found, inputs.environ)
    module = str(found[PKCS11_MODULE].value) if PKCS11_MODULE in found else None
    return choose(
        selection[SELECTOR],
        selection.get(STORE),
        Access(secret, module),
        latest=LATEST in selection,
    )

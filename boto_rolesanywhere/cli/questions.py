"""What ``configure`` asks at a terminal: one question a setting, each checked as it is answered."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    PassphraseError,
    RolesAnywhereError,
)
from boto_rolesanywhere.settings import names
from boto_rolesanywhere.settings.arns import Arn, require_agreement
from boto_rolesanywhere.settings.places import is_device
from boto_rolesanywhere.settings.regions import ARN_KINDS, arn_of
from boto_rolesanywhere.settings.sources import IdentitySources

from .outcome import PROGRAM, complain
from .refusals import require_no_pin

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from boto_rolesanywhere.settings.names import Setting

NO_PIN: Final = "pin-source=file:… in its place, --pkcs11-pin-file or --pkcs11-pin-env"
_IDENTITY: Final = (names.CERTIFICATE, names.PRIVATE_KEY, names.CHAIN)
_ORDER: Final = (*_IDENTITY, names.TRUST_ANCHOR, names.PROFILE, names.ROLE)
_OPTIONAL: Final = (names.PRIVATE_KEY, names.CHAIN)
_NONE: Final = "-"


class Questions:
    """The questions of one run, and what has been answered.

    Attributes:
        answers: by their flags.
    """

    def __init__(
        self,
        settled: Mapping[str, str],
        present: Mapping[str, str],
    ) -> None:
        """Ask nothing yet.

        Args:
            settled: by their config keys, the settings that need no question.
            present: what the profile has now, by config keys: the answer to a mere Enter.
        """
        self.answers: dict[str, str] = {}
        self._settled = settled
        self._present = present

    def ask(self, *, has_identity: bool) -> None:
        """Ask in order; go back to the certificate if the key shows that it cannot be used."""
        wanted = [
            setting
            for setting in _ORDER
            if setting.config_key not in self._settled
            and not (has_identity and setting in _IDENTITY)
        ]
        place = 0
        while place < len(wanted):
            setting = wanted[place]
            answer = self._answer(setting)
            try:
                self._check(setting, answer)
            except RolesAnywhereError as error:
                if setting is names.PRIVATE_KEY and isinstance(error, CertificateError):
                    if wanted[0] is not names.CERTIFICATE:
                        raise  # no answer to a question would help
                    place = 0
                complain(f"{error} [{error.code}]")
                continue
            self.answers[setting.flag or ""] = answer
            place += 1

    def give(self, arguments: argparse.Namespace) -> None:
        """Set the answers as if their flags had been given."""
        for flag, answer in self.answers.items():
            if answer:
                setattr(arguments, flag[2:].replace("-", "_"), answer)

    def command(self, profile: str) -> str:
        """The command line that goes on where this run was broken off."""
        words = [PROGRAM, "configure", "--profile", profile]
        for flag, answer in self.answers.items():
            words += [flag, answer] if answer else []
        return shlex.join(words)

    def _answer(self, setting: Setting) -> str:
        present = self._present.get(setting.config_key, "")
        notes = [f"Enter for {present}"] if present else []
        if setting in _OPTIONAL and present:
            notes.append(f"{_NONE} for none")
        elif setting in _OPTIONAL:
            notes.append("Enter if there is none, or it is in the certificate's file")
        hint = f" ({', '.join(notes)})" if notes else ""
        answer = answered(f"{setting.title}{hint}: ") or present
        return "" if answer == _NONE and setting in _OPTIONAL else answer

    def _check(self, setting: Setting, answer: str) -> None:
        if setting in ARN_KINDS:
            self._check_arn(setting, answer)
            return
        if answer or setting not in _OPTIONAL:
            _require_part(answer, setting)
        if setting is not names.CERTIFICATE:
            self._check_identity(setting, answer)

    def _check_arn(self, setting: Setting, answer: str) -> None:
        """The ARN alone, and with those before it."""
        arns: dict[Setting, Arn] = {}
        for each in ARN_KINDS:
            if each is setting:
                arns[each] = arn_of(each, answer, each.title)
            elif text := self._known(each):
                with suppress(ConfigurationError):  # the check of all settings says so
                    arns[each] = arn_of(each, text, each.title)
        anchor, profile = arns.get(names.TRUST_ANCHOR), arns.get(names.PROFILE)
        if anchor is not None and profile is not None:
            require_agreement(anchor, profile, arns.get(names.ROLE))

    def _check_identity(self, setting: Setting, answer: str) -> None:
        """The key with its certificate, then the chain with both."""
        from boto_rolesanywhere.identity.opening import open_identity

        parts = {each: self._known(each) for each in _IDENTITY} | {setting: answer}
        certificate = parts[names.CERTIFICATE]
        if not certificate or any(is_device(part) for part in parts.values()):
            return  # a device wants its PIN, which a later question asks for
        sources = IdentitySources(
            certificate=certificate, private_key=parts[names.PRIVATE_KEY] or None
        )
        now = utc_now()
        try:
            open_identity(sources, now=now)
            if parts[names.CHAIN]:
                open_identity(sources._replace(chain=parts[names.CHAIN]), now=now)
        except PassphraseError:
            return  # as for the PIN

    def _known(self, setting: Setting) -> str:
        answer = self.answers.get(setting.flag or "")
        return self._settled.get(setting.config_key, "") if answer is None else answer


def _require_part(text: str, setting: Setting) -> None:
    """Refuse an answer that names no file, or a file that does not hold what was asked for."""
    require_no_pin(text, setting.title, NO_PIN)
    if is_device(text):
        return
    from boto_rolesanywhere.identity.opening import open_certificates, open_key

    try:
        if setting is names.PRIVATE_KEY:
            open_key(text)
        else:
            open_certificates(text, "chain" if setting is names.CHAIN else "certificate")
    except PassphraseError:
        return  # a later question asks where the passphrase is


def answered(question: str) -> str:
    """The answer, without blanks around it."""
    try:
        return input(question).strip()
    except EOFError:
        raise KeyboardInterrupt from None  # Ctrl-D ends the command, as Ctrl-C does

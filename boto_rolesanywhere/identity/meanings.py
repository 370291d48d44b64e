"""What a device's return code means for the user: one line of the tables in pkcs11/ and tpm/."""

from __future__ import annotations

from dataclasses import dataclass

from boto_rolesanywhere.errors import KeyDeviceError, PrivateKeyError


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a return code turns into.

    Attributes:
        code: the error's.
        problem: what is wrong, in one clause.
        remedy: what to do next, as sentences.
        kind: the error's class.
    """

    code: str
    problem: str
    remedy: str
    kind: type[PrivateKeyError] = KeyDeviceError

    def error(self, answer: str, *, where: str) -> PrivateKeyError:
        """The error for the device's `answer`, which it quotes."""
        return self.kind(
            f"{self.problem} ({answer})", code=self.code, where=where, remedy=self.remedy
        )

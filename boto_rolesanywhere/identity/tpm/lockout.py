"""How near a TPM is to its lock-out. To read that costs no try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.records import NamedTuple

from .device import load_library

if TYPE_CHECKING:
    from .device import TpmConnection

_FEW: Final = 2


class Lockout(NamedTuple):
    """The TPM's protection against guesses (TPM 2.0 Library, Part 1, 19.8).

    Attributes:
        failed: wrong passwords that count now.
        most: so many lock the TPM for all users of the machine.
        interval: seconds after which one wrong password less counts; 0: none ever counts.
    """

    failed: int = 0
    most: int = 0
    interval: int = 0

    @property
    def is_near(self) -> bool:
        """Whether half of the tries are used up, or of few tries all but the last."""
        limit = min(self.most - 1, max(_FEW, self.most // 2))
        return bool(self.interval) and 0 < self.failed < self.most and self.failed >= limit

    @property
    def is_last(self) -> bool:
        """Whether one more wrong password locks the TPM. A TPM that allows one only never is."""
        return bool(self.interval and self.failed) and self.failed == self.most - 1

    @property
    def has_room(self) -> bool:
        """Whether one more wrong password leaves half of the tries."""
        return not self.interval or (self.failed + 1) * 2 <= self.most


def read_lockout(tpm: TpmConnection) -> Lockout:
    """What the TPM says of it. Raises tpm2-pytss's TSS2_Exception."""
    library = load_library()
    first, wanted = library.TPM2_PT.LOCKOUT_COUNTER, len(Lockout._fields)
    # TPM 2.0 Library, Part 2, 6.13 (TPM_PT): counter, limit and interval follow one another.
    _, found = tpm.get_capability(library.TPM2_CAP.TPM_PROPERTIES, first, wanted)
    values = {int(each.property): int(each.value) for each in found.data.tpmProperties}
    return Lockout(*(values.get(int(first) + number, 0) for number in range(wanted)))

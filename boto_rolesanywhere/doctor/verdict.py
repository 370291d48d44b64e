"""What a check is asked and what it answers; how an error becomes an answer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from boto_rolesanywhere.errors import RolesAnywhereError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from boto_rolesanywhere.settings.config import Arguments
    from boto_rolesanywhere.settings.inputs import Inputs

_Value = TypeVar("_Value")
Status = Literal["ok", "warn", "fail", "skip"]
LocalName = Literal[
    "configuration",
    "precedence",
    "arns",
    "settings",
    "file",
    "key",
    "chain",
    "trust-anchor",
    "constraints",
    "validity",
    "crl",
]
RemoteName = Literal[
    "endpoint",
    "proxy",
    "name-resolution",
    "connection",
    "tls",
    "clock",
    "create-session",
    "assume-role",
    "caller-identity",
]
Name: TypeAlias = LocalName | RemoteName
# The label of a cause that an error names.
LIKELY: Final = "likely cause"
LOCAL: Final[frozenset[Name]] = frozenset(get_args(LocalName))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found. It holds no secret.

    Attributes:
        name: of the check; stable. A check of several things gives several verdicts.
        status: ``ok``; ``warn`` (it works, and may not for ever or not safely); ``fail``; ``skip``
            (not looked at, and `text` says why).
        text: what was found, in one line.
        remedy: what to do; None if there is nothing to do.
        details: further facts, as pairs of label and text. A label may come twice.
        code: of the error that was found, for ``boto-rolesanywhere explain``; None for none.
    """

    name: Name
    status: Status
    text: str
    remedy: str | None = None
    details: tuple[tuple[str, str], ...] = ()
    code: str | None = None

    def to_json(self) -> dict[str, object]:
        """The verdict as JSON values, with keys that stay."""
        details = [{"label": label, "text": text} for label, text in self.details]
        return asdict(self) | {"details": details}


# A check yields its verdicts, and returns what later checks need.
Check: TypeAlias = Generator[Verdict, None, _Value]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Question:
    """The arguments of `examine`, which documents them, and the environment."""

    arguments: Arguments
    environ: Mapping[str, str]
    profile: str | None
    flags: Mapping[str, str] | None
    verify: bool | str | None
    anchor_file: str | None
    crl_file: str | None
    timeout: float
    clock: Callable[[], datetime]
    choose: Callable[[Mapping[str, str], Inputs], Arguments] | None


class Concern(NamedTuple):
    """One problem that a check found.

    Attributes:
        status: how bad it is.
        text: what is the matter.
        remedy: what to do.
    """

    status: Literal["warn", "fail"]
    text: str
    remedy: str


def of_error(name: Name, error: RolesAnywhereError, *, status: Status = "fail") -> Verdict:
    """The verdict for an error of ours."""
    text = f"{error.where}: {error.problem}" if error.where else error.problem
    if error.expected:
        text += f"; expected {error.expected}"
    details: list[tuple[str, str]] = []
    if isinstance(error, ServiceError):
        details += [("seen here", finding) for finding in error.findings]
        details += [(LIKELY, cause) for cause in error.causes]
    return Verdict(name, status, text, error.remedy, tuple(details), error.code)


def skipped(name: Name, why: str) -> Verdict:
    """The verdict for a check that was left out, with the reason."""
    return Verdict(name, "skip", why)


def summed_up(
    name: Name,
    text: str,
    concerns: Iterable[Concern],
    details: Iterable[tuple[str, str]] = (),
) -> Verdict:
    """One verdict that sums up all concerns; ``ok`` if there are none."""
    listed = list(concerns)
    found = {concern.status for concern in listed}
    status: Status = "fail" if "fail" in found else "warn" if found else "ok"
    whole = "; ".join((text, *(concern.text for concern in listed)))
    remedy = " ".join(dict.fromkeys(concern.remedy for concern in listed)) or None
    return Verdict(name, status, whole, remedy, tuple(details))

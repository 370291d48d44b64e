"""The options of one examination, which every check gets."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from boto_rolesanywhere.settings.config import Arguments
    from boto_rolesanywhere.settings.inputs import Inputs

_Value = TypeVar("_Value")

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

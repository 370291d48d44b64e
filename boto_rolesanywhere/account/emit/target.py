"""Where a setup will be made, and the profile of ``~/.aws/config`` that goes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Arn = TypeVar("Arn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where code is run, as far as that is known when it is written.

    Attributes:
        region: None: that of the environment in which the code runs.
        account: twelve digits; None: any.
        partition: for example ``aws``, ``aws-cn``.
        config_profile: the name of the profile of ``~/.aws/config``.
        settings: its lines beside the three ARNs, such as ``rolesanywhere_certificate``.
    """

    region: str | None = None
    account: str | None = None
    partition: str = "aws"
    config_profile: str = "default"
    settings: Mapping[str, str] = field(default_factory=dict)

    def config_lines(self, arns: Mapping[str, Arn]) -> Iterator[tuple[str | Arn, ...]]:
        """The profile, a line each, with what stands for the ARNs.

        Args:
            arns: by ``trust_anchor_arn``, ``profile_arn`` and ``role_arn``.
        """
        name = self.config_profile
        yield ("[default]" if name == "default" else f"[profile {name}]",)
        yield from ((f"{setting} = {value}",) for setting, value in self.settings.items())
        yield from ((f"rolesanywhere_{setting} = ", arn) for setting, arn in arns.items())

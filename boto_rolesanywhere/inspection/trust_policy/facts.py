"""What IAM knows of the session when it asks the trust policy: condition keys and their values.

Kept apart from the certificate, so that facts can be made up for a question such as "what if?".
A key that is neither here nor known to be absent is unknown, which is not the same as absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.settings.arns import parse_arn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SERVICE: Final = "rolesanywhere.amazonaws.com"
# All three are asked for (User Guide, "Trust policy"), and CreateSession fails if one is missing.
ACTIONS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
PRINCIPAL_TAG: Final = "aws:PrincipalTag/"
REQUEST_TAG: Final = "aws:RequestTag/"

# Keys that cannot be in this request: CreateSession has no field for an external id, and
# aws:SourceIdentity and aws:TokenIssueTime are of a session that exists already (IAM User Guide,
# "IAM and AWS STS condition context keys").
_ABSENT: Final = frozenset({"sts:externalid", "aws:sourceidentity", "aws:tokenissuetime"})
_ANCHOR_KEYS: Final = frozenset({"aws:sourcearn", "aws:sourceaccount"})


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one condition key.

    Attributes:
        values: its values; empty if the key is absent from the request.
        unknown: why its values are unknown; None if they are known.
        several: the key may have more than one value, and so wants ForAnyValue or ForAllValues.
        absent_because: why the key is absent, where there is more to say than that it is.
    """

    values: tuple[str, ...] = ()
    unknown: str | None = None
    several: bool = False
    absent_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """The request that IAM Roles Anywhere makes of STS for a certificate.

    Attributes:
        tags: session tags by key, for example ``x509Subject/CN``.
        dropped_tags: those that the certificate has and the session has not, with the reason.
        source_identity: for example ``CN=web-1``.
        source_identity_doubt: why AWS may set another one; None if its rules settle it.
        session_name: the role session name.
        trust_anchor_arn: ``aws:SourceArn`` and ``aws:SourceAccount`` come from it (User Guide,
            "Trust policy"); None if it is not known.
        now: aware, for ``aws:CurrentTime`` and ``aws:EpochTime``.
        undocumented_tags: those of `tags` whose key AWS does not document.
        context: further condition keys with their values; they win over all others.

    Raises:
        ConfigurationError: `trust_anchor_arn` is not the ARN of a trust anchor.
    """

    tags: Mapping[str, str]
    source_identity: str
    session_name: str
    now: datetime
    trust_anchor_arn: str | None = None
    source_identity_doubt: str | None = None
    dropped_tags: Mapping[str, str] = field(default_factory=dict)
    undocumented_tags: frozenset[str] = frozenset()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _known: dict[str, Fact] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = self._session_facts() | self._anchor_facts()
        # Condition keys are not case-sensitive (IAM User Guide, "Condition").
        for key, values in self.context.items():
            name = key.lower()
            several = len(values) > 1 or (name in known and known[name].several)
            known[name] = Fact(tuple(values), several=several)
        object.__setattr__(self, "_known", known)  # the dataclass is frozen

    def look_up(self, key: str) -> Fact:
        """What is known of the condition key `key`; its case does not matter."""
        name = key.lower()
        if name in self._known:
            return self._known[name]
        # All principal tags of such a session come from the certificate (User Guide, "Trust
        # policy"), so that one which is not there is absent.
        if name in _ABSENT or name.startswith((PRINCIPAL_TAG.lower(), REQUEST_TAG.lower())):
            return Fact()
        if name in _ANCHOR_KEYS:
            return Fact(unknown="it depends on the trust anchor: give --trust-anchor-arn")
        return Fact(unknown=f"its value is not known here: give --context {key}=VALUE")

    def _session_facts(self) -> dict[str, Fact]:
        doubt = self.source_identity_doubt
        known = {
            "sts:sourceidentity": Fact(unknown=doubt) if doubt else Fact((self.source_identity,)),
            "sts:rolesessionname": Fact((self.session_name,)),
            "aws:currenttime": Fact((self.now.isoformat(),)),
            "aws:epochtime": Fact((str(int(self.now.timestamp())),)),
            "aws:principalisawsservice": Fact(("true",)),
            "aws:principalservicename": Fact((SERVICE,)),
            "aws:tagkeys": Fact(tuple(self.tags), several=True),
        }
        for prefix in (PRINCIPAL_TAG, REQUEST_TAG):
            known |= {
                f"{prefix}{key}".lower(): Fact(absent_because=why)
                for key, why in self.dropped_tags.items()
            }
            known |= {f"{prefix}{key}".lower(): Fact((v,)) for key, v in self.tags.items()}
        return known

    def _anchor_facts(self) -> dict[str, Fact]:
        if self.trust_anchor_arn is None:
            return {}
        arn = parse_arn("trust-anchor", self.trust_anchor_arn)
        source = Fact((str(arn),))
        if arn.is_alias:
            source = Fact(unknown="AWS does not document it for an alias of a trust anchor")
        return {"aws:sourcearn": source, "aws:sourceaccount": Fact((arn.account,))}

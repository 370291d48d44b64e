"""The end-entity certificate: AWS's constraints, and how long it and its chain are still valid."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.reading import describe_subject
from boto_rolesanywhere.certificates.rules import problems

from .verdict import Concern, Verdict, skipped, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from .case import Case

_TIME: Final = frozenset({"expired", "not-yet-valid"})
# Ahead of the end, this long or the last third of the lifetime, whichever is shorter: so there is
# no warning all day long for a certificate that lives for a day.
_AHEAD: Final = timedelta(days=30)
_SHARE: Final = 3
_DAY: Final = timedelta(days=1)
_NOT_KNOWN: Final = "which certificate is the key's is not known"


def check_constraints(case: Case) -> Iterator[Verdict]:
    """What AWS asks of an end-entity certificate, but for the time."""
    if case.matched is None:
        yield skipped("constraints", _NOT_KNOWN)
        return
    found = [one for one in problems(case.matched.leaf, case.clock()) if one.code not in _TIME]
    for one in found:
        yield Verdict("constraints", "fail", one.text, one.remedy)
    if found:
        case.refused = "AWS would refuse the certificate"
    else:
        text = "the certificate is as AWS asks: v3, no CA, digitalSignature, SHA-256 or stronger"
        yield Verdict("constraints", "ok", text)


def check_validity(case: Case) -> Iterator[Verdict]:
    """Whether certificate and chain are in their time, and for how long."""
    if case.matched is None:
        yield skipped("validity", _NOT_KNOWN)
        return
    now = case.clock()
    for one in (case.matched.leaf, *(case.chain or ())):
        text, concerns = _judge(one, now)
        verdict = summed_up("validity", text, concerns)
        if verdict.status == "fail" and one == case.matched.leaf:
            case.refused = case.refused or "the certificate is not in its time"
        yield verdict


def _judge(certificate: x509.Certificate, now: datetime) -> tuple[str, list[Concern]]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    name = describe_subject(certificate)
    if now > end:
        concern = Concern(
            "fail",
            f"it expired {_amount(now - end)} ago",
            "Renew it; if this machine's clock is wrong, set that.",
        )
        return f"{name}: until {end:%Y-%m-%d %H:%M} UTC", [concern]
    if now < start:
        concern = Concern(
            "fail",
            f"it is not valid for another {_amount(start - now)}",
            "Set this machine's clock if it is wrong; otherwise wait.",
        )
        return f"{name}: from {start:%Y-%m-%d %H:%M} UTC", [concern]
    text = f"{name}: until {end:%Y-%m-%d %H:%M} UTC"
    left = end - now
    if left < min(_AHEAD, (end - start) / _SHARE):
        return text, [Concern("warn", f"only {_amount(left)} left", "Have it renewed soon.")]
    return f"{text}, {_amount(left)} left", []


def _amount(span: timedelta) -> str:
    days, rest = divmod(span, _DAY)
    if days:
        return f"{days} day{'s' * (days != 1)}"
    hours, seconds = divmod(int(rest.total_seconds()), 3600)
    return f"{hours} h {seconds // 60} min"

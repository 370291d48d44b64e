"""Facts on this machine that show why the service refused a call.

`doctor` uses them too. Nothing here uses the network.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import RolesAnywhereError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from boto_rolesanywhere.identity.identity import Identity
    from boto_rolesanywhere.settings.config import Config

# User Guide, "Signing process": AWS refuses a request whose time is further off than this.
CLOCK_TOLERANCE: Final = 5 * 60
# An answer takes up to this long; a smaller difference does not mean that the clock is off.
_NOTABLE: Final = 30
_PROBE: Final = b"does this key belong to this certificate?"


def service_time(date_header: str | None) -> datetime | None:
    """The time in an HTTP ``Date`` header, aware; None if the header is absent or no date."""
    try:
        time = parsedate_to_datetime(date_header or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return time if time.tzinfo else None


def clock_finding(now: datetime, theirs: datetime | None) -> str | None:
    """How the local clock `now` differs from the service's; None if the two agree."""
    if theirs is None:
        return None
    offset = (now - theirs).total_seconds()
    if abs(offset) < _NOTABLE:
        return None
    minutes, seconds = divmod(round(abs(offset)), 60)
    amount = f"{minutes} min {seconds} s"
    side = "ahead of" if offset > 0 else "behind"
    limit = ", which is more than the 5 minutes allowed" if abs(offset) > CLOCK_TOLERANCE else ""
    return f"this machine's clock is {amount} {side} the service's{limit}"


def signature_fits(identity: Identity) -> bool:
    """Whether the key's signature verifies with the certificate's public key."""
    from boto_rolesanywhere.certificates.public_keys import verify_signature

    return verify_signature(identity.certificate.public_key(), identity.sign(_PROBE), _PROBE)


def _signature_finding(identity: Identity) -> str | None:

    try:
        fits = signature_fits(identity)
    except RolesAnywhereError as error:  # what the service said counts for more
        return f"the key could not be tried again: {error}"
    return None if fits else "what the key signs does not verify with the certificate"


def _aliases(config: Config) -> Iterator[str]:
    for name, arn in (("trust anchor", config.trust_anchor), ("profile", config.profile)):
        if arn.is_alias:
            yield (
                f"the {name}'s ARN is that of an alias: it may mean another {name} by now, and no"
                " condition of IAM matches an alias"
            )


def _published_list(identity: Identity) -> Iterator[str]:
    from boto_rolesanywhere.certificates.reading import distribution_points

    if points := distribution_points(identity.certificate):
        yield (
            f"the certificate names its revocation list at {' and '.join(points)}, where AWS looks"
            " if the trust anchor has crlDpRevocationEnabled"
        )


def _without_tags(identity: Identity) -> Iterator[str]:
    from boto_rolesanywhere.inspection.session_tags import session_tags

    try:
        tags = session_tags(identity.certificate)
    except RolesAnywhereError:  # the names cannot be read
        return
    yield from (f"no session tag {tag.key}: {tag.dropped}" for tag in tags if tag.dropped)


def findings(
    config: Config,
    identity: Identity,
    *,
    now: datetime,
    theirs: datetime | None,
    code: str | None,
) -> Iterator[str]:
    """All that can be told here about a refused call.

    Args:
        config: of the call.
        identity: what it was signed with.
        now: the local time.
        theirs: the service's, if it told.
        code: of the denial; None if its text is not known. If the signature may be at fault,
            another one is made, which may take a touch of a token or cost a call of a key service.
    """
    from boto_rolesanywhere.certificates.descriptions import describe_subject
    from boto_rolesanywhere.certificates.rules import problems

    from .denials import INVALID_SIGNATURE, NOT_ASSUMABLE, OF_ARNS, REVOKED

    if clock := clock_finding(now, theirs):
        yield clock
    if code in (None, INVALID_SIGNATURE) and (text := _signature_finding(identity)):
        yield text
    for problem in problems(identity.certificate, now):
        yield problem.text
    for issuer in identity.chain:
        start, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
        if not start <= now <= end:
            yield (
                f"the intermediate {describe_subject(issuer)}, which was sent, is valid from"
                f" {start:%Y-%m-%d} to {end:%Y-%m-%d}"
            )
    if code in (None, NOT_ASSUMABLE):
        yield from _without_tags(identity)
    if code in (None, *OF_ARNS):
        yield from _aliases(config)
    if code in (None, REVOKED):
        yield from _published_list(identity)
    if config.region != config.trust_anchor.region:
        yield (
            f"the call went to {config.region}, the trust anchor is in"
            f" {config.trust_anchor.region} (leave the Region out, and it is the trust anchor's)"
        )

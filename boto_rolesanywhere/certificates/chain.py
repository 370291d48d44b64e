"""What AWS asks of a certificate and its chain, judged on `cryptography`'s objects alone.

Nothing here reads files, private keys or clocks. The rules are those of the IAM Roles Anywhere
User Guide: "Trust model" (end-entity certificates) and "Signature verification" (algorithms).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import CertificateError

from .reading import quietly, readable_public_key
from .rules import problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import (
        PublicKeyTypes,
    )


MAX_CHAIN: Final = 5
# What is looked at, of what somebody may have made up: so many paths, each no longer than that.
_MOST_PATHS: Final = 256
_LONGEST_PATH: Final = 32


def find_leaf(
    certificates: Iterable[x509.Certificate],
    public_key: PublicKeyTypes,
    *,
    now: datetime | None = None,
) -> x509.Certificate | None:
    """The end-entity certificate: the one whose public key is the private key's.

    Several may be (a certificate renewed with the same key): the first without problems at `now`,
    if that is given, else the first of all. None when there is no such certificate.
    """
    matching = [one for one in certificates if readable_public_key(one) == public_key]
    if now is not None:
        for one in matching:
            if not problems(one, now):
                return one
    return matching[0] if matching else None


def order_chain(
    leaf: x509.Certificate,
    candidates: Iterable[x509.Certificate],
    *,
    now: datetime | None = None,
    where: str | None = None,
) -> tuple[x509.Certificate, ...]:
    """The intermediates among `candidates`, from the leaf's issuer upward.

    Each has really signed the one before it. Left out: the leaf, self-signed roots, what does not
    belong to the path, and what stands there twice. Where several paths lead upward (where an
    intermediate was renewed or cross-signed), the best is taken: in its time at `now`, not too
    long, and with its end signed by a root among `candidates`; of equal ones, the first.

    Raises:
        CertificateError: more than 5, which IAM Roles Anywhere does not take.
    """
    given = dict.fromkeys(candidates)
    roots = [one for one in given if is_self_signed(one)]
    others = [one for one in given if one != leaf and one not in roots]

    def drawback(chain: tuple[x509.Certificate, ...]) -> tuple[bool, ...]:
        last = (leaf, *chain)[-1]
        return (
            now is not None and not all(_in_time(one, now) for one in chain),
            len(chain) > MAX_CHAIN,
            not any(is_issued_by(last, root) for root in roots),
        )

    chain = min(islice(_paths(leaf, others), _MOST_PATHS), key=drawback)
    if len(chain) > MAX_CHAIN:
        raise CertificateError(
            f"the chain has {len(chain)} intermediates",
            code="chain-too-long",
            where=where,
            expected=f"at most {MAX_CHAIN}, the limit of IAM Roles Anywhere",
            remedy="Use an intermediate further down as the trust anchor, and leave out the rest.",
        )
    return chain


def _paths(
    leaf: x509.Certificate, others: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Every way from the leaf's issuer upward as far as it goes, in the order of `others`."""
    issuers: dict[x509.Certificate, list[x509.Certificate]] = {}

    def upward(path: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, ...]]:
        last = path[-1]
        if last not in issuers:
            issuers[last] = [one for one in others if is_issued_by(last, one)]
        following = [one for one in issuers[last] if one not in path]
        if not following or len(path) > _LONGEST_PATH:
            yield path[1:]
            return
        for issuer in following:
            yield from upward((*path, issuer))

    return upward((leaf,))


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether it is signed with its own key, as roots are."""
    return is_issued_by(certificate, certificate)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has the issuer's name and really signed `certificate`."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        quietly(lambda: certificate.verify_directly_issued_by(issuer))
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _in_time(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc

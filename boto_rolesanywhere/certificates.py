"""What AWS asks of a certificate and its chain, judged on `cryptography`'s objects alone.

Nothing here reads files, private keys or clocks. The rules are those of the IAM Roles Anywhere
User Guide: "Trust model" (end-entity certificates) and "Signature verification" (algorithms).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from .certificate_problems import Finding, is_ca, problems, quietly, signs_certificates, weak_hash
from .errors import CertificateError
from .public_keys import algorithm_for, describe_key, verify_signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes,
        PublicKeyTypes,
    )

__all__ = [
    "MAX_CHAIN",
    "Finding",
    "algorithm_for",
    "check_certificate",
    "describe_issuer",
    "describe_key",
    "describe_subject",
    "find_leaf",
    "is_ca",
    "is_issued_by",
    "is_self_signed",
    "order_chain",
    "problems",
    "quietly",
    "readable_public_key",
    "signs_certificates",
    "verify_signature",
    "weak_hash",
]

MAX_CHAIN: Final = 5
# What is looked at, of what somebody may have made up: so many paths, each no longer than that.
_MOST_PATHS: Final = 256
_LONGEST_PATH: Final = 32


def describe_subject(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it; never an error, whatever stands in it."""
    try:
        name = quietly(lambda: certificate.subject)  # parsed here, with warnings for odd names
        text = name.rfc4514_string()
    except (ValueError, TypeError):
        return "an unreadable subject"
    return text or "an empty subject"


def describe_issuer(certificate: x509.Certificate) -> str:
    """The issuer as RFC 4514 writes it; never an error, whatever stands in it."""
    try:
        name = quietly(lambda: certificate.issuer)
        text = name.rfc4514_string()
    except (ValueError, TypeError):
        return "an unreadable issuer"
    return text or "an empty issuer"


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


def check_certificate(
    certificate: x509.Certificate, *, now: datetime, where: str | None = None
) -> None:
    """Say what AWS would refuse `certificate` for, before AWS does.

    Args:
        certificate: the end-entity certificate.
        now: the present time, with its time zone.
        where: the file it came from, for the error.

    Raises:
        CertificateError: with every problem that was found.
    """
    found = problems(certificate, now)
    if found:
        raise CertificateError(
            "AWS would refuse this certificate: " + "; ".join(one.text for one in found),
            where=where,
            remedy=" ".join(dict.fromkeys(one.remedy for one in found)),
        )


def readable_public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """The public key; None if `cryptography` cannot read it."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return quietly(certificate.public_key)
    except (ValueError, UnsupportedAlgorithm):
        return None


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

"""Finds the key's certificate, and the intermediates from it upward.

How long a chain may be stands in the IAM Roles
Anywhere User Guide, "Signature verification".
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import CertificateError

from .names import comparable
from .reading import names_der, readable_public_key
from .rules import problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from .names import ComparableName

MAX_CHAIN: Final = 5
# Limits, since a file may hold a maze of certificates that signed one another: the paths to
# compare, the length of a path, and the signatures to check (about a second of work).
_MOST_PATHS: Final = 256
_LONGEST_PATH: Final = 32
_MOST_CHECKS: Final = 4000


def find_leaf(
    certificates: Iterable[x509.Certificate],
    public_key: PublicKeyTypes,
    *,
    now: datetime | None = None,
) -> x509.Certificate | None:
    """The end-entity certificate: the one whose public key is the private key's.

    If several have the key (a certificate renewed with it), the first without problems at `now`
    counts, else the first of all. None if no certificate has the key.
    """
    matching = [
        certificate
        for certificate in certificates
        if readable_public_key(certificate) == public_key
    ]
    faultless = (
        certificate
        for certificate in matching
        if now is not None and not problems(certificate, now)
    )
    return next(faultless, matching[0] if matching else None)


def order_chain(
    leaf: x509.Certificate,
    candidates: Iterable[x509.Certificate],
    *,
    now: datetime | None = None,
    where: str | None = None,
) -> tuple[x509.Certificate, ...]:
    """The intermediates among `candidates`, from the leaf's issuer upward.

    Each has really signed the certificate before it. The result leaves out the leaf, self-signed
    roots, duplicates, and all that is not on the path. If there are several paths (an intermediate
    was renewed or cross-signed), the best counts: valid at `now`, not too long, and with its last
    certificate signed by a root among `candidates`; of equal paths, the first.

    Raises:
        CertificateError: more than 5, which IAM Roles Anywhere does not take.
    """
    issuers = Issuers(candidates, leaf, where=where)
    roots = issuers.self_signed

    def drawback(chain: tuple[x509.Certificate, ...]) -> tuple[bool, ...]:
        last = (leaf, *chain)[-1]
        return (
            now is not None and not all(is_in_time(issuer, now) for issuer in chain),
            len(chain) > MAX_CHAIN,
            not any(issuer in roots for issuer in issuers.of(last)),
        )

    chain = min(islice(_paths(leaf, issuers), _MOST_PATHS), key=drawback)
    if len(chain) > MAX_CHAIN:
        raise CertificateError(
            f"the chain has {len(chain)} intermediates",
            code="chain-too-long",
            where=where,
            expected=f"at most {MAX_CHAIN}, the limit of IAM Roles Anywhere",
            remedy="Use an intermediate further down as the trust anchor, and leave out the rest.",
        )
    return chain


class Issuers:
    """Finds which certificate issued which. It checks each signature once, when needed.

    Attributes:
        self_signed: those that are signed with their own key, as roots are.
    """

    def __init__(
        self,
        certificates: Iterable[x509.Certificate],
        leaf: x509.Certificate | None = None,
        *,
        where: str | None = None,
    ) -> None:
        """Sort them by their subjects.

        Args:
            certificates: some may stand there twice.
            leaf: is nobody's issuer, whether it is among `certificates` or not.
            where: the file they came from, for the error.

        Raises:
            CertificateError: more are self-signed than can be checked.
        """
        self._where = where
        self._checks_left = _MOST_CHECKS
        self._of: dict[x509.Certificate, tuple[x509.Certificate, ...]] = {}
        self._by_subject: dict[ComparableName, list[x509.Certificate]] = {}
        distinct = dict.fromkeys(certificates)
        for certificate in distinct:
            if certificate != leaf:
                subject = comparable(names_der(certificate)[1])
                self._by_subject.setdefault(subject, []).append(certificate)
        self.self_signed = {
            certificate for certificate in distinct if self._has_issued(certificate, certificate)
        }

    def of(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Its issuers, in the order in which they were given.

        Raises:
            CertificateError: so many have the issuer's name that they cannot all be checked.
        """
        if certificate not in self._of:
            named = self._by_subject.get(comparable(names_der(certificate)[0]), ())
            found = tuple(issuer for issuer in named if self._has_issued(certificate, issuer))
            self._of[certificate] = found
        return self._of[certificate]

    def _has_issued(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if not is_named_by(certificate, issuer):
            return False
        self._checks_left -= 1
        if self._checks_left < 0:
            raise CertificateError(
                "too many of the certificates may have issued one another",
                code="chain-too-long",
                where=self._where,
                expected=f"at most {_MOST_CHECKS:,} signatures to check",
                remedy="Leave out the certificates that do not belong to the chain.",
            )
        return is_issued_by(certificate, issuer)


def _paths(leaf: x509.Certificate, issuers: Issuers) -> Iterator[tuple[x509.Certificate, ...]]:
    """Every path from the leaf's issuer upward, without self-signed certificates."""

    def upward(path: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, ...]]:
        ends = True
        for issuer in issuers.of(path[-1]) if len(path) <= _LONGEST_PATH else ():
            if issuer not in path and issuer not in issuers.self_signed:
                ends = False
                yield from upward((*path, issuer))
        if ends:
            yield path[1:]

    return upward((leaf,))


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether `certificate` is signed with its own key, as roots are."""
    return is_issued_by(certificate, certificate)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` has the issuer's name and really signed `certificate`.

    False too where the installed `cryptography` cannot check the signature.
    """
    return is_named_by(certificate, issuer) and is_signed_with(certificate, issuer)


def is_named_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `certificate` names `issuer` as its issuer (RFC 5280, section 7.1)."""
    named, subject = names_der(certificate)[0], names_der(issuer)[1]
    return named == subject or comparable(named) == comparable(subject)


def is_signed_with(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the signature on `certificate`, whatever their names are.

    False too where the installed `cryptography` lacks the algorithm or the key's kind.
    """
    data: bytes = getattr(certificate, "signed_bytes", None) or certificate.tbs_certificate_bytes
    return verifies(readable_public_key(issuer), certificate, data)


def verifies(
    key: Any,  # noqa: ANN401  # a public key of any kind
    signed: x509.Certificate | x509.CertificateRevocationList,
    data: bytes,
) -> bool:
    """Whether the signature on `signed`, made over `data`, is the key's. False as above."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

    used: tuple[object, ...] = ()
    try:
        scheme = signed.signature_algorithm_parameters
        digest = signed.signature_hash_algorithm
        if isinstance(scheme, padding.PKCS1v15 | padding.PSS):
            fits, used = isinstance(key, rsa.RSAPublicKey), (scheme, digest)
        elif isinstance(scheme, ec.ECDSA):
            fits, used = isinstance(key, ec.EllipticCurvePublicKey), (scheme,)
        elif digest is not None:
            fits, used = isinstance(key, dsa.DSAPublicKey), (digest,)
        else:  # Ed25519, Ed448 and ML-DSA hash inside
            others = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey
            fits = key is not None and not isinstance(key, others)
        if fits:
            key.verify(signed.signature, data, *used)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, AttributeError):
        return False
    return fits


def is_in_time(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether `certificate` is valid at `now`."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc

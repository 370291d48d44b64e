"""Which revocation lists may go to AWS: whole, current, and signed by a CA of the trust anchor.

ImportCrl looks at less than this (its checks are not published); what is refused here would leave
revoked certificates accepted, or would be refused by AWS without a word on why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.public_keys import is_mldsa
from boto_rolesanywhere.certificates.reading import names_der, quietly, readable_public_key
from boto_rolesanywhere.errors import CertificateError

from .lists import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from .lists import RevocationList

_SKEW: Final = 300  # seconds that the CA's clock may be ahead
_KNOWN: Final = (
    x509.AuthorityInformationAccess.oid,
    x509.AuthorityKeyIdentifier.oid,
    x509.CRLNumber.oid,
    x509.DeltaCRLIndicator.oid,
    x509.FreshestCRL.oid,
    x509.IssuerAlternativeName.oid,
    x509.IssuingDistributionPoint.oid,
)


def authorities_below(
    anchors: Sequence[x509.Certificate], others: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The trust anchor's certificates, and those of the others that lead up to one of them."""
    trusted = list(anchors)
    waiting = [certificate for certificate in others if certificate not in trusted]
    while found := [
        certificate
        for certificate in waiting
        if any(is_issued_by(certificate, issuer) for issuer in trusted)
    ]:
        trusted += found
        waiting = [certificate for certificate in waiting if certificate not in found]
    return tuple(trusted)


def issuer_of(listed: RevocationList, authorities: Sequence[x509.Certificate]) -> x509.Certificate:
    """The CA's certificate whose key has signed the list.

    Args:
        listed: the list.
        authorities: the CAs whose lists count for the trust anchor.

    Raises:
        CertificateError: none of them has.
    """
    named = [each for each in authorities if listed.is_of(names_der(each)[1])]
    if not named:
        raise CertificateError(
            f"it is the list of {listed.issuer}",
            code="crl-issuer-foreign",
            where=listed.where,
            expected=f"a list of {' or '.join(map(describe_subject, authorities))}",
            remedy="Take the list of the CA that issues the end-entity certificates; for a CA below"
            " the trust anchor, give its certificate with --issuer FILE.",
        )
    for authority in named:
        _require_usable_key(authority, listed.where)
        if listed.is_signed_by(authority):
            return authority
    raise CertificateError(
        "its signature does not verify with the certificate of its CA",
        code="crl-signature",
        where=listed.where,
        expected=f"a list signed with the key of {listed.issuer}",
        remedy="Get the list from the CA again. If the CA has a new key, its new certificate must"
        " be in the trust anchor first.",
    )


def _require_usable_key(authority: x509.Certificate, where: str) -> None:
    key = readable_public_key(authority)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and not is_mldsa(key):
        raise CertificateError(
            f"its CA has a {type(key).__name__.removesuffix('PublicKey')} key",
            code="crl-signature",
            where=where,
            expected="RSA, EC or ML-DSA: IAM Roles Anywhere takes no other CA",
        )


def require_importable(listed: RevocationList, now: datetime, *, whole: bool = False) -> None:
    """Refuse a list that must not take the place of what AWS has.

    A list without entries passes: whether that is a fault depends on what AWS has.

    Args:
        listed: the list; its signature is checked by `issuer_of`.
        now: the time.
        whole: take a list that names its own distribution point for a complete one.

    Raises:
        CertificateError: it is a part of a list, not current, or too large.
    """
    for objection in objections(listed, now, whole=whole):
        raise objection


def objections(
    listed: RevocationList, now: datetime, *, whole: bool = False
) -> Iterator[CertificateError]:
    """Everything for which `require_importable` refuses a list."""
    yield from _of_a_part(listed, whole=whole)
    if (listed.this_update - now).total_seconds() > _SKEW:
        yield CertificateError(
            f"it is of {listed.this_update:%Y-%m-%d %H:%M} UTC, which is still to come",
            code="crl-not-current",
            where=listed.where,
            expected="a list of the past",
            remedy="Look at the CA's clock and at this machine's.",
        )
    if listed.next_update is not None and listed.next_update < now:
        yield CertificateError(
            f"a newer one was due on {listed.next_update:%Y-%m-%d %H:%M} UTC",
            code="crl-not-current",
            where=listed.where,
            expected="a list whose nextUpdate is to come",
            remedy="Have the CA publish a new list; look why it did not.",
        )
    if len(listed.pem) > MAX_BYTES:
        yield CertificateError(
            f"it has {len(listed.pem):,} bytes as PEM, with {listed.entries:,} entries",
            code="crl-too-large",
            where=listed.where,
            expected=f"at most {MAX_BYTES:,}, the limit of ImportCrl",
            remedy="Have the CA leave out certificates that have ended, issue for shorter times, or"
            " issue from a second CA: a trust anchor takes two lists.",
        )


def _of_a_part(listed: RevocationList, *, whole: bool) -> Iterator[CertificateError]:
    try:
        extensions = quietly(lambda: listed.crl.extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        yield CertificateError(
            f"its extensions cannot be read ({error})", code="crl-unreadable", where=listed.where
        )
        return
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            yield _partial(listed, f"it is a delta list, of what changed since {value.crl_number}")
        if isinstance(value, x509.IssuingDistributionPoint):
            yield from _restrictions(listed, value, whole=whole)
        elif extension.critical and extension.oid not in _KNOWN:
            # RFC 5280, section 5.2: such a list must not be used.
            yield _partial(listed, f"it has a critical extension {extension.oid.dotted_string}")


def _restrictions(
    listed: RevocationList, point: x509.IssuingDistributionPoint, *, whole: bool
) -> Iterator[CertificateError]:
    for restriction, words in (
        (point.only_contains_user_certs, "it is of end-entity certificates alone"),
        (point.only_contains_ca_certs, "it is of CA certificates alone"),
        (point.only_contains_attribute_certs, "it is of attribute certificates alone"),
        (point.only_some_reasons, "it is of some reasons alone"),
        (point.indirect_crl, "it is an indirect list, of the certificates of several CAs"),
    ):
        if restriction:
            yield _partial(listed, words)
    if (point.full_name or point.relative_name) and not whole:
        yield _partial(
            listed,
            "it names its own distribution point, as the parts of a partitioned list do",
            "If the CA does not split its lists, say so with --whole.",
        )


def _partial(listed: RevocationList, problem: str, remedy: str | None = None) -> CertificateError:
    return CertificateError(
        problem,
        code="crl-partial",
        where=listed.where,
        expected="one complete list: a trust anchor takes two lists at most",
        remedy=remedy
        or "Have the CA publish a complete list as well (a base CRL; in AWS Private"
        " CA, CrlType COMPLETE).",
    )

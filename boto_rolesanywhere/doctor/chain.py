"""The certificates: what AWS asks of them, how long they are valid, and where the chain leads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.chain import (
    is_in_time,
    is_issued_by,
    is_self_signed,
    order_chain,
)
from boto_rolesanywhere.certificates.descriptions import describe_issuer, describe_subject
from boto_rolesanywhere.certificates.odd import readable
from boto_rolesanywhere.certificates.reading import distribution_points
from boto_rolesanywhere.certificates.rules import authority_problems, is_ca, problems
from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import CertificateError, RolesAnywhereError
from boto_rolesanywhere.settings.places import TOKEN, kind_of

from .verdict import Concern, Verdict, of_error, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.identity.opening import Matched
    from boto_rolesanywhere.settings.sources import IdentitySources

    from .verdict import Check

_LONGEST_BUNDLE: Final = 2
_TIME: Final = frozenset({"expired", "not-yet-valid"})
# Warn this long before the end, or in the last third of the lifetime if that is shorter: a
# certificate that lives for a day must not cause a warning all day long.
_AHEAD: Final = timedelta(days=30)
_SHARE: Final = 3


def check_chain(
    matched: Matched, sources: IdentitySources, now: datetime
) -> Check[tuple[x509.Certificate, ...] | None]:
    """Put the chain together, and say what is sent and what is left out."""
    try:
        chain = order_chain(matched.leaf, matched.candidates, now=now)
    except CertificateError as error:
        yield of_error("chain", error)
        return None
    details = [
        (f"sent {number}", describe_subject(certificate))
        for number, certificate in enumerate(chain, 1)
    ]
    details += _left_out(matched, chain)
    concerns = (*_no_authorities(chain), *_strangers(sources, matched, chain))
    yield summed_up("chain", _in_words(matched, chain), concerns, details)
    return chain


def _in_words(matched: Matched, chain: Sequence[x509.Certificate]) -> str:
    if not chain:
        issuer = describe_issuer(matched.leaf)
        return f"no intermediates are sent: the trust anchor must be the issuer, {issuer}"
    sent = ", ".join(describe_subject(certificate) for certificate in chain)
    return f"sent: {sent}; the trust anchor must be the last of them, or its issuer"


def _left_out(matched: Matched, chain: Sequence[x509.Certificate]) -> Iterator[tuple[str, str]]:
    for certificate in dict.fromkeys(matched.candidates):
        if certificate != matched.leaf and certificate not in chain and is_self_signed(certificate):
            yield "left out", f"{describe_subject(certificate)} (self-signed: AWS has its own copy)"


def _no_authorities(chain: Sequence[x509.Certificate]) -> Iterator[Concern]:
    for issuer in chain:
        if not is_ca(issuer):
            yield Concern(
                "fail",
                f"{describe_subject(issuer)} is not a CA (basicConstraints), yet issued another",
                "Have the certificate issued by a CA: AWS trusts nothing that others sign.",
            )


def _strangers(
    sources: IdentitySources, matched: Matched, chain: Sequence[x509.Certificate]
) -> Iterator[Concern]:
    for certificate in dict.fromkeys(_chosen(sources, matched)):
        if certificate == matched.leaf or certificate in chain or is_self_signed(certificate):
            continue
        yield Concern(
            "warn",
            f"{describe_subject(certificate)} is not part of the chain and is not sent",
            "Remove it from the file, or add the intermediate that is missing between it and the"
            " certificate.",
        )


def _chosen(sources: IdentitySources, matched: Matched) -> tuple[x509.Certificate, ...]:
    """The certificates in the files. A token may hold certificates for other purposes."""
    if kind_of(sources.chain) == TOKEN:
        return ()
    return matched.intermediates if kind_of(sources.certificate) == TOKEN else matched.candidates


def check_trust_anchor(
    file: str, path: Sequence[x509.Certificate], now: datetime
) -> Check[tuple[x509.Certificate, ...]]:
    """Compare the chain (empty if unknown) with the trust anchor's certificates in `file`."""
    from boto_rolesanywhere.identity.opening import open_certificates

    try:
        anchors = open_certificates(file, "trust anchor").certificates
    except RolesAnywhereError as error:
        yield of_error("trust-anchor", error)
        return ()
    text = " and ".join(map(describe_subject, anchors))
    concerns = [*_anchor_concerns(anchors, now), *_path_concerns(path, anchors)]
    if not concerns and path:
        text = f"the chain ends at {text}"
    yield summed_up("trust-anchor", text, concerns)
    return anchors


def _anchor_concerns(anchors: Sequence[x509.Certificate], now: datetime) -> Iterator[Concern]:
    if len(anchors) > _LONGEST_BUNDLE:
        yield Concern(
            "warn",
            f"it holds {len(anchors)} certificates",
            "A trust anchor takes at most 2 certificates.",
        )
    for anchor in anchors:
        for finding in authority_problems(anchor, now):
            text = f"{describe_subject(anchor)}: {finding.text}"
            yield Concern("fail", text, finding.remedy)


def _path_concerns(
    path: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> Iterator[Concern]:
    if not path or any(
        is_issued_by(certificate, anchor) for certificate in path for anchor in anchors
    ):
        return
    last = path[-1]
    issuer = describe_issuer(last)
    if any(issuer == describe_subject(anchor) for anchor in anchors):
        yield Concern(
            "fail",
            f"{describe_subject(last)} names the trust anchor as its issuer, but another key"
            " signed it",
            "The CA has a new key, or another CA the same name: compare the certificates.",
        )
        return
    yield Concern(
        "fail",
        "the chain does not end at the trust anchor:"
        f" {describe_subject(last)} was issued by {issuer}",
        "Give the intermediates that are missing (--intermediates), or use the trust anchor of"
        " the CA that issued the certificate.",
    )


def check_constraints(leaf: x509.Certificate, now: datetime) -> Check[bool]:
    """What AWS asks of an end-entity certificate, but for the time; True if it has all of it."""
    found = [finding for finding in problems(leaf, now) if finding.code not in _TIME]
    for finding in found:
        yield Verdict("constraints", "fail", finding.text, finding.remedy)
    if not found:
        text = (
            "the certificate meets AWS's rules: v3, not a CA, digitalSignature, SHA-256 or stronger"
        )
        # Where AWS looks for its revocation is the trust anchor's setting, which is not seen here.
        lists = [("revocation list", url) for url in distribution_points(leaf)]
        yield summed_up("constraints", text, _oddities(leaf), lists)
    return not found


def check_session_tags(leaf: x509.Certificate) -> Iterator[Verdict]:
    """Values that become no session tag, where no call tells whether AWS minds."""
    from boto_rolesanywhere.inspection.session_tags import session_tags

    try:
        dropped = [f"{tag.key}: {tag.dropped}" for tag in session_tags(leaf) if tag.dropped]
    except CertificateError:
        return  # a name that cannot be read has its own verdict
    if dropped:
        yield Verdict(
            "constraints",
            "warn",
            f"not all of the certificate becomes session tags: {'; '.join(dropped)}",
            "Try a session: doctor without --offline does. If AWS denies it, have the certificate"
            " issued without them, or take the field out of the profile's attribute mappings.",
        )


def _oddities(leaf: x509.Certificate) -> Iterator[Concern]:
    if slips := readable(leaf)[1]:
        text = f"but {'; '.join(slips)}, for which AWS may refuse it"
        yield Concern("warn", text, "If AWS refuses it, have the certificate issued anew.")


def check_validity(
    leaf: x509.Certificate, chain: Sequence[x509.Certificate], now: datetime
) -> Check[bool]:
    """Until when certificate and chain are valid; True if the certificate is valid now."""
    for certificate in (leaf, *chain):
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        left = in_words(abs((end - now).total_seconds()))
        text, concerns = f"until {end:%Y-%m-%d %H:%M} UTC", []
        if now > end:
            remedy = "Renew the certificate, or set this machine's clock if it is wrong."
            concerns = [Concern("fail", f"it expired {left} ago", remedy)]
        elif now < start:
            text = f"from {start:%Y-%m-%d %H:%M} UTC"
            problem = f"it is not valid for another {in_words((start - now).total_seconds())}"
            remedy = "Set this machine's clock if it is wrong; otherwise wait."
            concerns = [Concern("fail", problem, remedy)]
        elif end - now < min(_AHEAD, (end - start) / _SHARE):
            concerns = [Concern("warn", f"only {left} left", "Have it renewed soon.")]
        else:
            text += f", {left} left"
        yield summed_up("validity", f"{describe_subject(certificate)}: {text}", concerns)
    return is_in_time(leaf, now)

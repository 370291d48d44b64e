"""The certificates that are sent with the end-entity certificate, and where they lead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boto_rolesanywhere.certificates.chain import is_issued_by, is_self_signed, order_chain
from boto_rolesanywhere.certificates.reading import describe_issuer, describe_subject
from boto_rolesanywhere.certificates.rules import is_ca, signs_certificates, weak_hash
from boto_rolesanywhere.errors import CertificateError, RolesAnywhereError
from boto_rolesanywhere.settings.places import TOKEN, kind_of

from .verdict import Concern, Verdict, of_error, skipped, summed_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from boto_rolesanywhere.identity.opening import Matched

    from .case import Case

_LONGEST_BUNDLE = 2


def check_chain(case: Case) -> Iterator[Verdict]:
    """Put the chain together, and say what is sent and what is left out."""
    matched = case.matched
    if matched is None:
        yield skipped("chain", "which certificate is the key's is not known")
        return
    try:
        chain = order_chain(matched.leaf, matched.candidates, now=case.clock())
    except CertificateError as error:
        yield of_error("chain", error)
        return
    case.chain = chain
    if case.identity is not None:
        case.identity = replace(case.identity, chain=chain)
    details = [(f"sent {place}", describe_subject(one)) for place, one in enumerate(chain, 1)]
    details += _left_out(matched, chain)
    concerns = (*_no_authorities(chain), *_strangers(case, matched, chain))
    yield summed_up("chain", _in_words(matched, chain), concerns, details)


def _in_words(matched: Matched, chain: Sequence[x509.Certificate]) -> str:
    if not chain:
        issuer = describe_issuer(matched.leaf)
        return f"none is sent; the trust anchor must be the issuer, {issuer}"
    sent = ", ".join(describe_subject(one) for one in chain)
    return f"sent: {sent}; the trust anchor must be the last, or its issuer"


def _left_out(matched: Matched, chain: Sequence[x509.Certificate]) -> Iterator[tuple[str, str]]:
    for one in dict.fromkeys(matched.candidates):
        if one != matched.leaf and one not in chain and is_self_signed(one):
            yield "left out", f"{describe_subject(one)} (self-signed: AWS has its own copy)"


def _no_authorities(chain: Sequence[x509.Certificate]) -> Iterator[Concern]:
    for one in chain:
        if not is_ca(one):
            yield Concern(
                "fail",
                f"{describe_subject(one)} is no CA (basicConstraints), and yet issued another",
                "Have the certificate issued by a CA: AWS trusts nothing that others sign.",
            )


def _strangers(
    case: Case, matched: Matched, chain: Sequence[x509.Certificate]
) -> Iterator[Concern]:
    for one in dict.fromkeys(_chosen(case, matched)):
        if one == matched.leaf or one in chain or is_self_signed(one):
            continue
        yield Concern(
            "warn",
            f"{describe_subject(one)} is not part of it and is left out",
            "Take what does not belong to the path out of the file, and look whether an"
            " intermediate is missing.",
        )


def _chosen(case: Case, matched: Matched) -> tuple[x509.Certificate, ...]:
    """Those that stand together for this purpose. A token holds certificates for others too."""
    if case.sources is None or kind_of(case.sources.chain) == TOKEN:
        return ()
    return (
        matched.intermediates if kind_of(case.sources.certificate) == TOKEN else matched.candidates
    )


def check_trust_anchor(case: Case) -> Iterator[Verdict]:
    """Hold the chain to the trust anchor's certificate, if that is given."""
    from boto_rolesanywhere.identity.opening import open_certificates

    if case.anchor_file is None:
        yield skipped("trust-anchor", "give --trust-anchor-certificate FILE to compare")
        return
    try:
        case.anchors = open_certificates(case.anchor_file, "trust anchor").certificates
    except RolesAnywhereError as error:
        yield of_error("trust-anchor", error)
        return
    text = " and ".join(describe_subject(one) for one in case.anchors)
    concerns = [*_anchor_concerns(case), *_path_concerns(case)]
    if not concerns and case.chain is not None:
        text = f"the chain ends at {text}"
    yield summed_up("trust-anchor", text, concerns)


def _anchor_concerns(case: Case) -> Iterator[Concern]:
    now = case.clock()
    if len(case.anchors) > _LONGEST_BUNDLE:
        yield Concern(
            "warn",
            f"it holds {len(case.anchors)} certificates",
            "A trust anchor takes at most 2 certificates.",
        )
    for one in case.anchors:
        if not is_ca(one):
            yield Concern(
                "fail",
                f"{describe_subject(one)} is no CA's (basicConstraints)",
                "A trust anchor is a CA certificate: give the one that is registered with AWS.",
            )
        elif not signs_certificates(one):
            yield Concern(
                "fail",
                f"{describe_subject(one)} may not sign certificates (keyUsage lacks keyCertSign)",
                "Have the CA certificate made with keyUsage keyCertSign: AWS asks for it.",
            )
        if weak := weak_hash(one):
            yield Concern(
                "fail",
                f"{describe_subject(one)} was signed with {weak}",
                "Have the CA certificate made with SHA-256 or stronger: AWS asks for it.",
            )
        if now < one.not_valid_before_utc:
            yield Concern(
                "fail",
                f"{describe_subject(one)} is valid from {one.not_valid_before_utc:%Y-%m-%d} on",
                "Look at this machine's clock, and at that of the CA.",
            )
        if now > one.not_valid_after_utc:
            yield Concern(
                "fail",
                f"{describe_subject(one)} expired on {one.not_valid_after_utc:%Y-%m-%d}",
                "Renew the CA certificate, and update the trust anchor.",
            )


def _path_concerns(case: Case) -> Iterator[Concern]:
    if case.matched is None or case.chain is None:
        return
    path = (case.matched.leaf, *case.chain)
    anchored = any(is_issued_by(one, anchor) for one in path for anchor in case.anchors)
    if anchored:
        return
    last = path[-1]
    issuer = describe_issuer(last)
    if any(issuer == describe_subject(anchor) for anchor in case.anchors):
        yield Concern(
            "fail",
            f"{describe_subject(last)} names it as its issuer, but another key signed it",
            "The CA has a new key, or another CA the same name: compare the certificates.",
        )
        return
    yield Concern(
        "fail",
        f"the chain does not end there: {describe_subject(last)} was issued by {issuer}",
        "Give the intermediates that are missing (--intermediates), or use the trust anchor of"
        " the CA that issued the certificate.",
    )

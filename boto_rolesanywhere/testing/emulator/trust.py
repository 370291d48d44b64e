"""Does the trust anchor vouch for this certificate? Chain, constraints, validity, revocation.

By real signatures and names, with code of its own. Who may assume which role is decided elsewhere.
"""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeVar

from boto_rolesanywhere.testing.lenient import load_leniently

from .answers import (
    CHAIN_TOO_LONG,
    EXPIRED,
    INSUFFICIENT_CERTIFICATE,
    NOT_YET_VALID,
    REVOKED,
    UNTRUSTED_SIGNER,
    Refused,
)
from .path_rules import comparable, extension_problem, key_problem, names_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from .wire import Received

    _Extension = TypeVar("_Extension", bound=x509.ExtensionType)

MAX_CHAIN: Final = 5  # certificates in X-Amz-X509-Chain, as documented
_SHA256_SIZE: Final = 32


def read_certificate(received: Received) -> x509.Certificate:
    """The end-entity certificate of X-Amz-X509.

    Raises:
        Refused: it is missing or cannot be read. (The words are a guess.)
    """
    value = received.header("x-amz-x509")
    if not value:
        raise Refused(INSUFFICIENT_CERTIFICATE, "there is no X-Amz-X509 header")
    return _decoded(value, "X-Amz-X509")


def read_chain(received: Received) -> tuple[x509.Certificate, ...]:
    """The intermediates of X-Amz-X509-Chain, in the order sent.

    Raises:
        Refused: they are too many or cannot be read. (The words are guesses.)
    """
    value = received.header("x-amz-x509-chain")
    if value is None:
        return ()
    parts = value.split(",")
    if len(parts) > MAX_CHAIN:
        raise Refused(CHAIN_TOO_LONG, f"X-Amz-X509-Chain holds {len(parts)}, above {MAX_CHAIN}")
    return tuple(_decoded(part, "X-Amz-X509-Chain") for part in parts)


@lru_cache(maxsize=256)  # clients send the same certificate again and again
def _decoded(value: str, header: str) -> x509.Certificate:
    try:
        return load_leniently(b64decode(value.strip(), validate=True))
    except ValueError as error:
        raise Refused(INSUFFICIENT_CERTIFICATE, f"{header} cannot be read: {error}") from None


def check_leaf(leaf: x509.Certificate, now: datetime) -> None:
    """The documented constraints on an end-entity certificate, and its validity.

    Raises:
        Refused: one is not met. (For validity, and for a weak hash, a weak key and an unknown
            critical extension, the words are guesses.)
    """
    for problem in _leaf_problems(leaf):
        raise Refused(INSUFFICIENT_CERTIFICATE, problem)
    if now > leaf.not_valid_after_utc:
        raise Refused(EXPIRED, f"it expired at {leaf.not_valid_after_utc}")
    if now < leaf.not_valid_before_utc:
        raise Refused(NOT_YET_VALID, f"it is valid from {leaf.not_valid_before_utc}")


def _leaf_problems(leaf: x509.Certificate) -> Iterator[str]:
    from cryptography import x509

    if leaf.version is not x509.Version.v3:
        yield f"it is X.509 {leaf.version.name}, not v3"
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield "basicConstraints says CA:TRUE"
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        yield "keyUsage does not include digitalSignature"
    if is_weak(leaf):
        yield "it is signed with a hash weaker than SHA-256"
    if not leaf.subject.rdns:
        yield "its subject is empty"
    for problem in filter(None, (key_problem(leaf), extension_problem(leaf))):
        yield f"it {problem}"


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_weak(certificate: x509.Certificate) -> bool:
    """Whether its issuer signed it with less than SHA-256."""
    algorithm = certificate.signature_hash_algorithm
    return algorithm is not None and algorithm.digest_size < _SHA256_SIZE  # ML-DSA has no hash


def find_path(
    leaf: x509.Certificate,
    presented: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> tuple[x509.Certificate, ...]:
    """The way from the leaf to a certificate of the trust anchor, both included.

    In which order the intermediates were sent plays no part.

    Raises:
        Refused: there is none.
    """
    reasons: list[str] = []
    path = _extend((leaf,), (*anchors, *presented), anchors, now, reasons)
    if path is None:
        raise Refused(UNTRUSTED_SIGNER, "; ".join(dict.fromkeys(reasons)))
    return path


def _extend(
    path: tuple[x509.Certificate, ...],
    candidates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
    reasons: list[str],
) -> tuple[x509.Certificate, ...] | None:
    child = path[-1]
    named = comparable(child.issuer)
    issuers = [ca for ca in candidates if comparable(ca.subject) == named and ca not in path]
    if not issuers:
        reasons.append(f"nothing here or in the chain is called {child.issuer.rfc4514_string()}")
    for issuer in issuers:
        problem = next(_issuer_problems(issuer, child, len(path) - 1, now), None)
        if problem:
            reasons.append(f"{issuer.subject.rfc4514_string()} {problem}")
        elif issuer in anchors:
            whole = (*path, issuer)
            outside = names_problem(whole)
            if outside is None:
                return whole
            reasons.append(outside)
        elif longer := _extend((*path, issuer), candidates, anchors, now, reasons):
            return longer
    return None


def _issuer_problems(
    issuer: x509.Certificate, child: x509.Certificate, below: int, now: datetime
) -> Iterator[str]:
    """Why `issuer` may not have issued `child`, with `below` intermediates under it."""
    from cryptography import x509

    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield "is not a CA"
    elif constraints.path_length is not None and constraints.path_length < below:
        yield f"allows {constraints.path_length} intermediates below it, not {below}"
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield "may not sign certificates (keyCertSign)"
    if is_weak(issuer):
        yield "is signed with a hash weaker than SHA-256"
    if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
        yield "has expired, or is not valid yet"
    yield from filter(None, (key_problem(issuer), extension_problem(issuer)))
    if not holds(issuer.public_key(), child.signature, child.tbs_certificate_bytes, child):
        yield "is its issuer by name, but the signature is not of that key"


def holds(
    key: Any,  # noqa: ANN401  # a public key of any kind
    signature: bytes,
    data: bytes,
    signed: x509.Certificate | x509.CertificateRevocationList,
) -> bool:
    """Whether `signature` is the key's over `data`, by the algorithm that `signed` names."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        scheme, hashing = signed.signature_algorithm_parameters, signed.signature_hash_algorithm
        # RSA takes padding and hash, ECDSA both in one, DSA the hash, the others neither.
        details = (scheme,) if isinstance(scheme, ec.ECDSA) else (scheme, hashing)
        key.verify(signature, data, *filter(None, details))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    except (AttributeError, TypeError):  # the key is of another kind than the algorithm named
        return False
    return True


def check_revocation(
    path: Sequence[x509.Certificate], lists: Iterable[x509.CertificateRevocationList]
) -> None:
    """Look each certificate below the anchor up in the revocation lists of its issuer.

    A list past its nextUpdate still counts. (Whether it does at AWS is not documented.)

    Raises:
        Refused: one is revoked.
    """
    held = list(lists)
    for certificate, issuer in pairwise(path):
        for crl in held:
            if comparable(crl.issuer) != comparable(issuer.subject):
                continue
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is None:
                continue
            if holds(issuer.public_key(), crl.signature, crl.tbs_certlist_bytes, crl):
                raise Refused(REVOKED, f"serial {certificate.serial_number} is in a CRL")

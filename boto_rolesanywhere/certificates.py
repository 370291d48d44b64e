"""What AWS asks of a certificate and its chain, judged on `cryptography`'s objects alone.

Nothing here reads files, private keys or clocks. The rules are those of the IAM Roles Anywhere
User Guide: "Trust model" (end-entity certificates) and "Signature verification" (algorithms).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from . import der
from .errors import CertificateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from .identity import Algorithm

Result = TypeVar("Result")
Code = Literal[
    "malformed",
    "version",
    "key",
    "expired",
    "not-yet-valid",
    "ca",
    "key-usage",
    "hash",
    "subject",
]

MAX_CHAIN: Final = 5
_RSA_BITS: Final = range(2048, 4096 + 1)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_SHA256_BYTES: Final = 32
_USE_INSTEAD: Final = "RSA of 2048 to 4096 bits, EC on P-256, P-384 or P-521, or ML-DSA"
_NEW_KEY: Final = (
    "Make a new key, for example with `openssl genpkey -algorithm EC -pkeyopt "
    "ec_paramgen_curve:P-256 -out key.pem`, and have a certificate issued for it."
)
_BASIC_CONSTRAINTS, _KEY_USAGE = "2.5.29.19", "2.5.29.15"
_EC_PUBLIC_KEY, _RSASSA_PSS = "1.2.840.10045.2.1", "1.2.840.113549.1.1.10"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing for which AWS would refuse a certificate.

    Attributes:
        code: short and stable, for machines.
        text: what is wrong, as a clause about the certificate ("it …").
        remedy: what to do, as a sentence.
    """

    code: Code
    text: str
    remedy: str


def algorithm_for(public_key: PublicKeyTypes, *, where: str | None = None) -> Algorithm:
    """The signing algorithm, which follows from the end-entity certificate's public key alone.

    The hash with which the CA signed the certificate plays no part.

    Args:
        public_key: an object of `cryptography`.
        where: the file it came from, for the error.

    Raises:
        CertificateError: AWS takes no key of this kind or size.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size in _RSA_BITS:
        return "AWS4-X509-RSA-SHA256"
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name in _CURVES:
        return "AWS4-X509-ECDSA-SHA256"
    if is_mldsa(public_key):
        return "AWS4-X509-MLDSA"
    raise CertificateError(
        f"IAM Roles Anywhere cannot use a key of this kind: {describe_key(public_key)}",
        where=where,
        expected=_USE_INSTEAD,
        remedy=_NEW_KEY,
    )


def describe_key(public_key: object) -> str:
    """The kind and size of a public key, such as ``EC P-256`` or ``RSA 2048``."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA {public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(public_key.curve.name, public_key.curve.name)}"
    name = type(public_key).__name__.removesuffix("PublicKey").lstrip("_")
    return name.replace("MLDSA", "ML-DSA-")


def describe_subject(certificate: x509.Certificate) -> str:
    """The subject as RFC 4514 writes it; never an error, whatever stands in it."""
    try:
        text = quietly(certificate.subject.rfc4514_string)
    except ValueError:
        return "an unreadable subject"
    return text or "an empty subject"


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
    matching = [one for one in certificates if _public_key(one) == public_key]
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
) -> tuple[x509.Certificate, ...]:
    """The intermediates among `candidates`, from the leaf's issuer upward.

    Each has really signed the one before it. Left out: the leaf, self-signed roots, what does not
    belong to the path, and what stands there twice. Where two could follow (an intermediate that
    was renewed or cross-signed), the first that is in its time at `now` is taken.

    Raises:
        CertificateError: more than 5, which IAM Roles Anywhere does not take.
    """
    left = [one for one in dict.fromkeys(candidates) if one != leaf and not is_self_signed(one)]
    if now is not None:
        left.sort(key=lambda one: not _in_time(one, now))  # stable: otherwise in the given order
    chain: list[x509.Certificate] = []
    current = leaf
    while issuer := next((one for one in left if _is_issued_by(current, one)), None):
        left.remove(issuer)
        chain.append(issuer)
        current = issuer
    if len(chain) > MAX_CHAIN:
        raise CertificateError(
            f"the chain has {len(chain)} intermediates",
            expected=f"at most {MAX_CHAIN}, the limit of IAM Roles Anywhere",
            remedy="Use an intermediate further down as the trust anchor, and leave out the rest.",
        )
    return tuple(chain)


def verify_signature(public_key: PublicKeyTypes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is that of `data`, made as `algorithm_for` says for this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), SHA256())
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(SHA256()))
        elif is_mldsa(public_key):
            public_key.verify(signature, data)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether it is signed with its own key, as roots are."""
    return _is_issued_by(certificate, certificate)


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


def problems(certificate: x509.Certificate, now: datetime) -> tuple[Finding, ...]:
    """Everything for which AWS would refuse `certificate` as an end-entity certificate.

    Never raises, whatever the certificate contains.
    """
    return tuple(_find(certificate, now))


def quietly(call: Callable[[], Result]) -> Result:
    """The result of `call`, also where the program turns `cryptography`'s warnings into errors.

    It warns of odd but readable certificates. The warning filters are the whole process's, so
    they are touched only when there is no other way.
    """
    try:
        return call()
    except Warning:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()


def _find(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    if certificate.version.name != "v3":
        yield Finding(
            "version",
            f"it is an X.509 {certificate.version.name} certificate, not v3",
            "Have it issued as v3: with openssl, give -extfile or -copy_extensions.",
        )
    yield from _find_key(certificate)
    yield from _find_time(certificate, now)
    yield from _find_hash(certificate)
    try:
        tbs = _Tbs(certificate.tbs_certificate_bytes)
        found = [*tbs.find_subject(), *tbs.find_key_form(), *tbs.find_ca(), *tbs.find_key_usage()]
    except der.DerError as error:
        found = [
            Finding("malformed", f"it is malformed ({error})", "Have the certificate issued anew.")
        ]
    yield from found


def _find_key(certificate: x509.Certificate) -> Iterator[Finding]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        algorithm_for(quietly(certificate.public_key))
    except CertificateError as error:
        yield Finding("key", f"{error.what}; AWS takes {error.expected}", str(error.remedy))
    except (ValueError, UnsupportedAlgorithm) as error:
        yield Finding(
            "key", f"its public key cannot be read ({error}); AWS takes {_USE_INSTEAD}", _NEW_KEY
        )


def _find_time(certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    span = f"(valid from {_utc(start)} to {_utc(end)}); this machine's clock says {_utc(now)}"
    if now > end:
        yield Finding(
            "expired",
            f"it has expired {span}",
            "Renew the certificate; if the clock is wrong, set it.",
        )
    if now < start:
        yield Finding(
            "not-yet-valid",
            f"it is not valid yet {span}",
            "Set the clock if it is wrong; otherwise wait until the certificate is valid.",
        )


def _find_hash(certificate: x509.Certificate) -> Iterator[Finding]:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        used = certificate.signature_hash_algorithm  # None: Ed25519, ML-DSA, which hash inside
    except (UnsupportedAlgorithm, ValueError):
        return  # an algorithm newer than this library is not a weak one
    if used is not None and used.digest_size < _SHA256_BYTES:
        yield Finding(
            "hash",
            f"its CA signed it with {used.name.upper()}",
            "Have it issued with SHA-256 or stronger.",
        )


class _Tbs:
    """The parts of a TBSCertificate (RFC 5280, section 4.1) that `cryptography` hides.

    It cannot parse one extension without all the others, so that one odd subject alternative name
    would hide keyUsage; and it makes named curves of explicit parameters.
    """

    def __init__(self, encoded: bytes) -> None:
        fields = list(der.read_only(encoded).expect(der.SEQUENCE).children())
        if fields[0].tag == 0xA0:  # noqa: PLR2004  # [0] version
            del fields[0]
        if len(fields) < 6:  # noqa: PLR2004  # serial, algorithm, issuer, validity, subject, key
            raise der.DerError("fields are missing")
        self.subject = fields[4]
        self.key_algorithm = fields[5].children()[0].children()
        self.extensions = dict(_extensions(fields[6:]))

    def find_subject(self) -> Iterator[Finding]:
        if not self.subject.content:
            yield Finding(
                "subject", "its subject is empty", "Have it issued with a subject, such as a CN."
            )

    def find_key_form(self) -> Iterator[Finding]:
        kind = der.oid(self.key_algorithm[0])
        if kind == _RSASSA_PSS:
            yield Finding(
                "key",
                "its key is for RSASSA-PSS alone, and AWS wants PKCS #1 v1.5 signatures",
                "Make the key with -algorithm RSA, and have a certificate issued for it.",
            )
        if kind == _EC_PUBLIC_KEY and self.key_algorithm[1:2] and self.key_algorithm[1].tag != der.OID:
            yield Finding(
                "key",
                "its EC key gives the curve as explicit parameters, not by name",
                "Convert the key with `openssl ec -in key.pem -param_enc named_curve -out new.pem`, "
                "and have a certificate issued for it.",
            )

    def find_ca(self) -> Iterator[Finding]:
        value = self.extensions.get(_BASIC_CONSTRAINTS)
        if value is None:
            return
        inner = der.read_only(value).expect(der.SEQUENCE).children()
        if inner and inner[0].tag == der.BOOLEAN and any(inner[0].content):
            yield Finding(
                "ca",
                "it is a CA's (basicConstraints says CA:TRUE)",
                "Use an end-entity certificate that this CA issued, with CA:FALSE.",
            )

    def find_key_usage(self) -> Iterator[Finding]:
        value = self.extensions.get(_KEY_USAGE)
        remedy = "Have it issued with keyUsage = critical, digitalSignature."
        if value is None:
            yield Finding("key-usage", "it has no keyUsage, and AWS asks for it", remedy)
            return
        bits = der.read_only(value).expect(der.BIT_STRING).content
        # RFC 5280, section 4.2.1.3: digitalSignature is bit 0, the highest of the first octet.
        if len(bits) < 2 or not bits[1] & 0x80:  # noqa: PLR2004  # the count of unused bits, then bits
            yield Finding("key-usage", "its keyUsage lacks digitalSignature", remedy)


def _extensions(fields: Sequence[der.Element]) -> Iterator[tuple[str, bytes]]:
    for field in fields:
        if field.tag != 0xA3:  # noqa: PLR2004  # [3] extensions; the others are unique identifiers
            continue
        for extension in field.children()[0].expect(der.SEQUENCE).children():
            parts = extension.children()  # extnID, critical (may be left out), extnValue
            yield der.oid(parts[0]), parts[-1].expect(der.OCTET_STRING).content


def _public_key(certificate: x509.Certificate) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return quietly(certificate.public_key)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        quietly(lambda: certificate.verify_directly_issued_by(issuer))
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _in_time(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def is_mldsa(public_key: object) -> bool:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:  # an older cryptography
        return False
    return isinstance(
        public_key, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
    )


def _utc(time: datetime) -> str:
    from datetime import timezone

    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"

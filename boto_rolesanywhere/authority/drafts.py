"""From what is wanted in a certificate to the signed certificate. Knows nothing of authorities.

Also the small readers for its parts: names, alternative names, validity, hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from .keys import PrivateKey

Digest = Literal["SHA-256", "SHA-384", "SHA-512"]
_ASCII_KINDS: Final = ("DNS", "URI", "email")  # RFC 5280, section 4.2.1.6

# As a string: datetime is needed by the type checker only.
Span: TypeAlias = "tuple[datetime, datetime]"


def hash_algorithm(digest: Digest) -> hashes.HashAlgorithm:
    """The hash of that name.

    Raises:
        ConfigurationError: there is none.
    """
    from cryptography.hazmat.primitives import hashes

    if digest not in get_args(Digest):
        raise ConfigurationError(
            f"unknown hash {digest!r}",
            code="authority-value-unusable",
            where="digest",
            expected="one of " + ", ".join(get_args(Digest)),
        )
    return cast("hashes.HashAlgorithm", getattr(hashes, digest.replace("-", ""))())


def signing_hash(key: PrivateKey, digest: Digest) -> hashes.HashAlgorithm | None:
    """The hash to sign with; None for keys that take the whole message (ML-DSA)."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    algorithm = hash_algorithm(digest)
    hashed = isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey))
    return algorithm if hashed else None


def name_of(common_name: str, subject: str | x509.Name | None = None) -> x509.Name:
    """A distinguished name: `subject` if there is one, else the CN alone, else empty.

    Raises:
        ConfigurationError: `subject` is not a distinguished name.
    """
    from cryptography import x509

    if isinstance(subject, x509.Name):
        return subject
    try:
        if subject is not None:
            return read_name(subject)
        if not common_name:
            return x509.Name([])
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    except ValueError as error:
        raise ConfigurationError(
            f"cannot make a name of {subject or common_name!r}"
            + (f" ({error})" if str(error) else ""),
            code="authority-value-unusable",
            where="subject",
            expected="a name as in RFC 4514, such as CN=app,O=acme",
        ) from None


def validity(
    now: datetime,
    begin: datetime | None,
    end: datetime | None,
    lifetime: timedelta,
) -> Span:
    """From when to when something holds; what is not given is chosen to fit.

    Raises:
        ConfigurationError: it would end before it begins.
    """
    if end is None:
        end = (begin or now) + lifetime
    if begin is None:
        begin = min(now - timedelta(hours=1), end - timedelta(days=1))
    if end < begin:
        raise ConfigurationError(
            f"it would end ({end}) before it begins ({begin})", code="authority-value-unusable"
        )
    return begin, end


def general_names(names: Iterable[str | x509.GeneralName]) -> tuple[x509.GeneralName, ...]:
    """Subject alternative names, of which some are written as in OpenSSL (``DNS:host``).

    Raises:
        ConfigurationError: the kind is unknown or the value does not fit it.
    """
    return tuple(_general_name(name) if isinstance(name, str) else name for name in names)


def _general_name(text: str) -> x509.GeneralName:
    from cryptography import x509

    makers: dict[str, Callable[[str], x509.GeneralName]] = {
        "DNS": x509.DNSName,
        "URI": x509.UniformResourceIdentifier,
        "IP": lambda value: x509.IPAddress(ip_address(value)),
        "email": x509.RFC822Name,
        "dirName": lambda value: x509.DirectoryName(read_name(value)),
    }
    kind, _, value = text.partition(":")
    if kind not in makers:
        raise ConfigurationError(
            f"{text!r} is of an unknown kind",
            code="authority-value-unusable",
            where="san",
            expected="DNS:…, URI:…, IP:…, email:… or dirName:…",
        )
    problem, expected = "it is empty", None
    if kind in _ASCII_KINDS and not value.isascii():
        problem = "it has characters beyond ASCII"
        expected = "the ASCII form, as in xn--mller-kva.example"
    elif value.strip():
        try:
            return makers[kind](value)
        except ValueError as error:
            problem = str(error) or "it has another form"
    raise ConfigurationError(
        f"{text!r} is not usable ({problem})",
        code="authority-value-unusable",
        where="san",
        expected=expected,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What shall stand in a certificate.

    Attributes:
        subject: may be empty.
        issuer: the issuing authority's subject.
        public_key: the subject's.
        issuer_public_key: named in the authority key identifier.
        validity: from when to when.
        serial_number: random if None, so that nobody can foresee it.
        ca: what basicConstraints says.
        path_length: pathLenConstraint, of a CA.
        key_usage: whether the extension is there.
        digital_signature: what it says, for an end-entity certificate.
        san: subject alternative names.
        extensions: further ones, each with whether it is critical.
    """

    subject: x509.Name
    issuer: x509.Name
    public_key: CertificateIssuerPublicKeyTypes
    issuer_public_key: CertificateIssuerPublicKeyTypes
    validity: Span
    serial_number: int | None = None
    ca: bool = False
    path_length: int | None = None
    key_usage: bool = True
    digital_signature: bool = True
    san: tuple[x509.GeneralName, ...] = ()
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()

    def sign(self, issuer_key: PrivateKey, digest: Digest) -> x509.Certificate:
        """The certificate, signed.

        Raises:
            ConfigurationError: a value is not usable.
        """
        from cryptography import x509

        serial = self.serial_number
        algorithm = signing_hash(issuer_key, digest)
        try:
            builder = (
                x509.CertificateBuilder()
                .subject_name(self.subject)
                .issuer_name(self.issuer)
                .public_key(self.public_key)
                .serial_number(x509.random_serial_number() if serial is None else serial)
                .not_valid_before(self.validity[0])
                .not_valid_after(self.validity[1])
            )
            for extension, critical in self._all_extensions():
                builder = builder.add_extension(extension, critical=critical)
            return builder.sign(issuer_key, algorithm)  # type: ignore[arg-type]  # its hash union
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"cannot make this certificate ({error})", code="authority-value-unusable"
            ) from None

    def _all_extensions(self) -> Iterable[tuple[x509.ExtensionType, bool]]:
        from cryptography import x509

        yield x509.BasicConstraints(ca=self.ca, path_length=self.path_length), True
        if self.key_usage:
            yield self._key_usage(), True
        yield x509.SubjectKeyIdentifier.from_public_key(self.public_key), False
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer_public_key), False
        if self.san:
            # RFC 5280, 4.1.2.6: critical where it is the only name that there is
            yield x509.SubjectAlternativeName(self.san), not len(self.subject.rdns)
        yield from self.extensions

    def _key_usage(self) -> x509.KeyUsage:
        from cryptography import x509

        return x509.KeyUsage(
            digital_signature=self.digital_signature and not self.ca,
            content_commitment=False,
            key_encipherment=not self.digital_signature,  # RFC 5280: one bit at least is set
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=self.ca,
            crl_sign=self.ca,
            encipher_only=False,
            decipher_only=False,
        )

"""A certificate authority for tests: roots, intermediates, end-entity certificates, CRLs.

Everything lives in memory until it is written. Nothing here talks to a network.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from boto_rolesanywhere.atomic_file import make_private_folder
from boto_rolesanywhere.authority.drafts import (
    Draft,
    general_names,
    hash_algorithm,
    name_of,
    validity,
)
from boto_rolesanywhere.authority.issued import (
    IssuedCertificate,
    certificates_pem,
    key_pem,
    write_private,
)
from boto_rolesanywhere.authority.keys import generate_key, key_type_of
from boto_rolesanywhere.authority.revocation import Revoked, revocation_list
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.authority.drafts import Digest, Span
    from boto_rolesanywhere.authority.keys import AnyPrivateKey, KeyType, PrivateKey
    from boto_rolesanywhere.clock import Clock

Flaw = Literal[
    "expired",
    "not-yet-valid",
    "ca",
    "no-digital-signature",
    "no-key-usage",
    "sha1",
    "v1",
    "empty-subject",
    "wrong-key",
    "other-ca",
]
"""What can be wrong with a certificate, on request:

* ``expired``: its time ended a day ago; ``not-yet-valid``: it begins in a day;
* ``ca``: basicConstraints says CA:TRUE;
* ``no-digital-signature``: keyUsage is there without digitalSignature; ``no-key-usage``: it is not;
* ``sha1``: signed with SHA-1; ``v1``: X.509 version 1, without extensions;
* ``empty-subject``: no subject at all;
* ``wrong-key``: the private key handed out is not the certificate's;
* ``other-ca``: signed in this authority's name by a stranger's key.
"""

_ROOT_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=365)


class CertificateAuthority:
    """A root authority, with a new key.

    ::

        ca = CertificateAuthority()
        issued = ca.issue("app-1", san=("DNS:app-1.example.com",))
        paths = issued.write(tmp_path)

        intermediate = ca.issue_intermediate("Issuing CA", key_type="RSA-2048", digest="SHA-384")
        expired = intermediate.issue("app-2", flaws=("expired",))
        crl = intermediate.crl((issued_earlier,))

    Attributes:
        certificate: the authority's own certificate.
        private_key: its key.
        chain: what a certificate issued here carries as its chain: this authority and those above
            it, without the root. Empty for a root.
        digest: the hash with which it signs.
        clock: says what "now" is.
    """

    certificate: x509.Certificate
    private_key: PrivateKey
    chain: tuple[x509.Certificate, ...]
    digest: Digest
    clock: Clock

    def __init__(
        self,
        common_name: str = "Test root CA",
        *,
        subject: str | x509.Name | None = None,
        key_type: KeyType = "P-256",
        digest: Digest = "SHA-256",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """Make a root.

        Args:
            common_name: the CN of its subject.
            subject: the whole subject instead: a name, or text as in RFC 4514 (``CN=ca,O=acme``).
            key_type: of its own key.
            digest: with which hash it signs. ML-DSA keys need none.
            not_before: default: a year ago.
            not_after: default: in ten years.
            clock: says what "now" is, here and for all that it issues.

        Raises:
            ConfigurationError: a value is not usable.
        """
        key = generate_key(key_type)
        name = name_of(common_name, subject)
        draft = Draft(
            subject=name,
            issuer=name,
            public_key=key.public_key(),
            issuer_public_key=key.public_key(),
            validity=validity(clock(), not_before, not_after, _ROOT_LIFETIME),
            ca=True,
        )
        _fill(self, draft.sign(key, digest), key, (), digest=digest, clock=clock)

    @classmethod
    def from_pem(
        cls,
        certificate: bytes,
        private_key: bytes,
        *,
        passphrase: str | bytes | None = None,
        digest: Digest = "SHA-256",
        clock: Clock = utc_now,
    ) -> CertificateAuthority:
        """An authority that exists already.

        Args:
            certificate: its certificate as PEM, then the intermediates above it if there are any.
            private_key: its key as PEM.
            passphrase: of the key, if that is encrypted.
            digest: with which hash it signs from now on.
            clock: says what "now" is.

        Raises:
            ConfigurationError: certificate or key cannot be read, or they do not belong together.
        """
        from .loading import read_authority

        own, chain, key = read_authority(certificate, private_key, passphrase)
        authority = cls.__new__(cls)
        return _fill(authority, own, key, chain, digest=digest, clock=clock)

    def __repr__(self) -> str:
        return f"<CertificateAuthority {self.certificate.subject.rfc4514_string()}>"

    @property
    def certificate_pem(self) -> bytes:
        """The authority's certificate as PEM: what a trust anchor takes."""
        return certificates_pem((self.certificate,))

    @property
    def private_key_pem(self) -> bytes:
        """The authority's key as PKCS #8 PEM, not encrypted."""
        return key_pem(self.private_key)

    def write(self, folder: str | os.PathLike[str], *, name: str = "ca") -> tuple[Path, Path]:
        """Write ``{name}-cert.pem`` and ``{name}-key.pem`` (mode 0600); the paths of both."""
        root = Path(folder)
        make_private_folder(root)
        certificate = root / f"{name}-cert.pem"
        certificate.write_bytes(self.certificate_pem)
        return certificate, write_private(root / f"{name}-key.pem", self.private_key_pem)

    def issue_intermediate(
        self,
        common_name: str = "Test intermediate CA",
        *,
        subject: str | x509.Name | None = None,
        key_type: KeyType = "P-256",
        digest: Digest | None = None,
        path_length: int | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        flaws: Collection[Literal["expired", "not-yet-valid", "sha1", "other-ca"]] = (),
    ) -> CertificateAuthority:
        """An authority below this one.

        Args:
            common_name: the CN of its subject.
            subject: the whole subject instead.
            key_type: of its own key.
            digest: with which hash *it* signs; this authority's own if None.
            path_length: pathLenConstraint; None for no limit.
            not_before: default: a year ago.
            not_after: default: in ten years.
            flaws: what shall be wrong with its certificate.

        Raises:
            ConfigurationError: a value is not usable.
        """
        _require_known(flaws)
        key = generate_key(key_type)
        draft = Draft(
            subject=name_of(common_name, subject),
            issuer=self.certificate.subject,
            public_key=key.public_key(),
            issuer_public_key=self.private_key.public_key(),
            validity=_span(self.clock(), not_before, not_after, _ROOT_LIFETIME, flaws),
            ca=True,
            path_length=path_length,
        )
        certificate = self._sign(draft, flaws)
        authority = type(self).__new__(type(self))
        chain = (certificate, *self.chain)
        return _fill(
            authority, certificate, key, chain, digest=digest or self.digest, clock=self.clock
        )

    def issue(
        self,
        common_name: str = "client",
        *,
        subject: str | x509.Name | None = None,
        san: Iterable[str | x509.GeneralName] = (),
        key_type: KeyType = "P-256",
        key: AnyPrivateKey | None = None,
        serial_number: int | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
        flaws: Collection[Flaw] = (),
    ) -> IssuedCertificate:
        """An end-entity certificate with its key.

        Args:
            common_name: the CN of its subject.
            subject: the whole subject instead: a name, or text as in RFC 4514 (``CN=app,OU=it``).
            san: subject alternative names: ``DNS:host``, ``URI:spiffe://…``, ``IP:127.0.0.1``,
                ``email:a@b.c``, ``dirName:CN=x,O=y``, or objects of `cryptography`.
            key_type: of its new key.
            key: an existing key instead, of any type.
            serial_number: positive, at most 159 bits; random if None.
            not_before: default: an hour ago.
            not_after: default: in a year.
            extensions: further extensions, each with whether it is critical.
            flaws: what shall be wrong with it, see `Flaw`.

        Raises:
            ConfigurationError: a value is not usable.
        """
        _require_known(flaws)
        own_key = generate_key(key_type) if key is None else key
        draft = Draft(
            subject=name_of("" if "empty-subject" in flaws else common_name, subject),
            issuer=self.certificate.subject,
            public_key=own_key.public_key(),
            issuer_public_key=self.private_key.public_key(),
            validity=_span(self.clock(), not_before, not_after, _LEAF_LIFETIME, flaws),
            serial_number=serial_number,
            ca="ca" in flaws,
            key_usage="no-key-usage" not in flaws,
            digital_signature="no-digital-signature" not in flaws,
            san=general_names(san),
            extensions=tuple(extensions),
        )
        certificate = self._sign(draft, flaws)
        handed_out = generate_key("P-256") if "wrong-key" in flaws else own_key
        return IssuedCertificate(certificate, handed_out, self.chain)

    def _sign(self, draft: Draft, flaws: Collection[str]) -> x509.Certificate:
        key = self._stranger() if "other-ca" in flaws else self.private_key
        certificate = draft.sign(key, self.digest)
        if "sha1" in flaws or "v1" in flaws:
            from .forgery import forge

            digest = hash_algorithm(self.digest)
            return forge(certificate, key, digest, sha1="sha1" in flaws, version_1="v1" in flaws)
        return certificate

    def _stranger(self) -> PrivateKey:
        """A new key of the same type as this authority's, so that only the signature is wrong."""
        return generate_key(key_type_of(self.private_key))

    def crl(
        self,
        revoked: Iterable[IssuedCertificate | x509.Certificate | int] = (),
        *,
        last_update: datetime | None = None,
        next_update: datetime | None = None,
        number: int = 1,
    ) -> bytes:
        """A certificate revocation list of this authority, as PEM.

        Args:
            revoked: certificates, or their serial numbers. Empty gives an empty list, which AWS
                refuses to import.
            last_update: default: an hour ago.
            next_update: default: in a year; a time in the past makes an expired list.
            number: the CRL number.

        Raises:
            ConfigurationError: a value is not usable.
        """
        from cryptography.hazmat.primitives.serialization import Encoding

        lines = [Revoked(item if isinstance(item, int) else item.serial_number) for item in revoked]
        span = validity(self.clock(), last_update, next_update, _LEAF_LIFETIME)
        signed = revocation_list(
            self.certificate.subject,
            self.private_key,
            lines,
            span,
            number=number,
            digest=self.digest,
        )
        return signed.public_bytes(Encoding.PEM)


def _fill(
    authority: CertificateAuthority,
    certificate: x509.Certificate,
    private_key: PrivateKey,
    chain: tuple[x509.Certificate, ...],
    *,
    digest: Digest,
    clock: Clock,
) -> CertificateAuthority:
    """Set the parts of an authority, new or loaded."""
    authority.certificate = certificate
    authority.private_key = private_key
    authority.chain = chain
    authority.digest = digest
    authority.clock = clock
    return authority


def _span(
    now: datetime,
    begin: datetime | None,
    end: datetime | None,
    lifetime: timedelta,
    flaws: Collection[str],
) -> Span:
    if "expired" in flaws:
        begin, end = begin or now - timedelta(days=30), end or now - timedelta(days=1)
    if "not-yet-valid" in flaws:
        begin, end = begin or now + timedelta(days=1), end or now + timedelta(days=30)
    return validity(now, begin, end, lifetime)


def _require_known(flaws: Collection[str]) -> None:
    # A misspelt flaw would make a good certificate, and the test would prove nothing.
    known = get_args(Flaw)
    unknown = [flaws] if isinstance(flaws, str) else [flaw for flaw in flaws if flaw not in known]
    if unknown:
        expected = "a collection of " + ", ".join(known)
        raise ConfigurationError(
            f"unknown flaw {unknown[0]!r}",
            code="testing-value-unusable",
            where="flaws",
            expected=expected,
        )

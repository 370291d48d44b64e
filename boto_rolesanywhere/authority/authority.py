"""A certificate authority in a folder: it issues, renews, revokes and signs lists.

What AWS asks of each certificate (User Guide, "Trust model") holds by construction: version 3,
basicConstraints, keyUsage, SHA-256 or stronger, a subject that is not empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.certificates.rules import check_certificate
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.settings.distinguished_names import name_text

from .drafts import Draft, general_names, name_of, validity
from .issued import IssuedCertificate
from .keys import generate_key
from .records import RECORDS, Record, Records
from .revocation import REASONS, Revoked, revocation_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from boto_rolesanywhere.clock import Clock

    from .drafts import Digest
    from .keys import KeyType, PrivateKey

LEAF_LIFETIME: Final = timedelta(days=90)
LIST_LIFETIME: Final = timedelta(days=7)
_DIGEST: Final[Digest] = "SHA-256"
_BACKDATED: Final = timedelta(minutes=5)  # for machines whose clock is a little behind


class TakenOver(NamedTuple):
    """How many of another program's records were new here.

    Attributes:
        new: certificates.
        revoked: revocations of certificates that were there.
    """

    new: int
    revoked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a new certificate is to say.

    Attributes:
        name: under which it is recorded, and renewed.
        subject: a distinguished name.
        san: subject alternative names.
        lifetime: how long it holds; the authority's own end bounds it.
    """

    name: str
    subject: x509.Name
    san: tuple[x509.GeneralName, ...] = ()
    lifetime: timedelta = LEAF_LIFETIME

    @classmethod
    def named(
        cls,
        name: str,
        *,
        subject: str | x509.Name | None = None,
        san: Iterable[str | x509.GeneralName] = (),
        lifetime: timedelta = LEAF_LIFETIME,
    ) -> Wish:
        """A wish in words.

        Args:
            name: under which it is recorded, and the CN unless there is a `subject`.
            subject: the whole subject instead: a name, or text as in RFC 4514 (``CN=app,OU=it``).
            san: subject alternative names: ``DNS:host``, ``URI:spiffe://…``, ``IP:127.0.0.1``,
                ``email:a@b.c``, ``dirName:CN=x,O=y``, or objects of `cryptography`.
            lifetime: how long it holds.

        Raises:
            ConfigurationError: a value is not usable.
        """
        names = general_names(san)
        return cls(name=name, subject=name_of(name, subject), san=names, lifetime=lifetime)

    def require_subject(self) -> None:
        """Refuse an empty subject, which AWS does not take.

        Raises:
            CertificateError: it is empty.
        """
        if not self.subject.rdns:
            raise CertificateError(
                "its subject is empty",
                code="certificate-subject",
                where=self.name,
                expected="a subject such as CN=app1",
            )


class Authority:
    """One authority, opened.

    Attributes:
        folder: where its files and records are.
        certificate: its own certificate.
        chain: what a certificate issued here carries as its chain: this authority and those above
            it, without the root. Empty for a root.
    """

    def __init__(
        self,
        folder: Path,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
        open_key: Callable[[], PrivateKey],
        *,
        clock: Clock,
    ) -> None:
        """Put together what `open_authority` read.

        `open_key` is called when the authority signs for the first time.
        """
        self.folder = folder
        self.certificate = certificate
        self.chain = chain
        self.clock = clock
        self._open_key = open_key
        self._records = Records(folder / RECORDS)

    def __repr__(self) -> str:
        return f"<Authority {name_text(self.certificate.subject)} in {self.folder}>"

    @cached_property
    def _private_key(self) -> PrivateKey:
        return self._open_key()

    def issue(self, wish: Wish, *, key_type: KeyType = "P-256") -> IssuedCertificate:
        """A new key with its certificate.

        Raises:
            ConfigurationError: a value is not usable, or the records cannot be written.
        """
        key = generate_key(key_type)
        certificate = self.certify(wish, key.public_key())
        return IssuedCertificate(certificate, key, self.chain)

    def issue_authority(
        self,
        name: str,
        subject: x509.Name,
        public_key: CertificateIssuerPublicKeyTypes,
        lifetime: timedelta,
    ) -> x509.Certificate:
        """The certificate of an authority below this one, which issues end-entity certificates."""
        return self.certify(
            Wish(name=name, subject=subject, lifetime=lifetime), public_key, ca=True
        )

    def certify(
        self, wish: Wish, public_key: CertificateIssuerPublicKeyTypes, *, ca: bool = False
    ) -> x509.Certificate:
        """A certificate for a key that somebody else holds.

        It is in the records before it is returned.

        Raises:
            CertificateError: AWS would refuse the certificate; or that of this authority has ended.
            ConfigurationError: a value is not usable, or the records cannot be written.
            PrivateKeyError, PassphraseError, KeyDeviceError: this authority's key does not sign.
        """
        now = self.clock()
        self._require_usable(wish, now)
        end = min(now + wish.lifetime, self.certificate.not_valid_after_utc)
        key = self._private_key  # before the step: nobody waits for a passphrase
        draft = Draft(
            subject=wish.subject,
            issuer=self.certificate.subject,
            public_key=public_key,
            issuer_public_key=key.public_key(),
            validity=validity(now, now - _BACKDATED, end, wish.lifetime),
            ca=ca,
            path_length=0 if ca else None,
            san=wish.san,
        )
        certificate = draft.sign(key, _DIGEST)
        if not ca:
            check_certificate(certificate, now=now, where=wish.name)
        with self._records.step() as step:
            step.add(_record_of(certificate, wish.name), now)
        return certificate

    def _require_usable(self, wish: Wish, now: datetime) -> None:
        wish.require_subject()
        begin, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        if now < begin - _BACKDATED:
            raise CertificateError(
                f"the CA's certificate begins later ({begin:%Y-%m-%d %H:%M} UTC)",
                code="authority-ended",
                where=str(self.folder),
                remedy=f"Set this machine's clock right: it says {now:%Y-%m-%d %H:%M} UTC.",
            )
        if end <= now:
            raise CertificateError(
                f"the CA's certificate has ended ({end:%Y-%m-%d})",
                code="authority-ended",
                where=str(self.folder),
            )

    def latest(self, name: str) -> x509.Certificate:
        """The newest certificate that was issued under this name.

        Raises:
            ConfigurationError: there is none.
        """
        with self._records.step() as step:
            record = step.latest(name)
        if record is not None and record.der is not None:
            return x509.load_der_x509_certificate(record.der)
        problem = f"no certificate was issued under the name {name!r}"
        remedy = "`boto-rolesanywhere ca list` shows the names."
        if record is not None:
            problem = f"of {name!r} the records hold a line of openssl's alone, and no certificate"
            remedy = "Issue a first one with `boto-rolesanywhere ca issue`."
        raise ConfigurationError(
            problem, code="authority-certificate-unknown", where=str(self.folder), remedy=remedy
        )

    def find(self, serial_number: int) -> Record | None:
        """The certificate with this serial number; None if none was issued."""
        with self._records.step() as step:
            return step.find(serial_number)

    def records(self) -> tuple[Record, ...]:
        """Everything that was issued, the oldest first."""
        with self._records.step() as step:
            return step.all()

    def revoke(self, serial_number: int, reason: str = "unspecified") -> Record:
        """Mark a certificate as revoked. It counts for AWS when a new list has been imported.

        Args:
            serial_number: of a certificate of this authority's.
            reason: one of `REASONS`.

        Returns:
            Its record. One that was revoked before keeps its time and reason.

        Raises:
            ConfigurationError: no such certificate was issued, or there is no such reason.
        """
        if reason not in REASONS:
            raise ConfigurationError(
                f"there is no reason {reason!r}",
                code="authority-value-unusable",
                expected=f"one of {', '.join(REASONS)}",
            )
        with self._records.step() as step:
            if step.find(serial_number) is None:
                raise ConfigurationError(
                    f"the CA has issued no certificate {serial_number:x}",
                    code="authority-certificate-unknown",
                    where=str(self.folder),
                    remedy="`boto-rolesanywhere ca list` shows the serial numbers.",
                )
            step.revoke(serial_number, reason, self.clock())
            return cast("Record", step.find(serial_number))

    def sign_list(self, lifetime: timedelta = LIST_LIFETIME) -> x509.CertificateRevocationList:
        """A new revocation list of all that is revoked and has not ended yet.

        Args:
            lifetime: until nextUpdate.

        Raises:
            ConfigurationError: the records cannot be written.
        """
        now, key = self.clock(), self._private_key
        with self._records.step() as step:
            # RFC 5280, section 5: an ended certificate stays for one list after its end.
            lines = [
                Revoked(record.serial_number, record.revoked_at, record.reason)
                for record in step.revoked()
                if record.not_after > now - lifetime
            ]
            number = step.next_list_number()
            signed = revocation_list(
                self.certificate.subject,
                key,
                lines,
                (now, now + lifetime),
                number=number,
                digest=_DIGEST,
            )
            step.add_list(number, now + lifetime, signed.public_bytes(Encoding.DER))
        return signed

    def newest_list(self) -> x509.CertificateRevocationList | None:
        """The list that was signed last; None if none was."""
        with self._records.step() as step:
            der = step.newest_list()
        return None if der is None else x509.load_der_x509_crl(der)

    def take_over(self, records: Iterable[Record], list_number: int = 0) -> TakenOver:
        """Add what another program has recorded of this authority: all of it, or nothing.

        Args:
            records: its certificates.
            list_number: of its newest revocation list; the lists made here get larger ones.

        Returns:
            What was new. A certificate that is revoked here stays as it is.

        Raises:
            CertificateError: a certificate is another authority's.
            ConfigurationError: the records cannot be written.
        """
        now, new, revoked = self.clock(), 0, 0
        with self._records.step() as step:
            for record in records:
                self._require_own(record)
                known = step.find(record.serial_number)
                if known is None:
                    step.add(record, now)
                    new += 1
                elif record.revoked_at and not known.revoked_at:
                    step.revoke(
                        record.serial_number, record.reason or "unspecified", record.revoked_at
                    )
                    revoked += 1
            if list_number >= step.next_list_number():
                step.add_list(list_number, now, b"")
        return TakenOver(new, revoked)

    def _require_own(self, record: Record) -> None:
        if record.der is None:
            return
        certificate = x509.load_der_x509_certificate(record.der)
        issuer, serial = certificate.issuer, certificate.serial_number
        if (issuer, serial) != (self.certificate.subject, record.serial_number):
            raise CertificateError(
                f"the certificate filed under the serial number {record.serial_number:x} is not"
                " this CA's",
                code="authority-certificate-unknown",
                where=str(self.folder),
                expected=f"a certificate of {name_text(self.certificate.subject)} with that number,"
                f" not one of {name_text(issuer)} with the number {serial:x}",
            )


def _record_of(certificate: x509.Certificate, name: str) -> Record:
    return Record(
        serial_number=certificate.serial_number,
        name=name,
        subject=name_text(certificate.subject),
        not_after=certificate.not_valid_after_utc,
        der=certificate.public_bytes(Encoding.DER),
    )

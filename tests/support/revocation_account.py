"""An AWS account with a trust anchor, whose administrator's calls are counted; lists to make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

READING: Final = ("Get", "List", "Describe")
NOW: Final = datetime.now(timezone.utc).replace(microsecond=0)
WEEK: Final = timedelta(days=7)


@dataclass
class Account:
    """The account.

    Attributes:
        calls: the operations that were called.
    """

    emulator: Emulator
    administrator: Administrator
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.administrator.session.register("before-call", self._note)

    def _note(self, model: object, **_: object) -> None:
        self.calls.append(str(getattr(model, "name", "")))

    @property
    def anchor(self) -> str:
        return self.emulator.trust_anchor_arn

    def written(self) -> list[str]:
        """The operations since the last time that change something."""
        changes = [name for name in self.calls if not name.startswith(READING)]
        self.calls.clear()
        return changes

    def lists(self) -> list[dict[str, Any]]:
        """What AWS has."""
        return list(self.administrator.pages("rolesanywhere", "ListCrls", "crls"))

    def import_by_hand(self, pem: bytes, name: str = "by-hand", *, enabled: bool = True) -> str:
        """As somebody does with the AWS CLI; the list's id."""
        answer = self.administrator.call(
            "rolesanywhere",
            "ImportCrl",
            name=name,
            crlData=pem,
            trustAnchorArn=self.anchor,
            enabled=enabled,
        )
        self.calls.clear()
        return str(answer["crl"]["crlId"])


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)


def named_otherwise(ca: CertificateAuthority, *serials: int) -> bytes:
    """A list whose issuer is the CA by another string type, other capitals and more blanks."""
    now = datetime.now(timezone.utc)
    subject = ca.certificate.subject
    (name,) = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    other = x509.NameAttribute(
        name.oid, f" {str(name.value).upper()}  ", _type=_ASN1Type.PrintableString
    )
    made = x509.CertificateRevocationListBuilder(x509.Name([other]), now, now + timedelta(days=1))
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        made = made.add_revoked_certificate(revoked.build())
    return made.sign(ca.private_key, hashes.SHA256()).public_bytes(Encoding.PEM)  # type: ignore[arg-type]  # of a kind that signs


def made_list(
    ca: CertificateAuthority,
    revoked: Iterable[int] = (7,),
    *extensions: tuple[x509.ExtensionType, bool],
    number: int | None = 1,
    start: datetime = NOW - timedelta(hours=1),
    end: datetime | None = NOW + WEEK,
) -> bytes:
    """A list in PEM, also one that no authority of ours would make."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(start).next_update(end or NOW + WEEK)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    entry = x509.RevokedCertificateBuilder().revocation_date(start)
    for serial in revoked:
        builder = builder.add_revoked_certificate(entry.serial_number(serial).build())
    signed = builder.sign(ca.private_key, hashes.SHA256())  # type: ignore[arg-type]  # EC here
    return signed.public_bytes(Encoding.PEM)


def point(
    *names: str,
    user: bool = False,
    of_cas: bool = False,
    indirect: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
) -> x509.IssuingDistributionPoint:
    """An IssuingDistributionPoint."""
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(name) for name in names] or None,
        relative_name=None,
        only_contains_user_certs=user,
        only_contains_ca_certs=of_cas,
        only_some_reasons=reasons,
        indirect_crl=indirect,
        only_contains_attribute_certs=False,
    )


def private_ca_below(
    administrator: Administrator, ca: CertificateAuthority, **lists: object
) -> tuple[str, CertificateAuthority]:
    """A private CA that another CA has certified: its ARN, and who signs in its name.

    Args:
        administrator: of moto.
        ca: the CA above.
        lists: the CrlConfiguration; empty for none. The bucket is made.
    """
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"CommonName": "Private CA"},
    }
    revocation = {"CrlConfiguration": {"Enabled": True, "ExpirationInDays": 7, **lists}}
    answer = administrator.call(
        "acm-pca",
        "CreateCertificateAuthority",
        CertificateAuthorityConfiguration=configuration,
        CertificateAuthorityType="SUBORDINATE",
        **({"RevocationConfiguration": revocation} if lists else {}),
    )
    arn = str(answer["CertificateAuthorityArn"])
    below = ca.issue_intermediate("Private CA")
    administrator.call(
        "acm-pca",
        "ImportCertificateAuthorityCertificate",
        CertificateAuthorityArn=arn,
        Certificate=below.certificate_pem,
        CertificateChain=ca.certificate_pem,
    )
    if lists:
        make_bucket(administrator, str(lists["S3BucketName"]))
    return arn, below


def make_bucket(administrator: Administrator, name: str) -> None:
    location = {"LocationConstraint": "eu-west-1"}
    administrator.call("s3", "CreateBucket", Bucket=name, CreateBucketConfiguration=location)


def write_private_list(
    administrator: Administrator, arn: str, bucket: str, pem: bytes, folder: str = "crl"
) -> None:
    """What AWS Private CA does within half an hour."""
    key = f"{folder}/{arn.rpartition('/')[2]}.crl"
    administrator.call("s3", "PutObject", Bucket=bucket, Key=key, Body=der(pem))

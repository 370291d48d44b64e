"""AWS Private CA as the CA: a request in, a certificate with its chain out; and its revocation.

The sequence and the limits are those of the AWS Private CA API Reference and User Guide.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import WaiterError
from cryptography import x509

from boto_rolesanywhere.certificates.chain import order_chain
from boto_rolesanywhere.certificates.rules import check_certificate
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import CertificateError, ConfigurationError, ServiceError
from boto_rolesanywhere.settings.arns import parse_arn

from .service_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boto_rolesanywhere.clock import Clock

    from .administrator import Administrator

    _Description = Mapping[str, Any]  # as DescribeCertificateAuthority gives it

# Both give CA:FALSE and keyUsage digitalSignature, with subject and alternative names from the
# request. A certificate of the first cannot pose as a TLS server.
TEMPLATE: Final = "EndEntityClientAuthCertificate/V1"
# What AWS RAM's default permission allows for a CA that another account shares.
SHARED_TEMPLATE: Final = "EndEntityCertificate/V1"

# The family of the signature must be that of the CA's key; the hash is as strong as the key.
_SIGNING: Final = {
    "RSA_2048": "SHA256WITHRSA",
    "RSA_3072": "SHA256WITHRSA",
    "RSA_4096": "SHA256WITHRSA",
    "EC_prime256v1": "SHA256WITHECDSA",
    "EC_secp384r1": "SHA384WITHECDSA",
    "EC_secp521r1": "SHA512WITHECDSA",
    "ML_DSA_44": "ML_DSA_44",
    "ML_DSA_65": "ML_DSA_65",
    "ML_DSA_87": "ML_DSA_87",
}
# By their names in RFC 5280; AWS has no certificateHold.
_REASONS: Final = {
    "unspecified": "UNSPECIFIED",
    "keyCompromise": "KEY_COMPROMISE",
    "cACompromise": "CERTIFICATE_AUTHORITY_COMPROMISE",
    "affiliationChanged": "AFFILIATION_CHANGED",
    "superseded": "SUPERSEDED",
    "cessationOfOperation": "CESSATION_OF_OPERATION",
    "privilegeWithdrawn": "PRIVILEGE_WITHDRAWN",
    "aACompromise": "A_A_COMPROMISE",
}
_SHORT_LIVED: Final = timedelta(days=7)
_CLOCKS_APART: Final = timedelta(minutes=5)
_TOKEN_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class IssuedByAws:
    """What AWS Private CA has issued.

    Attributes:
        certificate: the end-entity certificate.
        chain: the intermediates from the issuer upward, without the root.
        arn: of the certificate.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    arn: str


class Revocation(NamedTuple):
    """What came of a revocation.

    Attributes:
        new: False if the certificate was revoked before.
        is_listed: whether the CA writes revocation lists; None if the administrator may not know.
    """

    new: bool
    is_listed: bool | None


class PrivateCa:
    """One CA of AWS Private CA.

    All that it calls raises what `service_errors.translated` says, beside what is said here.
    """

    def __init__(
        self,
        administrator: Administrator,
        arn: str,
        *,
        tell: Callable[[str], object] = lambda _: None,
        clock: Clock = utc_now,
    ) -> None:
        """Send nothing yet.

        Args:
            administrator: whose credentials are used, in the CA's Region.
            arn: of the CA.
            tell: takes each sentence about what is going on, and what was chosen.
            clock: gives the time.

        Raises:
            ConfigurationError: it is no ARN of a CA.
        """
        self._partition = parse_arn("certificate-authority", arn).partition
        self._administrator, self.arn = administrator, arn.strip()
        self._tell, self._clock = tell, clock

    def issue(self, csr: bytes, lifetime: timedelta, *, template: str = TEMPLATE) -> IssuedByAws:
        """Have a certificate issued, and wait for it.

        The same request within five minutes gives the same certificate, not another one.

        Args:
            csr: a request, in PEM. Subject and alternative names are taken from it.
            lifetime: in whole days; the CA's own end, and a short-lived CA's 7 days, bound it.
            template: of AWS Private CA, such as ``EndEntityCertificate/V1``.

        Raises:
            ConfigurationError: the CA issues nothing, or not for AWS.
            CertificateError: the CA has ended; or it issued what Roles Anywhere would refuse.
        """
        described = self._description()
        self._require_usable(described)
        validity = self._validity(lifetime, described)
        fixed = f"{self.arn} {template} {validity['Type']} {validity['Value']} ".encode()
        parameters = {
            "Csr": csr,
            "SigningAlgorithm": _SIGNING[_key_algorithm(described)],
            "TemplateArn": template_arn(self._partition, template),
            "Validity": validity,
            "IdempotencyToken": hashlib.sha256(fixed + csr).hexdigest()[:_TOKEN_LENGTH],
        }
        try:
            arn = self._call("IssueCertificate", **parameters)["CertificateArn"]
        except ServiceError as error:
            raise _with_template(error, template) from None
        self._tell(f"{arn}: being issued")
        issued = self._issued(arn)
        key = x509.load_pem_x509_csr(csr).public_key()
        if issued.certificate.public_key() != key:
            raise CertificateError(
                "AWS Private CA has certified another key than the request's",
                code="private-ca-unusable",
                where=arn,
            )
        check_certificate(issued.certificate, now=self._clock(), where=arn)
        return issued

    def revoke(self, serial_number: int, reason: str = "unspecified") -> Revocation:
        """Revoke a certificate of this CA.

        Args:
            serial_number: of the certificate.
            reason: by its name in RFC 5280, such as ``keyCompromise``.

        Raises:
            ConfigurationError: AWS has no such reason.
        """
        if reason not in _REASONS:
            raise ConfigurationError(
                f"there is no reason {reason!r}",
                code="authority-value-unusable",
                expected=f"one of {', '.join(_REASONS)}",
            )
        new = True
        try:
            self._call(
                "RevokeCertificate",
                CertificateSerial=serial_text(serial_number),
                RevocationReason=_REASONS[reason],
            )
        except ServiceError as error:
            if error.service_code != "RequestAlreadyProcessedException":
                raise
            new = False
        return Revocation(new, self._writes_lists())

    def _require_usable(self, described: _Description) -> None:
        status = described["Status"]
        if status not in ("ACTIVE", "EXPIRED"):
            raise ConfigurationError(
                f"the CA is {status}",
                code="private-ca-unusable",
                where=self.arn,
                expected="ACTIVE",
            )
        not_after = described["NotAfter"]
        if status == "EXPIRED" or not_after <= self._clock():
            raise CertificateError(
                f"the CA's certificate has ended ({not_after:%Y-%m-%d})",
                code="authority-ended",
                where=self.arn,
            )
        algorithm = _key_algorithm(described)
        if algorithm not in _SIGNING:
            raise ConfigurationError(
                f"the CA has a key of the type {algorithm}, with which it signs nothing that Roles"
                " Anywhere takes",
                code="private-ca-unusable",
                where=self.arn,
                expected=f"one of {', '.join(_SIGNING)}",
            )

    def _validity(self, lifetime: timedelta, described: _Description) -> dict[str, object]:
        is_short_lived = described.get("UsageMode") == "SHORT_LIVED_CERTIFICATE"
        if is_short_lived and lifetime > _SHORT_LIVED:
            lifetime = _SHORT_LIVED
            self._tell(f"A short-lived CA issues for {lifetime.days} days at most.")
        # In days, AWS counts from its own clock: this machine's may be ahead.
        if self._clock() + lifetime + _CLOCKS_APART <= described["NotAfter"]:
            return {"Type": "DAYS", "Value": lifetime.days}
        self._tell("The CA's own certificate ends before, so no certificate holds longer.")
        return {"Type": "ABSOLUTE", "Value": int(described["NotAfter"].timestamp())}

    def _issued(self, arn: str) -> IssuedByAws:
        waiter = self._administrator.client("acm-pca").get_waiter("certificate_issued")
        with translated("acm-pca"), suppress(WaiterError):  # which does not say what AWS said
            waiter.wait(CertificateAuthorityArn=self.arn, CertificateArn=arn)
        answer = self._call("GetCertificate", CertificateArn=arn)
        certificate = x509.load_pem_x509_certificate(answer["Certificate"].encode())
        above = answer.get("CertificateChain", "").encode()
        candidates = x509.load_pem_x509_certificates(above) if above.strip() else []
        chain = order_chain(certificate, candidates, now=self._clock(), where=arn)
        return IssuedByAws(certificate, chain, arn)

    def _writes_lists(self) -> bool | None:
        try:
            described = self._description()
        except ServiceError:
            return None
        lists = described.get("RevocationConfiguration", {}).get("CrlConfiguration", {})
        return bool(lists.get("Enabled"))

    def _description(self) -> _Description:
        described: _Description = self._call("DescribeCertificateAuthority")["CertificateAuthority"]
        return described

    def _call(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401  # by operation
        return self._administrator.call(
            "acm-pca", operation, CertificateAuthorityArn=self.arn, **parameters
        )


def _key_algorithm(described: _Description) -> str:
    return str(described["CertificateAuthorityConfiguration"]["KeyAlgorithm"])


def template_arn(partition: str, name: str) -> str:
    """The ARN of a template of AWS's own, which has neither Region nor account."""
    return f"arn:{partition}:acm-pca:::template/{name}"


def serial_text(serial_number: int) -> str:
    """A serial number as AWS's examples write it for RevokeCertificate: octets with colons."""
    digits = f"{serial_number:x}"
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).hex(":")


def _with_template(error: ServiceError, template: str) -> ServiceError:
    """The error, with what may be the reason if the template is the one not allowed."""
    if error.code != "administrator-denied" or template == SHARED_TEMPLATE:
        return error
    return ServiceError(
        error.response,
        error.operation_name,
        code=error.code,
        remedy=f"{error.remedy} For a CA that another account shares, --template"
        f" {SHARED_TEMPLATE} may be all that is allowed.",
    )

"""The list that a CA of AWS Private CA writes into a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509

from boto_rolesanywhere.errors import ConfigurationError, ServiceError
from boto_rolesanywhere.settings.arns import parse_arn

from .downloads import read_object
from .lists import RevocationList, read_list

if TYPE_CHECKING:
    from boto_rolesanywhere.account.administrator import Administrator


def private_ca_list(
    administrator: Administrator, arn: str
) -> tuple[RevocationList, tuple[x509.Certificate, ...]]:
    """The present list of a private CA, and the certificates of the CA and of those above it.

    Raises:
        ConfigurationError: the CA writes no list or writes it in parts, or is in another Region.
        RolesAnywhereError: AWS refused a call, or what was read is no list.
    """
    require_same_region(administrator, arn)
    lists = _configuration(administrator, arn)
    folder = lists.get("CustomPath", "crl").strip("/")
    # As the User Guide names the complete list, "Determining the CRL Distribution Point (CDP) URI";
    # below a CustomPath the same name is a guess.
    key = f"{folder}/{arn.rpartition('/')[2]}.crl"
    try:
        data = read_object(administrator, lists["S3BucketName"], key)
    except ServiceError as error:
        if error.service_code not in ("NoSuchKey", "404"):
            raise
        raise ConfigurationError(
            f"the CA has not written its list to s3://{lists['S3BucketName']}/{key} yet",
            code="crl-source-unusable",
            where=arn,
            remedy="AWS Private CA writes it within about half an hour; look at the bucket's policy"
            " if it never comes.",
        ) from None
    return read_list(data, arn), authorities(administrator, arn)


def require_same_region(administrator: Administrator, arn: str) -> None:
    """Refuse a CA that the administrator's clients do not reach.

    Raises:
        ConfigurationError: it is in another Region than the trust anchor; or the ARN is none.
    """
    region = parse_arn("certificate-authority", arn).region
    if region != administrator.region:
        raise ConfigurationError(
            f"the trust anchor is in Region {administrator.region!r} and the private CA in"
            f" {region!r}",
            code="arns-disagree",
            where=arn,
            remedy="Name its list by the URL or the s3:// place that its certificates name.",
        )


def authorities(administrator: Administrator, arn: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a private CA and of those above it."""
    answer = administrator.call(
        "acm-pca", "GetCertificateAuthorityCertificate", CertificateAuthorityArn=arn
    )
    above = answer.get("CertificateChain") or ""
    pem = f"{answer['Certificate'].rstrip()}\n{above}".encode()
    return tuple(x509.load_pem_x509_certificates(pem))


def _configuration(administrator: Administrator, arn: str) -> dict[str, Any]:
    described = administrator.call(
        "acm-pca", "DescribeCertificateAuthority", CertificateAuthorityArn=arn
    )["CertificateAuthority"]
    lists: dict[str, Any] = described.get("RevocationConfiguration", {}).get("CrlConfiguration", {})
    if not lists.get("Enabled"):
        raise ConfigurationError(
            "the CA writes no revocation lists",
            code="crl-source-unusable",
            where=arn,
            expected="a CA whose RevocationConfiguration has a CrlConfiguration",
            remedy="Configure one with `aws acm-pca update-certificate-authority`. A certificate"
            " revoked before then is refused only after that.",
        )
    if lists.get("CrlType", "COMPLETE") != "COMPLETE":
        raise ConfigurationError(
            "the CA writes its list in parts (CrlType PARTITIONED)",
            code="crl-partial",
            where=arn,
            expected="CrlType COMPLETE: a trust anchor takes two lists at most",
            remedy="Set CrlType to COMPLETE, or use crlDpRevocationEnabled of the trust anchor.",
        )
    return lists

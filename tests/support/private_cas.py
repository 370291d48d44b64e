"""CAs of AWS Private CA, as moto plays them: taught what AWS documents and moto leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from cryptography import x509
from moto.acmpca import acmpca_backends
from moto.acmpca.models import CertificateAuthority as MotoCa

from boto_rolesanywhere.authority import Authority
from boto_rolesanywhere.authority.drafts import name_of
from boto_rolesanywhere.authority.issued import certificates_pem

ACCOUNT: Final = "123456789012"
_CLIENT_AUTH: Final = ":template/EndEntityClientAuthCertificate/V1"
_ROOT: Final = "arn:aws:acm-pca:::template/RootCACertificate/V1"
_extensions = MotoCa._x509_extensions


def _with_client_auth(
    self: MotoCa, csr: x509.CertificateSigningRequest, template: str | None
) -> list[tuple[x509.ExtensionType, bool]]:
    """As EndEntityCertificate/V1, whose extendedKeyUsage alone is another (moto 5.2 has none)."""
    if not template or not template.endswith(_CLIENT_AUTH):
        return _extensions(self, csr, template)
    purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    return [
        (purpose if isinstance(value, x509.ExtendedKeyUsage) else value, critical)
        for value, critical in _extensions(self, csr, None)
    ]


@contextmanager
def documented_templates() -> Iterator[None]:
    """moto knows the template that certificates for clients alone are made from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MotoCa, "_x509_extensions", _with_client_auth)
        yield


def create_ca(client: Any, name: str = "Example CA", key: str = "EC_prime256v1") -> str:  # noqa: ANN401  # boto3's
    """A CA without a certificate; its ARN."""
    arn: str = client.create_certificate_authority(
        CertificateAuthorityType="SUBORDINATE",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": key,
            "SigningAlgorithm": "SHA256WITHRSA",
            "Subject": {"CommonName": name},
        },
    )["CertificateAuthorityArn"]
    moto_ca(arn).usage_mode = "GENERAL_PURPOSE"  # as AWS makes them unless told otherwise
    return arn


def create_root(client: Any, name: str = "Example CA", key: str = "EC_prime256v1") -> str:  # noqa: ANN401
    """A CA that has certified itself; its ARN."""
    arn = create_ca(client, name, key)
    own = client.issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=csr_of(client, arn),
        SigningAlgorithm="SHA256WITHRSA",
        TemplateArn=_ROOT,
        Validity={"Type": "DAYS", "Value": 365},
    )["CertificateArn"]
    certificate = client.get_certificate(CertificateAuthorityArn=arn, CertificateArn=own)
    client.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=certificate["Certificate"]
    )
    return arn


def create_below(client: Any, root: Authority, name: str = "Issuing CA") -> str:  # noqa: ANN401
    """A CA that a root of one's own has certified; its ARN."""
    arn = create_ca(client, name)
    request = x509.load_pem_x509_csr(csr_of(client, arn))
    lifetime = root.certificate.not_valid_after_utc - root.clock()
    certificate = root.issue_authority(name, name_of(name), request.public_key(), lifetime)  # type: ignore[arg-type]  # RSA
    pem = certificates_pem((certificate,))
    client.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn,
        Certificate=pem,
        CertificateChain=certificates_pem((root.certificate,)),
    )
    return arn


def csr_of(client: Any, arn: str) -> bytes:  # noqa: ANN401
    """The request of a CA for its own certificate."""
    answer: str = client.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"]
    return answer.encode()


def certificate_of(client: Any, arn: str) -> bytes:  # noqa: ANN401
    """PEM of the CA's own certificate."""
    answer = client.get_certificate_authority_certificate(CertificateAuthorityArn=arn)
    pem: str = answer["Certificate"]
    return pem.encode()


def moto_ca(arn: str) -> MotoCa:
    """What moto keeps of a CA, to look at and to change."""
    region = arn.split(":")[3]
    authorities = acmpca_backends[ACCOUNT][region].certificate_authorities
    found: MotoCa = authorities[arn]
    return found

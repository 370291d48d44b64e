"""The certificates of a CA as a trust anchor takes them: checked, without anything beside them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.rules import authority_problems
from boto_rolesanywhere.errors import CertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

# User Guide, "Quotas": two certificates for a trust anchor.
_MOST: Final = 2
_LONGEST: Final = 204_800  # characters; the model's x509CertificateData


def anchor_bundle(certificates: Sequence[x509.Certificate], where: str, now: datetime) -> str:
    """The PEM of the certificates.

    Raises:
        CertificateError: AWS would refuse one as a trust anchor (User Guide, "Trust model").
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    if len(certificates) > _MOST:
        raise CertificateError(
            f"it holds {len(certificates)} certificates, and a trust anchor takes {_MOST}",
            code="trust-anchor-unsuitable",
            where=where,
            remedy="Keep the root's certificate alone: workloads send the others along.",
        )
    for certificate in certificates:
        for finding in authority_problems(certificate, now):
            if finding.code != "not-yet-valid":
                raise CertificateError(
                    f"{describe_subject(certificate)} cannot be a trust anchor: {finding.text}",
                    code="trust-anchor-unsuitable",
                    where=where,
                    expected="the certificate of a CA of yours, a root or an issuing CA",
                )
    pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)
    if len(pem) > _LONGEST:
        raise CertificateError(
            f"its certificates have {len(pem):,} characters, and AWS takes {_LONGEST:,}",
            code="trust-anchor-unsuitable",
            where=where,
        )
    return pem


def alias_for(certificate: x509.Certificate) -> str:
    """An alias from the CA's name: ``Example CA`` gives ``example-ca``."""
    from cryptography import x509

    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    name = unicodedata.normalize("NFKD", str(names[0].value)) if names else ""  # Ä is A and dots
    words = re.findall("[a-z0-9]+", name.encode("ascii", "ignore").decode().lower())
    text = "-".join(words)[:60].strip("-")
    # Aliases begin with a letter, and aws/… is AWS's own.
    return text if text[:1].isalpha() else f"ca-{text}".strip("-")

"""Certificate revocation lists: making them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError

from .drafts import signing_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from .drafts import Digest, Span
    from .keys import PrivateKey


def revocation_list(
    issuer: x509.Name,
    issuer_key: PrivateKey,
    serial_numbers: Iterable[int],
    span: Span,
    *,
    number: int,
    digest: Digest,
) -> bytes:
    """A signed list, as PEM (the form that ImportCrl takes).

    Raises:
        ConfigurationError: a value is not usable.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    algorithm = signing_hash(issuer_key, digest)
    try:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(span[0])
            .next_update(span[1])
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
        )
        for serial in serial_numbers:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(span[0])
                .build()
            )
        signed = builder.sign(issuer_key, algorithm)  # type: ignore[arg-type]  # its hash union
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"cannot make this revocation list ({error})", code="testing-value-unusable"
        ) from None
    return signed.public_bytes(Encoding.PEM)

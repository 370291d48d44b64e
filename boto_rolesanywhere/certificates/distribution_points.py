"""Where a certificate says that its issuer publishes the revocation list."""

from __future__ import annotations

from cryptography import x509

from .reading import quietly


def distribution_points(certificate: x509.Certificate) -> tuple[str, ...]:
    """The HTTP URLs of a certificate's CRL distribution points (RFC 5280, section 4.2.1.13)."""
    try:
        extension = quietly(
            lambda: certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
        )
    except (
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        ValueError,
    ):
        return ()
    names = [name for point in extension.value for name in point.full_name or ()]
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return tuple(uri for uri in uris if uri.lower().startswith(("http://", "https://")))

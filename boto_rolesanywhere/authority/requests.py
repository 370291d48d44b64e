"""Certificate requests: the workload's machine keeps the key, and the request alone travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import CertificateError

from .drafts import signing_hash

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from .keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Request:
    """What a request asks for. Its other extensions are the authority's to say.

    Attributes:
        subject: the distinguished name.
        san: subject alternative names.
        public_key: the key whose private half made the request.
    """

    subject: x509.Name
    san: tuple[x509.GeneralName, ...]
    public_key: CertificateIssuerPublicKeyTypes


def make_request(subject: x509.Name, san: tuple[x509.GeneralName, ...], key: PrivateKey) -> bytes:
    """A request as PEM, signed with the key that the certificate is for."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    signed = builder.sign(key, signing_hash(key, "SHA-256"))  # type: ignore[arg-type]  # its hash union
    return signed.public_bytes(Encoding.PEM)


def read_request(content: bytes, where: str) -> Request:
    """Read a request in PEM or DER.

    Raises:
        CertificateError: it is none, or whoever made it does not hold its key.
    """
    load = x509.load_pem_x509_csr if b"-----BEGIN " in content else x509.load_der_x509_csr
    try:
        request = load(content)
        signed = _is_signed(request)
        public_key = request.public_key()
        san = alternative_names(request)
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(
            "it is no certificate request",
            code="authority-request-unreadable",
            where=where,
            expected="a request in PEM or DER, as `boto-rolesanywhere ca request` makes it",
        ) from None
    if not signed:
        raise CertificateError(
            "its signature is not made with its own key",
            code="authority-request-unreadable",
            where=where,
        )
    return Request(request.subject, san, cast("CertificateIssuerPublicKeyTypes", public_key))


def _is_signed(request: x509.CertificateSigningRequest) -> bool:
    """Whether the request is signed with its own key."""
    if isinstance(request.signature_hash_algorithm, hashes.SHA1):
        # The library refuses SHA-1. Older programs sign with it. It still proves the key, and
        # nothing of it goes into the certificate.
        data = request.tbs_certrequest_bytes
        return verify_signature(request.public_key(), request.signature, data, "SHA1")
    return request.is_signature_valid


def alternative_names(
    holder: x509.Certificate | x509.CertificateSigningRequest,
) -> tuple[x509.GeneralName, ...]:
    """The subject alternative names of a certificate or request."""
    try:
        return tuple(holder.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()

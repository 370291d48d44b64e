"""Who the workload is: an end-entity certificate, its chain, and a key that can sign.

The rest of the package sees only this class; `opening` builds it from a file, a token, a TPM or an
object of the user's.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import PrivateKeyError, RolesAnywhereError

if TYPE_CHECKING:
    from cryptography import x509

    from boto_rolesanywhere.signing_key import Algorithm, SigningKey


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Identity:
    """An end-entity certificate with its chain and its key.

    Build it with `open_identity`, which checks that the parts fit. It encodes what the signer needs
    of the certificate once, for all signatures.

    Attributes:
        certificate: the end-entity certificate.
        chain: the intermediates from the leaf's issuer upward, without leaf and self-signed root.
        key: signs for `certificate`.
        algorithm: follows from the certificate's public key alone.
        serial_number: decimal, as the ``Credential`` of the Authorization header wants it.
        certificate_header: the value of ``X-Amz-X509``: base64 of the DER.
        chain_header: the value of ``X-Amz-X509-Chain``, or None when there are no intermediates.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: SigningKey
    algorithm: Algorithm
    serial_number: str = field(init=False)
    certificate_header: str = field(init=False)
    chain_header: str | None = field(init=False)

    def __post_init__(self) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        from boto_rolesanywhere.certificates.reading import decimal, serial_number

        def encoded(certificate: x509.Certificate) -> str:
            return b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")

        put = object.__setattr__  # the dataclass is frozen
        put(self, "serial_number", decimal(serial_number(self.certificate)))
        put(self, "certificate_header", encoded(self.certificate))
        # An empty chain header is answered with "Invalid signature": leave it out instead.
        put(self, "chain_header", ",".join(map(encoded, self.chain)) or None)

    def __repr__(self) -> str:
        # The library's repr of a certificate fails on names that it cannot read, and a user's own
        # key may show anything.
        from boto_rolesanywhere.certificates.descriptions import describe_subject
        from boto_rolesanywhere.redaction import printable

        subject = printable(describe_subject(self.certificate))
        return f"<Identity {subject}, serial number {self.serial_number}, {self.algorithm}>"

    def sign(self, data: bytes) -> bytes:
        """Sign `data` with the key, as `algorithm` wants it."""
        try:
            # A user's own key may return anything, whatever its annotation says.
            signature: object = self.key.sign(data)
        except Exception as error:
            if isinstance(error, RolesAnywhereError):
                raise
            problem = f"the key {type(self.key).__name__} could not sign ({type(error).__name__})"
            raise PrivateKeyError(problem, code="signing-failed") from error
        if not isinstance(signature, bytes):
            problem = f"the key {type(self.key).__name__} signed with a {type(signature).__name__}"
            raise PrivateKeyError(problem, code="signing-failed", expected="the signature as bytes")
        return signature

    def close(self) -> None:
        """Close the key, if it can be closed."""
        close = getattr(self.key, "close", None)
        if close is not None:
            close()

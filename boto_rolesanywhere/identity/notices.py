"""What is odd about an identity that is used all the same, said once in a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.odd import readable
from boto_rolesanywhere.certificates.plain import is_plain
from boto_rolesanywhere.redaction import logger_of

from .material import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from .material import Material

logger = logger_of("boto_rolesanywhere.identity")

_warned_of: set[str] = set()


def warn_of_strangers(
    leaf: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    intermediates: tuple[x509.Certificate, ...],
    candidates: Iterable[x509.Certificate],
    material: Material,
) -> None:
    """Say that the chain's setting names no issuer of the certificate.

    Its issuer may be a root, which is in no `chain`.
    """
    if intermediates and not chain and not any(is_issued_by(leaf, issuer) for issuer in candidates):
        logger.warning(
            "None of the certificates in %s issued %s: no chain is sent.",
            place_of(material.chain),
            describe_subject(leaf),
        )


def warn_of_slips(sent: tuple[x509.Certificate, ...], where: str | None) -> None:
    """Say what is odd about a certificate that is sent all the same.

    Of a plain one the extensions that signing does not need are not read: that would load all of
    `cryptography.x509`. `inspect` and `doctor` look at them.
    """
    for certificate in sent:
        if not is_plain(certificate) and (slips := readable(certificate)[1]):
            warn_once(
                f"{where}: the certificate of {describe_subject(certificate)} is used as it is, "
                f"although {'; '.join(slips)}. AWS may refuse it."
            )


def warn_once(text: str) -> None:
    """Log a warning that this process has not logged yet."""
    if text not in _warned_of:
        _warned_of.add(text)
        logger.warning("%s", text)

"""Whether two things that AWS may write differently are the same: policies, certificates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def same_policy(left: object, right: object) -> bool:
    """Whether two policies, as JSON text or decoded, say the same in the same words.

    IAM's grammar lets one value stand for a list of one, and gives lists of values no order.
    """
    return bool(_plain(left) == _plain(right))


def _plain(value: object) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return _normal(value)


def _normal(value: object) -> object:
    if isinstance(value, dict):
        return {key: _normal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        items = sorted((_normal(item) for item in value), key=json.dumps)
        return items[0] if len(items) == 1 else items
    return value


def same_source(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two sources of a trust anchor trust the same: one Private CA, or certificates."""
    mine, theirs = left["sourceData"], right["sourceData"]
    if "acmPcaArn" in mine or "acmPcaArn" in theirs:
        return bool(mine.get("acmPcaArn") == theirs.get("acmPcaArn"))
    return certificates_in(mine) == certificates_in(theirs)


def certificates_in(data: Mapping[str, Any]) -> frozenset[bytes]:
    """The certificates of a source, in DER; none if they cannot be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    text = str(data.get("x509CertificateData") or "")
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return frozenset()
    return frozenset(certificate.public_bytes(Encoding.DER) for certificate in certificates)

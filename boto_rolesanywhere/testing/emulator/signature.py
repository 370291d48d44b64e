"""Is the request signed by the certificate that it carries?

Re-derives canonical request and string to sign from the bytes received. Shares no code with the
package's signer: one mistake must not pass on both sides. Whether the certificate is trusted is
decided elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from .answers import INVALID_SIGNATURE, UNSIGNED, Refused

if TYPE_CHECKING:
    from cryptography import x509

    from .wire import Received

SERVICE: Final = "rolesanywhere"
CLOCK_SKEW: Final = timedelta(minutes=5)

_AUTHORIZATION = re.compile(
    r"(?P<algorithm>\S+)\s+Credential=(?P<credential>[^/,\s]+)/(?P<date>[^/,\s]+)/(?P<region>[^/,\s]+)"
    r"/(?P<service>[^/,\s]+)/aws4_request\s*,\s*SignedHeaders=(?P<headers>[^,\s]+)"
    r"\s*,\s*Signature=(?P<signature>\S+)"
)
_TIMESTAMP = re.compile(r"\A(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\Z", re.ASCII)
_BLANKS = re.compile(r" +")


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header, and the time that was signed.

    Attributes:
        algorithm: for example ``AWS4-X509-ECDSA-SHA256``.
        credential: whose key it is: the certificate's serial number, decimal; of an
            administrator the access key id.
        date: of the scope, ``yyyymmdd``.
        region: of the scope.
        service: of the scope.
        signed_headers: the names, as listed.
        signature: the bytes.
        timestamp: ``X-Amz-Date`` as sent.
    """

    algorithm: str
    credential: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: bytes
    timestamp: str

    @property
    def scope(self) -> str:
        """What ties the signature to a day, a Region and a service."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_authorization(received: Received) -> Authorization:
    """Take the Authorization header apart.

    Raises:
        Refused: it is missing or not of this form.
    """
    _require_single(received)
    header, timestamp = received.header("authorization"), received.header("x-amz-date")
    if header is None or timestamp is None:
        raise Refused(UNSIGNED, "there is no Authorization or no X-Amz-Date header")
    match = _AUTHORIZATION.fullmatch(header.strip())
    if match is None:
        raise Refused(INVALID_SIGNATURE, "the Authorization header is not of SigV4's form")
    try:
        signature = bytes.fromhex(match["signature"])
    except ValueError:
        raise Refused(INVALID_SIGNATURE, "the signature is not hexadecimal") from None
    return Authorization(
        algorithm=match["algorithm"],
        credential=match["credential"],
        date=match["date"],
        region=match["region"],
        service=match["service"],
        signed_headers=tuple(match["headers"].split(";")),
        signature=signature,
        timestamp=timestamp.strip(),
    )


def _require_single(received: Received) -> None:
    """Refuse a header sent twice: one would be checked, and the other perhaps believed.

    Raises:
        Refused: one was. (The words are a guess.)
    """
    names = [name for name, _ in received.headers]
    for name in ("authorization", *sorted(filter(_is_amazons, set(names)))):
        if names.count(name) > 1:
            raise _wrong(f"{name} was sent {names.count(name)} times")


def _is_amazons(name: str) -> bool:
    """Whether SigV4 wants the header signed, as it does ``Host`` and each of these that is sent."""
    return name.startswith("x-amz-")


def verify(
    received: Received,
    authorization: Authorization,
    certificate: x509.Certificate,
    *,
    region: str,
    now: datetime,
) -> None:
    """Check the scope, the time, the signed headers, and the signature itself.

    Raises:
        Refused: "Invalid signature", with what was wrong as the reason.
    """
    serial = str(certificate.serial_number)
    if authorization.credential != serial:
        raise _wrong(f"Credential names serial {authorization.credential}, not {serial}")
    check_scope(authorization, region, now)
    _check_signed_headers(received, authorization)
    algorithm = algorithm_of(certificate)
    if authorization.algorithm != algorithm:
        raise _wrong(f"the algorithm is {authorization.algorithm}, the key's is {algorithm}")
    message = string_to_sign(received, authorization).encode("utf-8")
    if not fits(certificate.public_key(), authorization.signature, message):
        raise _wrong("it was not made by the certificate's key over this request")


def _wrong(reason: str) -> Refused:
    return Refused(INVALID_SIGNATURE, reason)


def check_scope(authorization: Authorization, region: str, now: datetime) -> None:
    """Check Region, service and time.

    Raises:
        Refused: one is not the service's.
    """
    if authorization.region != region:
        raise _wrong(f"the scope's Region is {authorization.region}, not {region}")
    if authorization.service != SERVICE:
        raise _wrong(f"the scope's service is {authorization.service}, not {SERVICE}")
    # Not strptime, which would take as long as the signature does.
    extended = _TIMESTAMP.sub(r"\1-\2-\3T\4:\5:\6+00:00", authorization.timestamp)
    try:
        signed_at = datetime.fromisoformat(extended)
    except ValueError:
        signed_at = None
    if signed_at is None or extended == authorization.timestamp:
        raise _wrong(f"X-Amz-Date is {authorization.timestamp!r}")
    if authorization.date != authorization.timestamp[:8]:
        raise _wrong("the scope's date is not X-Amz-Date's")
    skew = signed_at - now
    if abs(skew) > CLOCK_SKEW:
        raise _wrong(f"X-Amz-Date is {skew.total_seconds():+.0f} s from the clock here")


def _check_signed_headers(received: Received, authorization: Authorization) -> None:
    signed = authorization.signed_headers
    if list(signed) != sorted(set(signed)):
        raise _wrong("SignedHeaders are not sorted, each once")
    chain = received.header("x-amz-x509-chain")
    sent = {name for name, _ in received.headers if _is_amazons(name)}
    for name in sorted({"host", "x-amz-date", "x-amz-x509"} | sent):
        if name not in signed:
            raise _wrong(f"{name} is not among the signed headers")
    for name in signed:
        if received.header(name) is None:
            raise _wrong(f"{name} is signed but was not sent")
    if chain is not None and not chain.strip():
        raise _wrong("X-Amz-X509-Chain is empty")


def algorithm_of(certificate: x509.Certificate) -> str | None:
    """The algorithm of requests signed with this certificate; None if there is none."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "AWS4-X509-RSA-SHA256"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "AWS4-X509-ECDSA-SHA256"
    # A name, since an older `cryptography` has no such class.
    return "AWS4-X509-MLDSA" if type(key).__name__.startswith("MLDSA") else None


def fits(public_key: object, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the key's over `message`, by the rules of SigV4-X509."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            public_key.verify(signature, message)  # type: ignore[attr-defined]  # an ML-DSA key
    except InvalidSignature:
        return False
    return True


def string_to_sign(received: Received, authorization: Authorization) -> str:
    """What the client should have signed."""
    request = canonical_request(received, authorization.signed_headers)
    digest = sha256(request.encode("utf-8")).hexdigest()
    return f"{authorization.algorithm}\n{authorization.timestamp}\n{authorization.scope}\n{digest}"


def canonical_request(received: Received, signed_headers: tuple[str, ...]) -> str:
    """The request in SigV4's one spelling."""
    headers = "".join(f"{name}:{_values(received, name)}\n" for name in signed_headers)
    return "\n".join(
        (
            received.method,
            _canonical_path(received.path),
            _canonical_query(received.query),
            headers,
            ";".join(signed_headers),
            sha256(received.body).hexdigest(),
        )
    )


def _values(received: Received, name: str) -> str:
    """All values of a header, trimmed, runs of blanks made one, joined by commas."""
    return ",".join(
        _BLANKS.sub(" ", value.strip()) for key, value in received.headers if key == name
    )


def _canonical_path(path: str) -> str:
    """Dot segments and double slashes removed; then encoded, once more than it already is."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(quote(segment, safe="~"))
    slash = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return "/" + "/".join(kept) + slash


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            pairs.append((quote(unquote(name), safe="~"), quote(unquote(value), safe="~")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))

"""A client of its own for the emulator's tests: signs by hand, and can be wrong in one thing.

It shares no code with the package's signer nor with the emulator.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.authority.keys import PrivateKey
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


def der(certificate: x509.Certificate) -> str:
    return b64encode(certificate.public_bytes(Encoding.DER)).decode()


def sign_as_documented(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    return key.sign(message)


def algorithm_of(key: PrivateKey) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "AWS4-X509-RSA-SHA256"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "AWS4-X509-ECDSA-SHA256"
    return "AWS4-X509-MLDSA"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def session(self) -> dict[str, Any]:
        return self.json["credentialSet"][0]

    @property
    def refusal(self) -> tuple[int, str, str]:
        return self.status, self.headers["x-amzn-errortype"], self.json["message"]

    @property
    def lifetime(self) -> float:
        """Seconds from the answer's Date to the expiration."""
        expires = datetime.strptime(
            self.session["credentials"]["expiration"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z"
        )
        return (expires - parsedate_to_datetime(self.headers["date"])).total_seconds()


@dataclass
class Request:
    """A request before it is signed. What is set to something else makes it wrong, once signed."""

    issued: IssuedCertificate
    host: str
    region: str
    parameters: dict[str, Any]
    method: str = "POST"
    path: str = "/sessions"
    query: str = ""
    body: bytes | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    when: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    certificate_header: str | None = None
    chain: list[x509.Certificate] | None = None
    serial: str | None = None
    algorithm: str | None = None
    service: str = "rolesanywhere"
    terminator: str = "aws4_request"
    scope_date: str | None = None
    timestamp: str | None = None
    omit_signed: tuple[str, ...] = ()
    signed_names: Callable[[list[str]], list[str]] = sorted
    sign: Callable[[PrivateKey, bytes], bytes] = sign_as_documented
    signature_text: Callable[[bytes], str] = bytes.hex

    def content(self) -> bytes:
        return json.dumps(self.parameters).encode() if self.body is None else self.body

    def signed(self) -> Request:
        """Add the signature's headers."""
        self.body = self.content()
        timestamp = self.timestamp or self.when.strftime("%Y%m%dT%H%M%SZ")
        header = self.certificate_header
        self.headers += [
            ("Host", self.host),
            ("X-Amz-Date", timestamp),
            ("X-Amz-X509", der(self.issued.certificate) if header is None else header),
        ]
        chain = self.issued.chain if self.chain is None else self.chain
        if chain:
            self.headers.append(("X-Amz-X509-Chain", ",".join(map(der, chain))))
        algorithm = self.algorithm or algorithm_of(self.issued.private_key)
        serial = self.serial or str(self.issued.serial_number)
        date = self.scope_date or timestamp[:8]
        scope = f"{date}/{self.region}/{self.service}/{self.terminator}"
        names, request = self.canonical()
        digest = hashlib.sha256(request.encode()).hexdigest()
        message = f"{algorithm}\n{timestamp}\n{scope}\n{digest}".encode()
        signature = self.signature_text(self.sign(self.issued.private_key, message))
        self.headers.append(
            (
                "Authorization",
                (
                    f"{algorithm} Credential={serial}/{scope}, SignedHeaders={';'.join(names)}, "
                    f"Signature={signature}"
                ),
            )
        )
        return self

    def canonical(self) -> tuple[list[str], str]:
        joined: dict[str, list[str]] = {}
        for name, value in self.headers:
            joined.setdefault(name.lower(), []).append(" ".join(value.split()))
        names = self.signed_names([name for name in joined if name not in self.omit_signed])
        lines = [f"{name}:{','.join(joined.get(name.lower(), []))}" for name in names]
        pairs = sorted(
            "=".join(quote(unquote(half), safe="") for half in [*part.split("=", 1), ""][:2])
            for part in self.query.split("&")
            if part
        )
        assert self.body is not None
        return names, "\n".join(
            [
                self.method,
                quote(self.path),
                "&".join(pairs),
                *lines,
                "",
                ";".join(names),
                hashlib.sha256(self.body).hexdigest(),
            ]
        )


class Client:
    """Talks to one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.timeout = 20.0

    def request(self, issued: IssuedCertificate, **changes: object) -> Request:
        """A request that is right but for `changes`: fields of `Request`, or parameters.

        A parameter of None is left out.
        """
        fields = {name: changes.pop(name) for name in list(changes) if name in FIELDS}
        parameters = {
            "trustAnchorArn": self.emulator.trust_anchor_arn,
            "profileArn": self.emulator.profile_arn,
            "roleArn": self.emulator.role_arn,
            **changes,
        }
        return Request(
            **{
                "issued": issued,
                "host": urlsplit(self.emulator.endpoint_url).netloc,
                "region": self.emulator.region,
                "parameters": {key: v for key, v in parameters.items() if v is not None},
                "when": self.emulator.now(),
                **fields,
            }
        )

    def send(self, request: Request) -> Reply:
        """Send it just as it is."""
        connection = self.connect()
        try:
            target = f"{request.path}?{request.query}" if request.query else request.path
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            body = request.content()
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        url = urlsplit(self.emulator.endpoint_url)
        assert url.hostname
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname, url.port, timeout=self.timeout)
        context = ssl.create_default_context(cafile=str(self.emulator.ca_bundle_path))
        return http.client.HTTPSConnection(
            url.hostname, url.port, timeout=self.timeout, context=context
        )

    def create(self, issued: IssuedCertificate, **changes: object) -> Reply:
        """Sign a request that is right but for `changes`, and send it."""
        return self.send(self.request(issued, **changes).signed())


FIELDS = frozenset(Request.__dataclass_fields__)


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue("app-1")


@pytest.fixture
def emulator(ca: CertificateAuthority) -> Iterator[Emulator]:
    with Emulator(ca) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return Client(emulator)


@pytest.fixture(scope="session")
def client_of() -> Callable[[Emulator], Client]:
    return Client

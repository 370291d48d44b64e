"""The signer against vectors: AWS's own for SigV4, OpenSSL's for SigV4-X509.

`tests/vectors/README.md` says where each vector comes from, and which are left out.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from repository import VECTORS

from boto_rolesanywhere.create_session.signer import canonical_request, sign, string_to_sign
from boto_rolesanywhere.identity.identity import Identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.signing_key import Algorithm

SIGV4 = [
    pytest.param(case, suite["secret_access_key"], id=f"{path.stem}/{case['name']}")
    for path in sorted((VECTORS / "sigv4").glob("*.json"))
    for suite in [json.loads(path.read_text(encoding="utf-8"))]
    for case in suite["cases"]
]
X509 = VECTORS / "x509"
BODY = (X509 / "body.json").read_bytes()
URL = "https://rolesanywhere.eu-west-1.amazonaws.com/sessions"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


# --- AWS's vectors ---------------------------------------------------------------------------


def sent(case: dict[str, Any]) -> tuple[str, str, list[tuple[str, str]], str]:
    """The case's request as a program would hold it."""
    # RFC 9112, section 5.2: a folded header line is one line with a space where it was folded.
    headers = [(name, re.sub(r"\n[ \t]+", " ", value)) for name, value in case["headers"]]
    host = next(value for name, value in headers if name.lower() == "host")
    return case["method"], f"https://{host}{case['target']}", headers, case["body"]


@pytest.mark.parametrize(("case", "secret"), SIGV4)
def test_vectors_of_aws(case: dict[str, Any], secret: str) -> None:
    algorithm, timestamp, scope, _ = case["string_to_sign"].split("\n")
    request = canonical_request(*sent(case))
    assert request == case["canonical_request"]
    text = string_to_sign(algorithm, timestamp, scope, request)
    assert text == case["string_to_sign"]

    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/"), text]:  # AWS's derived key, and its signature at the end
        key = hmac.digest(key, part.encode(), "sha256")
    assert key.hex() == case["signature"]


def test_all_vectors_of_aws_are_there() -> None:
    assert len(SIGV4) == 28 + 7 + 4


# --- X.509 vectors ---------------------------------------------------------------------------


@dataclass
class RecordingKey:
    """A software key that remembers what it signed."""

    private: Any
    signed: bytes = b""

    def public_key(self) -> PublicKeyTypes:
        key: PublicKeyTypes = self.private.public_key()
        return key

    def sign(self, data: bytes) -> bytes:
        self.signed = data
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(hashes.SHA256()))
        return bytes(self.private.sign(data))


def certificate(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((X509 / name).read_bytes())


def identity(name: str, algorithm: Algorithm, *chain: str) -> tuple[Identity, RecordingKey]:
    key = RecordingKey(load_pem_private_key((X509 / f"{name}.key.pem").read_bytes(), None))
    leaf = certificate(f"{name}.cert.pem")
    intermediates = tuple(certificate(f"{each}.pem") for each in chain)
    return Identity(certificate=leaf, chain=intermediates, key=key, algorithm=algorithm), key


def signed(who: Identity) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return sign("POST", URL, headers, BODY, identity=who, region="eu-west-1", now=NOW)


def expected(vector: str, part: str) -> str:
    return (X509 / f"{vector}.{part}").read_bytes().decode()


def without_signature(authorization: str) -> str:
    return authorization.partition("Signature=")[0]


def signature(authorization: str) -> bytes:
    return bytes.fromhex(authorization.partition("Signature=")[2])


@pytest.mark.parametrize(
    ("vector", "chain"),
    [("rsa-2048", ()), ("rsa-2048-chain", ("intermediate-2", "intermediate-1"))],
)
def test_rsa_signs_exactly_as_openssl_does(vector: str, chain: tuple[str, ...]) -> None:
    who, key = identity("rsa-2048", "AWS4-X509-RSA-SHA256", *chain)
    added = signed(who)
    assert key.signed.decode() == expected(vector, "string-to-sign")
    assert added == {
        "X-Amz-Date": "20260102T030405Z",
        "X-Amz-X509": who.certificate_header,
        **({"X-Amz-X509-Chain": who.chain_header} if chain else {}),
        "Authorization": expected(vector, "authorization"),
    }
    # What is signed follows from the headers that are sent, and from nothing else.
    headers = {"Content-Type": "application/json", **added}
    del headers["Authorization"]
    assert canonical_request("POST", URL, headers, BODY) == expected(vector, "canonical-request")


def test_ec_signature_verifies() -> None:
    who, key = identity("ec-p256", "AWS4-X509-ECDSA-SHA256")
    authorization = signed(who)["Authorization"]
    published = expected("ec-p256", "authorization")
    assert key.signed.decode() == expected("ec-p256", "string-to-sign")
    assert without_signature(authorization) == without_signature(published)
    public = who.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for each in (authorization, published):
        public.verify(signature(each), key.signed, ec.ECDSA(hashes.SHA256()))


def test_mldsa_signs_the_string_to_sign_itself() -> None:
    pytest.importorskip(
        "cryptography.hazmat.primitives.asymmetric.mldsa", reason="this cryptography has no ML-DSA"
    )
    who, key = identity("mldsa-44", "AWS4-X509-MLDSA")
    authorization = signed(who)["Authorization"]
    assert key.signed.decode() == expected("mldsa-44", "string-to-sign")
    assert authorization.startswith("AWS4-X509-MLDSA Credential=12/20260102/")
    who.certificate.public_key().verify(  # type: ignore[union-attr, call-arg]  # ML-DSA's
        signature(authorization), expected("mldsa-44", "string-to-sign").encode()
    )


@pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "sha256sum", "od"))) or sys.platform != "linux",
    reason="needs openssl and coreutils",
)
@pytest.mark.parametrize(
    ("vector", "algorithm", "chain"),
    [
        ("rsa-2048", "AWS4-X509-RSA-SHA256", ()),
        ("rsa-2048-chain", "AWS4-X509-RSA-SHA256", ("intermediate-2", "intermediate-1")),
        ("ec-p256", "AWS4-X509-ECDSA-SHA256", ()),
    ],
)
def test_openssl_computes_the_same_vectors_anew(
    tmp_path: Path, vector: str, algorithm: str, chain: tuple[str, ...]
) -> None:
    name, out = X509 / vector.removesuffix("-chain"), tmp_path / vector
    command: list[str | Path] = [
        "sh",
        X509 / "make.sh",
        f"{name}.key.pem",
        f"{name}.cert.pem",
        out,
        algorithm,
    ]
    command += [X509 / f"{each}.pem" for each in chain]
    subprocess.run(command, check=True, env={**os.environ, "PYTHON": sys.executable})
    repeatable = ["canonical-request", "string-to-sign"]
    for part in [*repeatable, "authorization"] if "RSA" in algorithm else repeatable:
        assert Path(f"{out}.{part}").read_bytes().decode() == expected(vector, part)


def pem_body(name: str) -> str:
    return "".join((X509 / name).read_text().splitlines()[1:-1])


def test_certificate_headers_are_base64_of_der() -> None:
    who, _ = identity("rsa-2048", "AWS4-X509-RSA-SHA256", "intermediate-2", "intermediate-1")
    added = signed(who)
    assert added["X-Amz-X509"] == pem_body("rsa-2048.cert.pem")
    chain = ",".join([pem_body("intermediate-2.pem"), pem_body("intermediate-1.pem")])
    assert added["X-Amz-X509-Chain"] == chain

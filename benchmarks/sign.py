"""What `sign` costs over the bare key operation.

A program signs one CreateSession request with a software key, with and without two intermediates
in the chain. Each call of `sign` is timed as a whole, and so is the key operation within it; what
`sign` adds is the difference, call by call, so that neither the spread of RSA nor a change in the
machine's speed comes between them. Figures are medians of one run.

On a shared machine others only ever add: the calls are cut into batches of ten, and beside the
median of all of them the table shows that of the batch in which the machine was quietest. The
target holds for that one: `sign` adds at most 15 microseconds.

Run: python benchmarks/sign.py [--check]
"""

from __future__ import annotations

import argparse
import gc
import sys
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import chain
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from boto_rolesanywhere.create_session.signer import sign
from boto_rolesanywhere.identity.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from boto_rolesanywhere.signing_key import Algorithm

TARGET_US = 15.0
CERTIFICATE_BYTES = 1000
BATCH = 10
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
URL = "https://rolesanywhere.eu-west-1.amazonaws.com/sessions"
HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python",
    "amz-sdk-invocation-id": "11111111-2222-3333-4444-555555555555",
    "amz-sdk-request": "attempt=1",
}
BODY = (
    b'{"profileArn":"arn:aws:rolesanywhere:eu-west-1:123456789012:profile/'
    b'11111111-2222-3333-4444-555555555555","roleArn":"arn:aws:iam::123456789012:role/'
    b'RolesAnywhere","trustAnchorArn":"arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/'
    b'66666666-7777-8888-9999-000000000000","durationSeconds":3600}'
)


class TimedKey:
    """A software key that notes how long its last signature took."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        self._private = private
        self.nanoseconds = 0
        if isinstance(private, ec.EllipticCurvePrivateKey):
            self._operation = partial(private.sign, signature_algorithm=ec.ECDSA(hashes.SHA256()))
        else:
            self._operation = partial(
                private.sign, padding=padding.PKCS1v15(), algorithm=hashes.SHA256()
            )

    def public_key(self) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        """The public key."""
        return self._private.public_key()

    def sign(self, data: bytes) -> bytes:
        """Sign `data`, and note how long that took."""
        start = perf_counter_ns()
        signature: bytes = self._operation(data)
        self.nanoseconds = perf_counter_ns() - start
        return signature


class Call(NamedTuple):
    """One call, or the medians of many, in microseconds."""

    key: float
    sign: float
    added: float


def certificate(public_key: CertificatePublicKeyTypes) -> x509.Certificate:
    """A certificate of about `CERTIFICATE_BYTES`, filled up with names."""
    issuer = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example.org")])
    names: list[str] = []
    while True:
        names.append(f"host-{len(names)}.example.org")
        made = (
            x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
            .sign(issuer, hashes.SHA256())
        )
        if len(made.public_bytes(Encoding.DER)) >= CERTIFICATE_BYTES:
            return made


def measure(identity: Identity, key: TimedKey, rounds: int) -> tuple[Call, Call]:
    """The medians of the quietest batch, and of all calls."""

    def call() -> Call:
        start = perf_counter_ns()
        sign("POST", URL, HEADERS, BODY, identity=identity, region="eu-west-1", now=NOW)
        whole = perf_counter_ns() - start
        return Call(key.nanoseconds / 1000, whole / 1000, (whole - key.nanoseconds) / 1000)

    def medians(calls: Iterable[Call]) -> Call:
        return Call(*map(median, zip(*calls, strict=True)))

    call()
    batches = [[call() for _ in range(BATCH)] for _ in range(rounds // BATCH)]
    quietest = min(map(medians, batches), key=lambda batch: batch.added)
    return quietest, medians(chain.from_iterable(batches))


def identities() -> Iterator[tuple[str, Identity, TimedKey]]:
    """EC P-256 and RSA-2048, each with and without two intermediates."""
    links = tuple(
        certificate(ec.generate_private_key(ec.SECP256R1()).public_key()) for _ in range(2)
    )
    kinds: list[tuple[str, TimedKey, Algorithm]] = [
        ("EC P-256", TimedKey(ec.generate_private_key(ec.SECP256R1())), "AWS4-X509-ECDSA-SHA256"),
        ("RSA-2048", TimedKey(rsa.generate_private_key(65537, 2048)), "AWS4-X509-RSA-SHA256"),
    ]
    for kind, key, algorithm in kinds:
        leaf = certificate(key.public_key())
        for intermediates in ((), links):
            identity = Identity(certificate=leaf, chain=intermediates, key=key, algorithm=algorithm)
            yield f"{kind}, {len(intermediates)} intermediates", identity, key


def main() -> int:
    """Print the table; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help=f"exit with 1 if `sign` adds over {TARGET_US:.0f} us"
    )
    parser.add_argument("--rounds", type=int, default=3000, help="calls for each row (3000)")
    arguments = parser.parse_args()

    gc.disable()
    columns = f"{'key':>7} {'sign':>7} {'adds':>7} {'ratio':>6}"
    print(f"{'':26} {'quietest batch':>32} {'all calls':>32}")
    print(f"{'median, microseconds':26}  {columns}   {columns}")
    missed = []
    for name, identity, key in identities():
        figures = measure(identity, key, max(arguments.rounds, BATCH))
        cells = [
            f"{each.key:7.1f} {each.sign:7.1f} {each.added:7.1f} {each.sign / each.key:6.2f}"
            for each in figures
        ]
        print(f"{name:26}  {'   '.join(cells)}")
        if figures[0].added > TARGET_US:
            missed.append(name)
    verdict = f"missed by {'; '.join(missed)}" if missed else "met"
    print(f"target: adds at most {TARGET_US:.0f} microseconds: {verdict}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())

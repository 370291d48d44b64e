"""Forgeries: each is right but for one thing, and each is refused for that reason.

By construction: every one starts from a request that the emulator accepts.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

if TYPE_CHECKING:
    from .conftest import Client, Reply, Request

DENIED = "AccessDeniedException"
INVALID = (403, DENIED, "Invalid signature")
INSUFFICIENT = (403, DENIED, "Untrusted certificate. Insufficient certificate")
UNTRUSTED = (403, DENIED, "Untrusted signing certificate")
EXPIRED = (403, DENIED, "Untrusted certificate. Certificate is expired")
NOT_YET_VALID = (403, DENIED, "Untrusted certificate. Certificate is not yet valid")
UNSIGNED = (403, DENIED, "Missing Authentication Token")
REVOKED = (403, DENIED, "Certificate revoked")

Refusal = tuple[int, str, str]
Attempt = Callable[["Client", CertificateAuthority], "Reply"]


@dataclass(frozen=True)
class Forgery:
    """A forgery, its refusal, and words of the recorded reason."""

    name: str
    attempt: Attempt
    refusal: Refusal
    reason: str


# Signed wrongly.


def signed_with(**changes: object) -> Attempt:
    return lambda client, ca: client.create(ca.issue(), **changes)


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def with_sha512(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA512()))


def with_another_key(_: object, message: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(message, ec.ECDSA(hashes.SHA256()))


def rsa_pss(client: Client, ca: CertificateAuthority) -> Reply:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    issued = ca.issue(key_type="RSA-2048")
    return client.create(
        issued, sign=lambda key, message: key.sign(message, scheme, hashes.SHA256())
    )


def of_a_stranger_with_the_same_serial(client: Client, ca: CertificateAuthority) -> Reply:
    issued = ca.issue()
    stranger = ca.issue(serial_number=issued.serial_number)
    request = client.request(issued).signed()
    certificate = dict(client.request(stranger).signed().headers)["X-Amz-X509"]
    return client.send(with_header("X-Amz-X509", certificate)(request))


NOT_THE_KEYS = "was not made by the certificate's key over this request"
SIGNED_WRONGLY = [
    ("another Region", {"region": "us-east-1"}, "the scope's Region is us-east-1"),
    ("another service", {"service": "sts"}, "the scope's service is sts"),
    ("another end of the scope", {"terminator": "aws5_request"}, "is not of SigV4's form"),
    ("another day in the scope", {"scope_date": "20200101"}, "the scope's date is not"),
    ("no time", {"timestamp": "yesterday"}, "X-Amz-Date is 'yesterday'"),
    ("no such day", {"timestamp": "20260230T000000Z"}, "X-Amz-Date is '20260230"),
    ("time of another form", {"timestamp": "2026-01-01T00:00:00+00:00"}, "X-Amz-Date is '2026-"),
    ("time of last year", {"timestamp": "20250101T000000Z"}, "s from the clock here"),
    ("another serial number", {"serial": "17"}, "Credential names serial 17"),
    (
        "RSA's algorithm, an EC key",
        {"algorithm": "AWS4-X509-RSA-SHA256"},
        "the key's is AWS4-X509-E",
    ),
    ("plain SigV4's algorithm", {"algorithm": "AWS4-HMAC-SHA256"}, "the key's is AWS4-X509-ECDSA"),
    ("no algorithm that exists", {"algorithm": "none"}, "the algorithm is none"),
    ("r and s not in DER", {"sign": raw_signature}, NOT_THE_KEYS),
    ("SHA-512 instead of SHA-256", {"sign": with_sha512}, NOT_THE_KEYS),
    ("a stranger's key", {"sign": with_another_key}, NOT_THE_KEYS),
    ("an empty DER signature", {"sign": lambda *_: b"\x30\x00"}, NOT_THE_KEYS),
    ("r and s zero", {"sign": lambda *_: bytes.fromhex("3006020100020100")}, NOT_THE_KEYS),
    ("base64, not hex", {"signature_text": lambda raw: b64encode(raw).decode()}, "hexadecimal"),
    ("a cut signature", {"signature_text": lambda raw: raw.hex()[:-2]}, NOT_THE_KEYS),
    ("Host not signed", {"omit_signed": ("host",)}, "host is not among"),
    ("X-Amz-Date not signed", {"omit_signed": ("x-amz-date",)}, "x-amz-date is not among"),
    ("X-Amz-X509 not signed", {"omit_signed": ("x-amz-x509",)}, "x-amz-x509 is not among"),
    (
        "another X-Amz header not signed",
        {"headers": [("X-Amz-Meta", "a")], "omit_signed": ("x-amz-meta",)},
        "x-amz-meta is not among the signed headers",
    ),
    ("names not sorted", {"signed_names": lambda names: sorted(names, reverse=True)}, "not sorted"),
    (
        "names in capitals",
        {"signed_names": lambda names: sorted(map(str.upper, names))},
        "is not am",
    ),
    ("a name twice", {"signed_names": lambda names: sorted([*names, names[0]])}, "each once"),
    ("a header not sent", {"signed_names": lambda names: sorted([*names, "x-no"])}, "was not sent"),
    ("an empty chain header", {"headers": [("X-Amz-X509-Chain", "")]}, "X-Amz-X509-Chain is empty"),
]

# Changed after it was signed.


def changed_by(change: Callable[[Request], Request]) -> Attempt:
    def attempt(client: Client, ca: CertificateAuthority) -> Reply:
        right: dict[str, object] = {"query": "a=1", "headers": [("X-Other", "value")]}
        return client.send(change(client.request(ca.issue(), **right).signed()))

    return attempt


def with_header(name: str, value: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        request.headers = [(key, value if key == name else old) for key, old in request.headers]
        return request

    return change


def without_header(name: str) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        request.headers = [pair for pair in request.headers if pair[0] != name]
        return request

    return change


def with_one_more(name: str, value: str | None = None) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        request.headers.append((name, dict(request.headers)[name] if value is None else value))
        return request

    return change


def with_other_body(request: Request) -> Request:
    assert request.body is not None
    request.body = request.body.replace(b"RolesAnywhere", b"Administrator")
    return request


def with_other_query(request: Request) -> Request:
    request.query = "a=2"
    return request


def in_a_minute(request: Request) -> Request:
    later = datetime.now(timezone.utc) + timedelta(minutes=1)  # of the test, not of the table
    return with_header("X-Amz-Date", later.strftime("%Y%m%dT%H%M%SZ"))(request)


CHANGED: list[tuple[str, Callable[[Request], Request], Refusal, str]] = [
    ("Host changed by a proxy", with_header("Host", "proxy.example.com"), INVALID, NOT_THE_KEYS),
    ("time changed", in_a_minute, INVALID, NOT_THE_KEYS),
    ("signed header changed", with_header("X-Other", "changed"), INVALID, NOT_THE_KEYS),
    ("signed header removed", without_header("X-Other"), INVALID, "x-other is signed but was not"),
    ("signed header repeated", with_one_more("X-Other", "again"), INVALID, NOT_THE_KEYS),
    ("body changed", with_other_body, INVALID, NOT_THE_KEYS),
    ("query changed", with_other_query, INVALID, NOT_THE_KEYS),
    ("chain header added", with_one_more("X-Amz-X509-Chain", ""), INVALID, "is not among"),
    ("a token added", with_one_more("X-Amz-Security-Token", "t"), INVALID, "x-amz-security-token"),
    (
        "a bearer token",
        with_header("Authorization", "Bearer token"),
        INVALID,
        "not of SigV4's form",
    ),
    ("two Authorizations", with_one_more("Authorization"), INVALID, "authorization was sent 2"),
    ("another Authorization", with_one_more("Authorization", "a"), INVALID, "authorization was"),
    ("two times", with_one_more("X-Amz-Date"), INVALID, "x-amz-date was sent 2 times"),
    ("two certificates", with_one_more("X-Amz-X509"), INVALID, "x-amz-x509 was sent 2 times"),
    ("no Authorization", without_header("Authorization"), UNSIGNED, "there is no Authorization"),
    ("no time header", without_header("X-Amz-Date"), UNSIGNED, "or no X-Amz-Date"),
]

# Certificates that AWS does not take, or that the trust anchor does not vouch for.

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
USAGE_OF_A_CA = x509.KeyUsage(
    **dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("encipher_only", "decipher_only", "crl_sign", "digital_signature"),
        ),
        False,
    ),
    key_cert_sign=True,
)


def below(
    ca: CertificateAuthority,
    *extensions: tuple[x509.ExtensionType, bool],
    key: object = None,
) -> CertificateAuthority:
    """An authority below `ca`, with these extensions or this key."""
    made = ca.issue(
        "Below",
        key=key,
        flaws=("no-key-usage", "ca"),
        extensions=[(USAGE_OF_A_CA, True), *extensions],
    )
    return CertificateAuthority.from_pem(made.certificate_pem, made.private_key_pem)


def leaf(**how: object) -> Attempt:
    return lambda client, ca: client.create(ca.issue(**how))


def leaf_below(
    *extensions: tuple[x509.ExtensionType, bool], key: object = None, **how: object
) -> Attempt:
    def attempt(client: Client, ca: CertificateAuthority) -> Reply:
        issuer = below(ca, *extensions, key=key)
        return client.create(issuer.issue(**how), chain=[issuer.certificate])

    return attempt


def only(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None), True


def never(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=names), True


def directory(text: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name.from_rfc4514_string(text))


def by_a_leaf(client: Client, ca: CertificateAuthority) -> Reply:
    pretender = ca.issue("not an authority")
    issuer = CertificateAuthority.from_pem(pretender.certificate_pem, pretender.private_key_pem)
    return client.create(issuer.issue(), chain=[pretender.certificate])


def too_deep(client: Client, ca: CertificateAuthority) -> Reply:
    return client.create(ca.issue_intermediate(path_length=0).issue_intermediate("Deep").issue())


def without_its_chain(client: Client, ca: CertificateAuthority) -> Reply:
    return client.create(ca.issue_intermediate().issue(), chain=[])


def under_an_intermediate(flaw: str) -> Attempt:
    return lambda client, ca: client.create(ca.issue_intermediate("Bad", flaws=(flaw,)).issue())


def of_an_impostor(client: Client, ca: CertificateAuthority) -> Reply:
    impostor = CertificateAuthority(subject=ca.certificate.subject)
    return client.create(impostor.issue(), chain=[impostor.certificate])


def revoked(client: Client, ca: CertificateAuthority) -> Reply:
    issued = ca.issue()
    client.emulator.import_crl(ca.crl((issued,)))
    return client.create(issued)


def under_a_revoked_intermediate(client: Client, ca: CertificateAuthority) -> Reply:
    intermediate = ca.issue_intermediate()
    client.emulator.import_crl(ca.crl((intermediate.certificate,)))
    return client.create(intermediate.issue())


def below_constraints_two_levels_up(client: Client, ca: CertificateAuthority) -> Reply:
    top = below(ca, only(directory("O=acme")))
    middle = top.issue_intermediate("Middle", subject="CN=Middle,O=acme")
    chain = [top.certificate, middle.certificate]
    assert client.create(middle.issue(subject="CN=a,O=acme"), chain=chain).status == 201
    return client.create(middle.issue(subject="CN=a,O=evil"), chain=chain)


RSA_1024 = rsa.generate_private_key(65537, 1024)  # weak on purpose
K1 = ec.generate_private_key(ec.SECP256K1())
P224 = ec.generate_private_key(ec.SECP224R1())
ACME = only(directory("O=acme"))
DNS = only(x509.DNSName("example.com"))
URI = only(x509.UniformResourceIdentifier(".example.com"))
MAIL = only(x509.RFC822Name("example.com"))
IP = only(x509.IPAddress(ip_network("10.0.0.0/8")))
NOT_ALLOWED = "does not allow the name"
CERTIFICATES: list[tuple[str, Attempt, Refusal, str]] = [
    ("version 1", leaf(flaws=("v1",)), INSUFFICIENT, "it is X.509 v1"),
    ("a CA as leaf", leaf(flaws=("ca",)), INSUFFICIENT, "says CA:TRUE"),
    (
        "no digitalSignature",
        leaf(flaws=("no-digital-signature",)),
        INSUFFICIENT,
        "keyUsage does not",
    ),
    ("no keyUsage", leaf(flaws=("no-key-usage",)), INSUFFICIENT, "keyUsage does not"),
    ("SHA-1", leaf(flaws=("sha1",)), INSUFFICIENT, "weaker than SHA-256"),
    ("no subject", leaf(flaws=("empty-subject",)), INSUFFICIENT, "its subject is empty"),
    ("expired", leaf(flaws=("expired",)), EXPIRED, "it expired at"),
    ("not yet valid", leaf(flaws=("not-yet-valid",)), NOT_YET_VALID, "it is valid from"),
    ("signed by a stranger", leaf(flaws=("other-ca",)), UNTRUSTED, "is not of that key"),
    ("another key handed out", leaf(flaws=("wrong-key",)), INVALID, NOT_THE_KEYS),
    ("RSA of 1024 bits", leaf(key=RSA_1024), INSUFFICIENT, "RSA key of 1024 bits"),
    ("the curve of Bitcoin", leaf(key=K1), INSUFFICIENT, "curve secp256k1"),
    ("P-224", leaf(key=P224), INSUFFICIENT, "curve secp224r1"),
    ("unknown critical extension", leaf(extensions=[(UNKNOWN, True)]), INSUFFICIENT, "(1.2.3.4)"),
    ("RSA 1024 above", leaf_below(key=RSA_1024), UNTRUSTED, "RSA key of 1024 bits"),
    ("secp256k1 above", leaf_below(key=K1), UNTRUSTED, "curve secp256k1"),
    ("unknown critical above", leaf_below((UNKNOWN, True)), UNTRUSTED, "(1.2.3.4)"),
    (
        "expired intermediate",
        under_an_intermediate("expired"),
        UNTRUSTED,
        "has expired, or is not valid yet",
    ),
    ("intermediate by SHA-1", under_an_intermediate("sha1"), UNTRUSTED, "weaker than SHA-256"),
    (
        "a stranger's intermediate",
        under_an_intermediate("other-ca"),
        UNTRUSTED,
        "is not of that key",
    ),
    ("a leaf as issuer", by_a_leaf, UNTRUSTED, "is not a CA"),
    ("beyond the path length", too_deep, UNTRUSTED, "allows 0 intermediates"),
    ("a chain left out", without_its_chain, UNTRUSTED, "nothing here or in the chain is called"),
    ("an impostor of the same name", of_an_impostor, UNTRUSTED, "is not of that key"),
    ("revoked", revoked, REVOKED, "is in a CRL"),
    ("revoked intermediate", under_a_revoked_intermediate, REVOKED, "is in a CRL"),
    ("another organization", leaf_below(ACME, subject="CN=a,O=evil"), UNTRUSTED, NOT_ALLOWED),
    ("two levels below", below_constraints_two_levels_up, UNTRUSTED, NOT_ALLOWED),
    (
        "excluded name",
        leaf_below(never(directory("O=evil")), subject="CN=a,O=EVIL"),
        UNTRUSTED,
        NOT_ALLOWED,
    ),
    ("another domain", leaf_below(DNS, san=("DNS:badexample.com",)), UNTRUSTED, NOT_ALLOWED),
    (
        "another host's URI",
        leaf_below(URI, san=("URI:spiffe://a.evil.org/",)),
        UNTRUSTED,
        NOT_ALLOWED,
    ),
    ("a URI without host", leaf_below(URI, san=("URI:urn:a",)), UNTRUSTED, NOT_ALLOWED),
    ("another mailbox", leaf_below(MAIL, san=("email:a@evil.org",)), UNTRUSTED, NOT_ALLOWED),
    ("another network", leaf_below(IP, san=("IP:192.0.2.1",)), UNTRUSTED, NOT_ALLOWED),
]

FORGERIES = [
    *(Forgery(name, signed_with(**how), INVALID, why) for name, how, why in SIGNED_WRONGLY),
    *(Forgery(name, changed_by(how), refusal, why) for name, how, refusal, why in CHANGED),
    Forgery("a stranger's certificate", of_a_stranger_with_the_same_serial, INVALID, NOT_THE_KEYS),
    Forgery("RSA-PSS", rsa_pss, INVALID, NOT_THE_KEYS),
    *(Forgery(*row) for row in CERTIFICATES),
]


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_refused_for_its_reason(
    client: Client, emulator: Emulator, ca: CertificateAuthority, forgery: Forgery
) -> None:
    assert client.create(ca.issue()).status == 201
    before = emulator.created

    reply = forgery.attempt(client, ca)

    assert reply.refusal == forgery.refusal
    assert forgery.reason in emulator.requests[-1].reason
    assert emulator.requests[-1].reason not in reply.body.decode()
    assert emulator.created - before == (forgery.name == "two levels below")  # its own good one


def good_below(
    *extensions: tuple[x509.ExtensionType, bool], **how: object
) -> Callable[[CertificateAuthority], tuple[IssuedCertificate, Iterable[x509.Certificate]]]:
    def issue(
        ca: CertificateAuthority,
    ) -> tuple[IssuedCertificate, Iterable[x509.Certificate]]:
        issuer = below(ca, *extensions)
        return issuer.issue(**how), [issuer.certificate]

    return issue


@pytest.mark.parametrize(
    "issue",
    [
        good_below(),
        good_below((UNKNOWN, False)),
        good_below(ACME, subject="CN=a,O=Acme"),
        good_below(never(directory("O=evil")), subject="CN=a,O=acme"),
        good_below(DNS, san=("DNS:a.example.com", "DNS:EXAMPLE.com")),
        good_below(DNS, san=("IP:10.0.0.1", "URI:urn:of-another-kind")),
        good_below(URI, san=("URI:spiffe://a.example.com/x",)),
        good_below(MAIL, san=("email:a@Example.com",)),
        good_below(IP, san=("IP:10.1.2.3",)),
    ],
)
def test_what_obeys_the_same_rules_is_accepted(
    client: Client,
    ca: CertificateAuthority,
    issue: Callable[[CertificateAuthority], tuple[IssuedCertificate, list[x509.Certificate]]],
) -> None:
    issued, chain = issue(ca)

    assert client.create(issued, chain=chain).status == 201


def test_at_least_forty_are_tried() -> None:
    assert len({forgery.name for forgery in FORGERIES}) == len(FORGERIES) >= 40

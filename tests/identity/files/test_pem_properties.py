"""PEM soup: whatever bytes are handed over, there is a value or an error of ours."""

from __future__ import annotations

import base64
import warnings
from datetime import datetime, timezone
from functools import cache

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import PassphraseError, RolesAnywhereError
from boto_rolesanywhere.identity.files.pem import Block, PemError, as_plain_text, scan
from boto_rolesanywhere.identity.files.recognise import recognise
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority

BLANK = b"\0\t\n\r "
NOW = datetime.now(timezone.utc)
LABELS = (
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "PKCS7",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "EC PARAMETERS",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PUBLIC KEY",
    "CERTIFICATE REQUEST",
    "X509 CRL",
)


@cache
def real() -> dict[str, bytes]:
    """DER of real things, to be cut, changed and mixed. None takes long to decrypt."""
    ca = CertificateAuthority()
    issued = ca.issue("app")
    key = issued.private_key
    fast = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(b"secret")
    return {
        "certificate": issued.certificate.public_bytes(Encoding.DER),
        "ca": ca.certificate.public_bytes(Encoding.DER),
        "pkcs8": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "sec1": key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "encrypted": key.private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
        "pkcs12": serialize_key_and_certificates(
            None, key, issued.certificate, [ca.certificate], fast
        ),
    }


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real structure, cut or with some bytes changed, or whole."""
    data = bytearray(real()[draw(st.sampled_from(sorted(real())))])
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(data) - 1))
        data[position] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.none() | st.integers(0, len(data)))])


@st.composite
def nested(draw: st.DrawFn, depth: int = 3) -> bytes:
    """Well-formed DER that means nothing."""
    tag = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 0x17, 0x30, 0x30, 0x31, 0x80, 0xA0, 0xA3]))
    if depth and tag & 0x20:
        inner = b"".join(draw(st.lists(nested(depth - 1), max_size=4)))
    else:
        inner = draw(st.binary(max_size=12))
    return der.encode(tag, inner)


def armoured(label: str, encoded: bytes, headers: bytes = b"") -> bytes:
    begin, end = f"-----BEGIN {label}-----\n", f"-----END {label}-----\n"
    return begin.encode() + headers + base64.encodebytes(encoded) + end.encode()


HEADERS = st.sampled_from(
    [
        b"",
        b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-192-CBC,00112233445566778899AABBCCDDEEFF\n\n",
        b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011\n\n",
        b"Proc-Type: 4,ENCRYPTED\n\n",
        b"DEK-Info: \xff,\n\n",
        b":\n",
    ]
)
ENCODED = damaged() | nested() | st.binary(max_size=40)
BLOCKS = st.builds(armoured, st.sampled_from(LABELS), ENCODED, HEADERS)
PIECES = st.one_of(
    BLOCKS,
    BLOCKS,
    st.binary(max_size=30),
    st.sampled_from(
        [b"-----BEGIN ", b"-----END ", b"-----\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\r"]
    ),
    st.sampled_from([f"-----BEGIN {label}-----\n".encode() for label in LABELS]),
    st.sampled_from([f"-----END {label}-----\n".encode() for label in LABELS]),
)
SOUP = st.lists(PIECES, max_size=5).map(b"".join) | ENCODED | st.binary(max_size=200)
UNHURRIED = settings(
    deadline=None,
    max_examples=3 * settings.default.max_examples,
    suppress_health_check=[HealthCheck.too_slow],
)


def open_all(certificate: bytes, key: bytes | None, chain: bytes | None) -> Identity | None:
    sources = IdentitySources(
        certificate=certificate, private_key=key, chain=chain, secret=Secret("secret", "the test")
    )
    try:
        return open_identity(sources, now=NOW)
    except RolesAnywhereError as error:
        refusal = error
    assert refusal.problem
    assert isinstance(refusal, PassphraseError) or "secret" not in str(refusal)
    return None


def signs(identity: Identity) -> bool:
    """Whether it signs for its certificate."""
    return verify_signature(identity.certificate.public_key(), identity.sign(b"x"), b"x")


@UNHURRIED
@given(SOUP)
@example(b"")
@example(b"0\x80\x02\x01\x03")
@example(b"\xff\xfe-\x00-")
@example(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
@example(armoured("PKCS7", b""))
@example(armoured("TSS2 PRIVATE KEY", b"")[:-1])
def test_any_bytes_as_everything(data: bytes) -> None:
    identity = open_all(data, None, None)
    assert identity is None or signs(identity)


@UNHURRIED
@given(SOUP)
def test_any_bytes_as_key(data: bytes) -> None:
    identity = open_all(real()["certificate"], data, None)
    assert identity is None or signs(identity)


@UNHURRIED
@given(SOUP)
def test_any_bytes_as_chain(data: bytes) -> None:
    identity = open_all(real()["certificate"], real()["pkcs8"], data)
    if identity and identity.chain:
        assert is_issued_by(identity.certificate, identity.chain[0])


@UNHURRIED
@given(SOUP)
def test_soup_beside_a_sound_pair_hides_nothing(data: bytes) -> None:
    pair = armoured("CERTIFICATE", real()["certificate"]) + armoured("PRIVATE KEY", real()["pkcs8"])
    try:
        sound = scan(as_plain_text(pair + b"\n" + data))
    except PemError:
        return
    assert [block.der for block in sound[:2]] == [real()["certificate"], real()["pkcs8"]]


@given(
    st.lists(
        st.builds(
            Block,
            st.sampled_from(LABELS),
            st.binary(max_size=200),
            st.lists(
                st.tuples(
                    st.text("abcXYZ-", min_size=1),
                    st.text("abc,019 ").map(str.strip),
                ),
                max_size=2,
            ).map(tuple),
        ),
        max_size=4,
    ),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.sampled_from([b"", b"  ", b"\t"]),
    st.text("abc -:\n").map(str.encode),
)
def test_blocks_are_found_as_they_were_written(
    blocks: list[Block], line_break: bytes, indent: bytes, between: bytes
) -> None:
    text = (b"\n" + between + b"\n").join(block.to_pem() for block in blocks)
    text = b"".join(indent + line for line in text.splitlines(keepends=True))
    assert scan(text.replace(b"\n", line_break)) == tuple(blocks)


@given(st.lists(nested(), max_size=4))
def test_der_is_split_where_it_was_joined(elements: list[bytes]) -> None:
    assert [one.raw for one in der.split(b"".join(elements))] == elements


@given(st.binary(max_size=60) | damaged())
@example(b"\x04\x81\x01a")
@example(b"\x04\x82\x00\x80" + b"a" * 128)
def test_der_of_any_bytes_is_elements_or_an_error(data: bytes) -> None:
    try:
        elements = der.split(data)
    except der.DerError:
        return
    assert b"".join(one.raw for one in elements) == data
    assert all(der.encode(one.tag, one.content) == one.raw for one in elements)


@given(st.binary(max_size=60) | damaged() | nested())
@example(b"\x30\x00\0\n\x30\x00\n")
def test_anything_is_recognised_whole_or_not_at_all(data: bytes) -> None:
    left = data
    for block in recognise(data):
        left = left.lstrip(BLANK)
        assert left.startswith(block.der)
        left = left.removeprefix(block.der)
    assert left == data or not left.strip(BLANK)


def test_pem_soup_takes_time_in_proportion_to_its_length() -> None:
    # A pattern that looked for each END from each BEGIN would take hours for this.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_all(b"-----BEGIN CERTIFICATE-----\n" * 100_000, None, None) is None
        assert open_all(b"-----END CERTIFICATE-----\n" * 100_000, None, None) is None

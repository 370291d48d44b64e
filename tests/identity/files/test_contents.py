"""Real files in every form, each opened and used for a CreateSession against the emulator.

All are made by the `openssl` command; the emulator verifies what the key signed, and so does
`openssl` once more for those that it can.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest
from openssl_files import LEGACY, OpenSSL, build_pki
from raw_session import create_session

from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import Emulator, TrustAnchor
from boto_rolesanywhere.testing.emulator.resources import anchor_certificates

PASS = "pass:secret"
PREFIX = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor"
BY_ROOT, BY_LOWER = f"{PREFIX}/by-root", f"{PREFIX}/by-lower"


@dataclass(frozen=True)
class Case:
    """One way to hand over an identity.

    Attributes:
        name: of the case.
        make: makes the files and says which they are.
        chain: the common names of the chain that must be sent.
        leaf: the certificate that must be chosen.
    """

    name: str
    make: Callable[[OpenSSL], IdentitySources]
    chain: tuple[str, ...] = ()
    leaf: str = "ec.crt"


def secret(value: str | bytes = "secret") -> Secret:
    return Secret(value, "the test")


def key_case(name: str, *command: str, source: str = "ec.key", locked: bool = False) -> Case:
    """The key converted by one openssl command, beside a plain certificate."""
    leaf = "rsa.crt" if source.startswith("rsa") else "ec.crt"

    def make(openssl: OpenSSL) -> IdentitySources:
        openssl(*command, "-in", source, "-out", "converted")
        openssl.path("converted").chmod(0o600)
        return IdentitySources(
            certificate=openssl.path(leaf),
            private_key=openssl.path("converted"),
            secret=secret() if locked else None,
        )

    return Case(name, make, leaf=leaf)


def encrypted(name: str, *options: str, source: str = "ec.key") -> Case:
    return key_case(name, "pkcs8", "-topk8", *options, "-passout", PASS, source=source, locked=True)


def traditional(name: str, cipher: str, source: str = "ec.key") -> Case:
    kind = ("rsa", "-traditional") if source.startswith("rsa") else ("ec",)
    command = (kind[0], *kind[1:], f"-{cipher}", "-passout", PASS)
    return key_case(name, *command, source=source, locked=True)


def pkcs12(
    name: str, *options: str, passphrase: str | None = "secret", chain: bool = False
) -> Case:
    """Certificate and key in one PKCS #12 file, and nothing else given."""

    def make(openssl: OpenSSL) -> IdentitySources:
        more = ()
        if chain:
            bundle = (
                openssl.read("root.crt") + openssl.read("upper.crt") + openssl.read("lower.crt")
            )
            openssl.write("more.pem", bundle)
            more = ("-certfile", "more.pem")
        openssl(
            *("pkcs12", "-export", "-inkey", "ec.key", "-in", "ec.crt", "-out", "bundle.p12"),
            *("-passout", f"pass:{passphrase or ''}", *more, *options),
        )
        return IdentitySources(
            certificate=openssl.path("bundle.p12"),
            secret=None if passphrase is None else secret(passphrase),
        )

    return Case(name, make, ("Lower", "Upper") if chain else ())


def bundle(
    name: str,
    *names: str,
    chain: tuple[str, ...] = (),
    change: Callable[[bytes], bytes] = bytes,
    between: bytes = b"",
) -> Case:
    """Several PEM files in one, and nothing else given; `change` is done to the whole."""

    def make(openssl: OpenSSL) -> IdentitySources:
        data = between.join(openssl.read(one) for one in names)
        return IdentitySources(certificate=openssl.write("bundle.pem", change(data)))

    return Case(name, make, chain)


def apart(
    name: str,
    certificate: Callable[[OpenSSL], bytes],
    *,
    chain: Callable[[OpenSSL], bytes] | None = None,
    sent: tuple[str, ...] = (),
) -> Case:
    """Certificate (and chain) in an odd form, beside a plain key; all as bytes."""

    def make(openssl: OpenSSL) -> IdentitySources:
        return IdentitySources(
            certificate=certificate(openssl),
            private_key=openssl.read("ec.key"),
            chain=chain(openssl) if chain else None,
        )

    return Case(name, make, sent)


def joined(*names: str) -> Callable[[OpenSSL], bytes]:
    return lambda openssl: b"".join(openssl.read(one) for one in names)


def output(*command: str) -> Callable[[OpenSSL], bytes]:
    return lambda openssl: openssl(*command)


def der(name: str) -> Callable[[OpenSSL], bytes]:
    return output("x509", "-in", name, "-outform", "DER")


def with_parameters(openssl: OpenSSL) -> IdentitySources:
    parameters = openssl("ecparam", "-name", "prime256v1")
    key = parameters + openssl("ec", "-in", "ec.key")
    assert key.startswith(b"-----BEGIN EC PARAMETERS-----")
    return IdentitySources(certificate=openssl.path("ec.crt"), private_key=key)


def other_key(algorithm: str, option: str) -> Callable[[OpenSSL], IdentitySources]:
    def make(openssl: OpenSSL) -> IdentitySources:
        openssl.key("own.key", algorithm, option)
        openssl.certificate("own.crt", "own.key", "/CN=app", issuer="lower")
        return IdentitySources(
            certificate=openssl.path("own.crt"), private_key=openssl.path("own.key")
        )

    return make


def pkcs12_key_only(openssl: OpenSSL) -> IdentitySources:
    openssl(
        *("pkcs12", "-export", "-inkey", "ec.key", "-nocerts", "-out", "key.p12"),
        *("-passout", PASS),
    )
    return IdentitySources(
        certificate=openssl.path("ec.crt"), private_key=openssl.path("key.p12"), secret=secret()
    )


def pkcs12_and_other_key(openssl: OpenSSL) -> IdentitySources:
    """A PKCS #12 file with certificates alone, its key apart."""
    openssl(
        *("pkcs12", "-export", "-nokeys", "-in", "ec.crt", "-certfile", "other.crt"),
        *("-out", "certificates.p12", "-passout", "pass:"),
    )
    return IdentitySources(
        certificate=openssl.path("certificates.p12"), private_key=openssl.path("ec.key")
    )


def unusual_passphrase(openssl: OpenSSL) -> IdentitySources:
    passphrase = "pä$s wörd \u20ac"
    openssl.write("passphrase", passphrase.encode())
    openssl(
        *("pkcs8", "-topk8", "-in", "ec.key", "-out", "converted"),
        *("-passout", "file:passphrase"),
    )
    return IdentitySources(
        certificate=openssl.path("ec.crt"),
        private_key=openssl.read("converted"),
        secret=Secret(lambda: passphrase, "a callable"),
    )


def needless_passphrase(openssl: OpenSSL) -> IdentitySources:
    return IdentitySources(
        certificate=openssl.path("ec.crt"),
        private_key=openssl.path("ec.key"),
        secret=Secret(lambda: pytest.fail("asked without need"), "a callable"),
    )


def locked_key_in_bundle_unused(openssl: OpenSSL) -> IdentitySources:
    """An encrypted key stands with the certificate, but another file has the key in the open."""
    locked = openssl("pkcs8", "-topk8", "-in", "ec.key", "-passout", PASS)
    return IdentitySources(
        certificate=openssl.read("ec.crt") + locked, private_key=openssl.path("ec.key")
    )


def several_keys(openssl: OpenSSL) -> IdentitySources:
    keys = openssl.read("other.key") + openssl.read("rsa.key") + openssl.read("ec.key")
    return IdentitySources(certificate=openssl.path("ec.crt"), private_key=keys)


def leaf_beside_key(openssl: OpenSSL) -> IdentitySources:
    """The certificate's file holds intermediates alone; the leaf stands with the key."""
    return IdentitySources(
        certificate=openssl.read("lower.crt") + openssl.read("upper.crt"),
        private_key=openssl.read("ec.key") + openssl.read("ec.crt"),
    )


def home(openssl: OpenSSL) -> IdentitySources:
    folder = Path.home()
    for name in ("ec.crt", "ec.key"):
        (folder / name).write_bytes(openssl.read(name))
        (folder / name).chmod(0o600)
    return IdentitySources(certificate="~/ec.crt", private_key="~/ec.key")


def spoil_with_text(data: bytes) -> bytes:
    return b"Bag Attributes\r\n  friendlyName: app\n" + data + b"\n# the end -----\n"


CBC = ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc")
HASHES = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
CASES = [
    # Private keys in the open.
    key_case("PKCS #8 PEM", "pkcs8", "-topk8", "-nocrypt"),
    key_case("PKCS #8 DER", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
    key_case("SEC 1 PEM", "ec"),
    key_case("SEC 1 DER", "ec", "-outform", "DER"),
    key_case("SEC 1 without the public key", "ec", "-no_public"),
    key_case("SEC 1 with a compressed point", "ec", "-conv_form", "compressed"),
    Case("SEC 1 after EC PARAMETERS", with_parameters),
    key_case("PKCS #1 PEM", "rsa", "-traditional", source="rsa.key"),
    key_case("PKCS #1 DER", "rsa", "-traditional", "-outform", "DER", source="rsa.key"),
    key_case("PKCS #8 PEM of RSA", "pkcs8", "-topk8", "-nocrypt", source="rsa.key"),
    Case("P-384", other_key("EC", "ec_paramgen_curve:P-384"), leaf="own.crt"),
    Case("P-521", other_key("EC", "ec_paramgen_curve:P-521"), leaf="own.crt"),
    Case("RSA 3072", other_key("RSA", "rsa_keygen_bits:3072"), leaf="own.crt"),
    # Encrypted PKCS #8: PBES2 with each cipher and each hash of PBKDF2.
    *(
        encrypted(f"PBES2 {cipher} {hash_}", "-v2", cipher, "-v2prf", f"hmacWith{hash_}")
        for cipher in CBC
        for hash_ in HASHES
    ),
    encrypted("PBES2 des3 SHA1", "-v2", "des3", "-v2prf", "hmacWithSHA1"),
    encrypted("PBES2 des3 SHA256", "-v2", "des3", "-v2prf", "hmacWithSHA256"),
    *(encrypted(f"scrypt {cipher}", "-scrypt", "-v2", cipher) for cipher in CBC),
    encrypted("PBES2 by default", source="rsa.key"),
    encrypted("PBES2 DER", "-outform", "DER"),
    encrypted("scrypt DER", "-scrypt", "-outform", "DER"),
    encrypted("PBES2 with 100,000 iterations", "-iter", "100000"),
    encrypted("PBES1 SHA1-3DES", "-v1", "PBE-SHA1-3DES"),
    encrypted("PBES1 SHA1-RC2-40", "-v1", "PBE-SHA1-RC2-40", *LEGACY),
    Case("an unusual passphrase from a callable", unusual_passphrase),
    Case("a passphrase that is not needed", needless_passphrase),
    # The encrypted PEM of OpenSSL before PKCS #8.
    traditional("traditional AES-128", "aes-128-cbc"),
    traditional("traditional AES-256", "aes-256-cbc"),
    traditional("traditional DES3", "des3"),
    traditional("traditional AES-128 of RSA", "aes-128-cbc", "rsa.key"),
    # PKCS #12.
    pkcs12("PKCS #12"),
    pkcs12("PKCS #12 with the chain", chain=True),
    pkcs12("PKCS #12, legacy algorithms", "-legacy"),
    pkcs12("PKCS #12, 3DES", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
    pkcs12("PKCS #12, AES-128", "-keypbe", "aes-128-cbc", "-certpbe", "aes-128-cbc"),
    pkcs12("PKCS #12, MAC by SHA-512", "-macalg", "sha512"),
    pkcs12("PKCS #12, MAC by SHA-1", "-macalg", "sha1"),
    pkcs12("PKCS #12 without MAC", "-nomac"),
    pkcs12("PKCS #12, certificates in the open", "-certpbe", "NONE"),
    pkcs12("PKCS #12, empty passphrase, none given", passphrase=None),
    pkcs12("PKCS #12, empty passphrase, empty given", passphrase=""),
    pkcs12("PKCS #12, legacy and empty", "-legacy", passphrase=None),
    pkcs12("PKCS #12, nothing encrypted", "-keypbe", "NONE", "-certpbe", "NONE", passphrase=None),
    Case("PKCS #12 with the key alone", pkcs12_key_only),
    Case("PKCS #12 with certificates alone", pkcs12_and_other_key),
    # Certificates, and files with several things in them.
    apart("certificate DER", der("ec.crt")),
    apart("certificate DER and blanks", lambda openssl: der("ec.crt")(openssl) + b"\0 \r\n"),
    apart("certificate with its text", output("x509", "-in", "ec.crt", "-text")),
    apart("TRUSTED CERTIFICATE", output("x509", "-in", "ec.crt", "-addtrust", "clientAuth")),
    apart(
        "PKCS #7 PEM",
        output("crl2pkcs7", "-nocrl", "-certfile", "ec.crt", "-certfile", "lower.crt"),
        chain=joined("upper.crt"),
        sent=("Lower", "Upper"),
    ),
    apart(
        "PKCS #7 DER",
        output("crl2pkcs7", "-nocrl", "-certfile", "ec.crt", "-outform", "DER"),
    ),
    apart(
        "a chain apart",
        joined("ec.crt"),
        chain=joined("lower.crt", "upper.crt"),
        sent=("Lower", "Upper"),
    ),
    apart(
        "a chain in the wrong order, with root",
        joined("ec.crt"),
        chain=joined("root.crt", "upper.crt", "lower.crt"),
        sent=("Lower", "Upper"),
    ),
    apart(
        "a chain with leaf, strangers and copies",
        joined("ec.crt"),
        chain=joined(
            "stranger.crt", "upper.crt", "ec.crt", "rsa.crt", "lower.crt", "lower.crt", "other.crt"
        ),
        sent=("Lower", "Upper"),
    ),
    apart(
        "a chain in DER, one after the other",
        joined("ec.crt"),
        chain=lambda openssl: der("upper.crt")(openssl) + der("lower.crt")(openssl),
        sent=("Lower", "Upper"),
    ),
    apart(
        "a chain in PKCS #7",
        joined("ec.crt"),
        chain=output("crl2pkcs7", "-nocrl", "-certfile", "upper.crt", "-certfile", "lower.crt"),
        sent=("Lower", "Upper"),
    ),
    apart("another end-entity certificate before it", joined("other.crt", "rsa.crt", "ec.crt")),
    bundle("key, then certificate", "ec.key", "ec.crt"),
    bundle("certificate, then key", "ec.crt", "ec.key"),
    bundle(
        "full chain, root first, key in the middle",
        "root.crt",
        "upper.crt",
        "ec.key",
        "lower.crt",
        "ec.crt",
        chain=("Lower", "Upper"),
    ),
    bundle("text between", "ec.crt", "ec.key", between=b"\nsubject=CN=app\n--\n0 s:\n"),
    bundle("text around", "ec.crt", "ec.key", change=spoil_with_text),
    bundle("CRLF", "ec.crt", "ec.key", change=lambda data: data.replace(b"\n", b"\r\n")),
    bundle("CR", "ec.crt", "ec.key", change=lambda data: data.replace(b"\n", b"\r")),
    bundle("UTF-8 byte order mark", "ec.crt", "ec.key", change=lambda d: codecs.BOM_UTF8 + d),
    bundle(
        "UTF-16 little endian",
        "ec.crt",
        "ec.key",
        change=lambda d: codecs.BOM_UTF16_LE + d.decode().encode("utf-16-le"),
    ),
    bundle(
        "UTF-16 big endian",
        "ec.crt",
        "ec.key",
        change=lambda d: codecs.BOM_UTF16_BE + d.decode().encode("utf-16-be"),
    ),
    bundle("a trailing NUL", "ec.crt", "ec.key", change=lambda data: data + b"\0"),
    bundle("no line break at the end", "ec.crt", "ec.key", change=bytes.rstrip),
    bundle("blanks around", "ec.crt", "ec.key", change=lambda data: b"\n\n  " + data + b" \n"),
    bundle(
        "indented, as in YAML",
        "ec.crt",
        "ec.key",
        change=lambda data: b"    " + data.replace(b"\n", b"\n    "),
    ),
    bundle(
        "everything in one line", "ec.crt", "ec.key", change=lambda data: data.replace(b"\n", b" ")
    ),
    Case("a locked key that is not needed", locked_key_in_bundle_unused),
    Case("several keys in one file", several_keys),
    Case("the leaf stands with the key", leaf_beside_key, ("Lower", "Upper")),
    Case("paths with a tilde", home),
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    return build_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def emulator(pki: OpenSSL) -> Iterator[Emulator]:
    anchors = [
        TrustAnchor(arn=arn, certificates=anchor_certificates(pki.read(name)))
        for arn, name in ((BY_ROOT, "root.crt"), (BY_LOWER, "lower.crt"))
    ]
    with Emulator(trust_anchors=anchors) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_form_gets_a_session(
    case: Case, pki: OpenSSL, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        identity = open_identity(case.make(pki), now=datetime.now(timezone.utc))
    assert caplog.messages == []
    names = tuple(one.subject.rfc4514_string().removeprefix("CN=") for one in identity.chain)
    assert names == case.chain
    leaf = pki.read(case.leaf)
    assert pki.verify(leaf, identity.sign(b"what is signed"), b"what is signed")
    assert create_session(identity, emulator, BY_ROOT if case.chain else BY_LOWER) == 201


def test_there_are_as_many_as_promised() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60

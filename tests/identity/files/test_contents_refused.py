"""Files that are not there, hold something else, are damaged or locked: each is refused clearly.

The words are in `tests/vectors/refusals.json`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from openssl_files import OpenSSL, build_pki
from refusals import Make, certificate_file, check, key_file, output, sources

from boto_rolesanywhere.settings.sources import IdentitySources, Secret

WRONG = Secret("wrong", "AWS_X")


def locked(*options: str, secret: Secret | None = None) -> Make:
    return key_file(
        "locked.key",
        lambda openssl: openssl(
            *("pkcs8", "-topk8", "-in", "ec.key", "-passout", "pass:secret"), *options
        ),
        secret=secret,
    )


def given(data: bytes) -> Callable[[OpenSSL], bytes]:
    return lambda _openssl: data


def replaced(name: str, old: bytes, new: bytes) -> Callable[[OpenSSL], bytes]:
    def make(openssl: OpenSSL) -> bytes:
        data = openssl.read(name)
        assert old in data
        return data.replace(old, new)

    return make


def request(openssl: OpenSSL) -> bytes:
    return openssl("req", "-new", "-key", "ec.key", "-subj", "/CN=app")


def unknown_cipher(openssl: OpenSSL) -> bytes:
    encoded = openssl(
        "pkcs8", "-topk8", "-in", "ec.key", "-passout", "pass:secret", "-outform", "DER"
    )
    name = bytes.fromhex("60864801650304012a")  # AES-256-CBC
    assert name in encoded
    return encoded.replace(name, name[:-1] + b"\x63")


def crl(openssl: OpenSSL) -> bytes:
    openssl.write("index.txt", b"")
    openssl.write(
        "ca.cnf",
        b"[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=9\n",
    )
    return openssl(
        "ca", "-gencrl", "-config", "ca.cnf", "-cert", "root.crt", "-keyfile", "root.key"
    )


def crl_der(openssl: OpenSSL) -> bytes:
    openssl.write("list.pem", crl(openssl))
    return openssl("crl", "-in", "list.pem", "-outform", "DER")


def pkcs12(openssl: OpenSSL, *options: str) -> bytes:
    return openssl(
        *("pkcs12", "-export", "-inkey", "ec.key", "-in", "ec.crt", "-passout", "pass:secret"),
        *options,
    )


def unreadable(openssl: OpenSSL) -> IdentitySources:
    link = openssl.path("loop.pem")
    link.unlink(missing_ok=True)
    link.symlink_to(link.name)
    return sources(link, openssl.path("ec.key"))


def dangling(openssl: OpenSSL) -> IdentitySources:
    link = openssl.path("dangling.pem")
    link.unlink(missing_ok=True)
    link.symlink_to("..data/tls.crt")
    return sources(link, openssl.path("ec.key"))


class Silent:
    """A user's key whose device is gone."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        raise OSError("no such device")

    def sign(self, data: bytes) -> bytes:
        return data


# Version 3, and as its data (1.2.840.113549.1.7.1) a sequence of no parts; no MAC.
EMPTY_PKCS12 = bytes.fromhex("3016 020103 3011 06092a864886f70d010701 a004 0402 3000")
OPENSSH = b"""-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEA
-----END OPENSSH PRIVATE KEY-----
"""
CASES: dict[str, Make] = {
    "no such file": lambda o: sources(o.path("none.pem"), o.path("ec.key")),
    "no such folder": lambda o: sources(o.path("none/a.pem"), o.path("ec.key")),
    "no such key": lambda o: sources(o.path("ec.crt"), o.path("none.key")),
    "no such chain": lambda o: sources(o.path("ec.crt"), o.path("ec.key"), chain=o.path("none")),
    "a relative path": lambda o: sources("none/a.pem", o.path("ec.key")),
    "a home that is not": lambda o: sources("~nobody-here/a.pem", o.path("ec.key")),
    "a folder": lambda o: sources(o.folder, o.path("ec.key")),
    "a link to itself": unreadable,
    "a link to nothing": dangling,
    "a device": lambda o: sources("/dev/null", o.path("ec.key")),
    "a NUL in the path": lambda o: sources("a\x00b", o.path("ec.key")),
    "an empty path": lambda o: sources("", o.path("ec.key")),
    "an empty file": certificate_file("empty.pem", given(b"")),
    "blanks alone": key_file("blank.key", given(b" \n\x00")),
    "too large": key_file("large.key", given(b"x" * (4 * 1024 * 1024 + 1))),
    "PEM as str": lambda o: sources(o.read("ec.crt").decode(), o.path("ec.key")),
    "key PEM as str": lambda o: sources(o.path("ec.crt"), o.read("ec.key").decode()),
    "no key": lambda o: sources(o.path("ec.crt")),
    "no key in a bundle": lambda o: sources(
        o.write("b.pem", o.read("ec.crt") + o.read("lower.crt"))
    ),
    "no key with an object": lambda o: sources(x509.load_pem_x509_certificate(o.read("ec.crt"))),
    "no key in DER": lambda o: sources(
        o.write("c.der", o("x509", "-in", "ec.crt", "-outform", "DER"))
    ),
    "a number as certificate": lambda o: sources(1, o.path("ec.key")),
    "a number as key": lambda o: sources(o.path("ec.crt"), 1),
    "strings as chain": lambda o: sources(o.path("ec.crt"), o.path("ec.key"), chain=["a"]),
    "a certificate as key": lambda o: sources(
        o.path("ec.crt"), x509.load_pem_x509_certificate(o.read("ec.crt"))
    ),
    "an own key that fails": lambda o: sources(o.path("ec.crt"), Silent()),
    "certificate instead of key": key_file("c.key", lambda o: o.read("ec.crt")),
    "swapped": lambda o: sources(o.path("ec.key"), o.path("ec.crt")),
    "public key": key_file("public.key", output("pkey", "-in", "ec.key", "-pubout")),
    "request instead of key": key_file("r.key", request),
    "OpenSSH key": key_file("ssh.key", given(OPENSSH)),
    "OpenSSH public key": key_file("ssh.pub", given(b"ecdsa-sha2-nistp256 AAAA a@b")),
    "PuTTY key": key_file("a.ppk", given(b"PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\n")),
    "EC parameters alone": key_file("p.key", output("ecparam", "-name", "prime256v1")),
    "DH parameters": key_file(
        "dh.key",
        given(b"-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n"),
    ),
    "Java keystore": key_file("a.jks", given(b"\xfe\xed\xfe\xed\x00\x00\x00\x02")),
    "base64 without its lines": key_file(
        "a.b64", lambda o: b"".join(o.read("ec.key").splitlines()[1:-1])
    ),
    "text": key_file("a.txt", given(b"see the wiki")),
    "JSON": key_file("a.json", given(b'{"private_key": ""}')),
    "request": certificate_file("request.pem", request),
    "request DER": certificate_file(
        "request.der", output("req", "-new", "-key", "ec.key", "-subj", "/CN=a", "-outform", "DER")
    ),
    "PKCS #7 without certificates": certificate_file("empty.p7b", output("crl2pkcs7", "-nocrl")),
    "PKCS #12 with nothing in it": certificate_file("empty.p12", given(EMPTY_PKCS12)),
    "CRL": certificate_file("list.crl", crl),
    "CRL DER": certificate_file("list.der", crl_der),
    "public key as certificate": certificate_file(
        "public.crt", output("pkey", "-in", "ec.key", "-pubout", "-outform", "DER")
    ),
    "chain without certificates": lambda o: sources(
        o.path("ec.crt"), o.path("ec.key"), chain=o.path("ec.key")
    ),
    "cut short": certificate_file("cut.pem", lambda o: o.read("ec.crt")[:300]),
    "no base64": certificate_file("bad.pem", replaced("ec.crt", b"MII", b"M*I")),
    "\\n in two characters": key_file("env.key", lambda o: o.read("ec.key").replace(b"\n", b"\\n")),
    "ends as another": certificate_file(
        "mixed.pem", replaced("ec.crt", b"END CERTIFICATE", b"END PRIVATE KEY")
    ),
    "second block is cut": certificate_file(
        "two.pem", lambda o: o.read("ec.crt") + o.read("lower.crt")[:100]
    ),
    "a bit is wrong in the certificate": certificate_file(
        "flip.pem", replaced("ec.crt", b"MIIB", b"MIIC")
    ),
    "a key of rubbish": key_file(
        "rubbish.key", given(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    ),
    "DER cut short": certificate_file(
        "cut.der", lambda o: o("x509", "-in", "ec.crt", "-outform", "DER")[:-9]
    ),
    "PKCS #7 of rubbish": certificate_file(
        "bad.p7b", given(b"-----BEGIN PKCS7-----\nMAYCAQcCAQI=\n-----END PKCS7-----\n")
    ),
    "damaged DEK-Info": key_file(
        "dek.key",
        lambda o: o("ec", "-in", "ec.key", "-aes-128-cbc", "-passout", "pass:secret").replace(
            b"AES-128-CBC,", b"AES-128-CBC,xx"
        ),
        secret=Secret("secret", "s"),
    ),
    "no passphrase": locked(),
    "wrong passphrase": locked(secret=WRONG),
    "empty passphrase": locked(secret=Secret("", "AWS_X")),
    "a line break after it": locked(secret=Secret(b"secret\n", "the file /run/pass")),
    "wrong passphrase, scrypt": locked("-scrypt", secret=WRONG),
    "wrong passphrase, PBES1": locked("-v1", "PBE-SHA1-3DES", secret=WRONG),
    "wrong passphrase, AES-256 PEM": key_file(
        "t.key",
        output("ec", "-in", "ec.key", "-aes-256-cbc", "-passout", "pass:secret"),
        secret=WRONG,
    ),
    "wrong passphrase, DES3 PEM": key_file(
        "t.key", output("ec", "-in", "ec.key", "-des3", "-passout", "pass:secret"), secret=WRONG
    ),
    "a callable that gives a number": locked(secret=Secret(lambda: 5, "passphrase")),
    "a callable that fails": locked(secret=Secret(lambda: {}["a"], "passphrase")),
    "a passphrase that is no text": locked(secret=Secret("\ud800", "passphrase")),
    "PKCS #12 without passphrase": certificate_file("a.p12", pkcs12),
    "PKCS #12, wrong passphrase": lambda o: sources(o.write("a.p12", pkcs12(o)), secret=WRONG),
    "PKCS #12, legacy, wrong passphrase": lambda o: sources(
        o.write("a.p12", pkcs12(o, "-legacy")), secret=WRONG
    ),
    "PKCS #12 without key": lambda o: sources(
        o.write("n.p12", o("pkcs12", "-export", "-nokeys", "-in", "ec.crt", "-passout", "pass:"))
    ),
    "PKCS #12 without certificate": lambda o: sources(
        o.write(
            "n.p12", o("pkcs12", "-export", "-nocerts", "-inkey", "ec.key", "-passout", "pass:")
        )
    ),
    "an unknown cipher": key_file("c.key", unknown_cipher, secret=Secret("secret", "s")),
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    return build_pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("name", CASES)
def test_each_is_refused_in_these_words(name: str, pki: OpenSSL) -> None:
    check(name, CASES[name], pki)


def test_there_are_as_many_as_promised() -> None:
    assert len(CASES) >= 40

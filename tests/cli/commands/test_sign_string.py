"""``boto-rolesanywhere sign-string``: the helper's text and output, compared with OpenSSL's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from commands import complaint, environment, run
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.authority.issued import write_private
from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.testing import CertificateAuthority

TEXT = b"AWS Roles Anywhere Credential Helper Signing Test1"
RSA_KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    pem = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(tmp_path / "rsa.pem", pem)
    return tmp_path


def signed(home: Path, *flags: str | Path, **variables: str) -> bytes:
    done = run("sign-string", *flags, env=environment(home, **variables))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def openssl(*arguments: str | Path, given: bytes | None = None) -> bytes:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def openssl_signature(key: Path, digest: str) -> bytes:
    """The helper's text, put together and signed without any code of ours."""
    public = openssl("rsa", "-in", key, "-RSAPublicKey_out", "-outform", "DER")
    text = TEXT + sha256(b"IAM RA" + public).digest()
    (key.parent / "text").write_bytes(text)
    return openssl("dgst", f"-{digest}", "-sign", key, key.parent / "text")


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512", "sha512"])
def test_an_rsa_key_gives_the_helpers_bytes(home: Path, digest: str) -> None:
    key = home / "rsa.pem"
    flags = ("--private-key", key, "--digest", digest, "--format", "bin")

    assert signed(home, *flags) == openssl_signature(key, digest.lower())


def test_the_three_formats_hold_the_same_without_a_line_break(home: Path) -> None:
    key = ("--private-key", home / "rsa.pem")
    binary = signed(home, *key, "--format", "bin")

    assert signed(home, *key, "--format", "text").decode() == binary.hex()
    assert signed(home, *key, "--format", "json").decode() == json.dumps(binary.hex())
    assert signed(home, *key) == signed(home, *key, "--format", "json", "--digest", "SHA256")


def test_an_ec_key_signs_the_text_with_its_point(home: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    path = write_private(home / "ec.pem", pem)
    numbers = key.public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    (home / "text").write_bytes(TEXT + sha256(b"IAM RA" + point).digest())
    openssl("ec", "-in", path, "-pubout", "-out", home / "public.pem")

    (home / "signature").write_bytes(signed(home, "--private-key", path, "--format", "bin"))

    verify = ("-sha256", "-verify", home / "public.pem", "-signature", home / "signature")
    assert openssl("dgst", *verify, home / "text").strip() == b"Verified OK"


def test_an_encrypted_key_opens_with_its_passphrase(home: Path) -> None:
    pem = RSA_KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pa55word")
    )
    path = write_private(home / "encrypted.pem", pem)

    plain = signed(home, "--private-key", home / "rsa.pem")
    assert signed(home, "--private-key", path, "--pkcs8-password-env", "P", P="pa55word") == plain
    refused = run("sign-string", "--private-key", path, env=environment(home))
    assert "it is encrypted, and no passphrase was given" in complaint(refused)


def test_a_key_beside_its_certificate_is_found(home: Path) -> None:
    issued = CertificateAuthority().issue("web", key=RSA_KEY)
    both = write_private(home / "both.pem", issued.certificate_pem + issued.private_key_pem)
    store = home / "store"
    issued.write(store)
    plain = signed(home, "--private-key", home / "rsa.pem")

    assert signed(home, "--certificate", both) == plain
    assert signed(home, AWS_ROLESANYWHERE_PRIVATE_KEY=str(both)) == plain
    selector = ("--cert-store", store, "--cert-selector", "Key=x509Subject,Value=CN=web")
    assert signed(home, *selector) == plain


def test_an_mldsa_key_signs_whatever_the_digest(home: Path) -> None:
    # As AWS's helper (1.8.0): ML-DSA hashes for itself.
    issued = CertificateAuthority().issue("web", key_type="ML-DSA-44")
    key = write_private(home / "mldsa.pem", issued.private_key_pem)

    made = signed(home, "--private-key", key, "--digest", "SHA512", "--format", "text")

    assert verify_signature(issued.certificate.public_key(), bytes.fromhex(made.decode()), TEXT)


def test_flags_of_the_call_are_taken_too(home: Path) -> None:
    key = ("--private-key", home / "rsa.pem")

    assert signed(home, *key, "--role-arn", "x", "--session-duration", "9") == signed(home, *key)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "neither a certificate nor a private key was given"),
        (("--private-key", "gone.pem"), "gone.pem: there is no such file"),
        (("--private-key", "cert.pem"), "cert.pem: it holds 1 certificate and no private key"),
        (("--private-key", "ed.pem"), "cannot use a key of this kind: Ed25519"),
        (("--private-key", "-----BEGIN PRIVATE KEY-----"), "expected the path of the private key"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    home: Path, flags: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    (home / "cert.pem").write_bytes(CertificateAuthority().issue("web").certificate_pem)
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(home / "ed.pem", pem)

    done = run("sign-string", *flags, env=environment(home))
    assert words in complaint(done, status=1 if flags else 2)


def test_an_unknown_digest_is_wrong_usage(home: Path) -> None:
    flags = ("--private-key", home / "rsa.pem", "--digest", "MD5")

    assert "--digest" in complaint(run("sign-string", *flags, env=environment(home)), status=2)


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        yield token


def test_a_token_signs_the_same(home: Path, token: SoftToken) -> None:
    token.add_key(RSA_KEY, label="web", id_="01")
    token.add_public_key(RSA_KEY.public_key(), label="web", id_="01")
    flags = ("--private-key", f"{token.uri};object=web", "--pkcs11-lib", SOFTHSM)
    pin = ("--pkcs11-pin-env", "TOKEN_PIN")

    by_token = signed(home, *flags, *pin, TOKEN_PIN=PIN)

    assert by_token == signed(home, "--private-key", home / "rsa.pem")
    for digest in ("SHA384", "SHA512"):
        more = ("--digest", digest)
        expected = signed(home, "--private-key", home / "rsa.pem", *more)
        assert signed(home, *flags, *pin, *more, TOKEN_PIN=PIN) == expected


def test_a_certificate_that_is_given_too_tells_which_token_is_meant(
    home: Path, token: SoftToken
) -> None:
    issued, other = CertificateAuthority().issue("app", key_type="RSA-2048"), token.another()
    token.add_key(issued.private_key, label="web", id_="01")
    token.add_certificate(issued.certificate, label="of web")
    other.add_key(RSA_KEY, label="web", id_="01")
    (home / "app.pem").write_bytes(issued.certificate_pem)
    key = ("--private-key", "pkcs11:object=web", "--pkcs11-lib", SOFTHSM, "--pkcs11-pin", PIN)

    assert b"2 tokens match" in run("sign-string", *key, env=environment(home)).stderr
    for certificate in (home / "app.pem", "pkcs11:object=of web", f"{token.uri};object=of web"):
        assert signed(home, "--certificate", certificate, *key)
    assert not other.wrong_pin_was_tried()

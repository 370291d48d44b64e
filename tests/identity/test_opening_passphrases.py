"""When a passphrase is asked for, and what is said of one that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from opened import NOW, signs
from openssl_files import OpenSSL

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.material import read_sources
from boto_rolesanywhere.identity.opening import build_identity, open_identity
from boto_rolesanywhere.settings.passphrases import read_secret_file
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


@pytest.mark.parametrize("passphrase", [b"p\xe4", b"pw\0", "pw".encode("utf-16")])
def test_a_pkcs12_passphrase_that_is_no_text(issued: IssuedCertificate, passphrase: bytes) -> None:
    packed = serialize_key_and_certificates(
        *(None, issued.private_key, issued.certificate, None),  # type: ignore[arg-type]  # no DSA
        BestAvailableEncryption(b"pw"),
    )
    sources = IdentitySources(certificate=packed, secret=Secret(passphrase, "here"))

    with pytest.raises(PassphraseError, match="the passphrase from here is no text in UTF-8"):
        open_identity(sources, now=NOW)


def test_of_a_key_that_is_a_strangers_and_a_locked_one_the_lock_is_told(
    ca: CertificateAuthority, issued: IssuedCertificate, tmp_path: Path
) -> None:
    locked = ca.issue("locked").write(tmp_path, passphrase="x").private_key.read_bytes()
    stranger = ca.issue("stranger").private_key_pem
    sources = IdentitySources(certificate=issued.certificate_pem, private_key=stranger + locked)

    with pytest.raises(PassphraseError, match="no passphrase was given"):
        open_identity(sources, now=NOW)


def test_the_passphrase_is_asked_once_and_only_when_needed(
    issued: IssuedCertificate, tmp_path: Path
) -> None:
    asked = []

    def ask() -> str:
        asked.append(1)
        return "hunter2"

    locked = issued.write(tmp_path, passphrase="hunter2")
    sources = IdentitySources(
        certificate=locked.certificate, private_key=locked.private_key, secret=Secret(ask)
    )
    material = read_sources(sources)
    assert asked == []
    assert signs(build_identity(material, sources, now=NOW))
    assert asked == [1]


@pytest.mark.parametrize(
    "command",
    [
        ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-iter", "1"),
        ("pkcs8", "-topk8", "-v2", "des3", "-iter", "1"),
        ("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "1"),
        ("ec", "-des3"),
        ("ec", "-aes-128-cbc"),
    ],
    ids=" ".join,
)
def test_a_wrong_passphrase_is_called_so_also_when_the_padding_is_right(
    command: tuple[str, ...], issued: IssuedCertificate, tmp_path: Path
) -> None:
    # What comes out ends like a padding once in 256 times, and is no key then.
    openssl = OpenSSL(tmp_path)
    openssl.key("plain.key")
    locked = openssl(*command, "-in", "plain.key", "-passout", "pass:right")
    for number in range(1500):
        sources = IdentitySources(
            certificate=issued.certificate, private_key=locked, secret=Secret(f"wrong {number}")
        )
        with pytest.raises(PassphraseError, match="the passphrase from passphrase is wrong"):
            open_identity(sources, now=NOW)


def test_an_error_of_ours_from_the_callable_passes(
    issued: IssuedCertificate, tmp_path: Path
) -> None:
    def ask() -> str:
        raise PassphraseError("the vault is sealed", code="made-up", where="vault")

    locked = issued.write(tmp_path, passphrase="hunter2")
    sources = IdentitySources(
        certificate=locked.certificate, private_key=locked.private_key, secret=Secret(ask)
    )
    with pytest.raises(PassphraseError, match="vault: the vault is sealed"):
        open_identity(sources, now=NOW)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"'hunter2'", "stands in quotes"),
        ("hunter2\n".encode("utf-16-le"), "save its file as UTF-8"),
        (b"hunter2\nof the test\n", "has several lines"),
        (b"hunter2 \n", "begins or ends with a blank"),
        (b"PASSWORD=hunter2\n", "as a line of an env file does"),
        (b"hunter3\n", ""),
    ],
)
def test_what_is_odd_about_a_wrong_passphrase_is_said(
    content: bytes, remedy: str, ca: CertificateAuthority, tmp_path: Path
) -> None:
    (tmp_path / "phrase").write_bytes(content)
    locked = ca.issue("locked")
    key = locked.write(tmp_path, passphrase="hunter2").private_key
    secret = Secret(lambda: read_secret_file(str(tmp_path / "phrase"), "the test"), "the test")
    with pytest.raises(PassphraseError) as caught:
        open_identity(
            IdentitySources(certificate=locked.certificate_pem, private_key=key, secret=secret),
            now=NOW,
        )
    assert remedy in (caught.value.remedy or "")
    assert "hunter" not in str(caught.value)

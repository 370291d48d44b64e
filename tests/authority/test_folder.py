"""A folder of an authority is whole or not there; it opens again with the key it was made with."""

from __future__ import annotations

import os
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from key_types import MLDSA

from boto_rolesanywhere.authority import folder as folders
from boto_rolesanywhere.authority.authority import Authority, Wish
from boto_rolesanywhere.authority.drafts import name_of
from boto_rolesanywhere.authority.folder import adopt, create_issuing, create_root, open_authority
from boto_rolesanywhere.authority.issued import key_pem
from boto_rolesanywhere.authority.keys import KeyType, generate_key
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    PassphraseError,
    PrivateKeyError,
    RolesAnywhereError,
)
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.testing import CertificateAuthority

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


def access(secret: str) -> Access:
    return Access(Secret(secret, "the test"))


def wish(name: str = "app1") -> Wish:
    return Wish(name=name, subject=name_of(name))


def signs(authority: Authority) -> None:
    """It issues a certificate with its key."""
    issued = authority.issue(wish())
    issued.certificate.verify_directly_issued_by(authority.certificate)


def made_in(folder: Path) -> list[str]:
    """What is in it beside the test's own home."""
    return [path.name for path in folder.iterdir() if path.name != "home"]


class Held:
    """A key of a program's own, such as one in a KMS."""

    def __init__(self, key_type: KeyType = "P-256") -> None:
        self._key = SoftwareKey(generate_key(key_type))
        self.signatures = 0

    def public_key(self) -> PublicKeyTypes:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        self.signatures += 1
        return self._key.sign(data)


def test_a_root_opens_again(tmp_path: Path) -> None:
    made = create_root(tmp_path / "ca", "Example CA", clock=lambda: NOW)

    opened = open_authority(tmp_path / "ca")

    assert opened.certificate == made.certificate
    assert opened.certificate.subject == opened.certificate.issuer == name_of("Example CA")
    assert opened.certificate.not_valid_after_utc == NOW + timedelta(days=3650)
    assert opened.chain == ()
    signs(opened)


def test_a_whole_subject_is_taken(tmp_path: Path) -> None:
    made = create_root(tmp_path / "ca", "CN=Zertifizierungsstelle Süd,O=example")

    assert made.certificate.subject.rfc4514_string() == "CN=Zertifizierungsstelle Süd,O=example"


def test_an_issuing_ca_stands_below_its_root(tmp_path: Path) -> None:
    create_issuing(tmp_path / "ca", "Root", "Issuing", clock=lambda: NOW)

    issuing, root = open_authority(tmp_path / "ca"), open_authority(tmp_path / "ca" / folders.ROOT)

    issuing.certificate.verify_directly_issued_by(root.certificate)
    assert issuing.chain == (issuing.certificate,)
    assert issuing.certificate.not_valid_after_utc == NOW + timedelta(days=1825)
    constraints = issuing.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert [record.name for record in root.records()] == ["Issuing"]
    anchor = (tmp_path / "ca" / folders.TRUST_ANCHOR).read_bytes()
    assert x509.load_pem_x509_certificate(anchor) == root.certificate
    signs(issuing)
    signs(root)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_nobody_else_reads_it_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        create_issuing(tmp_path / "deep" / "down" / "ca", "Root", "Issuing")
    finally:
        os.umask(before)

    made = [*(tmp_path / "deep").rglob("*"), tmp_path / "deep"]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in made}
    assert len(made) > 10
    assert modes == {path: 0o700 if path.is_dir() else 0o600 for path in made}


def test_a_passphrase_encrypts_each_key(tmp_path: Path) -> None:
    create_issuing(tmp_path / "ca", "Root", "Issuing", passphrase=b"secret")

    for folder in (tmp_path / "ca", tmp_path / "ca" / folders.ROOT):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (folder / folders.PRIVATE_KEY).read_bytes()
        with pytest.raises(PassphraseError, match="no passphrase was given"):
            signs(open_authority(folder))
        with pytest.raises(PassphraseError, match="is wrong"):
            signs(open_authority(folder, access("other")))
        signs(open_authority(folder, access("secret")))


def test_a_passphrase_opens_the_key_that_exists_and_encrypts_the_new_one(tmp_path: Path) -> None:
    key = generate_key("P-384")
    (tmp_path / "own.pem").write_bytes(key_pem(key, b"secret"))
    folder = tmp_path / "ca"
    create_issuing(
        folder,
        "Root",
        "Issuing",
        passphrase=b"secret",
        key_place=str(tmp_path / "own.pem"),
        access=access("secret"),
    )

    issuing, root = (open_authority(at, access("secret")) for at in (folder, folder / folders.ROOT))

    assert issuing.certificate.public_key() == key.public_key()
    assert not (folder / folders.PRIVATE_KEY).exists()
    roots_key = (folder / folders.ROOT / folders.PRIVATE_KEY).read_bytes()
    with pytest.raises(TypeError, match="encrypted"):
        load_pem_private_key(roots_key, None)
    signs(issuing)
    signs(root)
    with pytest.raises(PassphraseError):
        signs(open_authority(folder))


@pytest.mark.parametrize("key_type", ["P-256", "RSA-2048", *MLDSA])
def test_an_object_signs_in_the_place_of_a_file(tmp_path: Path, key_type: KeyType) -> None:
    held = Held(key_type)
    create_root(tmp_path / "ca", "Example CA", key_place=held)
    before = held.signatures

    authority = open_authority(tmp_path / "ca", key=held)

    signs(authority)
    assert authority.sign_list().is_signature_valid(held.public_key())  # type: ignore[arg-type]  # P-256
    assert held.signatures == before + 2
    assert not (tmp_path / "ca" / folders.PRIVATE_KEY).exists()


def test_a_ca_of_an_object_asks_for_it(tmp_path: Path) -> None:
    create_root(tmp_path / "ca", "Example CA", key_place=Held())

    with pytest.raises(PrivateKeyError, match=r"open_authority\(folder, key=…\)") as caught:
        signs(open_authority(tmp_path / "ca"))
    with pytest.raises(PrivateKeyError) as foreign:
        signs(open_authority(tmp_path / "ca", key=Held()))

    assert caught.value.code == "authority-key-missing"
    assert foreign.value.code == "key-not-of-certificate"


def test_what_an_object_raises_comes_through(tmp_path: Path) -> None:
    class Refusing(Held):
        def sign(self, data: bytes) -> bytes:
            raise PermissionError(f"not {len(data)} bytes")

    with pytest.raises(PermissionError, match="not"):
        create_root(tmp_path / "ca", "Example CA", key_place=Refusing())

    assert made_in(tmp_path) == []


@pytest.mark.parametrize("name", ["", "  "])
def test_a_ca_has_a_name(tmp_path: Path, name: str) -> None:
    for make in (
        lambda: create_root(tmp_path / "ca", name),
        lambda: create_issuing(tmp_path / "ca", "Root", name),
        lambda: create_issuing(tmp_path / "ca", name, "Issuing"),
    ):
        with pytest.raises(ConfigurationError, match="the CA has no name"):
            make()

    assert made_in(tmp_path) == []


def test_root_and_issuing_ca_have_two_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="have the same name"):
        create_issuing(tmp_path / "ca", "CN=Example CA", "Example CA")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "note").write_text("mine")

    with pytest.raises(ConfigurationError) as caught:
        create_root(tmp_path / "ca", "Example CA")

    assert caught.value.code == "authority-file-taken"
    assert [path.name for path in (tmp_path / "ca").iterdir()] == ["note"]
    assert made_in(tmp_path) == ["ca"]


def test_a_ca_that_another_process_makes_meanwhile_stays(tmp_path: Path) -> None:
    folder, made = tmp_path / "ca", []

    def clock() -> datetime:  # asked for while the issuing CA's folder is under way
        if not made:
            made.append(create_root(folder, "The other", clock=lambda: NOW))
        return NOW

    with pytest.raises(ConfigurationError, match="there already") as caught:
        create_issuing(folder, "Example Root", "Example CA", clock=clock)

    assert caught.value.code == "authority-file-taken"
    assert made_in(tmp_path) == ["ca"]
    assert open_authority(folder).certificate == made[0].certificate


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    create_root(tmp_path / "ca", "Example CA")

    signs(open_authority(tmp_path / "ca"))


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        create_issuing(tmp_path / "ca", "Root", "Issuing", passphrase=b"")

    assert made_in(tmp_path) == []


def test_a_key_that_was_moved_away_is_missed_when_it_signs(tmp_path: Path) -> None:
    create_root(tmp_path / "ca", "Example CA")
    (tmp_path / "ca" / folders.PRIVATE_KEY).rename(tmp_path / "key")
    authority = open_authority(tmp_path / "ca")

    assert authority.records() == ()
    with pytest.raises(PrivateKeyError) as caught:
        signs(authority)
    assert caught.value.code == "authority-key-missing"

    (tmp_path / "key").rename(tmp_path / "ca" / folders.PRIVATE_KEY)
    signs(authority)


def test_another_key_is_refused(tmp_path: Path) -> None:
    create_root(tmp_path / "ca", "Example CA")
    (tmp_path / "ca" / folders.PRIVATE_KEY).write_bytes(key_pem(generate_key("P-256")))

    with pytest.raises(PrivateKeyError) as caught:
        signs(open_authority(tmp_path / "ca"))

    assert caught.value.code == "key-not-of-certificate"


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_a_damaged_certificate_is_named(tmp_path: Path, content: bytes) -> None:
    create_root(tmp_path / "ca", "Example CA")
    (tmp_path / "ca" / folders.CERTIFICATE).write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        open_authority(tmp_path / "ca")

    assert caught.value.code == "certificate-unreadable"
    assert caught.value.where == str(tmp_path / "ca" / folders.CERTIFICATE)


def test_a_ca_that_exists_is_adopted_with_its_key_where_it_is(tmp_path: Path) -> None:
    old = CertificateAuthority("Old CA")
    certificate, key = old.write(tmp_path)

    adopt(tmp_path / "ca", str(certificate), str(key))
    opened = open_authority(tmp_path / "ca")

    assert opened.certificate == old.certificate
    assert opened.chain == ()
    assert not (tmp_path / "ca" / folders.PRIVATE_KEY).exists()
    signs(opened)


def test_an_intermediate_is_adopted_with_its_chain(tmp_path: Path) -> None:
    old = CertificateAuthority("Old root").issue_intermediate("Old issuing CA")
    certificate, key = old.write(tmp_path)

    adopt(tmp_path / "ca", str(certificate), str(key))

    assert open_authority(tmp_path / "ca").chain == (old.certificate,)


@pytest.mark.parametrize(
    ("algorithm", "named"),
    [
        (["RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "RSA 1024"),
        (["ed25519"], "Ed25519"),
        (["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "EC secp256k1"),
    ],
    ids=["RSA-1024", "Ed25519", "secp256k1"],
)
def test_a_ca_has_a_key_that_aws_takes(tmp_path: Path, algorithm: list[str], named: str) -> None:
    key = tmp_path / "key.pem"
    command = ["openssl", "genpkey", "-out", str(key), "-algorithm", *algorithm]
    subprocess.run(command, check=True, capture_output=True)

    with pytest.raises(CertificateError, match=named) as caught:
        create_root(tmp_path / "ca", "Example CA", key_place=str(key))

    assert (caught.value.code, caught.value.where) == ("certificate-key", str(key))
    assert not (tmp_path / "ca").exists()


def test_a_ca_that_aws_refuses_is_not_adopted(tmp_path: Path) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -sha1 -subj /CN=Old -keyout k -out c"
    extensions = ["-addext", "basicConstraints=CA:TRUE", "-addext", "keyUsage=keyCertSign"]
    subprocess.run([*command.split(), *extensions], cwd=tmp_path, check=True, capture_output=True)

    with pytest.raises(CertificateError, match=r"CN=Old cannot be a trust anchor: .*SHA-1"):
        adopt(tmp_path / "ca", str(tmp_path / "c"), str(tmp_path / "k"))

    assert not (tmp_path / "ca").exists()


def test_what_is_no_ca_or_not_its_key_is_not_adopted(tmp_path: Path) -> None:
    old = CertificateAuthority("Old CA")
    certificate, key = old.write(tmp_path)
    leaf = old.issue("app1").write(tmp_path)

    with pytest.raises(CertificateError) as unsuitable:
        adopt(tmp_path / "ca", str(leaf.certificate), str(leaf.private_key))
    with pytest.raises(PrivateKeyError) as foreign:
        adopt(tmp_path / "ca", str(certificate), str(leaf.private_key))
    with pytest.raises(RolesAnywhereError) as missing:
        adopt(tmp_path / "ca", str(certificate), str(tmp_path / "none"))

    codes = [each.value.code for each in (unsuitable, foreign, missing)]
    assert codes == ["trust-anchor-unsuitable", "key-not-of-certificate", "file-missing"]
    assert key.exists()
    assert not (tmp_path / "ca").exists()

"""How an identity is put together: what is read, which key is used, what is warned of."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import re
import stat
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import asymmetric
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from made_certificates import NOW as MADE
from made_certificates import issue, rsa_of
from openssl_files import END_ENTITY, OpenSSL
from repository import VECTORS

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import CertificateError, PassphraseError, PrivateKeyError
from boto_rolesanywhere.identity.files.reading import excess
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.material import read_sources
from boto_rolesanywhere.identity.opening import build_identity, open_identity
from boto_rolesanywhere.settings.passphrases import read_secret_file
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate

NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="module")
def issued(ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue_intermediate("Issuing").issue("app")


@pytest.fixture
def paths(issued: IssuedCertificate, tmp_path: Path) -> IdentitySources:
    written = issued.write(tmp_path)
    return IdentitySources(certificate=written.certificate, private_key=written.private_key)


class OwnKey:
    """A user's own key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.closed = 0

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, ec.ECDSA(SHA256()))

    def close(self) -> None:
        self.closed += 1


def signs(identity: Identity) -> bool:
    signature = identity.sign(b"data")
    return verify_signature(identity.certificate.public_key(), signature, b"data")


def test_objects_of_cryptography_are_taken(issued: IssuedCertificate) -> None:
    sources = IdentitySources(
        certificate=issued.certificate, private_key=issued.private_key, chain=issued.chain
    )
    identity = open_identity(sources, now=NOW)
    assert identity.certificate == issued.certificate
    assert identity.chain == issued.chain
    assert isinstance(identity.key, SoftwareKey)
    assert signs(identity)
    single = sources._replace(chain=issued.chain[0])
    assert open_identity(single, now=NOW).chain == issued.chain
    as_list = sources._replace(chain=list(issued.chain))
    assert open_identity(as_list, now=NOW).chain == issued.chain


def test_bytes_of_any_kind_are_taken(paths: IdentitySources) -> None:
    certificate = Path(str(paths.certificate)).read_bytes()
    key = Path(str(paths.private_key)).read_bytes()
    for kind in (bytes, bytearray, memoryview):
        sources = IdentitySources(certificate=kind(certificate), private_key=kind(key))  # type: ignore[arg-type]  # text or path
        assert signs(open_identity(sources, now=NOW))


def test_a_users_own_key_is_used_as_it_is(issued: IssuedCertificate) -> None:
    assert isinstance(issued.private_key, ec.EllipticCurvePrivateKey)
    own = OwnKey(issued.private_key)
    assert isinstance(own, SigningKey)
    identity = open_identity(
        IdentitySources(certificate=issued.certificate, private_key=own), now=NOW
    )
    assert identity.key is own
    assert signs(identity)
    identity.close()
    assert own.closed == 1


def test_intermediates_may_stand_beside_pkcs12(issued: IssuedCertificate, tmp_path: Path) -> None:
    bundle, chain = tmp_path / "app.p12", tmp_path / "chain.pem"
    bundle.write_bytes(
        serialize_key_and_certificates(
            b"app", issued.private_key, issued.certificate, None, NoEncryption()
        )
    )
    bundle.chmod(0o600)
    chain.write_bytes(issued.chain_pem)

    assert open_identity(IdentitySources(bundle, None, chain), now=NOW).chain == issued.chain


def test_an_empty_file_of_intermediates_is_refused(paths: IdentitySources, tmp_path: Path) -> None:
    empty = tmp_path / "chain.pem"
    empty.touch()
    with pytest.raises(CertificateError, match="it is empty"):
        open_identity(paths._replace(chain=empty), now=NOW)


def test_a_key_that_is_larger_than_those_in_use_is_taken_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Large:
        def public_key(self) -> RSAPublicKey:
            return rsa_of(8192)

        def sign(self, data: bytes) -> bytes:
            return data

    sources = IdentitySources(certificate=issue(key=rsa_of(8192)), private_key=Large())
    identity = open_identity(sources, now=MADE)

    assert identity.algorithm == "AWS4-X509-RSA-SHA256"
    assert "its key is RSA 8192, and AWS publishes no upper bound." in caplog.text


def test_an_own_key_that_is_not_the_certificates_is_refused(issued: IssuedCertificate) -> None:
    other = OwnKey(ec.generate_private_key(ec.SECP256R1()))
    sources = IdentitySources(certificate=issued.certificate, private_key=other)
    with pytest.raises(PrivateKeyError, match="does not belong to the certificate"):
        open_identity(sources, now=NOW)


def test_an_own_key_that_gives_no_public_key_is_refused(issued: IssuedCertificate) -> None:
    class Odd(OwnKey):
        def public_key(self) -> str:  # type: ignore[override]  # what is odd
            return "ssh-rsa AAAA"

    odd = Odd(ec.generate_private_key(ec.SECP256R1()))
    sources = IdentitySources(certificate=issued.certificate, private_key=odd)  # type: ignore[arg-type]  # the point
    with pytest.raises(PrivateKeyError, match="cannot use a key of this kind: str"):
        open_identity(sources, now=NOW)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (OSError("the card was pulled: 2468"), "the key Failing could not sign (OSError)"),
        ("signature", "the key Failing signed with a str; expected the signature as bytes"),
    ],
)
def test_an_own_key_that_fails_is_told_without_what_it_says(
    issued: IssuedCertificate, result: object, words: str
) -> None:
    class Failing(OwnKey):
        def sign(self, data: bytes) -> bytes:  # noqa: ARG002  # it fails at any
            if isinstance(result, Exception):
                raise result
            return result  # type: ignore[return-value]

    own = Failing(issued.private_key)  # type: ignore[arg-type]  # a P-256 key
    sources = IdentitySources(certificate=issued.certificate, private_key=own)
    identity = open_identity(sources, now=NOW)

    with pytest.raises(PrivateKeyError, match=re.escape(words)) as caught:
        identity.sign(b"data")

    assert "2468" not in str(caught.value)
    assert caught.value.__cause__ is (result if isinstance(result, Exception) else None)


@pytest.mark.skipif(os.getuid() != 0, reason="takes root's rights away for a moment")
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("other", ["ed25519", "locked", "damaged"])
def test_a_key_beside_it_that_cannot_be_used_does_no_harm(
    ca: CertificateAuthority, issued: IssuedCertificate, tmp_path: Path, other: str, reverse: bool
) -> None:
    beside = {
        "ed25519": asymmetric.ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "locked": ca.issue("locked").write(tmp_path, passphrase="x").private_key.read_bytes(),
        "damaged": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    }[other]
    keys = [beside, issued.private_key_pem][:: -1 if reverse else 1]
    sources = IdentitySources(certificate=issued.certificate_pem, private_key=b"".join(keys))

    signature = open_identity(sources, now=NOW).sign(b"data")

    assert verify_signature(issued.certificate.public_key(), signature, b"data")


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


def test_a_key_that_this_user_may_not_read(paths: IdentitySources) -> None:
    os.seteuid(12345)
    try:
        with pytest.raises(CertificateError, match="this process may not read it"):
            open_identity(paths, now=NOW)
    finally:
        os.seteuid(0)


def test_material_is_equal_as_long_as_no_byte_changes(paths: IdentitySources) -> None:
    first = read_sources(paths)
    certificate, key = Path(str(paths.certificate)), Path(str(paths.private_key))
    certificate.write_bytes(certificate.read_bytes())
    key.chmod(0o644)
    assert read_sources(paths) == first
    assert hash(read_sources(paths)) == hash(first)
    key.write_bytes(key.read_bytes() + b"\n")
    assert read_sources(paths) != first


def test_an_identity_is_built_of_what_was_read_not_of_what_is_there_now(
    paths: IdentitySources,
) -> None:
    material = read_sources(paths)
    Path(str(paths.private_key)).unlink()
    assert signs(build_identity(material, paths, now=NOW))


def test_material_does_not_show_what_it_holds(paths: IdentitySources) -> None:
    assert repr(read_sources(paths)) == (
        f"<Material from {paths.certificate}, {paths.private_key}>"
    )
    uri = "pkcs11:token=t;object=o?pin-value=2468"
    shown = repr(read_sources(IdentitySources(certificate=uri)))
    assert shown == "<Material from the PKCS#11 token>"
    key = Path(str(paths.private_key)).read_bytes()
    material = read_sources(IdentitySources(certificate=key, private_key=key))
    assert "PRIVATE KEY" not in f"{material!r} {material.certificate!r} {material.private_key!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o444], ids=oct)
def test_a_key_that_others_may_read_is_warned_of_once(
    mode: int, paths: IdentitySources, caplog: pytest.LogCaptureFixture
) -> None:
    key = Path(str(paths.private_key))
    key.chmod(0o731)  # to write it and to run it is no matter here
    open_identity(paths, now=NOW)
    assert caplog.records == []
    key.chmod(mode)
    for _ in range(3):
        open_identity(paths, now=NOW)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("boto_rolesanywhere.identity", logging.WARNING)
    assert record.getMessage() == (
        f"{key} holds a private key that other users may read: chmod 600."
    )


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "bits"),
    [
        (0o640, 1000, 1000, 0o040),  # one's own, for no reason
        (0o440, 0, 10001, 0),  # root's, handed to the reader's group
        (0o460, 0, 10001, 0o020),
        (0o444, 0, 10001, 0o004),
        (0o640, 1000, 0, 0o040),  # root needs no group
        (0o600, 1000, 1000, 0),
    ],
)
def test_a_group_may_read_what_its_member_does_not_own(
    mode: int, owner: int, reader: int, bits: int
) -> None:
    facts = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, 10001, 0, 0, 0, 0))

    assert excess(facts, reader) == bits


def test_a_certificate_that_others_may_read_is_not_warned_of(
    paths: IdentitySources, caplog: pytest.LogCaptureFixture
) -> None:
    Path(str(paths.certificate)).chmod(0o644)
    open_identity(paths, now=NOW)
    assert caplog.records == []


def test_a_chain_of_strangers_is_warned_of(
    issued: IssuedCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = CertificateAuthority("Stranger").issue_intermediate("Strange")
    sources = IdentitySources(
        certificate=issued.certificate,
        private_key=issued.private_key,
        chain=stranger.certificate_pem,
    )
    identity = open_identity(sources, now=NOW)
    assert identity.chain == ()
    assert identity.chain_header is None
    assert caplog.messages == [
        "None of the certificates in the chain given as bytes issued CN=app: no chain is sent."
    ]


def test_a_chain_of_the_root_alone_is_nothing_to_warn_of(
    ca: CertificateAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    direct = ca.issue("direct")
    sources = IdentitySources(
        certificate=direct.certificate, private_key=direct.private_key, chain=ca.certificate
    )
    assert open_identity(sources, now=NOW).chain == ()
    assert caplog.messages == []


def test_a_closed_key_signs_no_more_and_tells_its_public_key(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    key.close()
    key.close()
    with pytest.raises(PrivateKeyError, match="the private key was closed"):
        key.sign(b"data")
    assert key.public_key() == issued.certificate.public_key()


def test_a_key_and_a_secret_do_not_leave_the_process(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a SoftwareKey cannot be pickled"):
            leave(key)
        with pytest.raises(TypeError, match="a Secret cannot be pickled"):
            leave(Secret("x"))
    assert repr(key) == "<SoftwareKey ECPublicKey>"
    assert repr(Secret("hunter2", "AWS_X")) == "<Secret from AWS_X>"


def test_an_identity_that_refuses_to_sign_says_so(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    with pytest.raises(PrivateKeyError, match="signing failed"):
        key.sign("text")  # type: ignore[arg-type]  # the point


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


@pytest.mark.parametrize("size", ["44", "65", "87"])
def test_an_mldsa_key_asks_for_a_newer_cryptography_where_it_is_too_old(
    size: str, issued: IssuedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in versions before 47, whose package has no such module.
    monkeypatch.delattr(asymmetric, "mldsa", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    path = VECTORS / "mldsa" / f"ML-DSA-{size}-both.pem"
    with pytest.raises(PrivateKeyError) as caught:
        open_identity(IdentitySources(certificate=issued.certificate, private_key=path), now=NOW)
    assert str(caught.value) == (
        f"{path}: it holds an ML-DSA-{size} key, which the installed cryptography cannot use. "
        "Install cryptography 48 or later, or use an EC or RSA key."
    )


@pytest.mark.parametrize("serial", ["0", "-5"])
def test_odd_serial_numbers_are_read_where_warnings_are_errors(serial: str, tmp_path: Path) -> None:
    openssl = OpenSSL(tmp_path)
    openssl.key("odd.key")
    openssl.write("odd.cnf", END_ENTITY.encode())
    openssl("req", "-new", "-key", "odd.key", "-subj", "/CN=odd", "-out", "odd.csr")
    openssl(
        *("x509", "-req", "-in", "odd.csr", "-signkey", "odd.key", "-out", "odd.crt"),
        *("-set_serial", serial, "-extfile", "odd.cnf"),
    )
    bundle = openssl.read("odd.crt") + openssl.read("odd.key")
    identity = open_identity(IdentitySources(certificate=bundle), now=datetime.now(timezone.utc))
    assert identity.serial_number == serial
    assert identity.chain == ()


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        ('"/pki/app.pem"', "stands in quotes"),
        ("\N{LEFT DOUBLE QUOTATION MARK}/app.pem\N{RIGHT DOUBLE QUOTATION MARK}", "in quotes"),
        ("file:///pki/app.pem", "without file://"),
        ("/pki/app.pem  # mine", "give it a line of its own"),
        ("$HOME/app.pem", "No variable in a path is expanded"),
        ("%USERPROFILE%/app.pem", "No variable in a path is expanded"),
        ("0x81000101", "is written handle:0x81000101"),
        ("tpm:0x81000101", "is written handle:0x81000101"),
    ],
)
def test_a_path_as_a_shell_or_the_aws_cli_takes_it_is_recognised(path: str, remedy: str) -> None:
    with pytest.raises(CertificateError) as caught:
        open_identity(IdentitySources(certificate=path), now=NOW)
    assert remedy in (caught.value.remedy or "")


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

"""Files that change under a long-lived session: the new set is taken whole, or the old one kept."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.create_session.client import SessionCreator
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import CertificateError, PrivateKeyError
from boto_rolesanywhere.identity.rotation import RotatingIdentity
from boto_rolesanywhere.settings.config import Config, resolve
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

SWAPS = 100
READERS = 8
# An hour's session lasts 20 milliseconds by this clock, so that it is renewed all the time.
FASTER = 180_000


def now() -> datetime:
    return datetime.now(timezone.utc)


def put(folder: Path, issued: IssuedCertificate) -> None:
    """As Kubernetes mounts a Secret: a new folder, then the symlink to it swapped."""
    fresh = folder / f"..{issued.serial_number:x}"
    fresh.mkdir()
    (fresh / "tls.crt").write_bytes(issued.bundle_pem)
    (fresh / "tls.key").touch(0o600)
    (fresh / "tls.key").write_bytes(issued.private_key_pem)
    link = folder / "..data.new"
    link.symlink_to(fresh)
    old = (folder / "..data").resolve()
    link.rename(folder / "..data")
    if old.name != "..data":
        shutil.rmtree(old)


def put_torn(folder: Path, issued: IssuedCertificate) -> None:
    """As a careless script: one file is written over the other set's, and the other never."""
    (folder / "..data" / "tls.crt").write_bytes(issued.bundle_pem)


@pytest.fixture
def mounted(ca: CertificateAuthority, tmp_path: Path) -> Path:
    folder = tmp_path / "mount"
    folder.mkdir()
    put(folder, ca.issue("first"))
    for name in ("tls.crt", "tls.key"):
        (folder / name).symlink_to(Path("..data") / name)
    return folder


def configured(emulator: Emulator, mounted: Path) -> Config:
    config = resolve(
        {
            "cert": str(mounted / "tls.crt"),
            "key": str(mounted / "tls.key"),
            "anchor": emulator.trust_anchor_arn,
            "profile": emulator.profile_arn,
            "role": emulator.role_arn,
            "endpoint_url": emulator.endpoint_url,
        },
        environ={},
        section={},
    )
    assert config is not None
    return config


def test_readers_never_fail_and_no_mismatched_pair_is_sent(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path
) -> None:
    config = configured(emulator, mounted)
    creator = SessionCreator(config, RotatingIdentity(config.sources, now))
    credentials = SessionCredentials(
        creator.create, wall=lambda: 0.0, monotonic=lambda: time.monotonic() * FASTER
    )
    done = threading.Event()

    def read() -> int:
        reads = 0
        while not done.wait(0.001):  # leaves the interpreter to the emulator's thread
            assert credentials.get_frozen_credentials().secret_key
            reads += 1
        return reads

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(SWAPS):
                torn = number % 4 == 3
                (put_torn if torn else put)(mounted, ca.issue(f"app-{number}"))
                seen = len(emulator.requests)
                while len(emulator.requests) == seen and not any(r.done() for r in readers):
                    time.sleep(0.001)
        finally:
            done.set()
        counts = [reader.result() for reader in readers]

    assert all(counts)
    assert {record.outcome for record in emulator.requests} == {"created"}
    assert len({record.certificate_serial for record in emulator.requests}) > SWAPS / 2


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """Certificate, key and chain in a file each."""
    folder = tmp_path / "apart"
    put_apart(folder, CertificateAuthority("Old").issue_intermediate().issue("old"))
    return folder


def put_apart(folder: Path, issued: IssuedCertificate, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    content = {
        "leaf": issued.certificate_pem,
        "key": issued.private_key_pem,
        "chain": issued.chain_pem,
    }
    for name in names or content:
        (folder / name).touch(0o600)
        (folder / name).write_bytes(content[name])


def test_the_chain_is_waited_for(apart: Path, caplog: pytest.LogCaptureFixture) -> None:
    sources = IdentitySources(
        certificate=apart / "leaf", private_key=apart / "key", chain=apart / "chain"
    )
    identity = RotatingIdentity(sources, now)
    first = identity()
    successor = CertificateAuthority("New").issue_intermediate().issue("new")

    put_apart(apart, successor, "leaf", "key")
    assert [identity() for _ in range(3)] == [first] * 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "which issued CN=new, is not there yet" in caplog.text

    put_apart(apart, successor, "chain")
    assert identity().certificate == successor.certificate
    assert identity().chain_header


def test_a_bundle_that_is_cut_off_between_two_certificates_is_waited_for(tmp_path: Path) -> None:
    issuing = CertificateAuthority().issue_intermediate("upper").issue_intermediate("lower")
    old, successor = issuing.issue("old"), issuing.issue("new")
    bundle, key = tmp_path / "bundle", tmp_path / "key"
    bundle.write_bytes(old.bundle_pem)
    key.write_bytes(old.private_key_pem)
    identity = RotatingIdentity(IdentitySources(certificate=bundle, private_key=key), now)
    first = identity()

    key.write_bytes(successor.private_key_pem)
    pieces = successor.bundle_pem.split(b"-----END CERTIFICATE-----\n")
    for end in (1, 2):
        bundle.write_bytes(b"-----END CERTIFICATE-----\n".join([*pieces[:end], b""]))
        assert identity() is first
    bundle.write_bytes(successor.bundle_pem)
    assert identity().certificate == successor.certificate


def test_a_folder_that_is_gone_keeps_the_certificate_in_use(
    ca: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = ca.issue("app")
    (tmp_path / "app.pem").write_bytes(issued.certificate_pem + issued.private_key_pem)
    monkeypatch.chdir(tmp_path)
    identity = RotatingIdentity(IdentitySources(certificate="app.pem"), now)
    first = identity()
    shutil.rmtree(tmp_path)

    assert identity() is first


def test_an_intermediate_that_ends_is_replaced_by_the_next_one_in_the_file(tmp_path: Path) -> None:
    root = CertificateAuthority()
    issuing = root.issue_intermediate(not_after=now() + timedelta(days=1))
    renewed = CertificateAuthority.from_pem(root.certificate_pem, root.private_key_pem)
    issued = issuing.issue("app")
    successor = certify_again(renewed, issuing)
    both = tmp_path / "both"
    both.write_bytes(issued.bundle_pem + successor + issued.private_key_pem)
    time_is = now()
    identity = RotatingIdentity(IdentitySources(certificate=both), lambda: time_is)

    assert identity().chain == (issuing.certificate,)
    time_is += timedelta(days=2)
    assert identity().chain == (x509.load_pem_x509_certificate(successor),)


def certify_again(root: CertificateAuthority, issuing: CertificateAuthority) -> bytes:
    """A second certificate for an intermediate's key, with a later end."""
    old = issuing.certificate
    assert isinstance(root.private_key, ec.EllipticCurvePrivateKey)
    made = (
        x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), 4711)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(now() + timedelta(days=100))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root.private_key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def test_a_certificate_of_another_ca_may_need_no_chain(tmp_path: Path) -> None:
    old = CertificateAuthority().issue_intermediate().issue("old")
    successor = CertificateAuthority("New").issue("new")
    both = tmp_path / "both"
    both.write_bytes(old.bundle_pem + old.private_key_pem)
    identity = RotatingIdentity(IdentitySources(certificate=both), now)
    identity()

    both.write_bytes(successor.bundle_pem + successor.private_key_pem)
    assert identity().certificate == successor.certificate


def test_a_set_that_does_not_fit_is_warned_of_once_and_taken_when_it_does(
    ca: CertificateAuthority, mounted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    emulator = Emulator(ca)
    emulator.start()
    identity = RotatingIdentity(configured(emulator, mounted).sources, now)
    emulator.close()
    first = identity()
    successor = ca.issue("second")
    put_torn(mounted, successor)

    with caplog.at_level(logging.WARNING):
        assert [identity() for _ in range(5)] == [first] * 5

    (record,) = caplog.records
    assert "in use is kept, the new one cannot be used yet" in record.getMessage()

    (mounted / "tls.key").write_bytes(successor.private_key_pem)
    assert identity().certificate == successor.certificate
    assert identity() is identity()  # and is not opened again while nothing changes


@dataclass
class OwnKey:
    """As users write them: with fields that are compared, and so without a hash."""

    private_key: ec.EllipticCurvePrivateKey

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.private_key.public_key()

    def sign(self, data: bytes) -> bytes:
        return self.private_key.sign(data, ec.ECDSA(hashes.SHA256()))


def test_a_key_of_ones_own_need_not_be_hashable(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = load_pem_private_key((mounted / "tls.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    own = OwnKey(key)
    sources = configured(emulator, mounted).sources._replace(private_key=own)
    identity = RotatingIdentity(sources, now)
    first = identity()
    put_torn(mounted, ca.issue("second"))

    assert [identity() for _ in range(3)] == [first] * 3
    assert len(caplog.records) == 1


def test_files_that_vanish_leave_the_old_identity(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    identity = RotatingIdentity(configured(emulator, mounted).sources, now)
    first = identity()

    shutil.rmtree((mounted / "..data").resolve())

    with caplog.at_level(logging.WARNING):
        assert identity() is first
    assert "tls.crt" in caplog.text


def test_a_first_set_that_does_not_fit_is_refused(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path
) -> None:
    put_torn(mounted, ca.issue("second"))

    with pytest.raises(PrivateKeyError, match=r"tls\.key"):
        RotatingIdentity(configured(emulator, mounted).sources, now)()


def test_a_new_mode_or_time_alone_is_no_change(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path
) -> None:
    identity = RotatingIdentity(configured(emulator, mounted).sources, now)
    first = identity()

    os.utime(mounted / "tls.crt")

    assert identity() is first


def test_the_clock_alone_makes_no_new_warning(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    passed = timedelta()
    identity = RotatingIdentity(configured(emulator, mounted).sources, lambda: now() + passed)
    first = identity()
    put(mounted, ca.issue("early", flaws=("not-yet-valid",)))

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            passed += timedelta(minutes=20)
            assert identity() is first

    assert len(caplog.records) == 1


def test_an_expired_certificate_is_not_used_on_and_the_next_one_of_its_file_is(
    ca: CertificateAuthority, emulator: Emulator, mounted: Path
) -> None:
    passed = timedelta()
    key = ec.generate_private_key(ec.SECP256R1())
    old = ca.issue("old", key=key, not_after=now() + timedelta(hours=1))
    put(mounted, old)
    identity = RotatingIdentity(configured(emulator, mounted).sources, lambda: now() + passed)
    assert identity().certificate == old.certificate

    passed = timedelta(hours=2)
    with pytest.raises(CertificateError, match="it has expired"):
        identity()

    passed = timedelta()
    new = ca.issue("new", key=key)
    (mounted / "tls.crt").write_bytes(old.certificate_pem + new.certificate_pem)
    passed = timedelta(hours=2)
    assert identity().certificate == new.certificate


def costly_key(iterations: int) -> bytes:
    """An EncryptedPrivateKeyInfo: PBES2 with PBKDF2 and AES-256-CBC."""

    def sequence(*elements: bytes) -> bytes:
        return der.encode(der.SEQUENCE, b"".join(elements))

    def name(hexadecimal: str) -> bytes:
        return der.encode(der.OID, bytes.fromhex(hexadecimal))

    salt, iv = der.encode(der.OCTET_STRING, bytes(8)), der.encode(der.OCTET_STRING, bytes(16))
    count = der.encode(der.INTEGER, iterations.to_bytes(5, "big"))
    kdf = sequence(name("2a864886f70d01050c"), sequence(salt, count))
    cipher = sequence(name("60864801650304012a"), iv)
    return sequence(
        sequence(name("2a864886f70d01050d"), sequence(kdf, cipher)),
        der.encode(der.OCTET_STRING, bytes(48)),
    )


@pytest.mark.parametrize("iterations", [2**31, 2**31 - 1])
def test_a_new_key_that_would_stop_the_process_is_passed_over(
    iterations: int, apart: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = IdentitySources(
        certificate=apart / "leaf", private_key=apart / "key", secret=Secret("secret", "the test")
    )
    identity = RotatingIdentity(sources, now)
    first = identity()
    (apart / "key").write_bytes(costly_key(iterations))
    assert identity() is first
    assert "would have to be hashed too often" in caplog.text

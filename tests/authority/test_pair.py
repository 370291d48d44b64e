"""A certificate and its key are a pair for whoever opens them, whenever their renewal is killed."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import sys
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from boto_rolesanywhere.authority.issued import key_pem
from boto_rolesanywhere.authority.pair import replace_pair
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate

CA = CertificateAuthority()


class Pair:
    """The two files."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "app1.pem", folder / "app1.key"

    def replace(self, issued: IssuedCertificate) -> None:
        replace_pair(self.certificate, issued.bundle_pem, self.key, issued.private_key_pem)

    def opened(self, passphrase: str | None = None) -> x509.Certificate:
        """The certificate that a program gets which starts now."""
        secret = Secret(passphrase, "the test") if passphrase else None
        sources = IdentitySources(certificate=self.certificate, private_key=self.key, secret=secret)
        return open_identity(sources, now=datetime.now(timezone.utc)).certificate

    def keys(self) -> int:
        return self.key.read_bytes().count(b"PRIVATE KEY-----\n") // 2


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def killed_at(step: int, pair: Pair, issued: IssuedCertificate) -> bool:
    """Replace the pair in a process that dies before its nth step that the system sees."""
    pid = os.fork()
    if pid == 0:
        steps = count()

        def die(event: str, _: object) -> None:
            if event.startswith(("os.", "open")) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        pair.replace(issued)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == signal.SIGKILL


def test_a_new_pair_is_the_owners_alone(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "new")
    issued = CA.issue("app1")

    pair.replace(issued)

    assert pair.opened() == issued.certificate
    assert {stat.S_IMODE(path.stat().st_mode) for path in (pair.key, pair.certificate)} == {0o600}


def test_the_new_key_is_left_alone(pair: Pair) -> None:
    for _ in range(3):
        issued = CA.issue("app1")
        pair.replace(issued)

        assert pair.key.read_bytes() == issued.private_key_pem
        assert pair.opened() == issued.certificate


def test_at_each_kill_there_is_a_pair(pair: Pair) -> None:
    old, new = CA.issue("app1"), CA.issue("app1")
    seen = set()
    for step in count():
        pair.replace(old)
        killed = killed_at(step, pair, new)
        seen.add((pair.keys(), pair.opened() == new.certificate))
        if not killed:
            break

    assert step > 10
    # Before, with both keys and either certificate, and after.
    assert seen == {(1, False), (2, False), (2, True), (1, True)}


def test_one_renewal_waits_for_the_other(pair: Pair) -> None:
    pair.replace(CA.issue("app1"))
    first, second = CA.issue("app1"), CA.issue("app1")
    halted = os.fork()
    if halted == 0:

        def halt(event: str, _: object) -> None:
            if event == "os.rename":
                os.kill(os.getpid(), signal.SIGSTOP)

        sys.addaudithook(halt)
        pair.replace(first)
        os._exit(0)
    try:
        assert os.WIFSTOPPED(os.waitpid(halted, os.WUNTRACED)[1])
        folder = os.open(pair.key.parent, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(folder)
        waiting = os.fork()
        if waiting == 0:
            pair.replace(second)
            os._exit(0)
        while os.WIFSTOPPED(status := resumed(halted)):
            pass
    except BaseException:
        os.kill(halted, signal.SIGKILL)
        raise

    assert (status, os.waitpid(waiting, 0)[1]) == (0, 0)
    assert pair.opened() == second.certificate
    assert pair.keys() == 1


def resumed(pid: int) -> int:
    """What a halted process comes to next."""
    os.kill(pid, signal.SIGCONT)
    return os.waitpid(pid, os.WUNTRACED)[1]


def test_kills_leave_no_keys_behind(pair: Pair) -> None:
    pair.replace(CA.issue("app1"))
    for step in range(0, 40, 3):
        killed_at(step, pair, CA.issue("app1"))
        assert pair.opened()
        assert pair.keys() <= 2
    last = CA.issue("app1")
    pair.replace(last)

    assert pair.key.read_bytes() == last.private_key_pem


def test_an_old_key_that_is_encrypted_is_kept_until_the_end(pair: Pair) -> None:
    old, new = CA.issue("app1"), CA.issue("app1")
    for step in count():
        pair.certificate.write_bytes(old.bundle_pem)
        pair.key.write_bytes(key_pem(old.private_key, "secret"))
        if not killed_at(step, pair, new):
            break
        assert pair.opened("secret")
    assert pair.key.read_bytes() == new.private_key_pem


def test_an_old_key_in_der_is_kept_until_the_end(pair: Pair) -> None:
    old, new = CA.issue("app1"), CA.issue("app1")
    der = old.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for step in count():
        pair.certificate.write_bytes(old.bundle_pem)
        pair.key.write_bytes(der)
        if not killed_at(step, pair, new):
            break
        assert pair.opened()


@pytest.mark.parametrize("content", [b"", b"nothing to read", b"-----BEGIN PRIVATE KEY-----\nA"])
@pytest.mark.parametrize("name", ["app1.key", "app1.pem"])
def test_what_is_no_pair_is_replaced(pair: Pair, name: str, content: bytes) -> None:
    pair.replace(CA.issue("app1"))
    (pair.key.parent / name).write_bytes(content)
    issued = CA.issue("app1")

    pair.replace(issued)

    assert pair.opened() == issued.certificate
    assert pair.key.read_bytes() == issued.private_key_pem

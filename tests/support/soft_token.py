"""A PKCS#11 token for tests: SoftHSM, in a folder of its own, and the usual tools to fill it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PACKAGES = "softhsm2 opensc p11-kit gnutls-bin"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234"
SO_PIN = "5678"
FOLDER = "tokens"


@dataclass(frozen=True)
class SoftToken:
    """A token in `folder`, where its library's configuration and its files are.

    Attributes:
        label: unique, since libraries that were loaded once outlive a test.
        counter: names the files that the tools read.
    """

    folder: Path
    label: str
    counter: count[int]

    @property
    def uri(self) -> str:
        return f"pkcs11:token={self.label}"

    @property
    def files(self) -> Path:
        return self.folder / FOLDER

    def run(self, *command: str | Path, ok: bool = True) -> str:
        """Run a tool on this folder's tokens, in a process of its own."""
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, env=self._env()
        )
        assert not ok or done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def tool(self, *options: str | Path, pin: str = PIN, ok: bool = True) -> str:
        """Run pkcs11-tool, logged in."""
        which = ("--module", SOFTHSM, "--token-label", self.label, "--login", "--pin", pin)
        return self.run("pkcs11-tool", *which, *options, ok=ok)

    def initialise(self) -> None:
        """Make the token: new and empty, with a new serial number."""
        self.run(
            *("softhsm2-util", "--init-token", "--free", "--label", self.label),
            *("--pin", PIN, "--so-pin", SO_PIN),
        )

    def another(self, label: str | None = None, *, user_pin: bool = True) -> SoftToken:
        """One more token, beside this one; `user_pin`: whether it has one."""
        token = SoftToken(self.folder, label or _label(), self.counter)
        token.initialise()
        if not user_pin:
            token.forget_user_pin()
        return token

    def forget_user_pin(self) -> None:
        """Initialise the token again, without a user PIN."""
        self.run(
            *("pkcs11-tool", "--module", SOFTHSM, "--token-label", self.label, "--init-token"),
            *("--label", self.label, "--so-pin", SO_PIN),
        )

    def add_key(self, key: PrivateKeyTypes, *options: str, label: str = "", id_: str = "") -> None:
        """Write a private key."""
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.add("privkey", der, "--usage-sign", *options, label=label, id_=id_)

    def add_public_key(self, key: PublicKeyTypes, label: str = "", id_: str = "") -> None:
        """Write a public key."""
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.add("pubkey", der, label=label, id_=id_)

    def add_certificate(
        self, certificate: x509.Certificate, *options: str, label: str = "", id_: str = ""
    ) -> None:
        """Write a certificate."""
        der = certificate.public_bytes(Encoding.DER)
        self.add("cert", der, *options, label=label, id_=id_)

    def add(self, type_: str, der: bytes, *options: str, label: str = "", id_: str = "") -> None:
        path = self.folder / f"object-{next(self.counter)}"
        path.write_bytes(der)
        names = (("--label", label) if label else ()) + (("--id", id_) if id_ else ())
        self.tool("--write-object", path, "--type", type_, *names, *options)

    def add_odd_certificate(self, value: bytes, label: str, *, private: bool = False) -> None:
        """Write a certificate of any bytes, or a private one, which pkcs11-tool does not."""
        self._program(
            "session.create_object({A.CLASS: ObjectClass.CERTIFICATE, A.TOKEN: True,"
            " A.CERTIFICATE_TYPE: CertificateType.X_509, A.SUBJECT: b'',"
            f" A.VALUE: {value!r}, A.LABEL: {label!r}, A.PRIVATE: {private!r}}})"
        )

    def forbid_signing(self, label: str) -> None:
        """Make CKA_SIGN of a private key false."""
        self._program(
            "key, = session.get_objects({A.CLASS: ObjectClass.PRIVATE_KEY,"
            f" A.LABEL: {label!r}}})\nkey[A.SIGN] = False"
        )

    def _program(self, body: str) -> None:
        """Run Python with a session that may write, in a process of its own."""
        program = (
            "import pkcs11\n"
            "from pkcs11 import Attribute as A, CertificateType, ObjectClass\n"
            f"token = pkcs11.lib({SOFTHSM!r}).get_token(token_label={self.label!r})\n"
            f"session = token.open(rw=True, user_pin={PIN!r})\n{body}\n"
        )
        self.run(sys.executable, "-c", program)

    @contextmanager
    def removed(self) -> Iterator[None]:
        """Without the token, and all others of the folder, for the body of the `with`."""
        away = self.files.with_name("away")
        self.files.rename(away)
        self.files.mkdir()
        try:
            yield
        finally:
            self.files.rmdir()
            away.rename(self.files)

    def wrong_pin_was_tried(self) -> bool:
        """Whether the token saw a wrong PIN since the last right one."""
        listed = self.run("pkcs11-tool", "--module", SOFTHSM, "--list-token-slots")
        (part,) = (part for part in listed.split("Slot ") if f": {self.label}\n" in part)
        return "user PIN count low" in part

    def give_right_pin(self) -> None:
        """Log in from another process, so that wrong PINs are counted from nought."""
        self.tool("--list-objects")
        assert not self.wrong_pin_was_tried()

    def configure(self, *lines: str) -> None:
        """Write the library's configuration, with further lines."""
        settings = [f"directories.tokendir = {self.files}", "objectstore.backend = file", *lines]
        (self.folder / "softhsm2.conf").write_text("\n".join(settings) + "\n")

    def _env(self) -> dict[str, str]:
        return {**os.environ, "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}


@contextmanager
def soft_token() -> Iterator[SoftToken]:
    """A new token, which libraries of this process see for the body of the `with`.

    Skips the test if something is not installed; in CI that is a failure.
    """
    require_packages()
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    token = SoftToken(folder, _label(), count())
    try:
        token.files.mkdir()
        token.configure()
        token.initialise()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
            yield token
    finally:
        shutil.rmtree(folder)


def _label() -> str:
    return f"t-{uuid4().hex[:12]}"


def require_packages() -> None:
    """Skip the test if something is not installed; in CI, fail."""
    missing = [tool for tool in ("softhsm2-util", "pkcs11-tool") if not shutil.which(tool)]
    missing += [] if find_spec("pkcs11") else ["python-pkcs11"]
    if not missing:
        return
    message = (
        f"not installed: {', '.join(missing)}; as root: apt-get install "
        f"--no-install-recommends {PACKAGES}, then pip install 'boto_rolesanywhere[pkcs11]'"
    )
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)

"""Keys and certificates made by the `openssl` command, as users make theirs.

Nothing here uses `cryptography` or the package under test. Options are those of OpenSSL 3.0.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
END_ENTITY = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
LEGACY = ("-provider", "legacy", "-provider", "default")


class OpenSSL:
    """Runs `openssl` in one folder, where files have short names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._serial = 4096

    def __call__(self, *arguments: str) -> bytes:
        """Run it; give what it wrote to its standard output."""
        program = shutil.which("openssl")
        assert program, "these tests need the openssl command: apt-get install openssl"
        done = subprocess.run(
            (program, *arguments), cwd=self.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, f"openssl {arguments}: {done.stderr.decode()}"
        return done.stdout

    def path(self, name: str) -> Path:
        return self.folder / name

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def write(self, name: str, data: bytes) -> Path:
        self.path(name).write_bytes(data)
        self.path(name).chmod(0o600)
        return self.path(name)

    def key(self, name: str, algorithm: str = "EC", *options: str) -> Path:
        """A new key in `name`, PKCS #8 PEM."""
        given = options or (("ec_paramgen_curve:P-256",) if algorithm == "EC" else ())
        pairs = [part for option in given for part in ("-pkeyopt", option)]
        self("genpkey", "-algorithm", algorithm, *pairs, "-out", name)
        return self.path(name)

    def certificate(
        self,
        name: str,
        key: str,
        subject: str,
        *options: str,
        issuer: str | None = None,
        extensions: str = END_ENTITY,
        days: int = 30,
    ) -> Path:
        """A certificate for `key` in `name`, self-signed or issued by `issuer`.crt and .key."""
        self._serial += 1
        self("req", "-new", "-key", key, "-subj", subject, "-out", "request.csr", "-utf8")
        self.write("extensions.cnf", extensions.encode())
        signer = (
            ("-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key") if issuer else ("-signkey", key)
        )
        self(
            *("x509", "-req", "-in", "request.csr", *signer, "-set_serial", str(self._serial)),
            *("-days", str(days), "-out", name, *options),
            *(("-extfile", "extensions.cnf") if extensions else ()),
        )
        return self.path(name)

    def verify(self, certificate_pem: bytes, signature: bytes, data: bytes) -> bool:
        """Whether openssl finds `signature` to be that of `data`, with SHA-256."""
        self.write("verify.crt", certificate_pem)
        self("x509", "-in", "verify.crt", "-noout", "-pubkey", "-out", "verify.pub")
        self.write("verify.sig", signature)
        self.write("verify.txt", data)
        answer = self(
            *("dgst", "-sha256", "-verify", "verify.pub", "-signature", "verify.sig"),
            "verify.txt",
        )
        return answer.startswith(b"Verified OK")


def build_pki(folder: Path) -> OpenSSL:
    """A root, two intermediates below each other, and what they issued.

    Certificates: root, upper, lower (CAs), ec, rsa (end entities), other (of another root).
    """
    openssl = OpenSSL(folder)
    for name in ("root", "upper", "lower", "ec", "other", "stranger"):
        openssl.key(f"{name}.key")
    openssl.key("rsa.key", "RSA", "rsa_keygen_bits:2048")
    openssl.certificate("root.crt", "root.key", "/CN=Root", extensions=CA)
    openssl.certificate("stranger.crt", "stranger.key", "/CN=Stranger", extensions=CA)
    openssl.certificate("upper.crt", "upper.key", "/CN=Upper", issuer="root", extensions=CA)
    openssl.certificate("lower.crt", "lower.key", "/CN=Lower", issuer="upper", extensions=CA)
    openssl.certificate("ec.crt", "ec.key", "/O=Example/CN=app", issuer="lower")
    openssl.certificate("rsa.crt", "rsa.key", "/O=Example/CN=app", issuer="lower")
    openssl.certificate("other.crt", "other.key", "/CN=other", issuer="stranger")
    return openssl

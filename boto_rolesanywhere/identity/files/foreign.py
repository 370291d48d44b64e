"""Naming what is neither PEM nor DER: the shapes in which people have certificates and keys."""

from __future__ import annotations

import base64
import re
from typing import Final

_BLANK = b"\0\t\n\r "
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_BASE64 = rb"[A-Za-z0-9+/_-]{16,}={0,2}"
_LONG_LENGTHS = {bytes((0x80 + octets,)) for octets in range(5)}  # of BER's and DER's
_TAR_MARK = slice(257, 262)

_KEYTOOL: Final = (
    "Convert it with `keytool -importkeystore -srcstoretype {} -srckeystore old -destkeystore "
    "new.p12 -deststoretype pkcs12`."
)
_OPENSSL_RSA: Final = "Convert it with `openssl rsa -inform {} -in old -out new.pem`."
_UNPACK: Final = "Unpack it, and name the file in it."
# What the beginnings of other formats say; the second is a remedy, if there is one.
_FORMATS: Final = (
    (b"\xfe\xed\xfe\xed", "a Java keystore (JKS)", _KEYTOOL.format("jks")),
    (b"\xce\xce\xce\xce", "a Java keystore (JCEKS)", _KEYTOOL.format("jceks")),
    (
        b"PuTTY-User-Key-File",
        "a PuTTY key",
        "Convert it with `puttygen old.ppk -O private-openssh -o new.pem`.",
    ),
    (b"\x1e\xf1\xb5\xb0", "a private key in Microsoft's form PVK", _OPENSSL_RSA.format("PVK")),
    (b"\x07\x02", "a private key in Microsoft's form MSBLOB", _OPENSSL_RSA.format("MSBLOB")),
    (b"<RSAKeyValue", "an RSA key in .NET's XML", "Have .NET write PEM: ExportPkcs8PrivateKeyPem."),
    (b"ssh-", "an SSH public key", "Name the private key's file."),
    (b"ecdsa-sha2-", "an SSH public key", "Name the private key's file."),
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer, not the file itself",
        "Fetch the file: `git lfs pull`.",
    ),
    (b"<", "a web page (HTML or XML), perhaps a login page or an error", "Download it anew."),
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"PK\x03\x04", "an archive (ZIP)", _UNPACK),
    (b"\xfd7zXZ", "compressed (xz)", _UNPACK),
    (b"BZh", "compressed (bzip2)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)", _UNPACK),
    (
        b"$ANSIBLE_VAULT",
        "encrypted by Ansible Vault",
        "Decrypt it: `ansible-vault decrypt --output new old`.",
    ),
    (b"age-encryption.org/", "encrypted by age", "Decrypt it: `age -d -o new old`."),
    (b"GITCRYPT", "encrypted by git-crypt", "Decrypt it: `git-crypt unlock`."),
    (b"vault:v", "encrypted by HashiCorp Vault", "Decrypt it: `vault write transit/decrypt/…`."),
    (
        b"Certificate:",
        "the text that `openssl x509 -text` prints, without the certificate itself",
        "Name the file that was printed.",
    ),
    (
        b"apiVersion:",
        "a Kubernetes manifest",
        "Take the PEM out of it: `kubectl get -f old -o jsonpath='{.data.tls\\.crt}' | base64 -d`.",
    ),
    (
        b"-----BEGIN%20",
        "PEM in a URL's encoding",
        "Decode it, for example with Python's urllib.parse.unquote.",
    ),
)
_TEXTS: Final = (
    (
        re.compile(rb"(?i)(0x)?30[: \t\r\n]*8[0-9a-f]([: \t\r\n]*[0-9a-f]{2}){32,}[\s:]*\Z"),
        "DER in hexadecimal digits",
        "Decode it: `xxd -r -p old > new.der`.",
    ),
    (
        re.compile(rb"(\$\{?\w+\}?|\{\{.*\}\}|(op|arn|ssm|secretsmanager|https?|file):\S+)\Z"),
        "a reference to the content",
        "Write what it refers to into the file.",
    ),
    (
        re.compile(rb"(?is).{0,4096}?\bbegin[^a-z]{1,4}[^\r\n]{0,64}?(certificate|key)\b"),
        "PEM whose BEGIN line is damaged",
        "The line is -----BEGIN CERTIFICATE----- or the like, in capitals with five hyphens (-).",
    ),
)
_DECODE: Final = "Put the lines back, or decode it to DER: `base64 -d old > new`."
_JWK: Final = (
    "Write it as PEM, for example with jwcrypto: `JWK.from_json(text).export_to_pem(...)`."
)
_JSON: Final = "Take the PEM out of it, for example with `jq -r .certificate old > new.pem`."


def foreign(data: bytes) -> tuple[str, str | None]:
    """What `data`, which is neither PEM nor DER, seems to be, and what to do about it."""
    start = data.strip(_BLANK)
    for beginning, name, remedy in _FORMATS:
        if start.startswith(beginning):
            return name, remedy
    if start[:1] == b"\x30" and start[1:2] in _LONG_LENGTHS:
        return "DER that is damaged or cut short", None
    if data[_TAR_MARK] == b"ustar":
        return "an archive (tar)", _UNPACK
    if start.startswith(b"{"):
        return _json(start)
    return _text(start) or ("neither PEM nor DER", None)


def _text(text: bytes) -> tuple[str, str] | None:
    for pattern, name, remedy in _TEXTS:
        if pattern.match(text):
            return name, remedy
    return _base64(b"".join(text.strip(b"'\"").split()))


def _json(text: bytes) -> tuple[str, str]:
    if b'"kty"' in text:
        return "a JSON Web Key (JWK)", _JWK
    if b'"sops"' in text:
        return "encrypted by SOPS", "Decrypt it: `sops -d old > new`."
    return "JSON", _JSON


def _base64(text: bytes) -> tuple[str, str] | None:
    if not re.fullmatch(_BASE64, text):
        return None
    text = text.translate(_TO_URL_SAFE).rstrip(b"=")
    decoded = base64.urlsafe_b64decode(text[: len(text) // 4 * 4])
    if b"-----BEGIN " in decoded:
        return (
            "the base64 of a PEM file, as a Kubernetes Secret or a CI variable holds it",
            "Decode it: `base64 -d old > new.pem`.",
        )
    if decoded[:1] == b"\x30":
        return "base64 without its BEGIN and END lines", _DECODE
    if again := _base64(b"".join(decoded.split())):
        return f"base64 of {again[0]}", "Decode it, and what comes out once more: `base64 -d`."
    return None

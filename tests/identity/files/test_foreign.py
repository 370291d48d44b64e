"""What people put where a PEM belongs is recognised and named, with what to do about it."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime, timezone
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.files.contents import open_contents
from boto_rolesanywhere.identity.files.reading import Part
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

ISSUED = CertificateAuthority().issue("app")
CERTIFICATE = ISSUED.certificate_pem
DER = ISSUED.certificate.public_bytes(Encoding.DER)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

FOREIGN = {
    "base64 of a PEM": (base64.b64encode(CERTIFICATE), "the base64 of a PEM file", "base64 -d"),
    "in lines": (base64.encodebytes(CERTIFICATE), "the base64 of a PEM file", "base64 -d"),
    "in quotes": (b'"%b"' % base64.b64encode(CERTIFICATE), "the base64 of a PEM", "base64 -d"),
    "base64 of DER": (b"".join(CERTIFICATE.splitlines()[1:-1]), "base64 without its BEGIN", "back"),
    "a web page": (b"\n<!DOCTYPE html><html>...", "a web page", "Download it anew"),
    "an error of S3": (b"<?xml version='1.0'?><Error/>", "a web page", "Download it anew"),
    "a Git LFS pointer": (LFS, "a Git LFS pointer", "git lfs pull"),
    "a JWK": (json.dumps({"kty": "EC", "d": "x"}).encode(), "a JSON Web Key", "jwcrypto"),
    "PVK": (bytes.fromhex("1ef1b5b0 0000"), "a private key in Microsoft's form PVK", "-inform PVK"),
    "MSBLOB": (bytes.fromhex("07020000 0024"), "a private key in Microsoft's form MS", "MSBLOB"),
    "XML": (b"<RSAKeyValue><Modulus>", "an RSA key in .NET's XML", "ExportPkcs8PrivateKeyPem"),
    "gzip": (gzip.compress(CERTIFICATE), "compressed (gzip)", "Unpack"),
    "ZIP": (b"PK\x03\x04....", "an archive (ZIP)", "Unpack"),
    "tar": (b"a.pem".ljust(257, b"\0") + b"ustar  ", "an archive (tar)", "Unpack"),
    "age": (b"age-encryption.org/v1\n", "encrypted by age", "age -d"),
    "Ansible Vault": (b"$ANSIBLE_VAULT;1.1;AES256\n61", "encrypted by Ansible", "ansible-vault"),
    "git-crypt": (b"\0GITCRYPT\0...", "encrypted by git-crypt", "git-crypt unlock"),
    "SOPS": (b'{"data": "ENC[...]", "sops": {}}', "encrypted by SOPS", "sops -d"),
    "a manifest": (b"apiVersion: v1\nkind: Secret\n", "a Kubernetes manifest", "kubectl get"),
    "openssl's text": (b"Certificate:\n    Data:\n", "the text that `openssl x509", "printed"),
    "hexadecimal": (DER.hex().encode(), "DER in hexadecimal", "xxd -r -p"),
    "with colons": (DER.hex(":").encode(), "DER in hexadecimal", "xxd -r -p"),
    "a variable": (b"${TLS_KEY}", "a reference to the content", "refers to"),
    "of a secret store": (b"op://vault/item/key", "a reference to the content", "refers to"),
    "URL encoding": (quote(CERTIFICATE.decode()).encode(), "PEM in a URL's encoding", "unquote"),
    "four hyphens": (CERTIFICATE.replace(b"-----", b"----"), "PEM whose BEGIN line", "hyphens"),
    "dashes": (
        b"\xe2\x80\x93BEGIN CERTIFICATE\xe2\x80\x93",
        "PEM whose BEGIN line is damaged",
        "hyphens",
    ),
    "small letters": (CERTIFICATE.lower(), "PEM whose BEGIN line is damaged", "capitals"),
    "twice base64": (
        base64.b64encode(base64.b64encode(CERTIFICATE)),
        "base64 of the base64 of a PEM file",
        "once more",
    ),
    "JSON": (b'{"data": {"certificate": "..."}}', "JSON", "jq -r"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_it_is_named_with_what_to_do(name: str) -> None:
    data, named, remedy = FOREIGN[name]
    with pytest.raises(RolesAnywhereError) as caught:
        open_contents(Part("certificate", "the file", data), None)
    assert caught.value.problem.startswith(f"it is {named}")
    assert remedy in (caught.value.remedy or "")


PGP = b"-----BEGIN PGP MESSAGE-----\nVersion: x\n\nhQEMA1==\n=abcd\n-----END PGP MESSAGE-----\n"
AGE = b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"
ONE_LINE = CERTIFICATE.replace(b"\n", rb"\n")


@pytest.mark.parametrize(
    ("data", "named", "remedy"),
    [
        (PGP, "it holds 1 encrypted message", "gpg -o new -d old"),
        (AGE, "it holds 1 encrypted message", "age -d -o new old"),
        (ONE_LINE, r"holds \n as two characters", "printf '%b'"),
    ],
    ids=["PGP", "age", "no line breaks"],
)
def test_blocks_that_hold_something_else_are_named_with_what_to_do(
    data: bytes, named: str, remedy: str
) -> None:
    with pytest.raises(RolesAnywhereError) as caught:
        open_identity(IdentitySources(certificate=data), now=datetime.now(timezone.utc))
    assert named in caught.value.problem
    assert remedy in (caught.value.remedy or "")

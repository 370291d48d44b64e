"""A secret in the place of a path or a name appears in no error."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import boto_rolesanywhere
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.redaction import holds_secret, shown
from boto_rolesanywhere.testing import CertificateAuthority

ISSUED = CertificateAuthority().issue("app")
PEM = ISSUED.private_key_pem
DER = base64.b64decode(b"".join(PEM.splitlines()[1:-1]))
SEC_1 = ISSUED.private_key.private_bytes(  # shorter than 128 bytes, unlike PKCS #8
    Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
OPENSSH = ISSUED.private_key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
FIVE: dict[str, Any] = {
    "cert": ISSUED.certificate,
    "key": ISSUED.private_key,
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/1",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/2",
    "role": "arn:aws:iam::123456789012:role/R",
}
KEYS = {
    "pem": PEM.decode(),
    "base64 of pem": base64.b64encode(PEM).decode(),
    "base64 of der": base64.b64encode(DER).decode(),
    "base64 of SEC 1": base64.encodebytes(SEC_1).decode(),
    "in one line": base64.encodebytes(SEC_1).decode().replace("\n", r"\n"),
    "OpenSSH": "".join(OPENSSH.decode().splitlines()[1:-1]),
    "in quotes": f'"{base64.b64encode(DER).decode()}"',
    "in an env file": f"KEY={base64.b64encode(SEC_1).decode()}",
    "without its lines": f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{'q0' * 40}",
    "hex": DER.hex(),
    "hex with colons": DER.hex(":"),
}


@pytest.mark.parametrize("form", KEYS)
@pytest.mark.parametrize(
    "name", ["key", "cert", "anchor", "role", "region", "session_name", "endpoint_url"]
)
def test_a_key_in_a_wrong_place_is_not_shown(form: str, name: str) -> None:
    text = KEYS[form]

    with pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(**{**FIVE, name: text})

    told = f"{caught.value} {caught.value!r}"
    assert not any(text[start : start + 24] in told for start in range(0, len(text) - 24, 8))


@pytest.mark.parametrize("uri", ["'pkcs11:token=x?pin-value=987654'", 'x"pkcs11:?pin-value=987654'])
def test_a_pin_is_not_shown(uri: str) -> None:
    with pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(**{**FIVE, "key": uri})

    assert "987654" not in str(caught.value)
    assert "without quotes" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["/etc/pki/tls/private/app.key", "eu-west-1", "MIKE.pem", "3081.der", "M" * 300, "mail/" * 20],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert not holds_secret(text)
    assert shown(text).strip("'…")[:200] == text[:200]


def test_a_variable_that_may_be_the_passphrase_itself_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV", "hunter2pw")

    with pytest.raises(RolesAnywhereError) as caught:
        boto_rolesanywhere.get_session(**FIVE)

    assert "hunter2pw" not in str(caught.value)


def test_an_endpoint_with_a_password_is_refused_without_it() -> None:
    with pytest.raises(RolesAnywhereError, match="user name or password") as caught:
        boto_rolesanywhere.get_session(**FIVE, endpoint_url="https://usr:s3cr3tpw@127.0.0.1:1")

    assert "s3cr3tpw" not in str(caught.value)


def test_a_session_of_boto3_is_taken_and_a_dictionary_for_a_config_is_not() -> None:
    given = boto3.Session(region_name="eu-north-1")
    session = boto_rolesanywhere.get_session(**FIVE, botocore_session=given)
    assert session.region_name == "eu-north-1"

    with pytest.raises(RolesAnywhereError, match="client_config: it is a dict"):
        boto_rolesanywhere.get_session(**FIVE, client_config={})  # type: ignore[arg-type]  # the point


def test_a_wrong_number_for_botocore_is_not_blamed_on_the_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "abc")
    credentials = boto_rolesanywhere.get_session(**FIVE).get_credentials()

    with pytest.raises(RolesAnywhereError, match=r"AWS_MAX_ATTEMPTS.*botocore cannot use what is"):
        credentials.get_frozen_credentials()


def test_a_role_keeps_a_path_of_any_printable_characters() -> None:
    role = "arn:aws:iam::123456789012:role/team(x):a/~/R"
    assert boto_rolesanywhere.get_session(**{**FIVE, "role": role}).get_credentials()


@pytest.mark.parametrize("info", ["AES-256-CBC,0011223344556677", "DES-EDE3-CBC,00"])
def test_a_short_iv_is_our_error(info: str, tmp_path: Path) -> None:
    text = f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {info}\n\n"
    (tmp_path / "key.pem").write_text(f"{text}{'A' * 64}\n-----END RSA PRIVATE KEY-----\n")

    with pytest.raises(RolesAnywhereError, match=r"key\.pem"):
        boto_rolesanywhere.get_session(
            **{**FIVE, "key": str(tmp_path / "key.pem")}, passphrase="secret"
        )

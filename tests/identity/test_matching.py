"""Of several keys the one that belongs to a usable certificate; a certificate apart decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from openssl_files import OpenSSL

from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources, Secret

Make = Callable[..., Path]
SECRET = Secret("hunter2", "the test")
SERVER_ALONE = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyAgreement\n"


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    """Certificates app and spare, which AWS takes, and tls, which it refuses."""
    openssl = OpenSSL(tmp_path_factory.mktemp("pki"))
    for name, rules in (("tls", SERVER_ALONE), ("app", ""), ("spare", "")):
        openssl.key(f"{name}.key")
        options = {"extensions": rules} if rules else {}
        openssl.certificate(f"{name}.crt", f"{name}.key", f"/CN={name}", **options)
    return openssl


def bundle(openssl: OpenSSL, *names: str) -> Path:
    """A PKCS #12 file with several keys, each in a bag of its own."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        load_pem_private_key,
        pkcs12,
    )

    from boto_rolesanywhere.certificates import der

    def safe(name: str) -> tuple[bytes, ...]:
        from cryptography import x509

        data = pkcs12.serialize_key_and_certificates(
            name.encode(),
            load_pem_private_key(openssl.read(f"{name}.key"), None),  # type: ignore[arg-type]  # RSA or EC
            x509.load_pem_x509_certificate(openssl.read(f"{name}.crt")),
            None,
            BestAvailableEncryption(b"hunter2"),
        )
        content = der.read_only(data).children()[1].children()[1].children()[0].content
        return tuple(info.raw for info in der.read_only(content).children())

    def tlv(tag: int, *parts: bytes) -> bytes:
        return der.encode(tag, b"".join(parts))

    infos = [info for name in names for info in safe(name)]
    octets = tlv(0xA0, tlv(4, tlv(0x30, *infos)))
    data_type = bytes.fromhex("06092a864886f70d010701")
    file = tlv(0x30, tlv(2, b"\3"), tlv(0x30, data_type, octets))
    return openssl.write("-".join(names) + ".p12", file)


def pem(openssl: OpenSSL, *names: str) -> Path:
    parts = [openssl.read(f"{name}{kind}") for name in names for kind in (".key", ".crt")]
    return openssl.write("-".join(names) + ".pem", b"".join(parts))


def subject(certificate: Path, key: Path | None = None) -> str:
    sources = IdentitySources(certificate=certificate, private_key=key, secret=SECRET)
    now = datetime.now(timezone.utc)
    return open_identity(sources, now=now).certificate.subject.rfc4514_string()


@pytest.mark.parametrize("make", [bundle, pem])
@pytest.mark.parametrize("order", [("tls", "app"), ("app", "tls")])
def test_the_key_whose_certificate_aws_takes_is_used(
    make: Make, order: tuple[str, ...], openssl: OpenSSL
) -> None:
    assert subject(make(openssl, *order)) == "CN=app"


@pytest.mark.parametrize("make", [bundle, pem])
@pytest.mark.parametrize("name", ["app", "spare"])
def test_a_certificate_apart_decides(make: Make, name: str, openssl: OpenSSL) -> None:
    keys = make(openssl, "tls", "app", "spare")
    assert subject(openssl.path(f"{name}.crt"), keys) == f"CN={name}"


@pytest.mark.parametrize("make", [bundle, pem])
def test_several_that_could_be_used_are_refused_with_a_list(make: Make, openssl: OpenSSL) -> None:
    with pytest.raises(PrivateKeyError) as caught:
        subject(make(openssl, "app", "tls", "spare"))
    assert caught.value.code == "identity-ambiguous"
    assert "2 identities that could be used: CN=app (serial" in caught.value.problem
    assert "CN=spare (serial" in caught.value.problem


def test_the_same_key_twice_is_one(openssl: OpenSSL) -> None:
    assert subject(pem(openssl, "app", "app")) == "CN=app"

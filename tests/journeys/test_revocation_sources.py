"""From each kind of source to a certificate that AWS refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import arns, ended
from cryptography.hazmat.primitives.serialization import Encoding
from list_site import Site, running_site, with_points
from private_cas import create_root, moto_ca
from revocation_account import (
    der,
    made_list,
    make_bucket,
    private_ca_below,
    write_private_list,
)

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate


@pytest.fixture
def administrator(
    emulator: Emulator, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> Administrator:
    """Of an account whose Roles Anywhere is the emulator, and all else moto's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
    return Administrator(region=emulator.region)


@pytest.fixture
def site() -> Iterator[str]:
    with running_site() as url:
        yield url


def is_refused(emulator: Emulator, issued: IssuedCertificate, folder: Path) -> bool:
    paths = issued.write(folder)
    (folder / "bundle.pem").write_bytes(issued.bundle_pem)
    flags = ("--certificate", str(folder / "bundle.pem"), "--private-key", str(paths.private_key))
    done = ended("credential-process", *flags, *arns(emulator), "--no-cache", status=1)
    return "denied-certificate-revoked" in done.stderr


@pytest.mark.parametrize("kind", ["file", "http", "s3", "cdp", "private-ca"])
def test_a_certificate_on_the_list_is_refused(
    emulator: Emulator,
    administrator: Administrator,
    ca: CertificateAuthority,
    site: str,
    tmp_path: Path,
    kind: str,
) -> None:
    arn, issuer, bucket = "", ca, "journey-lists"
    if kind == "private-ca":
        arn, issuer = private_ca_below(administrator, ca, S3BucketName="journey-pca")
    issued = issuer.issue("app1")
    pem = made_list(issuer, [issued.certificate.serial_number])
    if kind == "private-ca":
        write_private_list(administrator, arn, "journey-pca", pem)
    if kind == "s3":
        make_bucket(administrator, bucket)
        administrator.call("s3", "PutObject", Bucket=bucket, Key="ca.crl", Body=pem)
    (tmp_path / "ca.crl").write_bytes(der(pem))
    Site.pages["/ca.crl"] = der(pem)
    named = with_points(ca, f"{site}/ca.crl").public_bytes(Encoding.PEM)
    (tmp_path / "named.pem").write_bytes(named)
    source = {
        "file": str(tmp_path / "ca.crl"),
        "http": f"{site}/ca.crl",
        "s3": f"s3://{bucket}/ca.crl",
        "cdp": f"cdp:{tmp_path / 'named.pem'}",
        "private-ca": arn,
    }[kind]

    flags = ("--trust-anchor", emulator.trust_anchor_arn, "--from", source)
    told = ended("crl", "sync", *flags).stdout
    assert "is imported and enabled" in told
    assert ("nowhere published" in told) == (kind == "private-ca")
    assert is_refused(emulator, issued, tmp_path / "pki")
    assert "is imported already" in ended("crl", "sync", *flags).stdout


def test_a_private_ca_takes_its_certificate_back(
    administrator: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trust anchor's source is the private CA itself."""
    client = administrator.client("acm-pca")
    arn = create_root(client, key="EC_prime256v1")
    held = moto_ca(arn)
    make_bucket(administrator, "journey-root")
    lists = {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": "journey-root"}
    held.revocation_configuration = {"CrlConfiguration": lists}
    key = opened_key(held.private_bytes, held.password)
    authority = CertificateAuthority.from_pem(held.certificate_bytes, key)
    issued = authority.issue("app1")
    (tmp_path / "app1.pem").write_bytes(issued.certificate_pem)

    with Emulator(private_cas=lambda _: held.certificate_bytes.decode()) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROLESANYWHERE", emulator.endpoint_url)
        source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": arn}}
        anchor = Administrator(region="eu-west-1").call(
            "rolesanywhere", "CreateTrustAnchor", name="pca", source=source, enabled=True
        )["trustAnchor"]["trustAnchorArn"]
        flags = ("revoke", str(tmp_path / "app1.pem"), "--pca", arn, "--trust-anchor", anchor)
        write_private_list(administrator, arn, "journey-root", authority.crl([3], number=1))

        early = json.loads(ended(*flags, "--json", status=3).stdout)
        assert (early["refusedByAws"], early["sourceIdentity"]) == (False, "CN=app1")
        serial = issued.certificate.serial_number
        assert len(held.revoked_certificates) == 1
        write_private_list(administrator, arn, "journey-root", authority.crl([3, serial], number=2))
        late = ended(*flags).stdout

    assert "AWS refuses the certificate" in late


def opened_key(encrypted: bytes, password: bytes) -> bytes:
    """The key of moto's CA, in the open."""
    from cryptography.hazmat.primitives.serialization import (
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(encrypted, password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

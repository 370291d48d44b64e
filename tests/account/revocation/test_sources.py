"""A list from each kind of source."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from list_site import Site, running_site, with_points
from revocation_account import (
    NOW,
    der,
    made_list,
    make_bucket,
    private_ca_below,
    write_private_list,
)

from boto_rolesanywhere.account.administrator import Administrator
from boto_rolesanywhere.account.revocation.rules import authorities_below, issuer_of
from boto_rolesanywhere.account.revocation.sources import Reader
from boto_rolesanywhere.authority.authority import Wish
from boto_rolesanywhere.authority.folder import create_issuing, create_root, open_authority
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    EndpointError,
    RolesAnywhereError,
)
from boto_rolesanywhere.testing import CertificateAuthority

FOREIGN = CertificateAuthority()


@pytest.fixture
def site() -> Iterator[str]:
    with running_site() as url:
        yield url


@pytest.fixture
def administrator(monkeypatch: pytest.MonkeyPatch) -> Administrator:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return Administrator(region="eu-west-1")


@pytest.fixture
def reader(administrator: Administrator) -> Reader:
    return Reader(administrator=administrator)


@pytest.fixture
def in_moto(moto_url: str, monkeypatch: pytest.MonkeyPatch, reader: Reader) -> Reader:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    return reader


def fault(reader: Reader, source: str) -> RolesAnywhereError:
    with pytest.raises(RolesAnywhereError) as caught:
        reader.read(source)
    return caught.value


@pytest.mark.parametrize("is_pem", [True, False])
def test_a_file_may_be_pem_or_der(
    reader: Reader, ca: CertificateAuthority, tmp_path: Path, is_pem: bool
) -> None:
    pem = made_list(ca)
    (tmp_path / "list").write_bytes(pem if is_pem else der(pem))  # its name says nothing

    listed = reader.read(str(tmp_path / "list")).listed

    assert (listed.pem, listed.is_pem, listed.number, listed.entries) == (pem, is_pem, 1, 1)


def test_a_url_is_followed_where_it_moved(
    reader: Reader, ca: CertificateAuthority, site: str
) -> None:
    Site.pages |= {"/ca.crl": "/moved?x=1", "/moved?x=1": der(made_list(ca))}

    assert reader.read(f"{site}/ca.crl").listed.entries == 1


def test_a_server_that_compresses_is_read(
    reader: Reader, ca: CertificateAuthority, site: str
) -> None:
    Site.pages |= {"/gzip": made_list(ca), "/gzip/bomb": bytes(60_000_000)}

    assert reader.read(f"{site}/gzip").listed.entries == 1
    assert fault(reader, f"{site}/gzip/bomb").code == "crl-too-large"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"list", mtime=0), "compressed (gzip)"),
        (b"<html>log in</html>", "a web page"),
        (base64.b64encode(b"0" * 60), "base64 without"),
        (CertificateAuthority().certificate_pem, "it holds CERTIFICATE"),
        (
            CertificateAuthority().certificate.public_bytes(Encoding.DER),
            "it is CERTIFICATE, in DER",
        ),
    ],
    ids=["compressed", "page", "base64", "PEM", "DER"],  # the contents differ each time
)
def test_what_is_no_list_is_called_by_its_name(
    reader: Reader, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "list").write_bytes(content)

    error = fault(reader, str(tmp_path / "list"))

    assert error.code == "crl-unreadable"
    assert f"not a certificate revocation list ({words}" in error.problem


@pytest.mark.parametrize(
    ("pages", "code", "words"),
    [
        ({}, "crl-not-fetched", "HTTP 404"),
        ({"/ca.crl": "/ca.crl"}, "crl-not-fetched", "more than 5 times"),
        ({"/ca.crl": ""}, "crl-not-fetched", "HTTP 302 without a Location"),
        ({"/ca.crl": "ldap://example.com/cn=ca"}, "crl-source-unusable", "cannot be fetched"),
        ({"/ca.crl": "file:///etc/passwd"}, "crl-source-unusable", "cannot be fetched"),
        ({"/ca.crl": b"\n"}, "crl-unreadable", "it is empty"),
        ({"/ca.crl": b"<html>hello</html>"}, "crl-unreadable", "not a certificate revocation list"),
        ({"/ca.crl": bytes(5_000_000)}, "crl-too-large", "larger than 4 MiB"),
    ],
)
def test_what_a_url_leads_to_is_judged(
    reader: Reader, site: str, pages: dict[str, bytes | str], code: str, words: str
) -> None:
    Site.pages |= pages

    error = (
        fault(reader, f"{site}/ca.crl?token=S3CRET")
        if not pages
        else fault(reader, f"{site}/ca.crl")
    )

    assert error.code == code
    assert words in error.problem
    assert "S3CRET" not in str(error)


@pytest.mark.parametrize(
    "source", ["", "ldap://example.com/cn=ca", "https://user:S3CRET@example.com/ca.crl", "http://"]
)
def test_other_urls_are_refused(reader: Reader, source: str) -> None:
    error = fault(reader, source)

    assert isinstance(error, ConfigurationError)
    assert error.code == "crl-source-unusable"
    assert "S3CRET" not in str(error)


def test_a_server_that_is_not_there_is_said(reader: Reader) -> None:
    error = fault(reader, "http://127.0.0.1:9/ca.crl?token=S3CRET")

    assert isinstance(error, EndpointError)
    assert error.code == "crl-not-fetched"
    assert error.where == "http://127.0.0.1:9/ca.crl"


def test_the_distribution_point_of_a_certificate_is_asked(
    administrator: Administrator, ca: CertificateAuthority, site: str, tmp_path: Path
) -> None:
    Site.pages |= {"/ca.crl": der(made_list(ca)), "/login": b"<html>log in</html>"}
    certificate = with_points(
        ca, "ldap://x/cn=ca", f"{site}/gone", f"{site}/login", f"{site}/ca.crl"
    )
    (tmp_path / "app1.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    anchored = Reader(administrator=administrator, anchors=[certificate])
    without = Reader(administrator=administrator, anchors=[ca.certificate])

    assert anchored.read("cdp").listed.entries == 1
    assert without.read(f"cdp:{tmp_path / 'app1.pem'}").listed.entries == 1
    assert fault(without, "cdp").code == "crl-source-unusable"


def test_a_bucket_is_read(in_moto: Reader, ca: CertificateAuthority) -> None:
    s3 = in_moto.administrator
    make_bucket(s3, "lists")
    s3.call("s3", "PutObject", Bucket="lists", Key="pki/ca.crl", Body=der(made_list(ca)))

    assert in_moto.read("s3://lists/pki/ca.crl").listed.entries == 1
    assert "NoSuchKey" in str(fault(in_moto, "s3://lists/other"))
    assert fault(in_moto, "s3://lists").code == "crl-source-unusable"


def test_a_private_ca_leads_to_its_bucket(in_moto: Reader, ca: CertificateAuthority) -> None:
    administrator = in_moto.administrator
    arn, below = private_ca_below(administrator, ca, S3BucketName="pca-lists")
    write_private_list(administrator, arn, "pca-lists", made_list(below))

    found = in_moto.read(arn)

    assert found.listed.issuer == "CN=Private CA"
    trusted = authorities_below([ca.certificate], found.authorities)
    assert issuer_of(found.listed, trusted).subject.rfc4514_string() == "CN=Private CA"


def test_a_private_ca_without_lists_is_said(in_moto: Reader, ca: CertificateAuthority) -> None:
    arn, _ = private_ca_below(in_moto.administrator, ca)

    error = fault(in_moto, arn)

    assert error.code == "crl-source-unusable"
    assert "writes no revocation lists" in error.problem


def test_a_private_ca_that_splits_its_list_is_refused(
    in_moto: Reader, ca: CertificateAuthority
) -> None:
    lists = {"S3BucketName": "pca-parts", "CrlType": "PARTITIONED"}
    arn, _ = private_ca_below(in_moto.administrator, ca, **lists)

    assert fault(in_moto, arn).code == "crl-partial"


def test_a_list_that_a_private_ca_has_not_written_yet_is_said(
    in_moto: Reader, ca: CertificateAuthority
) -> None:
    arn, _ = private_ca_below(in_moto.administrator, ca, S3BucketName="pca-early")
    key = f"crl/{arn.rpartition('/')[2]}.crl"

    error = fault(in_moto, arn)

    assert error.code == "crl-source-unusable"
    assert f"s3://pca-early/{key}" in error.problem


def test_a_private_ca_of_another_region_is_said(reader: Reader) -> None:
    error = fault(reader, "arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/0a")

    assert error.code == "arns-disagree"
    assert "us-east-1" in error.problem


def test_a_ca_folder_signs_a_list_when_one_is_due(reader: Reader, tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    authority = create_root(folder, "Example CA")
    serials = [
        authority.issue(
            Wish(name=name, subject=x509.Name.from_rfc4514_string(f"CN={name}"))
        ).certificate.serial_number
        for name in ("app1", "app2")
    ]
    authority.revoke(serials[0])

    first = reader.read(str(folder)).listed
    assert (first.number, first.entries) == (1, 1)
    assert reader.read(str(folder)).listed.number == 1  # the same again
    authority.revoke(serials[1])
    assert (reader.read(str(folder)).listed.number, reader.read(str(folder)).listed.entries) == (
        2,
        2,
    )

    def number_after(days: float) -> int | None:
        later = Reader(administrator=reader.administrator, clock=lambda: NOW + timedelta(days=days))
        return later.read(str(folder)).listed.number

    assert number_after(4.5) == 2
    assert number_after(4.8) == 3  # less than a third of seven days is left
    assert open_authority(folder).newest_list() is not None


def test_a_list_of_a_wrong_clock_is_signed_anew(reader: Reader, tmp_path: Path) -> None:
    ahead = NOW + timedelta(days=2)
    authority = create_root(tmp_path / "ca", "Example CA", clock=lambda: NOW)
    authority.revoke(authority.issue(Wish.named("app1")).serial_number)
    open_authority(tmp_path / "ca", clock=lambda: ahead).sign_list()

    listed = replace(reader, clock=lambda: NOW).read(str(tmp_path / "ca")).listed

    assert (listed.number, listed.this_update) == (2, NOW)


def test_the_list_of_an_issuing_ca_leads_to_its_root(reader: Reader, tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    issuing = create_issuing(folder, "Example Root", "Issuing CA")
    root = x509.load_pem_x509_certificate((folder / "trust-anchor.pem").read_bytes())

    found = reader.read(str(folder))

    assert (
        issuer_of(found.listed, authorities_below([root], found.authorities)) == issuing.certificate
    )
    with pytest.raises(CertificateError, match="Issuing CA"):
        issuer_of(found.listed, [root])


def test_a_folder_without_a_ca_is_said(reader: Reader, tmp_path: Path) -> None:
    assert fault(reader, str(tmp_path)).code == "authority-missing"

"""The CA certificates of a call without botocore are botocore's, or of those Amazon's alone."""

from __future__ import annotations

import ssl
from pathlib import Path

from botocore.httpsession import get_cert_path

from boto_rolesanywhere.create_session.trust import (
    amazons_context,
    bundle_file,
    context_of,
)
from boto_rolesanywhere.testing import CertificateAuthority


def subjects(context: ssl.SSLContext) -> set[str]:
    return {
        next(value for rdn in found["subject"] for name, value in rdn if name == "commonName")
        for found in context.get_ca_certs()
    }


def test_the_bundle_is_the_one_that_botocore_takes() -> None:
    assert bundle_file() == get_cert_path(True)


def test_amazons_cas_are_found_in_it() -> None:
    context = amazons_context(get_cert_path(True))

    assert context is not None
    assert {f"Amazon Root CA {number}" for number in range(1, 5)} <= subjects(context)
    assert all(name.startswith(("Amazon", "Starfield")) for name in subjects(context))
    assert len(subjects(context)) < 10


def test_a_bundle_without_names_has_none(ca: CertificateAuthority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(ca.certificate_pem)

    assert amazons_context(str(tmp_path / "ca.pem")) is None


def test_nothing_else_is_trusted_and_names_are_checked(
    ca: CertificateAuthority, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(ca.certificate_pem)
    amazons = amazons_context(get_cert_path(True))
    assert amazons is not None

    for context in (context_of(str(tmp_path / "ca.pem")), amazons):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context_of(str(tmp_path / "ca.pem")).get_ca_certs()) == 1

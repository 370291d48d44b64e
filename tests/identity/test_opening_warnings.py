"""What is warned of when an identity is opened, and what is not."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from made_certificates import NOW as MADE
from made_certificates import issue, rsa_of
from opened import NOW

from boto_rolesanywhere.identity.files.reading import excess
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate


def test_a_key_that_is_larger_than_those_in_use_is_taken_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Large:
        def public_key(self) -> RSAPublicKey:
            return rsa_of(8192)

        def sign(self, data: bytes) -> bytes:
            return data

    sources = IdentitySources(certificate=issue(key=rsa_of(8192)), private_key=Large())
    identity = open_identity(sources, now=MADE)

    assert identity.algorithm == "AWS4-X509-RSA-SHA256"
    assert "its key is RSA 8192, and AWS publishes no upper bound." in caplog.text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o444], ids=oct)
def test_a_key_that_others_may_read_is_warned_of_once(
    mode: int, paths: IdentitySources, caplog: pytest.LogCaptureFixture
) -> None:
    key = Path(str(paths.private_key))
    key.chmod(0o731)  # to write it and to run it is no matter here
    open_identity(paths, now=NOW)
    assert caplog.records == []
    key.chmod(mode)
    for _ in range(3):
        open_identity(paths, now=NOW)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("boto_rolesanywhere.identity", logging.WARNING)
    assert record.getMessage() == (
        f"{key} holds a private key that other users may read: chmod 600."
    )


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "bits"),
    [
        (0o640, 1000, 1000, 0o040),  # one's own, for no reason
        (0o440, 0, 10001, 0),  # root's, handed to the reader's group
        (0o460, 0, 10001, 0o020),
        (0o444, 0, 10001, 0o004),
        (0o640, 1000, 0, 0o040),  # root needs no group
        (0o600, 1000, 1000, 0),
    ],
)
def test_a_group_may_read_what_its_member_does_not_own(
    mode: int, owner: int, reader: int, bits: int
) -> None:
    facts = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, 10001, 0, 0, 0, 0))

    assert excess(facts, reader) == bits


def test_a_certificate_that_others_may_read_is_not_warned_of(
    paths: IdentitySources, caplog: pytest.LogCaptureFixture
) -> None:
    Path(str(paths.certificate)).chmod(0o644)
    open_identity(paths, now=NOW)
    assert caplog.records == []


def test_a_chain_of_strangers_is_warned_of(
    issued: IssuedCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = CertificateAuthority("Stranger").issue_intermediate("Strange")
    sources = IdentitySources(
        certificate=issued.certificate,
        private_key=issued.private_key,
        chain=stranger.certificate_pem,
    )
    identity = open_identity(sources, now=NOW)
    assert identity.chain == ()
    assert identity.chain_header is None
    assert caplog.messages == [
        "None of the certificates in the chain given as bytes issued CN=app: no chain is sent."
    ]


def test_a_chain_of_the_root_alone_is_nothing_to_warn_of(
    ca: CertificateAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    direct = ca.issue("direct")
    sources = IdentitySources(
        certificate=direct.certificate, private_key=direct.private_key, chain=ca.certificate
    )
    assert open_identity(sources, now=NOW).chain == ()
    assert caplog.messages == []

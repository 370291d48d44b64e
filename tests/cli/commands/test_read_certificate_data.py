"""``boto-rolesanywhere read-certificate-data``: the helper's JSON, and its list of certificates."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from hashlib import sha1
from pathlib import Path

import pytest
from commands import complaint, environment, run
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from soft_token import SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority("Root")


def shown(home: Path, *flags: str | Path) -> str:
    done = run("read-certificate-data", *flags, env=environment(home))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def entry(certificate: x509.Certificate, subject: str, place: str, issuer: str = "CN=Root") -> str:
    """What AWS's helper 1.8.0 prints of a certificate, behind its number."""
    return (
        f"Hex Fingerprint: {sha1(der(certificate)).hexdigest()}\nSubject: {subject}\n"
        f"Issuer: {issuer}\nSerial Number: {certificate.serial_number:X}\n{place}\n\n"
    )


@pytest.mark.parametrize(
    ("key_type", "kind", "algorithms"),
    [
        ("RSA-2048", "RSA", ["RSASHA256", "RSASHA384", "RSASHA512"]),
        ("P-384", "EC", ["ECSHA256", "ECSHA384", "ECSHA512"]),
        ("ML-DSA-65", "ML-DSA-65", ["ML-DSA-65"]),
    ],
)
def test_a_file_is_shown_as_the_helpers_json(
    tmp_path: Path, key_type: str, kind: str, algorithms: list[str]
) -> None:
    one = CA.issue("web", key_type=key_type)  # type: ignore[arg-type]  # one of its names
    path = one.write(tmp_path).certificate
    expected = {
        "keyType": kind,
        "certificateData": b64encode(der(one.certificate)).decode(),
        "serialNumber": str(one.serial_number),
        "supportedAlgorithms": algorithms,
    }

    # Byte for byte: the order of the fields, no blanks, no line break.
    assert shown(tmp_path, "--certificate", path) == json.dumps(expected, separators=(",", ":"))


def test_the_end_entity_certificate_is_shown_wherever_it_stands(tmp_path: Path) -> None:
    one = CA.issue_intermediate("Issuing").issue("web")
    path = tmp_path / "reversed.pem"
    path.write_bytes(one.chain_pem + one.certificate_pem)

    found = json.loads(shown(tmp_path, "--certificate", path))

    assert found["serialNumber"] == str(one.serial_number)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    # As AWS's helper does: vault read … | … read-certificate-data --certificate /dev/stdin
    one = CA.issue("web")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_bytes(one.certificate_pem))
    writing.start()

    found = json.loads(shown(tmp_path, "--certificate", pipe))

    writing.join()
    assert found["serialNumber"] == str(one.serial_number)


def test_a_folder_is_listed(tmp_path: Path) -> None:
    web = CA.issue("web", subject="CN=web,O=a")
    mail = CA.issue("mail", not_after=datetime.now(timezone.utc) + timedelta(days=900))
    store = tmp_path / "store"
    for name, one in (("1", web), ("2", mail)):
        store.mkdir(exist_ok=True)
        (store / f"{name}.pem").write_bytes(one.certificate_pem)
    first = entry(web.certificate, "CN=web,O=a", f"File: {store}/1.pem")
    second = entry(mail.certificate, "CN=mail", f"File: {store}/2.pem")

    both = f"Matching identities\n1) {first}2) {second}"
    assert shown(tmp_path, "--cert-store", store) == both
    issuer = ("--cert-selector", "Key=x509Issuer,Value=CN=Root", "--cert-store", store)
    assert shown(tmp_path, *issuer) == both
    latest = f"Matching identities\n1) {second}"
    assert shown(tmp_path, *issuer, "--use-latest-expiring-certificate") == latest
    nobody = ("--cert-selector", "Key=x509Subject,Value=CN=x", "--cert-store", store)
    assert shown(tmp_path, *nobody) == "No matching identities\n"


def test_a_file_that_stays_locked_is_named(tmp_path: Path) -> None:
    one = CA.issue("web")
    store = tmp_path / "store"
    store.mkdir()
    locked = BestAvailableEncryption(b"open sesame")
    bundle = serialize_key_and_certificates(None, one.private_key, one.certificate, None, locked)
    (store / "web.p12").write_bytes(bundle)
    listing = ("read-certificate-data", "--cert-store", store)

    done = run(*listing, env=environment(tmp_path))
    opened = run(*listing, "--pkcs8-password", "open sesame", env=environment(tmp_path))

    assert (done.returncode, done.stdout) == (0, b"No matching identities\n")
    told = f"since the passphrase is missing or wrong: {store}/web.p12".encode()
    assert told in done.stderr
    assert (opened.returncode, opened.stderr) == (0, b"")
    assert b"Subject: CN=web\n" in opened.stdout


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a\x1b[2Jb")])
    (tmp_path / "a.pem").write_bytes(CA.issue("a", subject=name).certificate_pem)

    assert "Subject: CN=a\\x1b[2Jb\n" in shown(tmp_path, "--cert-store", tmp_path)


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        yield token


def test_a_token_is_listed_with_uris_that_name_each(tmp_path: Path, token: SoftToken) -> None:
    web, mail = CA.issue("web"), CA.issue("mail")
    for number, (name, one) in enumerate((("web", web), ("mail", mail)), 1):
        token.add_key(one.private_key, label=f"{name} key", id_=f"0{number}")
        token.add_certificate(one.certificate, label=f"{name} cert", id_=f"0{number}")
    library = ("--pkcs11-lib", SOFTHSM)

    listed = shown(tmp_path, "--certificate", token.uri, *library)

    uris = [line.removeprefix("URI: ") for line in listed.splitlines() if line.startswith("URI: ")]
    assert len(uris) == 2
    for one, name in ((web, "web"), (mail, "mail")):
        (uri,) = (uri for uri in uris if f"object={name}%20cert" in uri)
        alone = entry(one.certificate, f"CN={name}", f"URI: {uri}")
        assert alone in listed
        found = shown(tmp_path, "--certificate", uri, *library)
        assert found == f"Matching identities\n1) {alone}"
    chosen = shown(
        tmp_path,
        *("--cert-store", token.uri, "--cert-selector", "Key=x509Subject,Value=CN=mail", *library),
    )
    assert chosen == f"Matching identities\n1) {alone}"
    none = shown(tmp_path, "--certificate", f"{token.uri};object=gone", *library)
    assert none == "No matching identities\n"


def test_a_uri_that_names_no_token_lists_those_of_all(tmp_path: Path, token: SoftToken) -> None:
    # As the helper does; no PIN is tried on any of them.
    for place, name in ((token, "web"), (token.another(), "mail")):
        place.add_certificate(CA.issue(name).certificate, label=name)

    listed = shown(tmp_path, "--certificate", "pkcs11:", "--pkcs11-lib", SOFTHSM)

    subjects = {line for line in listed.splitlines() if line.startswith("Subject: ")}
    assert subjects == {"Subject: CN=web", "Subject: CN=mail"}


@pytest.mark.parametrize(
    ("flags", "words", "status"),
    [
        ((), "neither a certificate nor a private key was given", 2),
        (("--certificate", "/nowhere/cert.pem"), "/nowhere/cert.pem: there is no such file", 1),
        (("--certificate", __file__), "expected a certificate in PEM or DER", 1),
        (("--cert-selector", "Key=x509Subject,Value=a"), "--cert-store with a folder of certif", 2),
        (("--cert-store", "/nowhere"), "--cert-store /nowhere: it cannot be read", 1),
        (("--certificate", "pkcs11:nope"), "PKCS#11 URI", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, flags: tuple[str, ...], words: str, status: int
) -> None:
    done = run("read-certificate-data", *flags, env=environment(tmp_path))

    assert words in complaint(done, status)


def test_the_version_is_a_bare_number(tmp_path: Path) -> None:
    from boto_rolesanywhere import __version__

    done = run("version", env=environment(tmp_path))

    assert (done.returncode, done.stdout.decode()) == (0, f"{__version__}\n")

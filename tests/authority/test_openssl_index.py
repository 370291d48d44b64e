"""What `openssl ca` has recorded, read as openssl writes it."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import pytest

from boto_rolesanywhere.authority.openssl_index import read_index, read_list_number
from boto_rolesanywhere.authority.records import Record
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority

CONFIG: Final = """\
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = newcerts
serial = serial
crlnumber = crlnumber
certificate = ca-cert.pem
private_key = ca-key.pem
default_md = sha256
default_days = 30
default_crl_days = 7
unique_subject = no
policy = any
[any]
commonName = supplied
organizationName = optional
[leaf]
keyUsage = critical, digitalSignature
"""


def only(folder: Path, line: str) -> Record:
    """The record of an index with this line."""
    (folder / "index.txt").write_text(f"{line}\n", encoding="utf-8")
    (record,) = read_index(folder / "index.txt")
    return record


def line(
    state: str = "V",
    end: str = "270101000000Z",
    revoked: str = "",
    serial: str = "01",
    subject: str = "/CN=app1",
) -> str:
    return f"{state}\t{end}\t{revoked}\t{serial}\tunknown\t{subject}"


def test_a_ca_of_openssl_itself_is_read(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    ca = CertificateAuthority("Old CA")
    ca.write(tmp_path)
    for name, content in {
        "c.cnf": CONFIG,
        "index.txt": "",
        "serial": "0F\n",
        "crlnumber": "1F\n",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "newcerts").mkdir()
    command = ("ca", "-config", "c.cnf", "-batch")
    for name in ("app1", "app2", "äpp3"):
        subject = f"/O=a, b/CN={name}"
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-utf8"),
            *("-keyout", "key.pem", "-out", "a.csr", "-subj", subject),
        )
        openssl(*command, "-extensions", "leaf", "-in", "a.csr", "-out", f"{name}.pem")
    openssl(*command, "-revoke", "app2.pem", "-crl_reason", "keyCompromise")
    openssl(*command, "-gencrl", "-out", "crl.pem")
    (tmp_path / "newcerts" / "11.pem").unlink()

    records = list(read_index(tmp_path / "index.txt"))

    assert [(each.serial_number, each.name, each.reason) for each in records] == [
        (0x0F, "app1", None),
        (0x10, "app2", "keyCompromise"),
        (0x11, "äpp3", None),
    ]
    assert [each.subject for each in records] == [
        f"O=a\\, b,CN={name}" for name in ("app1", "app2", "äpp3")
    ]
    assert [each.der is not None for each in records] == [True, True, False]
    assert read_list_number(tmp_path / "crlnumber") == 0x1F


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("270101000000Z", datetime(2027, 1, 1, tzinfo=timezone.utc)),
        ("491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        ("500101000000Z", datetime(1950, 1, 1, tzinfo=timezone.utc)),
        ("20500101000000Z", datetime(2050, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_years_of_two_and_four_digits(tmp_path: Path, written: str, time: datetime) -> None:
    assert only(tmp_path, line(end=written)).not_after == time


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("260601120000Z", None),
        ("260601120000Z,keyCompromise", "keyCompromise"),
        ("260601120000Z,CACompromise", "cACompromise"),
        ("260601120000Z,holdInstruction,holdInstructionReject", "certificateHold"),
        ("260601120000Z,keyTime,20260101000000Z", "keyCompromise"),
        ("260601120000Z,CAkeyTime,20260101000000Z", "cACompromise"),
        ("260601120000Z,removeFromCRL", "unspecified"),
    ],
)
def test_revocations_with_their_reasons(tmp_path: Path, written: str, reason: str | None) -> None:
    record = only(tmp_path, line("R", revoked=written))

    assert record.revoked_at == datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
    assert record.reason == reason


@pytest.mark.parametrize("state", ["V", "E"])
def test_what_is_not_revoked(tmp_path: Path, state: str) -> None:
    record = only(tmp_path, line(state))

    assert (record.revoked_at, record.reason) == (None, None)


@pytest.mark.parametrize(
    ("written", "name", "subject"),
    [
        ("/CN=app1", "app1", "CN=app1"),
        ("/O=example/CN=app1", "app1", "CN=app1,O=example"),
        ("/CN=app1/O=A \\/ B", "app1", "O=A / B,CN=app1"),
        ("/CN=http://a/O=b", "http://a", "O=b,CN=http://a"),
        ("/CN=x=y/O=a,b+c", "x=y", r"O=a\,b\+c,CN=x=y"),
        ("/CN=#1/O= b ", "#1", r"O=\ b\ ,CN=\#1"),
        ("/CN=thr\\xC3\\xA9e", "thrée", "CN=thrée"),
        ("/O=example", "O=example", "O=example"),
        ("/emailAddress=a@b/CN=c", "c", "CN=c,emailAddress=a@b"),
        # What has no name there, or is no text, stays as it is.
        ("/1.2.3.4=x/CN=q", "/1.2.3.4=x/CN=q", "/1.2.3.4=x/CN=q"),
        ("/CN=\\xFF", "/CN=\\xFF", "/CN=\\xFF"),
        ("app1", "app1", "app1"),
    ],
)
def test_a_subject_without_its_certificate(
    tmp_path: Path, written: str, name: str, subject: str
) -> None:
    record = only(tmp_path, line(subject=written))

    assert (record.name, record.subject, record.der) == (name, subject, None)


def test_the_folder_of_certificates_can_be_named(tmp_path: Path) -> None:
    issued = CertificateAuthority().issue("app1", serial_number=1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "01.pem").write_bytes(b"as text\n" + issued.certificate_pem)
    (tmp_path / "index.txt").write_text(line(subject="/CN=other") + "\n")

    (record,) = read_index(tmp_path / "index.txt", tmp_path / "elsewhere")

    assert (record.name, record.not_after) == ("app1", issued.certificate.not_valid_after_utc)


@pytest.mark.parametrize(
    "wrong",
    [
        "V\t270101000000Z\t\t01\tunknown",
        line(end="soon"),
        line(serial="one"),
        line("R", revoked="260601120000Z,because"),
        line("R"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "index.txt").write_text(f"{line()}\n\n{wrong}\n")

    with pytest.raises(ConfigurationError, match="line 3") as caught:
        list(read_index(tmp_path / "index.txt"))

    assert caught.value.code == "content-unrecognised"


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match=r"cannot be read \(No such file"):
        list(read_index(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list(read_index(tmp_path / "binary"))


@pytest.mark.parametrize(("content", "number"), [("01\n", 0), ("1F\n", 30), (None, 0)])
def test_the_number_of_the_newest_list(tmp_path: Path, content: str | None, number: int) -> None:
    if content is not None:
        (tmp_path / "crlnumber").write_text(content)

    assert read_list_number(tmp_path / "crlnumber") == number


def test_a_number_of_another_form(tmp_path: Path) -> None:
    (tmp_path / "crlnumber").write_text("one")

    with pytest.raises(ConfigurationError, match="hexadecimal") as caught:
        read_list_number(tmp_path / "crlnumber")

    assert caught.value.code == "file-unreadable"

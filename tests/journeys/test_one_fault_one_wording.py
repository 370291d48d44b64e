"""A fault in a certificate or key has the same words and code, whatever meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from commands import complaint, environment, run
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

import boto_rolesanywhere
from boto_rolesanywhere.cli.store.certificate_store import find_certificates
from boto_rolesanywhere.cli.store.selector import Selector
from boto_rolesanywhere.doctor import examine
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate

ARNS: Final = {
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "role": "arn:aws:iam::123456789012:role/R",
}
FLAGS: Final = (
    *("--trust-anchor-arn", ARNS["anchor"]),
    *("--profile-arn", ARNS["profile"]),
    *("--role-arn", ARNS["role"]),
)
SWAPPED: Final = "Are certificate and private key given the wrong way round?"
WRONG: Final = "AWS_WRONG_PASSPHRASE"


class Fault(NamedTuple):
    """The file's content, the text of every error about it, and the code."""

    content: Callable[[IssuedCertificate], bytes | None]
    words: tuple[str, ...]
    code: str


COMMON: Final = {
    "nothing usable": Fault(
        lambda _: b"hello\n", ("it is neither PEM nor DER",), "content-unrecognised"
    ),
    "empty": Fault(lambda _: b"\n", ("it is empty",), "setting-not-text"),
    "damaged": Fault(
        lambda _: b"-----BEGIN CERTIFICATE-----\nMII", ("it is cut short",), "pem-damaged"
    ),
    "missing": Fault(lambda _: None, ("there is no such file",), "file-missing"),
}
CERTIFICATE_FAULTS: Final = COMMON | {
    "the key": Fault(
        lambda issued: issued.private_key_pem,
        ("it holds 1 private key and no certificate", SWAPPED),
        "certificate-not-in-file",
    ),
}
KEY_FAULTS: Final = COMMON | {
    "the certificate": Fault(
        lambda issued: issued.certificate_pem,
        ("it holds 1 certificate and no private key", SWAPPED),
        "key-not-in-file",
    ),
    "wrong passphrase": Fault(
        lambda issued: issued.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right")
        ),
        ("the passphrase from ", f"{WRONG} is wrong"),
        "passphrase-wrong",
    ),
}


class Case(NamedTuple):
    """A home folder with a good pair, of which one file has the fault."""

    home: Path
    certificate: Path
    key: Path

    def command(self, *words: str | Path) -> str:
        return complaint(run(*words, env=environment(self.home, **{WRONG: "wrong"})))


def by_library(case: Case) -> str:
    config = case.home / "config"
    config.write_text(f"[default]\nrolesanywhere_private_key_passphrase_env = {WRONG}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WRONG, "wrong")
        patch.setenv("AWS_CONFIG_FILE", str(config))
        with pytest.raises(RolesAnywhereError) as caught:
            boto_rolesanywhere.get_session(cert=case.certificate, key=case.key, **ARNS)
    return f"{caught.value} [{caught.value.code}]"


def by_doctor(case: Case) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WRONG, "wrong")
        patch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV", WRONG)
        verdicts = list(
            examine(
                {"cert": str(case.certificate), "key": str(case.key), **ARNS},  # type: ignore[typeddict-item]
                offline=True,
            )
        )
    return "\n".join(f"{each.text} {each.remedy}" for each in verdicts if each.status == "fail")


def by_configure(case: Case) -> str:
    return case.command(
        *("configure", "--certificate", case.certificate, "--private-key", case.key),
        *("--pkcs8-password-env", WRONG, *FLAGS),
    )


def by_inspect(case: Case) -> str:
    return case.command("inspect", case.certificate)


def by_read_certificate_data(case: Case) -> str:
    return case.command("read-certificate-data", "--certificate", case.certificate)


def by_sign_string(case: Case) -> str:
    return case.command("sign-string", "--private-key", case.key, "--pkcs8-password-env", WRONG)


def case_of(folder: Path, fault: Fault, role: str) -> tuple[Case, Path]:
    issued = CertificateAuthority().issue("web")
    paths = issued.write(folder)
    wrong = folder / "wrong.pem"
    content = fault.content(issued)
    if content is not None:
        wrong.write_bytes(content)
        wrong.chmod(0o600)
    if role == "certificate":
        return Case(folder, wrong, paths.private_key), wrong
    return Case(folder, paths.certificate, wrong), wrong


def check(told: str, fault: Fault, place: Path, *, code: bool) -> None:
    assert f"{place}: " in told
    for words in fault.words:
        assert words in told
    if code:
        assert f"[{fault.code}]" in told


@pytest.mark.parametrize(
    "meet", [by_library, by_doctor, by_configure, by_inspect, by_read_certificate_data]
)
@pytest.mark.parametrize("name", CERTIFICATE_FAULTS)
def test_a_fault_of_the_certificate(
    clean_environment: Path, tmp_path: Path, name: str, meet: Callable[[Case], str]
) -> None:
    fault = CERTIFICATE_FAULTS[name]
    case, place = case_of(tmp_path, fault, "certificate")
    check(meet(case), fault, place, code=meet is not by_doctor)


@pytest.mark.parametrize("meet", [by_library, by_doctor, by_configure, by_sign_string])
@pytest.mark.parametrize("name", KEY_FAULTS)
def test_a_fault_of_the_key(
    clean_environment: Path, tmp_path: Path, name: str, meet: Callable[[Case], str]
) -> None:
    fault = KEY_FAULTS[name]
    case, place = case_of(tmp_path, fault, "private key")
    check(meet(case), fault, place, code=meet is not by_doctor)


@pytest.mark.parametrize("name", ["nothing usable", "empty", "damaged"])
def test_a_store_says_the_same_of_a_file_that_it_leaves_out(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    fault = COMMON[name]
    _, place = case_of(tmp_path, fault, "certificate")
    with caplog.at_level("DEBUG"):
        assert find_certificates(Selector(), str(tmp_path))
    check(caplog.text, fault, place, code=False)

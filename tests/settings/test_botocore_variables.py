"""A variable that is set and empty counts as not set: AWS's, and all of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session
from commands import arns, environment, identity, run

import boto_rolesanywhere
from boto_rolesanywhere import get_session
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths

OURS = {
    name
    for path in Path(boto_rolesanywhere.__file__).parent.rglob("*.py")
    for name in re.findall(r"\bAWS_ROLESANYWHERE_[A-Z_0-9]+\b", path.read_text("utf-8"))
}
BOTOCORES = {
    name
    for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values()
    for name in ([names] if isinstance(names, str) else names or [])
}
OTHERS = {
    *("REQUESTS_CA_BUNDLE", "AWS_REGION", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "TPM2TOOLS_TCTI", "TPM_DEVICE", "NOTIFY_SOCKET"),
    *("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "RUNTIME_DIRECTORY", "NO_COLOR", "COLUMNS"),
}


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    return ca.issue("app").write(tmp_path / "pki")


@pytest.mark.parametrize(
    "command",
    [
        *(["env"], ["credential-process", "--no-cache"], ["doctor", "--offline"]),
        *(["sign-string"], ["read-certificate-data"], ["exec"], ["inspect"]),
    ],
    ids=" ".join,
)
def test_the_command_passes_over_empty_variables(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path, command: list[str]
) -> None:
    empty = dict.fromkeys(OURS | BOTOCORES | OTHERS, "")
    flags = [*identity(paths), *arns(emulator)]
    if command in (["read-certificate-data"], ["inspect"]):
        flags = ["--certificate", str(paths.certificate)]

    done = run(
        *command,
        *flags,
        *(["--", "true"] if command == ["exec"] else []),
        env=environment(tmp_path, **empty),
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_library_passes_over_empty_variables(
    emulator: Emulator, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OURS | BOTOCORES | OTHERS - {"REQUESTS_CA_BUNDLE"}:  # which other clients refuse
        monkeypatch.setenv(name, "")

    session = get_session(
        paths.certificate,
        paths.private_key,
        emulator.trust_anchor_arn,
        emulator.profile_arn,
        emulator.role_arn,
        endpoint_url=emulator.endpoint_url,
    )

    assert session.get_credentials().get_frozen_credentials().access_key
    assert session.client("s3", region_name="eu-west-1")


@pytest.mark.parametrize("name", sorted(BOTOCORES))
def test_a_variable_that_has_a_value_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "")
    monkeypatch.setenv(name, "1")
    known = BOTOCORE_DEFAUT_SESSION_VARIABLES

    mine, botocores = without_empty_variables(Session()), Session()
    if name != "AWS_PROFILE":
        monkeypatch.delenv("AWS_PROFILE")

    for variable, (_, names, *_) in known.items():
        if name in (names or ()) and name != "AWS_DEFAULT_PROFILE":
            assert mine.get_config_variable(variable) == botocores.get_config_variable(variable)


@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize("content", [b"[default\nx = 1\n", b"\xff\xfe[\x00"], ids=["ini", "bom"])
def test_with_flags_alone_an_unreadable_file_is_a_warning(
    emulator: Emulator, paths: IssuedPaths, tmp_path: Path, file: str, content: bytes
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / file).write_bytes(content)
    flags = (*identity(paths), *arns(emulator))

    done = run("env", *flags, env=environment(tmp_path))
    profile = run("env", *flags, "--config-profile", "x", env=environment(tmp_path))

    assert done.returncode == 0, done.stderr
    assert b"AWS_ACCESS_KEY_ID" in done.stdout
    assert f"Nothing in it counts: {tmp_path}/.aws/{file}".encode() in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert profile.returncode == 1
    assert b"[config-file-unparseable]" in profile.stderr


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
@pytest.mark.parametrize("name", ["gone", " "])
def test_the_variable_that_names_no_profile_is_told(
    tmp_path: Path, paths: IssuedPaths, emulator: Emulator, variable: str, name: str
) -> None:
    flags = (*identity(paths), *arns(emulator))

    done = run("env", *flags, env=environment(tmp_path, **{variable: name}))
    shown = run("doctor", "--offline", *flags, env=environment(tmp_path, **{variable: name}))

    told = f"{variable}: there is no profile {name!r}"
    assert told in done.stderr.decode()
    assert told in shown.stdout.decode()
    assert "--config-profile: there is" not in shown.stdout.decode()

"""Every command and the library where there is no home: HOME unset, and a user without a name."""

from __future__ import annotations

import logging
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

import boto_rolesanywhere
from boto_rolesanywhere import cli
from boto_rolesanywhere.errors import RolesAnywhereError

ARNS = {
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "role": "arn:aws:iam::123456789012:role/R",
}
FLAGS = " ".join(
    [
        "--certificate ~/c.pem --private-key ~/k.pem",
        f"--trust-anchor-arn {ARNS['anchor']} --profile-arn {ARNS['profile']}",
        f"--role-arn {ARNS['role']}",
    ]
)
COMMANDS = (
    *("env", f"env {FLAGS}", "env --config-profile x", f"env {FLAGS} --pkcs8-password-file ~/p"),
    *(f"exec {FLAGS} -- true", f"update --once {FLAGS}", f"update --once --profile x {FLAGS}"),
    *(f"credential-process {FLAGS}", f"credential-process --cache-dir ~/cache {FLAGS}"),
    *(f"serve --port 0 --startup-timeout 0 {FLAGS}", f"serve --token-folder ~/t --port 0 {FLAGS}"),
    *(f"configure {FLAGS}", "configure --from-profile x", f"doctor --offline {FLAGS}"),
    f"doctor --offline {FLAGS} --trust-anchor-certificate ~/a --crl ~/l --pkcs8-password-file ~/p",
    *("doctor --offline", "inspect ~/c.pem", "inspect ~/c.pem --trust-policy ~/p"),
    *(
        "inspect ~/c.pem --intermediates ~/i",
        "trust-policy ~/c.pem",
        "sign-string --private-key ~/k",
    ),
    *("read-certificate-data --certificate ~/c", "read-certificate-data --cert-store ~/s"),
    *("env --cert-selector Key=x509Serial,Value=1F --cert-store ~/s", "explain file-missing"),
    *("ca list", "ca list --ca ~/ca", "ca issue x --ca ~/ca --out ~/out", "ca renew x --ca ~/ca"),
    *("ca init --name x --ca /nowhere/ca --passphrase-file ~/p", "ca revoke 1F --ca ~/ca"),
    *("ca issue --csr ~/x.csr --ca ~/ca", "ca crl --ca ~/ca", "crl status --from ~/l"),
    f"crl sync --once --from ~/l --trust-anchor {ARNS['anchor']}",
    *("revoke ~/c.pem", "subjects", "setup --ca ~/ca --role a --profile p", "teardown --role a"),
    *("env --certificate ~nobody-at-all/c", "inspect ~nobody-at-all/c", "ca list --ca ~nobody-x/c"),
)


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def nameless(_: object) -> NoReturn:
        raise KeyError("no such user")

    for name in ("HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.chdir(tmp_path)  # what "~" is then a folder in
    handlers = list(logging.getLogger("boto_rolesanywhere").handlers)
    yield
    logging.getLogger("boto_rolesanywhere").handlers = handlers


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_ends_without_a_traceback(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(line.split())
    assert status in {0, 1, 2, 3}
    assert "Traceback" not in capsys.readouterr().err


def test_the_library_names_the_file() -> None:
    with pytest.raises(RolesAnywhereError, match="there is no home folder for ~"):
        boto_rolesanywhere.get_session("~/c.pem", "~/k.pem", **ARNS)

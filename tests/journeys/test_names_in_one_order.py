"""A subject is shown in one order by all commands, and works in --cert-selector as it was shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import arns, environment, identity, run

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

SHOWN = re.compile(r"CN=app,[^:(]*?C=DE|C=DE,[^:(]*?CN=app")


@pytest.mark.parametrize("subject", ["C=DE,O=Example,CN=app", "CN=app,O=Example,C=DE"])
def test_a_subject_that_a_command_shows_is_one_for_the_selector(
    ca: CertificateAuthority, emulator: Emulator, tmp_path: Path, subject: str
) -> None:
    paths = ca.issue(subject=subject).write(tmp_path / "pki")
    other = ca.issue("other").write(tmp_path / "other")
    environ = environment(tmp_path)
    store = ("--cert-store", str(paths.certificate.parent))
    mismatch = ("--certificate", paths.certificate, "--private-key", other.private_key)
    printed = [
        run(*words, env=environ)
        for words in (
            ("read-certificate-data", *store),
            ("inspect", paths.certificate),
            ("doctor", "--offline", "--verbose", *identity(paths), *arns(emulator)),
            ("env", *mismatch, *arns(emulator)),
        )
    ]

    found = [SHOWN.findall((done.stdout + done.stderr).decode()) for done in printed]

    assert all(found)
    of_the_helper, *ours = (set(names) for names in found)  # whose list has Go's order
    assert ours[0] == ours[1] == ours[2]
    for name in of_the_helper | ours[0]:
        selector = ("--cert-selector", f"Key=x509Subject,Value={name}")
        done = run("sign-string", *store, *selector, env=environ)
        assert done.returncode == 0, done.stderr

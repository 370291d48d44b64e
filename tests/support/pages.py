"""The pages in docs/ and somebody who types what they say, against the emulator."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import processes
from commands import environment
from cryptography import x509
from repository import DOCS

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

TRUST_ANCHOR: Final = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0d5a3c58-7f1e-4d0c-9d5b-3c1e6a0c2f11"
)
PROFILE: Final = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/6b1f0a86-52b7-4c3f-8e0a-9a7f4b2d7c22"
)
ROLE: Final = "arn:aws:iam::123456789012:role/RolesAnywhere"
# What the pages take as there: files of the names that they use, and a profile.
ONPREM: Final = f"""\
[profile onprem]
region = eu-west-1
rolesanywhere_certificate = {{folder}}/workload.pem
rolesanywhere_private_key = {{folder}}/workload.key
rolesanywhere_trust_anchor_arn = {TRUST_ANCHOR}
rolesanywhere_profile_arn = {PROFILE}
rolesanywhere_role_arn = {ROLE}
"""
_BLOCK: Final = re.compile(
    r"^<!-- run(?:: (\w+))? -->\n```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_PRINTED: Final = re.compile(r"^<!-- printed -->\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def names_of_tests(file: str) -> list[str]:
    """The names of the tests in a file, which a page or a table names from tests/ onward."""
    source = Path(__file__).parents[1].joinpath(file).read_text(encoding="utf-8")
    return re.findall(r"def (test_\w+)\(", source)


def blocks(page: str, needed: str = "") -> list[str]:
    """The commands of a page that are to be run, one text for each block, as a shell takes them."""
    return [
        block if language == "sh" else f"python3 - <<'PYTHON'\n{block}PYTHON\n"
        for needs, language, block in _BLOCK.findall(text_of(page))
        if needs == needed
    ]


def dialogue(page: str) -> list[tuple[str, str]]:
    """The commands as above that need nothing, each with a pattern of what the page says of them.

    In that, … stands for anything, also where it is between two lines.
    """
    text = text_of(page)
    starts = [found.start() for found in _BLOCK.finditer(text) if not found[1]]
    said = [
        _PRINTED.search(text, start, end)
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True)
    ]
    patterns = [
        re.escape(found[1].strip()).replace("…", ".*").replace("\\\n", ".*\n") if found else ""
        for found in said
    ]
    return list(zip(blocks(page), patterns, strict=True))


@dataclass(frozen=True)
class Reader:
    """Somebody who types what a page says, in a folder of their own.

    Attributes:
        variables: of the environment, in each block.
    """

    folder: Path
    emulator: Emulator
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, **variables: str) -> dict[str, str]:
        return environment(
            self.folder,
            PATH=f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            AWS_ENDPOINT_URL_ROLESANYWHERE=self.emulator.endpoint_url,
            **{**self.variables, **variables},
        )

    def type(self, block: str, **variables: str) -> str:
        """Run a block as a shell would; the first command that fails is the block's failure."""
        done = subprocess.run(
            ["sh", "-eu", "-c", block],
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    def access_key(self, cert: str, key: str, passphrase: str | None = None) -> str:
        """That of a new session for these files."""
        gc.collect()  # what an earlier call left, perhaps in a circle, would be shared
        credentials = boto_rolesanywhere.get_session(
            self.folder / cert,
            self.folder / key,
            *(TRUST_ANCHOR, PROFILE, ROLE),
            passphrase=passphrase,
            endpoint_url=self.emulator.endpoint_url,
        ).get_credentials()
        assert credentials is not None
        return credentials.access_key

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / name).read_bytes())

    def trust(self, name: str) -> None:
        """Make a certificate the trust anchor, as the page does with the AWS CLI."""
        anchor = self.emulator.trust_anchor
        self.emulator.add(replace(anchor, certificates=(self.certificate(name),)))

    def install(self, name: str, *command: str | Path) -> None:
        """A program of this name, first on the path, that runs a command."""
        program = self.folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {" ".join(map(str, command))} "$@"\n')
        program.chmod(0o755)


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """A reader whose only programs are the machine's, Python and the command."""
    (folder / "bin").mkdir(parents=True)
    with Emulator(
        CertificateAuthority(), trust_anchor_arn=TRUST_ANCHOR, profile_arn=PROFILE, role_arn=ROLE
    ) as emulator:
        reader = Reader(folder, emulator)
        reader.install("boto-rolesanywhere", *processes.forked_command())
        reader.install("python3", sys.executable)
        yield reader


def equip(reader: Reader) -> None:
    """Give the reader the files and the profile that the pages take as there."""
    assert reader.emulator.ca is not None
    ca, issued = reader.emulator.ca, reader.emulator.ca.issue("app1")
    (reader.folder / ".aws").mkdir()
    for name, content in (
        ("ca.pem", ca.certificate_pem),
        ("ca.key", ca.private_key_pem),
        ("workload.pem", issued.certificate_pem),
        ("workload.key", issued.private_key_pem),
        (".aws/config", ONPREM.format(folder=reader.folder).encode()),
    ):
        (reader.folder / name).write_bytes(content)
        (reader.folder / name).chmod(0o600)

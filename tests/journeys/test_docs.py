"""The pages in docs/: what they tell to type is typed, against the emulator, and links lead on.

A block of shell commands that has ``<!-- run -->`` above it is run, in its page's order. Those with
``<!-- run: token -->`` or ``tpm`` are run where there is one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from commands import environment
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from repository import ROOT
from soft_token import soft_token
from software_tpm import software_tpm

import boto_rolesanywhere
from boto_rolesanywhere.cli import COMMANDS
from boto_rolesanywhere.cli.flag_table import CONFIG_PROFILE, SECRETS, STORE, TAKES_VALUE, forms
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator

DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(page.name for page in DOCS.glob("*.md"))
TRUST_ANCHOR: Final = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0d5a3c58-7f1e-4d0c-9d5b-3c1e6a0c2f11"
)
PROFILE: Final = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/6b1f0a86-52b7-4c3f-8e0a-9a7f4b2d7c22"
)
ROLE: Final = "arn:aws:iam::123456789012:role/RolesAnywhere"
# What the pages of the commands take as there: files of the names that they use, and a profile.
ONPREM: Final = f"""\
[profile onprem]
rolesanywhere_certificate = workload.pem
rolesanywhere_private_key = workload.key
rolesanywhere_trust_anchor_arn = {TRUST_ANCHOR}
rolesanywhere_profile_arn = {PROFILE}
rolesanywhere_role_arn = {ROLE}
"""
# A certificate to revoke, made as the page makes the others.
LOST: Final = """\
openssl x509 -req -in app2.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
  -sha256 -days 90 -extfile workload.ext -out app-lost.pem
"""
_BLOCK: Final = re.compile(
    r"^<!-- run(?:: (\w+))? -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Options in the first column of a table.
_OPTION: Final = re.compile(r"(?<=`)--[a-z][a-z0-9-]*(?=[ `][^|\n]*\|.*$)", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, device: str = "") -> list[str]:
    return [block for needed, block in _BLOCK.findall(text_of(page)) if needed == device]


@dataclass(frozen=True)
class Reader:
    """Somebody who types what a page says, in a folder of their own."""

    folder: Path
    emulator: Emulator

    def type(self, block: str, **variables: str) -> str:
        """Run a block as a shell would; the first command that fails is the block's failure."""
        env = environment(
            self.folder,
            PATH=f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            AWS_ENDPOINT_URL_ROLESANYWHERE=self.emulator.endpoint_url,
            **variables,
        )
        done = subprocess.run(
            ["sh", "-eu", "-c", block],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    def access_key(self, cert: str, key: str, passphrase: str | None = None) -> str:
        """That of a session for these files."""
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


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    folder = tmp_path / "reader"
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "boto-rolesanywhere"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m boto_rolesanywhere "$@"\n')
    program.chmod(0o755)
    with Emulator(
        CertificateAuthority(), trust_anchor_arn=TRUST_ANCHOR, profile_arn=PROFILE, role_arn=ROLE
    ) as emulator:
        yield Reader(folder, emulator)


def test_the_page_on_certificates_leads_to_sessions(reader: Reader) -> None:
    last = ""
    for block in blocks("certificates.md"):
        if "app-lost.pem" in block:
            reader.type(LOST)
        if "ca.crl" in block:  # what another CA would have given
            listed = x509.load_pem_x509_crl((reader.folder / "ca-crl.pem").read_bytes())
            (reader.folder / "ca.crl").write_bytes(listed.public_bytes(Encoding.DER))
        last = reader.type(block)
        if "-out ca.pem" in block:
            reader.trust("ca.pem")

    assert "Nothing failed" in last  # of doctor
    assert reader.emulator.created == 1  # by credential-process
    assert (reader.folder / "workload.key").stat().st_mode & 0o077 == 0
    # The same files from Python: the plain pair, the encrypted key, the full chain.
    passphrase = (reader.folder / "passphrase").read_text().rstrip("\n")
    assert reader.access_key("workload.pem", "workload.key").startswith("ASIA")
    assert reader.access_key("workload.pem", "workload-encrypted.key", passphrase)
    assert reader.access_key("app2-fullchain.pem", "app2.key")
    chain = b64decode(reader.emulator.requests[-1].headers["x-amz-x509-chain"])
    assert x509.load_der_x509_certificate(chain) == reader.certificate("issuing.pem")


def test_the_list_of_the_page_revokes(reader: Reader) -> None:
    for block in blocks("certificates.md"):
        if "openssl x509 -req" in block or "openssl req" in block:
            reader.type(block)
    reader.trust("ca.pem")
    reader.type(LOST)
    assert reader.access_key("app-lost.pem", "app2.key")

    reader.type(next(block for block in blocks("certificates.md") if "-gencrl" in block))
    reader.emulator.import_crl((reader.folder / "ca-crl.pem").read_bytes())

    with pytest.raises(SessionDeniedError, match="Certificate revoked"):
        reader.access_key("app-lost.pem", "app2.key")


def test_certificates_on_one_line_are_read(reader: Reader) -> None:
    # As `aws acm-pca get-certificate --output text` prints them: with a tab between.
    ca = CertificateAuthority()
    issued = ca.issue_intermediate("Issuing CA").issue("app")
    reader.emulator.add(replace(reader.emulator.trust_anchor, certificates=(ca.certificate,)))
    one_line = issued.bundle_pem.replace(b"-----\n-----BEGIN", b"-----\t-----BEGIN")
    assert one_line != issued.bundle_pem
    (reader.folder / "workload.pem").write_bytes(one_line)
    (reader.folder / "workload.key").write_bytes(issued.private_key_pem)

    assert reader.access_key("workload.pem", "workload.key")


OTHERS: Final = [page for page in PAGES if page != "certificates.md" and blocks(page)]


@pytest.fixture
def equipped(reader: Reader) -> Reader:
    """With the files and the profile that the pages take as there."""
    assert reader.emulator.ca is not None
    ca, issued = reader.emulator.ca, reader.emulator.ca.issue("app1")
    for name, content in (
        ("ca.pem", ca.certificate_pem),
        ("ca.key", ca.private_key_pem),
        ("workload.pem", issued.certificate_pem),
        ("workload.key", issued.private_key_pem),
        ("config", ONPREM.encode()),
    ):
        (reader.folder / name).write_bytes(content)
        (reader.folder / name).chmod(0o600)
    (reader.folder / ".aws").mkdir()
    (reader.folder / "config").rename(reader.folder / ".aws" / "config")
    return reader


@pytest.mark.parametrize("page", OTHERS)
def test_what_a_page_tells_to_type_works(page: str, equipped: Reader) -> None:
    for block in blocks(page):
        equipped.type(block)


def test_the_token_of_the_page_signs(equipped: Reader) -> None:
    with soft_token():  # for its folder; the page makes a token of its own
        (block,) = blocks("keys.md", "token")
        equipped.type(block)

    assert equipped.emulator.created == 1


def test_the_tpm_keys_of_the_page_sign(equipped: Reader) -> None:
    sign = "openssl x509 -req -in tpm.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256"
    with software_tpm() as tpm:
        tpm.evict(0x81000001)  # the page makes it
        variables = {"TPM2TOOLS_TCTI": tpm.tcti, "TPM2OPENSSL_TCTI": tpm.tcti}
        request, call, persistent = blocks("keys.md", "tpm")
        equipped.type(request, **variables)
        (equipped.folder / "ext").write_text("keyUsage = critical, digitalSignature\n")
        equipped.type(f"{sign} -days 9 -extfile ext -out tpm.pem")
        equipped.type(call, **variables)
        assert equipped.emulator.created == 1

        assert len(equipped.type(persistent, **variables)) > 100  # hexadecimal digits


def test_each_command_has_a_page_that_the_index_links() -> None:
    index = text_of("README.md")

    for page in PAGES:
        assert page == "README.md" or f"]({page})" in index, page
    for command in COMMANDS:
        assert f"{command}.md" in PAGES
        assert f"# `boto-rolesanywhere {command}`" in text_of(f"{command}.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_a_command_are_its_own(command: str) -> None:
    named = set(_OPTION.findall(text_of(f"{command}.md")))

    assert named <= options_of(command)


def test_each_flag_of_the_helper_is_named_where_users_migrate() -> None:
    named = set(_OPTION.findall(text_of("migrating-from-aws_signing_helper.md")))
    ours = {CONFIG_PROFILE, STORE, "--tpm-tcti"}
    ours |= {flag for secret in SECRETS for flag in forms(secret)[1:]}

    assert set(TAKES_VALUE) - ours <= named
    assert named <= {option for command in COMMANDS for option in options_of(command)}


def options_of(command: str) -> set[str]:
    parser = argparse.ArgumentParser()
    import_module(f"boto_rolesanywhere.cli.commands.{COMMANDS[command][0]}").add_arguments(parser)
    parsers = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parsers += action.choices.values()
    return {
        option for each in parsers for action in each._actions for option in action.option_strings
    }


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in _LINK.findall(text_of(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (DOCS / path).resolve() if path else DOCS / page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}

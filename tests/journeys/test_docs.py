"""The pages in docs/: what they tell to type is typed, against the emulator, and links lead on.

A block of shell commands or of Python with ``<!-- run -->`` above it is run, in its page's order.
Those with ``<!-- run: token -->``, ``tpm`` or a program's name are run where there is one.
"""

from __future__ import annotations

import argparse
import re
from base64 import b64decode
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pages import PROFILE, ROLE, TRUST_ANCHOR, Reader, blocks, dialogue, text_of
from repository import DOCS
from soft_token import soft_token
from software_tpm import software_tpm

from boto_rolesanywhere.cli import COMMANDS
from boto_rolesanywhere.cli.flag_table import CONFIG_PROFILE, SECRETS, STORE, TAKES_VALUE, forms
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.testing import CertificateAuthority

PAGES: Final = sorted(page.name for page in DOCS.glob("*.md"))
# A certificate to revoke, made as the page makes the others.
LOST: Final = """\
openssl x509 -req -in app2.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
  -sha256 -days 90 -extfile workload.ext -out app-lost.pem
"""
# A CA of `openssl ca`, in the folder that it takes by default.
DEMO_CA: Final = """\
mkdir -p demoCA/newcerts demoCA/private
touch demoCA/index.txt
echo 07 > demoCA/serial
cat > ca.cnf <<'END'
[ca]
default_ca = demo
[demo]
database = demoCA/index.txt
serial = demoCA/serial
new_certs_dir = demoCA/newcerts
default_md = sha256
policy = any
[any]
commonName = supplied
END
new="openssl req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
$new -x509 -days 90 -keyout demoCA/private/cakey.pem -out demoCA/cacert.pem -subj /CN=Old \\
  -addext keyUsage=critical,keyCertSign,cRLSign
$new -keyout app7.key -out app7.csr -subj /CN=app7
openssl ca -config ca.cnf -batch -notext -days 9 -in app7.csr -out app7.pem \\
  -cert demoCA/cacert.pem -keyfile demoCA/private/cakey.pem
"""
# As somebody's own key is, in a file of its own.
MY_KEY: Final = """\
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

class MyKey:
    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())

    def public_key(self):
        return self._key.public_key()

    def sign(self, data):
        return self._key.sign(data, ec.ECDSA(SHA256()))

my_key = MyKey()
"""
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Options in the first column of a table.
_OPTION: Final = re.compile(r"(?<=`)--[a-z][a-z0-9-]*(?=[ `][^|\n]*\|.*$)", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


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


def test_the_page_takes_over_what_openssl_ca_has_issued(reader: Reader) -> None:
    reader.type(DEMO_CA)

    (block,) = blocks("ca.md", "openssl")
    reader.type(block)

    assert "app7" in reader.type("boto-rolesanywhere ca list")


OTHERS: Final = [page for page in PAGES if page != "certificates.md" and blocks(page)]


@pytest.mark.parametrize("page", OTHERS)
def test_what_a_page_tells_to_type_works(page: str, equipped: Reader) -> None:
    for block, printed in dialogue(page):
        answer = equipped.type(f"exec 2>&1\n{block}")
        assert re.search(printed, answer, re.DOTALL), answer


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


def test_a_line_of_the_helper_becomes_settings(equipped: Reader) -> None:
    line = (
        "aws_signing_helper credential-process"
        " --certificate workload.pem --private-key workload.key"
        f" --trust-anchor-arn {TRUST_ANCHOR} --profile-arn {PROFILE} --role-arn {ROLE}"
    )
    config = equipped.folder / ".aws" / "config"
    config.write_text(f"[profile onprem]\ncredential_process = {line}\n")
    (block,) = blocks("configure.md", "helper")

    equipped.type(block)

    assert line in config.read_text()
    assert f"rolesanywhere_role_arn = {ROLE}\n" in config.read_text()
    equipped.type("boto-rolesanywhere credential-process --config-profile onprem")


def test_a_key_of_ones_own_is_a_cas_key(equipped: Reader) -> None:
    (block,) = blocks("ca.md", "key")
    (equipped.folder / "kms.py").write_text(MY_KEY)

    equipped.type(block.replace("'PYTHON'\n", "'PYTHON'\nfrom kms import my_key\n"))

    listed = x509.load_pem_x509_crl((equipped.folder / "ca-crl.pem").read_bytes())
    issued = equipped.certificate("workload/app1-cert.pem")
    assert listed.get_revoked_certificate_by_serial_number(issued.serial_number) is not None


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


def test_each_flag_of_the_helper_says_from_where_its_own_side_is_known() -> None:
    rows = re.findall(r"^\| `--.*$", text_of("migrating-from-aws_signing_helper.md"), re.MULTILINE)

    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"\| (G, )?S \|$", row)] == []


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

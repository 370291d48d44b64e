"""Every fenced block of the pages is run, read here as what it is, or in a list with the reason.

Above those that are run stands ``<!-- run -->`` or ``<!-- run: … -->``; `pages` says how.
"""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import botocore.session
import pytest
import sqlglot
import yaml
from botocore import xform_name
from powershell import parsed
from repository import DOCS, EXAMPLES, ROOT

from boto_rolesanywhere.settings.names import PREFIX, SETTINGS
from boto_rolesanywhere.testing.emulator.command import make_parser

PAGES: Final = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", EXAMPLES / "README.md"]
# By what they begin with: what neither runs here nor can be read as anything.
NOT_HERE: Final = {
    "mermaid": "a picture; scripts/docs draws it",
    " on your side  ": "a picture",
    "docker ": "there is no container engine",
    "step ": "no package of step-ca's command comes from a registry",
    "tpm2_ptool ": "its module would stand in the way of all other users of p11-kit's proxy",
}
_FENCE: Final = re.compile(
    r"^(?:<!-- (?P<run>printed|run(?:: (?P<needs>\w+))?) -->\n)? *```(?P<language>\w*)\n"
    r"(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    run: bool
    needs: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def reason(self) -> str:
        """Why it is neither run nor read; empty if it is to be."""
        begun = (self.language, self.text)
        return next(
            (
                why
                for begin, why in NOT_HERE.items()
                if any(part.startswith(begin) for part in begun)
            ),
            "",
        )


def fenced() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            yield Block(
                str(page.relative_to(ROOT)),
                text.count("\n", 0, found.start()) + 1,
                found["run"] is not None,
                found["needs"] or "",
                found["language"],
                found["text"],
            )


BLOCKS: Final = list(fenced())


def ini(text: str) -> None:
    """A part of the AWS config file, or of a unit: sections, or what belongs in one."""
    parser = configparser.RawConfigParser()
    parser.read_string(text if text.startswith("[") else f"[default]\n{text}")
    keys = {key for section in parser.sections() for key in parser[section]}
    ours = {key for key in keys if key.startswith(PREFIX)}
    assert ours <= {PREFIX + setting.name for setting in SETTINGS}


def python(text: str) -> None:
    """Its names are there, and functions of the package take the arguments that it gives them."""
    tree = ast.parse(text)
    names: dict[str, object] = {"boto_rolesanywhere": importlib.import_module("boto_rolesanywhere")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            names |= {alias.name: getattr(module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name: importlib.import_module(alias.name) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = _named(node.func, names)
            if called is not None and called.__module__.startswith("boto_rolesanywhere"):
                arguments = {word.arg for word in node.keywords if word.arg}
                assert arguments <= set(inspect.signature(called).parameters)


def _named(node: ast.expr, names: dict[str, object]) -> Callable[..., object] | None:
    """What a call's name stands for, if it is one of the imported ones."""
    parts = ast.unparse(node).split(".")
    found = names.get(parts[0])
    for part in parts[1:]:
        found = getattr(found, part) if found is not None else None
    return found if callable(found) else None


def shell(text: str) -> None:
    """A shell can read it, and each command is one whose options are looked up."""
    subprocess.run(["sh", "-n", "-c", text], check=True)
    for line in text.replace("\\\n", " ").replace("|\n", "| ").splitlines():
        for command in re.split(r" \| | && |; ", line):
            words = shlex.split(command, comments=True)
            if words:
                COMMANDS[words[0]](words[1:])


def aws(words: list[str]) -> None:
    """Service, operation and options of the AWS CLI are in botocore's model."""
    service, operation, *rest = words
    if service == "s3":
        return  # commands of the CLI's own
    model = _session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(names[operation]).input_shape.members
    given = {word for word in rest if word.startswith("--")} - {"--query", "--output", "--region"}
    flags = {f"--{xform_name(name, '-')}": shape.type_name for name, shape in members.items()}
    flags |= {f"--no-{flag[2:]}": kind for flag, kind in flags.items() if kind == "boolean"}
    assert given <= set(flags)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def pip(words: list[str]) -> None:
    """The extras that it installs are the package's."""
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    for extras in re.findall(r"\[(.+)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(declared["options.extras_require"])


def emulator(words: list[str]) -> None:
    assert words[:2] == ["-m", "boto_rolesanywhere.testing.emulator"]
    make_parser().parse_args(words[2:])


def demo(words: list[str]) -> None:
    assert set(words) <= {"--keep"}


COMMANDS: Final[dict[str, Callable[[list[str]], None]]] = {
    "aws": aws,
    "boto-rolesanywhere": lambda _: None,  # test_docs_commands.py looks at all of these
    "export": lambda _: None,
    "pip": pip,
    "python": emulator,
    "scripts/demo": demo,
}
READ: Final[dict[str, Callable[[str], object]]] = {
    "diff": lambda text: ini(re.sub(r"^([ +]|-.*\n)", "", text, flags=re.MULTILINE)),
    "ini": ini,
    "json": json.loads,
    "powershell": parsed,
    "python": python,
    "sh": shell,
    "sql": lambda text: sqlglot.parse_one(text, read="athena"),  # test_docs_aws.py runs it too
    "yaml": yaml.safe_load,
}


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if not block.run and not block.reason()], ids=str
)
def test_a_block_that_is_not_run_can_be_read(block: Block) -> None:
    READ[block.language](block.text)


def test_each_block_to_run_is_asked_for_by_a_test() -> None:
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    wanted = {(block.page.rpartition("/")[2], block.needs) for block in BLOCKS if block.needs}

    for page, needs in wanted:
        assert any(f'"{page}"' in test for test in tests), page
        assert any(f'"{needs}"' in test for test in tests), (page, needs)


def test_nothing_is_in_the_list_that_no_page_has() -> None:
    reasons = {block.reason() for block in BLOCKS if not block.run}

    assert set(NOT_HERE.values()) <= reasons


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ini", "rolesanywhere_certficate = a.pem"),
        ("json", "{'Version': 1}"),
        ("python", "from boto_rolesanywhere import get_sesion"),
        ("python", "boto_rolesanywhere.get_session(certificate='a.pem')"),
        ("powershell", "certreq -submit 'app1.csr"),
        ("sql", "SELECT eventTime FROM cloudtrail_logs WHERE"),
        ("sh", "aws rolesanywhere import-crl --crl ca.crl"),
        ("sh", "pip install 'boto_rolesanywhere[all]'"),
        ("sh", "anything else"),
        ("sh", "python -m boto_rolesanywhere.testing.emulator --prot 80"),
        ("", "what is it?"),
    ],
)
def test_a_slip_is_seen(language: str, text: str) -> None:
    with pytest.raises((Exception, SystemExit)):
        READ[language](text)

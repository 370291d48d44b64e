"""The house: which room may import which, and what is imported where it is used alone.

A room is a folder of the package or a file at its root. Every import counts, also one inside a
function and one for types alone; the rules name rooms and folders, so that a new file needs no
entry here.
"""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatchcase
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import pytest

import boto_rolesanywhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE: Final = Path(boto_rolesanywhere.__file__).parent
ROOT: Final = PACKAGE.name  # in the tables below: the package's own __init__

# From the ground up. A room imports from lower floors only, so no two rooms need each other.
FLOORS: Final = (
    {
        "_version",
        "atomic_file",
        "clock",
        "errors",
        "records",
        "redaction",
        "signing_key",
    },
    {"certificates", "settings"},
    {"credentials", "identity", "inspection"},
    {"authority", "create_session", "server"},
    {"account", "composition", "testing"},
    {"doctor", "provider"},
    {"cli", "session"},
    {"__main__", "aio", ROOT},
)

# What must not be reached from a module, however long the way there.
UNREACHABLE: Final = {
    "certificates": ("identity",),
    "create_session.signer": ("certificates", "identity", "settings"),
    "identity": ("create_session", "credentials"),
    "inspection": ("cli",),
    "server": ("cli",),
    "settings": ("certificates", "identity"),
    # One bug must not pass on both sides.
    "testing.emulator": (
        "certificates",
        "composition",
        "create_session",
        "credentials",
        "identity",
        "inspection",
        "provider",
    ),
}

# The distributions of the extras, and the only modules (patterns) that may import them.
EXTRAS: Final = {
    "aiobotocore": ("aio",),
    "filelock": ("credentials.turn",),
    "httptools": ("server.endpoint", "server.listening"),
    "pkcs11": ("identity.pkcs11",),
    "pytest": ("testing.pytest_plugin", "testing.compliance"),
    "tpm2_pytss": ("identity.tpm",),
}

# Who opens certificates and keys by these, the door `identity.opening` apart.
LADDERS: Final = {"open_contents", "decode_key", "open_token_key", "open_tpm_key"}
BESIDE_THE_DOOR: Final = {"authority.pair"}  # takes a file of keys apart, to write it anew

RUNTIME: Final = {"boto3", "botocore", "cryptography", "urllib3"}  # urllib3 comes with botocore
SIGNER: Final = "create_session.signer"
SIGNERS_NEEDS: Final = {
    "__future__",
    "collections.abc",
    "datetime",
    "functools",
    "hashlib",
    "re",
    "typing",
    "urllib.parse",
}
# A cached answer of the command passes through these.
LIGHT: Final = ("cli", "credentials", "settings")

When = Literal["loading", "use", "types"]


class Import(NamedTuple):
    """`importer` imports `target` when it is loaded, when it is used, or for its types alone."""

    importer: str
    target: str
    when: When
    line: int

    def __str__(self) -> str:
        return f"{self.importer} (line {self.line}) imports {self.target}"


@cache
def modules() -> dict[str, Path]:
    """Every module of the package, by its name without the package's."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts).removesuffix("__init__").removesuffix(".") or ROOT] = path
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return tuple(
        Import(module, target, when, node.lineno)
        for node, when in statements(tree, "loading")
        for target in targets(module, node)
    )


def statements(node: ast.AST, when: When) -> Iterator[tuple[ast.Import | ast.ImportFrom, When]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, when
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from statements(ast.Module(child.body, []), "types")
            yield from statements(ast.Module(child.orelse, []), when)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(child, "types" if when == "types" else "use")
        else:
            yield from statements(child, when)


def targets(module: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """What is imported: ours by its name in the tables, another's by its full name."""
    if isinstance(node, ast.Import):
        yield from (ours(alias.name) for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        inside = module.split(".") if module != ROOT else []
        if modules()[module].name != "__init__.py":
            inside = inside[:-1]
        inside = inside[: len(inside) - node.level + 1]
        base = ".".join([PACKAGE.name, *inside, *([base] if base else [])])
    for alias in node.names:
        whole = ours(f"{base}.{alias.name}")
        yield whole if whole in modules() else ours(base)


def ours(name: str) -> str:
    return name.removeprefix(f"{PACKAGE.name}.") if name != PACKAGE.name else ROOT


def within(module: str, entry: str) -> bool:
    return fnmatchcase(module, entry) or fnmatchcase(module, f"{entry}.*")


def room(module: str) -> str:
    return module.partition(".")[0]


def every_import(*when: When) -> list[Import]:
    return [each for module in modules() for each in imports(module) if each.when in when]


def reached_from(starts: Iterable[str], *when: When) -> set[str]:
    """Every module that these load, themselves included."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        module = waiting.pop()
        if module in modules() and module not in seen:
            seen.add(module)
            waiting += [each.target for each in imports(module) if each.when in when]
    return seen


def test_the_house_is_small() -> None:
    rooms = {room(module) for module in modules()}
    assert rooms == set().union(*FLOORS)
    assert len(rooms) <= 25
    assert len(FLOORS) <= 8


def test_imports_point_downward() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    wrong = [
        str(each)
        for each in every_import("loading", "use", "types")
        if each.target in modules()
        and room(each.importer) != room(each.target)
        and floor[room(each.importer)] <= floor[room(each.target)]
    ]
    assert wrong == []


def test_no_file_needs_itself() -> None:
    needs: dict[str, set[str]] = {module: set() for module in modules()}
    for each in every_import("loading", "use", "types"):
        if each.target in modules():
            needs[each.importer].add(each.target)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("entry", UNREACHABLE)
def test_what_is_kept_apart_cannot_be_reached(entry: str) -> None:
    starts = [module for module in modules() if within(module, entry)]
    assert starts
    reached = reached_from(starts, "loading", "use", "types")
    forbidden = UNREACHABLE[entry]
    assert {each for each in reached if any(within(each, other) for other in forbidden)} == set()


def test_the_signer_needs_the_standard_library_alone() -> None:
    by_time: dict[str, set[str]] = {"loading": set(), "use": set(), "types": set()}
    for each in imports(SIGNER):
        by_time[each.when].add(each.target)
    assert by_time["loading"] <= SIGNERS_NEEDS
    assert by_time["use"] == {"errors"}
    assert {each for each in by_time["types"] if each in modules()} <= {"errors", "signing_key"}


def test_certificates_and_keys_are_opened_at_one_door() -> None:
    users = {
        module
        for module, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and LADDERS & {alias.name for alias in node.names}
        if not within(module, "identity.files")
    }
    assert users - BESIDE_THE_DOOR == {"identity.opening"}


def test_only_the_command_line_knows_the_command_line() -> None:
    importers = {
        each.importer
        for each in every_import("loading", "use", "types")
        if within(each.target, "cli") and not within(each.importer, "cli")
    }
    assert importers == {"__main__"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_is_imported_where_it_belongs(extra: str) -> None:
    def belongs(module: str) -> bool:
        return any(within(module, entry) for entry in EXTRAS[extra])

    users = [each for each in every_import("loading", "use") if within(each.target, extra)]
    assert [str(each) for each in users if not belongs(each.importer)] == []
    # Nor may another module drag it in by loading one of these.
    needing = {each.importer for each in users if each.when == "loading"}
    others = [module for module in modules() if not belongs(module)]
    dragged = [module for module in others if reached_from([module], "loading") & needing]
    assert dragged == []


def test_nothing_else_is_imported() -> None:
    allowed = {*sys.stdlib_module_names, *RUNTIME, *EXTRAS}
    foreign = [
        str(each)
        for each in every_import("loading", "use")
        if each.target not in modules() and each.target.partition(".")[0] not in allowed
    ]
    assert foreign == []


def test_the_package_itself_loads_its_version_alone() -> None:
    assert reached_from([ROOT], "loading") == {ROOT, "_version"}


@pytest.mark.parametrize("folder", LIGHT)
def test_a_folder_on_the_way_of_a_cached_answer_loads_nothing_heavy(folder: str) -> None:
    loaded = {each.target for each in imports(folder) if each.when == "loading"}
    assert loaded & {"argparse", "logging", "pathlib", *RUNTIME, *EXTRAS} == set()

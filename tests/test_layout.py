"""Where tests stand: those of `x/y.py` are in `tests/x/test_y*.py`.

What crosses rooms is in `tests/journeys/`, what any bytes must not do in `tests/fuzz/`.
"""

from __future__ import annotations

from pathlib import Path

import boto_rolesanywhere

PACKAGE = Path(boto_rolesanywhere.__file__).parent
TESTS = Path(__file__).parent
NO_ROOMS = {"fuzz", "journeys"}
# At the root: the tests of the package, the repository and this suite as a whole.
OF_THE_WHOLE = {
    "boundaries",
    "import_cost",
    "installed_package",
    "layout",
    "processes",
    "troubleshooting",
}


def subject(test: Path) -> str | None:
    """The module that a test file names: the longest of its room's, or the room itself."""
    room = test.parent.relative_to(TESTS)
    name = test.stem.removeprefix("test_")
    modules = {path.stem.rstrip("_") for path in (PACKAGE / room).glob("[!_]*.py")}
    if not room.parts:
        modules |= OF_THE_WHOLE
    elif (PACKAGE / room).is_dir():
        modules.add(room.name)
    return max((one for one in modules if f"{name}_".startswith(f"{one}_")), key=len, default=None)


FILES = [
    path
    for path in sorted(TESTS.rglob("test_*.py"))
    if path.relative_to(TESTS).parts[0] not in NO_ROOMS
]


def test_a_test_is_found_from_its_file() -> None:
    assert [str(path.relative_to(TESTS)) for path in FILES if not subject(path)] == []


def test_a_name_does_not_repeat_its_room() -> None:
    for path in FILES:
        shorter = path.with_name(path.name.replace(f"test_{path.parent.name}_", "test_"))
        assert shorter == path or subject(shorter) is None, f"{path}: call it {shorter.name}"

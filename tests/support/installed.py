"""What scripts/test installs beside the Python environment, and whether it is there."""

from __future__ import annotations

import os

import pytest
from repository import ROOT

AWS_CLI = ROOT / ".cache" / "awscli"
PROGRAMS = ROOT / ".cache" / "programs"  # of tests/clients/programs.txt
FROZEN = ROOT / ".cache" / "frozen"  # of tests/clients/frozen.txt, with the package
NODE_MODULES = ROOT / ".cache" / "node" / "node_modules"


def require(there: bool, what: str) -> None:
    """CI never skips."""
    if not there:
        assert not os.environ.get("CI"), f"{what} is missing"
        pytest.skip(f"{what} is missing: scripts/test installs it")

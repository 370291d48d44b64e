"""Where things stand in the checkout that the tests are part of."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
VECTORS = ROOT / "tests" / "vectors"

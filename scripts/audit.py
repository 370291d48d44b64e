"""Runs pip-audit on a list of pinned packages and says what came of it, in words.

usage: python scripts/audit.py NAME PINNED
The exit status is 1 if a vulnerability is known, else 0: also if nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys

TIMEOUT = 120


def audited(pinned: str) -> list[dict[str, object]] | None:
    """What pip-audit says of each package; None if it could ask nobody."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", pinned, "--format", "json"]
    command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return found if isinstance(found, list) else None


def main(name: str, pinned: str) -> int:
    """Print what is known; the exit status."""
    packages = audited(pinned)
    if packages is None:
        print(f"{name}: NOT audited: no service of known vulnerabilities can be reached")
        return 0
    skipped = [package for package in packages if "skip_reason" in package]
    bad = [package for package in packages if package.get("vulns")]
    for package in bad:
        ids = ", ".join(str(found["id"]) for found in package["vulns"])  # type: ignore[attr-defined]  # JSON
        print(f"{name}: {package['name']} {package['version']}: {ids}")
    known = len(packages) - len(skipped)
    if known == 0:
        print(f"{name}: NOT audited: the service that was reached knows none of the packages")
    else:
        print(f"{name}: {known} packages audited, {len(skipped)} not known, {len(bad)} vulnerable")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

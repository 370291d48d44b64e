"""What a program pays for its first credentials, beside iam-rolesanywhere-session.

Each figure is of a process of its own, in millions of instructions (valgrind's callgrind), which
hardly depend on what else the machine does. boto3 is imported before, and its import is left out:
what counts goes from the library's own import to the first credentials, over TLS to the emulator on
loopback. The peer has an environment of its own, which is made at the first run.

Then the whole job: from the start of Python to the first `list_buckets`, beside boto3 with static
keys. And the resident memory of a process with one session.

Targets: at most 0.65 times the peer's instructions where both find the endpoint themselves
(AWS_ENDPOINT_URL_ROLESANYWHERE is set), at most 1.0 times where both are told it; the whole job at
most 1.2 times plain boto3's; memory at most 1.15 times the peer's.

Run: python benchmarks/first_credentials.py [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from measuring import PEER, Table, instructions, peer_python, require_valgrind

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

if TYPE_CHECKING:
    from boto_rolesanywhere.testing import IssuedPaths

MOST_FOUND = 0.65
MOST_TOLD = 1.0
MOST_JOB = 1.2
MOST_MEMORY = 1.15
REGION = "eu-west-1"

IMPORT = "import boto3, json, sys; given = json.loads(sys.argv[1])\n"
OURS = """
import boto_rolesanywhere
session = boto_rolesanywhere.get_session(
    given["cert"], given["key"], given["anchor"], given["profile"], given["role"],
    chain=given["chain"], verify=given["ca"], endpoint_url=given["endpoint"])
session.get_credentials().get_frozen_credentials()
"""
THEIRS = """
from iam_rolesanywhere_session import IAMRolesAnywhereSession
session = IAMRolesAnywhereSession(
    given["profile"], given["role"], given["anchor"], given["cert"], given["key"], given["chain"],
    region=given["region"], verify=given["ca"],
    endpoint=given["endpoint"] and given["endpoint"].removeprefix("https://")).get_session()
session.get_credentials().get_frozen_credentials()
"""
STATIC = 'session = boto3.Session("AKIA", "secret", region_name=given["region"])\n'
LIST = 'session.client("s3", endpoint_url=given["s3"], verify=False).list_buckets()\n'
MEMORY = 'print(open("/proc/self/status").read().split("VmRSS:")[1].split()[0])\n'
BUCKETS = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult '
    b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets/></ListAllMyBucketsResult>'
)


class Case(NamedTuple):
    """One identity, and what the programs are given of it."""

    title: str
    given: dict[str, str | None]


class Storage(BaseHTTPRequestHandler):
    """Answers every request with an empty list of buckets."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(BUCKETS)))
        self.end_headers()
        self.wfile.write(BUCKETS)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def cases(ca: CertificateAuthority, emulator: Emulator, folder: Path, s3: str) -> list[Case]:
    """EC and RSA, with and without an intermediate."""
    issuing = ca.issue_intermediate("Issuing")
    found = []
    for kind in ("EC", "RSA"):
        for chained in (False, True):
            key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else None
            issuer = issuing if chained else ca
            issued = issuer.issue("app", key=key) if key else issuer.issue("app")
            paths: IssuedPaths = issued.write(folder / f"{kind}-{chained}")
            given = {
                "cert": str(paths.certificate),
                "key": str(paths.private_key),
                "chain": str(paths.chain) if chained else None,
                "anchor": emulator.trust_anchor_arn,
                "profile": emulator.profile_arn,
                "role": emulator.role_arn,
                "region": REGION,
                "ca": str(emulator.ca_bundle_path),
                "endpoint": None,
                "s3": s3,
            }
            found.append(Case(f"{kind}, {'with' if chained else 'no'} chain", given))
    return found


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Without settings of the user's."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **more}


def compare(case: Case, url: str, theirs: str, folder: Path, table: Table) -> None:
    """The rows of one identity."""
    bare = json.dumps(case.given)
    ours_alone = instructions([sys.executable, "-c", IMPORT, bare], environment(folder))
    theirs_alone = instructions([theirs, "-c", IMPORT, bare], environment(folder))
    for title, endpoint, most in (("found", None, MOST_FOUND), ("told", url, MOST_TOLD)):
        env = environment(folder, **({} if endpoint else {"AWS_ENDPOINT_URL_ROLESANYWHERE": url}))
        given = json.dumps({**case.given, "endpoint": endpoint})
        ours = instructions([sys.executable, "-c", IMPORT + OURS, given], env) - ours_alone
        peer = instructions([theirs, "-c", IMPORT + THEIRS, given], env) - theirs_alone
        figures = f"{ours:,.0f} / {peer:,.0f} M"
        table.row(f"{case.title}, endpoint {title}", figures, ours / peer, most)


def whole_job(case: Case, url: str, folder: Path, table: Table) -> None:
    """From the start of Python to the first list_buckets."""
    env = environment(folder, AWS_ENDPOINT_URL_ROLESANYWHERE=url)
    given = json.dumps(case.given)
    ours = instructions([sys.executable, "-c", IMPORT + OURS + LIST, given], env)
    plain = instructions([sys.executable, "-c", IMPORT + STATIC + LIST, given], env)
    figures = f"{ours:,.0f} / {plain:,.0f} M"
    table.row("the whole job, beside boto3 with static keys", figures, ours / plain, MOST_JOB)


def memory(case: Case, url: str, theirs: str, folder: Path, table: Table) -> None:
    """Resident memory with one session."""
    env = environment(folder, AWS_ENDPOINT_URL_ROLESANYWHERE=url)

    def resident(python: str, program: str) -> float:
        command = [python, "-c", IMPORT + program + MEMORY, json.dumps(case.given)]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        return int(done.stdout) / 1024

    ours, peer = resident(sys.executable, OURS), resident(theirs, THEIRS)
    figures = f"{ours:.1f} / {peer:.1f} MB"
    table.row("resident memory of one session", figures, ours / peer, MOST_MEMORY)


def main() -> int:
    """Print the table; with --check, fail if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    require_valgrind()
    theirs, table = peer_python(), Table()
    storage = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    threading.Thread(target=storage.serve_forever, daemon=True).start()
    ca = CertificateAuthority()
    today = datetime.now(timezone.utc).date()
    print(f"{today}, Python {platform.python_version()}, {platform.machine()}")
    print(f"ours / {PEER}, and the ratio")
    with Emulator(ca, tls=True) as emulator, TemporaryDirectory() as name:
        folder = Path(name)
        s3 = f"http://127.0.0.1:{storage.server_port}"
        all_cases = cases(ca, emulator, folder, s3)
        for case in all_cases:
            compare(case, emulator.endpoint_url, theirs, folder, table)
        whole_job(all_cases[0], emulator.endpoint_url, folder, table)
        memory(all_cases[0], emulator.endpoint_url, theirs, folder, table)
    storage.shutdown()
    return 1 if arguments.check and table.missed else 0


if __name__ == "__main__":
    sys.exit(main())

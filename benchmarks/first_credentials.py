"""How long it takes from get_session to the first credentials, against the local emulator.

Each sample is a process of its own, as a program's start is: interpreter and imports are counted in
the first row, the call itself in the others. The second session of a process shows what botocore
caches. Medians of one run; ratios are to botocore's own start of a client in such a process.

usage: python benchmarks/first_credentials.py [--samples N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

CHILD = """
import json, sys, time
start = time.perf_counter()
import boto3
import boto_rolesanywhere.session
imported = time.perf_counter()
boto3.Session(region_name="eu-west-1").client(
    "sts", aws_access_key_id="x", aws_secret_access_key="x")
client = time.perf_counter()
def first():
    begin = time.perf_counter()
    boto_rolesanywhere.get_session(**json.loads(sys.argv[1])).get_credentials().session
    return time.perf_counter() - begin
print(json.dumps([imported - start, client - imported, first(), first()]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=15, help="processes (default: 15)")
    samples = parser.parse_args().samples
    ca = CertificateAuthority()
    with Emulator(ca) as emulator, tempfile.TemporaryDirectory() as folder:
        paths = ca.issue("app").write(folder)
        arguments = {
            "cert": str(paths.certificate),
            "key": str(paths.private_key),
            "anchor": emulator.trust_anchor_arn,
            "profile": emulator.profile_arn,
            "role": emulator.role_arn,
            "endpoint_url": emulator.endpoint_url,
        }
        command = [sys.executable, "-c", CHILD, json.dumps(arguments)]
        rows = [
            json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            for _ in range(samples)
        ]
    titles = (
        "import boto3 and boto_rolesanywhere.session",
        "botocore alone: a first client",
        "get_session to first credentials",
        "the same again, in the same process",
    )
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(f"{'':44}{'ms':>8}{'ratio':>8}   (medians of {samples} processes)")
    for title, median in zip(titles, medians, strict=True):
        print(f"{title:44}{median * 1000:8.1f}{median / medians[1]:8.2f}")


if __name__ == "__main__":
    main()

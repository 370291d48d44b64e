"""List the S3 buckets every few seconds, as a service would, with IAM Roles Anywhere credentials.

Where the certificate and the ARNs are is configured outside the program, in the environment
(AWS_ROLESANYWHERE_CERTIFICATE …) or in a profile of ~/.aws/config (rolesanywhere_certificate …):

    AWS_PROFILE=onprem python gets3buckets.py

The session renews its credentials by itself, so the loop may run for months.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

import boto_rolesanywhere

if TYPE_CHECKING:
    import boto3


def bucket_names(session: boto3.Session) -> list[str]:
    """The names of all buckets that the role may see."""
    return [bucket.name for bucket in session.resource("s3").buckets.all()]


def main() -> int:
    """Run the loop; 1 if the only round failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--once", action="store_true", help="one round, then end")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="default: 5")
    arguments = parser.parse_args()

    session = boto_rolesanywhere.get_session()
    while True:
        try:
            names = bucket_names(session)
        except (BotoCoreError, ClientError) as error:
            # A service outlives an outage: what is wrong is said, and the next round tries again.
            print(f"gets3buckets: {error}", file=sys.stderr, flush=True)
            failed = True
        else:
            print("Hello, Amazon S3! Let's list your buckets:", *names, sep="\n\t", flush=True)
            failed = False
        if arguments.once:
            return 1 if failed else 0
        time.sleep(arguments.every)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (boto_rolesanywhere.RolesAnywhereError, BotoCoreError) as error:
        sys.exit(f"gets3buckets: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

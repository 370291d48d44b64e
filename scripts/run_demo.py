"""The steps of scripts/demo, once its environment is there: from nothing to a list of S3 buckets.

IAM Roles Anywhere is the emulator, S3 and IAM are moto's, all on loopback. Each command is one that
a user types, and is shown with what it prints and how long it took. Then the certificate is
revoked, and refused. With ``--keep`` the folder stays and the services run until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
# By the alias that setup gives it.
ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:alias/trust-anchor/example-ca"
EXAMPLE = ROOT / "examples" / "gets3buckets.py"
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


class Shell:
    """Somebody at a terminal in the demo's folder; remembers how long each step took."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.times: list[tuple[str, float]] = []

    def type(self, title: str, command: str, expected: int = 0, **variables: str) -> None:
        """Show a command and run it; another exit status than the expected one ends the demo."""
        shown = " ".join(f"{name}={value}" for name, value in variables.items())
        print(f"\n{BOLD}$ {f'{shown} ' if shown else ''}{command}{PLAIN}", flush=True)
        started = time.monotonic()
        done = subprocess.run(
            shlex.split(command), cwd=self.folder, env=self.environment | variables, check=False
        )
        self.times.append((title, time.monotonic() - started))
        if done.returncode != expected:
            sys.exit(f"\nThat ended with status {done.returncode} instead of {expected}.")


def main() -> int:
    """Run the steps."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave the folder, and serve on")
    keep = parser.parse_args().keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as Ctrl-C, with all that is cleaned up
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="rolesanywhere-"))
        if not keep:
            stack.callback(shutil.rmtree, folder)
        exports = stack.enter_context(running_aws(folder))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        shell = Shell(folder, kept | exports)
        walk(shell)
        show_times(shell)
        if keep:
            go_on(folder, exports)
    print(f"\nAll stopped.{f' What was made is in {folder}.' if keep else ''}")
    return 0


@contextmanager
def running_aws(folder: Path) -> Iterator[dict[str, str]]:
    """Start the stand-ins for AWS; gives the variables that lead a user's programs to them."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # before moto is loaded: AWS's own ones
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    from boto_rolesanywhere.testing import CertificateAuthority, Emulator
    from boto_rolesanywhere.testing.emulator.neighbours import roles_at

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for each request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    (folder / "aws-config").touch(mode=0o600)
    # moto takes any keys for those of an administrator.
    administrator = "[default]\naws_access_key_id = admin\naws_secret_access_key = admin\n"
    (folder / "aws-credentials").write_text(administrator)
    # The role's trust policy counts, as moto has it.
    roles = roles_at(f"http://{host}:{port}", "eu-west-1")
    try:
        with Emulator(CertificateAuthority("Nobody's CA"), roles=roles) as emulator:
            exports = {
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ENDPOINT_URL_ROLESANYWHERE": emulator.endpoint_url,
                "AWS_DEFAULT_REGION": emulator.region,
                "AWS_CONFIG_FILE": str(folder / "aws-config"),
                "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
                "AWS_ROLESANYWHERE_CA": str(folder / "ca"),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            }
            make_buckets(boto3, exports["AWS_ENDPOINT_URL"])
            print(f"In place of AWS: IAM Roles Anywhere (emulator) at {emulator.endpoint_url},")
            print(f"S3, IAM and STS (moto) at {exports['AWS_ENDPOINT_URL']}.")
            yield exports
    finally:
        server.stop()


def make_buckets(boto3: object, url: str) -> None:
    """Put into S3 what the example is to list."""
    keys = {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
    for name in ("reports-2026", "sensor-data"):
        s3.create_bucket(Bucket=name)


def walk(shell: Shell) -> None:
    """From nothing to credentials, and back."""
    program = "boto-rolesanywhere"
    shell.type("a CA", f'{program} ca init --name "Example CA"')
    shell.type("AWS's side", f"{program} setup --role app1 --profile onprem --policy-arn {POLICY}")
    shell.type("a certificate", f"{program} ca issue app1 --profile onprem")
    shell.type("list buckets", f"python {EXAMPLE} --once", AWS_PROFILE="onprem")
    session = f"{program} credential-process --config-profile onprem --no-cache"
    revoke = f"{program} revoke app1.pem --reason keyCompromise"
    shell.type("revoke it", f"{revoke} --trust-anchor {ANCHOR}")
    shell.type("it is refused", session, expected=1)
    shell.type("a new one", f"{program} ca renew app1")


def show_times(shell: Shell) -> None:
    """Say how long each step took."""
    print("\nSeconds, with the start of each program:")
    for title, seconds in shell.times:
        print(f"  {title:<18} {seconds:5.1f}")
    print(f"  {'together':<18} {sum(seconds for _, seconds in shell.times):5.1f}")


def go_on(folder: Path, exports: dict[str, str]) -> None:
    """Tell how to play on, and serve until Ctrl-C."""
    assignments = [f"{name}={shlex.quote(value)}" for name, value in exports.items()]
    print(f"\nGo on in another terminal, until Ctrl-C here ends the services:\n\n  cd {folder}")
    print(f"  export {' '.join(assignments[:3])}")
    print(f"  export {' '.join(assignments[3:])}")
    print("  boto-rolesanywhere doctor --config-profile onprem", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())

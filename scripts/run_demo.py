"""The steps of scripts/demo, once its environment is there.

Makes a CA and a client certificate, starts the emulator of IAM Roles Anywhere and moto as S3, makes
two buckets, runs examples/gets3buckets.py through them, shows what happened, and stops everything.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

# The client's extensions are what the service asks of an end-entity certificate.
OPENSSL_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
"""


def main() -> int:
    """Run the steps; the exit status is the example's."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rolesanywhere-")))
        tool = make_certificates(folder)
        emulator = stack.enter_context(running_emulator(folder))
        s3_url = stack.enter_context(running_s3())
        environment = configure(folder, emulator, s3_url)
        show_certificate(folder, tool)
        print(
            f"\nIAM Roles Anywhere (emulator) at {emulator['endpoint_url']}, S3 (moto) at {s3_url}"
        )
        show_session(environment)
        print(
            "\nexamples/gets3buckets.py --once, with AWS_PROFILE=onprem and no other credentials:\n"
        )
        example = [sys.executable, str(ROOT / "examples" / "gets3buckets.py"), "--once"]
        status = subprocess.run(example, env=environment, check=False).returncode
    print("\nAll stopped." if status == 0 else "\nThe example failed; all stopped.")
    return status


def make_certificates(folder: Path) -> str:
    """A CA and a client certificate, by openssl if it is there; says by what."""
    openssl = shutil.which("openssl")
    if openssl is None:
        from boto_rolesanywhere.testing import CertificateAuthority

        ca = CertificateAuthority("Demo CA")
        (folder / "ca.pem").write_bytes(ca.certificate_pem)
        ca.issue("app1", subject="C=DE,ST=Berlin,OU=DevOps,CN=app1").write(folder, name="app")
        return "boto_rolesanywhere.testing"
    (folder / "openssl.cnf").write_text(OPENSSL_CONFIG)
    new_key = "req -new -newkey rsa:2048 -nodes -config openssl.cnf"
    issue = "x509 -req -in app.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 7"
    for options, subject in (
        (f"{new_key} -x509 -extensions ca -days 30 -keyout ca-key.pem -out ca.pem", "/CN=Demo CA"),
        (f"{new_key} -keyout app-key.pem -out app.csr", "/C=DE/ST=Berlin/OU=DevOps/CN=app1"),
        (f"{issue} -extfile openssl.cnf -extensions client -out app-cert.pem", None),
    ):
        arguments = [*options.split(), *(("-subj", subject) if subject else ())]
        result = subprocess.run([openssl, *arguments], cwd=folder, capture_output=True, check=False)
        if result.returncode != 0:
            sys.exit(f"openssl {arguments[0]} failed:\n{result.stderr.decode(errors='replace')}")
    (folder / "app-key.pem").chmod(0o600)
    return "openssl"


@contextmanager
def running_emulator(folder: Path) -> Iterator[dict[str, str]]:
    """Start the emulator as a program of its own; gives its endpoint and ARNs."""
    command = [sys.executable, "-m", "boto_rolesanywhere.testing.emulator", "--json"]
    command += ["--ca", str(folder / "ca.pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def running_s3() -> Iterator[str]:
    """Start moto's server with two buckets; gives its URL."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for each request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        s3 = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="setup",
            aws_secret_access_key="setup",
        )
        for name in ("reports-2026", "sensor-data"):
            s3.create_bucket(Bucket=name)
        yield url
    finally:
        server.stop()


def configure(folder: Path, emulator: dict[str, str], s3_url: str) -> dict[str, str]:
    """Write the AWS config file; gives the environment of the program that uses it."""
    config = folder / "config"
    config.write_text(
        f"""[profile onprem]
region = {emulator["region"]}
rolesanywhere_certificate = {folder / "app-cert.pem"}
rolesanywhere_private_key = {folder / "app-key.pem"}
rolesanywhere_trust_anchor_arn = {emulator["trust_anchor_arn"]}
rolesanywhere_profile_arn = {emulator["profile_arn"]}
rolesanywhere_role_arn = {emulator["role_arn"]}
"""
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": "onprem",
        "AWS_ENDPOINT_URL_ROLESANYWHERE": emulator["endpoint_url"],
        "AWS_ENDPOINT_URL_S3": s3_url,
    }


def show_certificate(folder: Path, tool: str) -> None:
    """Say what the certificate is, and by what it was made."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate((folder / "app-cert.pem").read_bytes())
    print(f"\nCertificate (made by {tool})")
    print(f"  subject   {certificate.subject.rfc4514_string()}")
    print(f"  issuer    {certificate.issuer.rfc4514_string()}")
    print(f"  serial    {certificate.serial_number:x}")
    print(f"  valid to  {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")


def show_session(environment: dict[str, str]) -> None:
    """Make one session in this process and say what the service gave."""
    import boto_rolesanywhere

    os.environ.update(environment)
    session = boto_rolesanywhere.get_session().get_credentials().session
    print("\nSession")
    print(f"  role             {session.assumed_role_arn}")
    print(f"  source identity  {session.source_identity}")
    print(f"  access key       {session.access_key_id}")
    print(f"  good until       {session.expiration:%Y-%m-%d %H:%M} UTC, then renewed by itself")


if __name__ == "__main__":
    sys.exit(main())

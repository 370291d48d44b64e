"""The private session leaves out what decides nothing: it calls what botocore would call."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from urllib3 import HTTPResponse

import boto_rolesanywhere
from boto_rolesanywhere.create_session.botocore_session import private_session
from boto_rolesanywhere.create_session.botocore_transport import BotocoreTransport
from boto_rolesanywhere.create_session.call import attempt_headers, signed
from boto_rolesanywhere.create_session.way import Way
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.testing import CertificateAuthority

BUILTIN = Path(Loader.BUILTIN_DATA_PATH)

WAY = partial(Way, "eu-west-1")


def regions() -> list[str]:
    """Every Region of every partition, others that look like them, and a strange one."""
    partitions = json.loads((BUILTIN / "partitions.json").read_text())["partitions"]
    known = [region for partition in partitions for region in partition["regions"]]
    return [*known, *(f"{region.rstrip('0123456789')}99" for region in known), "moon"]


def host(session: botocore.session.Session, region: str, *, dual_stack: bool, fips: bool) -> str:
    """The host that a client's choice of a proxy is for, or botocore's error."""
    resolver = session._get_internal_component("endpoint_resolver")
    assert resolver.uses_builtin_data  # else the rules of the service would not count
    try:
        found = resolver.construct_endpoint(
            "rolesanywhere",
            region,
            use_dualstack_endpoint=dual_stack,
            use_fips_endpoint=fips,
        )
    except BotoCoreError as error:
        return type(error).__name__
    return f"{found['hostname']} {found['protocols']}" if found else "none"


@pytest.mark.parametrize("dual_stack", [False, True])
@pytest.mark.parametrize("fips", [False, True])
def test_every_regions_endpoint_is_botocores_own(dual_stack: bool, fips: bool) -> None:
    ordinary, ours = botocore.session.Session(), private_session(None)

    def hosts(session: botocore.session.Session) -> dict[str, str]:
        return {each: host(session, each, dual_stack=dual_stack, fips=fips) for each in regions()}

    assert len(regions()) > 60
    expected = hosts(ordinary)
    if dual_stack:
        # botocore's table knows fewer dual-stack partitions than its rules, which decide.
        expected = {name: found for name, found in expected.items() if "Error" not in found}
        assert len(expected) > 40
    assert expected.items() <= hosts(ours).items()


def test_the_endpoints_of_all_services_are_not_read_unless_they_are_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    loader = Loader.FILE_LOADER_CLASS
    load_file = loader.load_file

    def noting(self: object, path: str) -> object:
        read.append(os.path.relpath(path, BUILTIN))
        return load_file(self, path)

    monkeypatch.setattr(loader, "load_file", noting)
    client = private_session(None).create_client("rolesanywhere", region_name="eu-west-1")
    assert client.meta.service_model.operation_names == ["CreateSession"]
    assert "endpoints" not in read
    assert "rolesanywhere/2018-05-10/service-2" not in read

    data = json.loads((BUILTIN / "endpoints.json").read_text())
    (aws,) = (each for each in data["partitions"] if each["partition"] == "aws")
    aws["defaults"]["hostname"] = "{service}.{region}.example"
    (tmp_path / "endpoints.json").write_text(json.dumps(data))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client = private_session(None).create_client("rolesanywhere", region_name="eu-west-1")
    assert client.meta.endpoint_url == "https://rolesanywhere.eu-west-1.example"


def test_the_model_speaks_the_protocol_of_botocores_own() -> None:
    with gzip.open(BUILTIN / "rolesanywhere" / "2018-05-10" / "service-2.json.gz") as file:
        own = json.load(file)["metadata"]
    model = private_session(None).get_service_model("rolesanywhere")

    decisive = ("apiVersion", "endpointPrefix", "protocol", "serviceId", "signingName")
    assert {name: model.metadata[name] for name in decisive} == {
        name: own[name] for name in decisive
    }


def test_what_botocore_adds_to_every_request_is_added_here(
    monkeypatch: pytest.MonkeyPatch, ca: CertificateAuthority
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1")
    issued = ca.issue("app")
    sources = IdentitySources(certificate=issued.certificate, private_key=issued.private_key)
    now = datetime.now(timezone.utc)
    arguments = dict.fromkeys(("trustAnchorArn", "profileArn", "roleArn"), "arn")

    ours = BotocoreTransport(opened(private_session(None)), verify=None, way=WAY)
    mark = attempt_headers("id", 1, ours.limits)
    request = signed(ours.draft(arguments), mark, open_identity(sources, now=now), "eu-west-1", now)
    sent = {name.lower() for name in request.headers}

    assert headers_of_botocore(arguments) == sent - {"x-amz-date", "x-amz-x509", "authorization"}
    assert {"amz-sdk-invocation-id", "amz-sdk-request", "x-amzn-trace-id", "host"} <= sent


def opened(session: botocore.session.Session) -> BaseClient:
    options = ClientConfig(signature_version=UNSIGNED)
    return session.create_client("rolesanywhere", region_name="eu-west-1", config=options)


def headers_of_botocore(arguments: dict[str, str]) -> set[str]:
    session, headers = botocore.session.Session(), {"host"}  # which the HTTP client adds
    session.register_component("data_loader", private_session(None).get_component("data_loader"))

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers.update(name.lower() for name in request.headers)
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO(b"{}")))

    client = opened(session)
    client.meta.events.register("before-send.rolesanywhere.CreateSession", answer)
    client.create_session(**arguments)
    return headers - {"content-length"}  # ours is added when the request is sent


def test_the_model_is_read_out_of_a_zip_archive(tmp_path: Path) -> None:
    """As in a zipapp, or in a folder that a build packed: pex, shiv, AWS Lambda's layers."""
    package = Path(boto_rolesanywhere.__file__).parent
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for file in package.rglob("*"):
            if file.suffix in {".py", ".json"}:
                archive.write(file, file.relative_to(package.parent))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from boto_rolesanywhere.create_session import botocore_session as module\n"
        "loader = module.private_session(None).get_component('data_loader')\n"
        "model = loader.load_service_model('rolesanywhere', 'service-2')\n"
        "print(module.__file__, *model['operations'])\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "app.zip")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "app.zip" in done.stdout
    assert done.stdout.split()[-1] == "CreateSession"

"""The doctor's calls: CreateSession with the workload's certificate, and what STS says of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from way_to_aws import ALL_WELL, CA, examined, statuses

from boto_rolesanywhere.testing import Emulator

pytestmark = pytest.mark.usefixtures("sts")


def test_a_certificate_that_would_be_refused_is_not_sent(emulator: Emulator) -> None:
    for flaw, why in (
        ("expired", "the certificate has expired, or is not valid yet"),
        ("no-digital-signature", "AWS would refuse the certificate"),
    ):
        verdicts = examined(emulator, issued=CA.issue("app", flaws=(flaw,)))
        assert (verdicts["create-session"].status, verdicts["create-session"].text) == (
            "skip",
            why,
        )
        assert verdicts["clock"].status == "ok"
    assert emulator.created == 0


def test_a_wrong_key_is_not_tried(emulator: Emulator) -> None:
    verdicts = examined(emulator, issued=CA.issue("app", flaws=("wrong-key",)))
    assert verdicts["key"].status == "fail"
    assert verdicts["create-session"].text == "no usable pair of key and certificate was found"


def test_the_chain_goes_with_the_call(emulator: Emulator) -> None:
    issued = CA.issue_intermediate("Issuing").issue("app")
    assert examined(emulator, issued=issued)["create-session"].status == "ok"


def test_a_refusal_is_explained(emulator: Emulator) -> None:
    emulator.remove(emulator.profile_arn)
    refused = examined(emulator)["create-session"]
    assert "Invalid or empty profile provided." in refused.text
    assert ("likely cause", "the profile is deleted or disabled") in refused.details
    assert refused.remedy == "Check the profile's ARN and that it is enabled."


def test_sts_that_is_not_reached(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    verdicts = examined(emulator)
    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "caller-identity": "fail"}
    assert "http://127.0.0.1:9" in verdicts["caller-identity"].text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:QUXX@127.0.0.1:9",
        "http://user:QUXX/ZYXW@127.0.0.1:9",
        "http://user:QUXX#ZYXW@127.0.0.1:9",
        "http://user:QUXX?ZYXW@127.0.0.1:9",
        "http://user:QUXX[ZYXW]@127.0.0.1:9",
        "http://user:QUXX://ZYXW@127.0.0.1:9",
        "http://user:QUXX/ZYXW",
        "user:QUXX",
        "HTTP://user:QUXX@127.0.0.1:9",
        "http:user:QUXX@127.0.0.1:9",
    ],
)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_STS", "HTTPS_PROXY"])
def test_a_password_on_the_way_to_sts_is_not_shown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, variable: str, url: str
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # the emulator is reached, STS is not
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    monkeypatch.setenv(variable, url)

    verdicts = examined(emulator)

    assert statuses(verdicts) == ALL_WELL | {"tls": "skip", "caller-identity": "fail"}
    assert "QUXX" not in repr(verdicts)
    assert "ZYXW" not in repr(verdicts)


@contextmanager
def sts_answering(status: int, body: bytes) -> Iterator[str]:
    """An STS that gives every call the same answer."""

    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>It works!</html>",
        b"{}",
        b"",
        b"\xff\xfe",
        b"<GetCallerIdentityResponse><GetCallerIdentityResult>",
        b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>",
    ],
)
def test_what_does_not_answer_as_sts_is_a_verdict(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    with sts_answering(200, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        verdict = examined(emulator)["caller-identity"]

    assert verdict.status == "fail"
    assert "not answered as STS answers" in verdict.text


@pytest.mark.parametrize(
    ("status", "path"),
    [(403, "ErrorResponse Error Message"), (200, "Response GetCallerIdentityResult Arn")],
)
def test_what_sts_says_is_bounded_and_stays_on_its_line(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, status: int, path: str
) -> None:
    elements = path.split()
    opening = "".join(f"<{element}>" for element in elements)
    closing = "".join(f"</{element}>" for element in reversed(elements))
    body = f"{opening}{'a&#10;FAIL chain&#155;31m' * 10_000}{closing}".encode()

    with sts_answering(status, body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        verdict = examined(emulator)["caller-identity"]

    assert "FAIL chain" in verdict.text
    assert verdict.text.isprintable()
    assert len(verdict.text) < 2_000

"""The page on servers that fork, typed with the servers: gunicorn, uWSGI, Django and celery."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from pages import Reader, blocks

PAGE: Final = "gunicorn-and-celery.md"
SHORT: Final = 2  # seconds: the first session's life, so that it is renewed at once
LONGEST: Final = 150  # seconds that a server may run
PROGRAM, COMMAND, INSTALLED = blocks(PAGE, "gunicorn")
# Of a worker that waits for messages, which is 10 with SQS.
PATIENCE: Final = "app.conf.broker_transport_options = {'wait_time_seconds': 1}"
PLAIN: Final = """
import os
import boto3

def application(environ, start_response):
    found = boto3.client("s3").list_buckets()["Buckets"]
    start_response("200 OK", [])
    key = boto3.DEFAULT_SESSION.get_credentials().access_key
    return [f"{os.getpid()} {key} {len(found)}".encode()]
"""


@contextmanager
def running(reader: Reader, command: str, ready: str, **variables: str) -> Iterator[str]:
    """A server that a page starts, once a line of what it says has come; gives that line."""
    with subprocess.Popen(
        ["sh", "-c", f"exec env {command}"],
        cwd=reader.folder,
        env=reader.environment(**variables),
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        limit = threading.Timer(LONGEST, server.kill)
        limit.start()
        try:
            said = []
            while not re.search(ready, "".join(said[-1:])):
                said.append(server.stdout.readline())
                assert said[-1], "".join(said)
            # Or it would wait for a reader of what else it says.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            yield said[-1]
        finally:
            server.terminate()
            server.wait()
            limit.cancel()


@contextmanager
def serving(reader: Reader, command: str, **variables: str) -> Iterator[str]:
    """A web server that a page starts, at a port that is free; gives its URL."""
    for name in ("gunicorn", "uwsgi"):
        reader.install(name, sys.executable, Path(sys.executable).with_name(name))
    assert "127.0.0.1:8000" in command
    command = command.replace("127.0.0.1:8000", "127.0.0.1:0").replace("\\\n", "").strip()
    address = r"(?:Listening at: http://|bound to TCP address )([\d.:]+)"
    with running(reader, command, address, **variables) as line:
        found = re.search(address, line)
        assert found is not None
        yield f"http://{found[1]}"


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def answers(
    url: str, *, workers: int = 1, other_than: Collection[str] = ()
) -> set[tuple[str, str]]:
    """The workers and access keys that 16 clients at once saw.

    Ends when so many workers have answered with another key than those of before.
    """
    seen: set[tuple[str, str]] = set()
    with ThreadPoolExecutor(16) as clients:
        for _ in range(1000):
            for text in clients.map(fetched, [url] * 16):
                worker, key, _ = text.split(" ", 2)
                seen.add((worker, key))
            if len({worker for worker, key in seen if key not in other_than}) >= workers:
                return seen
    pytest.fail(f"after 16,000 answers: {seen}")


def keys_of(seen: set[tuple[str, str]]) -> set[str]:
    return {key for _, key in seen}


def renewed(reader: Reader, url: str) -> None:
    """Ask until the workers answer with the next session, which one of them made for all."""
    first = keys_of(answers(url))
    reader.emulator.max_lifetime = None
    made = reader.emulator.created
    answers(url, workers=2, other_than=first)

    # One more may have been under way, and as short as the first.
    assert reader.emulator.created <= made + 2


@pytest.mark.parametrize("threads", ["", " --threads 4"])
def test_gunicorns_workers_share_one_session(threads: str, equipped: Reader) -> None:
    equipped.type(PROGRAM)
    with serving(equipped, COMMAND.strip() + threads) as url:
        seen = answers(url, workers=2)

    assert len(keys_of(seen)) == 1
    assert equipped.emulator.created == 1


def test_gunicorn_gives_a_program_that_knows_nothing_its_credentials(equipped: Reader) -> None:
    equipped.type(INSTALLED)
    (equipped.folder / "reports.py").write_text(PLAIN)
    with serving(equipped, COMMAND, AWS_PROFILE="onprem") as url:
        _, key, found = fetched(url).split()

    assert key.startswith("ASIA")
    assert int(found) >= 0
    assert equipped.emulator.created == 1


def test_greenlets_go_on_while_one_renews(equipped: Reader) -> None:
    settings, command = blocks(PAGE, "gevent")
    equipped.type(PROGRAM)
    equipped.type(settings)
    equipped.emulator.max_lifetime = SHORT

    with serving(equipped, command, AWS_PROFILE="onprem") as url:
        renewed(equipped, url)


@pytest.mark.parametrize("hooks", ["--py-call-uwsgi-fork-hooks", "--lazy-apps", ""])
def test_uwsgis_workers_share_one_session_and_renew_it(hooks: str, equipped: Reader) -> None:
    (command,) = blocks(PAGE, "uwsgi")
    command = command.replace("--py-call-uwsgi-fork-hooks", hooks)
    equipped.type(PROGRAM)
    equipped.emulator.max_lifetime = SHORT

    with serving(equipped, command) as url:
        renewed(equipped, url)


@pytest.fixture
def with_profile(equipped: Reader, moto_url: str) -> Reader:
    """A reader who has the profile for libraries that make sessions of their own."""
    (profile,) = blocks(PAGE, "profile")
    equipped.type(profile)
    equipped.variables["AWS_ENDPOINT_URL_SQS"] = moto_url
    return equipped


def administrators(service: str, url: str) -> Any:  # noqa: ANN401  # a client of boto3
    keys = {"aws_access_key_id": "admin", "aws_secret_access_key": "admin"}
    return boto3.client(service, endpoint_url=url, region_name="eu-west-1", **keys)


def test_djangos_views_and_its_storage_share_one_session(
    with_profile: Reader, moto_url: str
) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    s3 = administrators("s3", moto_url)
    s3.create_bucket(Bucket="uploads", CreateBucketConfiguration=where)
    program, command = blocks(PAGE, "django")
    with_profile.type(program)

    with serving(with_profile, command, DJANGO_SECRET_KEY="any") as url:
        assert "uploads" in fetched(f"{url}/buckets")
        assert fetched(f"{url}/note") == "kept\n"

    assert with_profile.emulator.created == 1


@contextmanager
def celery(reader: Reader, command: str, broker: str) -> Iterator[None]:
    """A worker of the page's program, in a folder that has what brokers and results need."""
    program, _ = blocks(PAGE, "celery")
    reader.install("celery", sys.executable, "-m", "celery")
    reader.variables.update(BROKER_URL=broker, RESULT_BACKEND="file://results")
    for folder in ("data_out", "results"):
        (reader.folder / folder).mkdir()
    (reader.folder / "data_in").symlink_to("data_out")  # what one sends the other receives
    reader.type(program)
    with (reader.folder / "tasks.py").open("a") as settings:
        settings.write(PATIENCE)
    with running(reader, command, r"ready\."):
        yield


def called(reader: Reader) -> str:
    """What the page's task answers."""
    return reader.type(
        "python3 -c 'from tasks import buckets; print(buckets.delay().get(timeout=60))'"
    )


@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_celerys_tasks_have_credentials(pool: str, equipped: Reader) -> None:
    _, command = blocks(PAGE, "celery")
    with celery(equipped, command.strip().replace("prefork", pool), "filesystem://"):
        answer = called(equipped)

    assert answer.startswith("[")
    assert equipped.emulator.created == 1


def test_celerys_queue_in_sqs_follows_each_renewal(with_profile: Reader) -> None:
    (block,) = blocks(PAGE, "sqs")
    *exports, command = block.strip().splitlines()
    with_profile.variables.update(
        word.split("=", 1)
        for line in exports
        for word in line.split()[1:]  # type: ignore[misc]
    )
    # So short that botocore asks the command at each use, which takes the session from its cache.
    with_profile.emulator.max_lifetime = 900
    with celery(with_profile, command, with_profile.variables["BROKER_URL"]):
        assert with_profile.emulator.created == 1
        for entry in (with_profile.folder / ".cache" / "boto_rolesanywhere").glob("*.session"):
            entry.unlink()
        for _ in range(1200):  # the worker asks SQS for messages meanwhile
            if with_profile.emulator.created == 2:
                break
            time.sleep(0.05)
        assert with_profile.emulator.created == 2
        assert called(with_profile).startswith("[")

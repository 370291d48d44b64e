"""s3fs, which runs a loop of its own in another thread, and pandas' way to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import fsspec
import pytest
import s3fs
from aio_sessions import aio_session, keys_of, type_page
from sessions import set_variables

from boto_rolesanywhere import aio
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


@pytest.fixture
def bucket(moto_url: str) -> str:
    """The name of a bucket."""
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=moto_url,
        region_name="us-east-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
    )
    s3.create_bucket(Bucket="files")
    return "files"


def test_files_are_written_and_read(
    ca: CertificateAuthority, emulator: Emulator, moto_url: str, bucket: str
) -> None:
    session = aio_session(emulator, ca.issue("app"))
    files = s3fs.S3FileSystem(session=session, endpoint_url=moto_url, skip_instance_cache=True)
    with files.open(f"{bucket}/table.csv", "w") as file:
        file.write("a,b\n1,2\n")

    assert files.cat(f"{bucket}/table.csv") == b"a,b\n1,2\n"
    assert emulator.created == 1


def test_one_session_serves_its_loop_and_ours(
    ca: CertificateAuthority, emulator: Emulator, moto_url: str, bucket: str
) -> None:
    session = aio_session(emulator, ca.issue("app"))

    async def use() -> list[str]:
        await keys_of(session)
        files = s3fs.S3FileSystem(session=session, endpoint_url=moto_url, skip_instance_cache=True)
        listed = await asyncio.to_thread(files.ls, bucket)
        async with session.create_client("s3", endpoint_url=moto_url) as s3:
            await s3.list_buckets()
        return list(listed)

    assert asyncio.run(use()) is not None
    assert emulator.created == 1


def test_an_asynchronous_file_system_uses_the_loop_that_it_is_in(
    ca: CertificateAuthority, emulator: Emulator, moto_url: str, bucket: str
) -> None:
    session = aio_session(emulator, ca.issue("app"))

    async def use() -> bytes:
        files = s3fs.S3FileSystem(
            session=session, endpoint_url=moto_url, asynchronous=True, skip_instance_cache=True
        )
        s3 = await files.set_session()
        await files._pipe_file(f"{bucket}/a", b"content")
        content: bytes = await files._cat_file(f"{bucket}/a")
        await s3.close()
        return content

    assert asyncio.run(use()) == b"content"
    assert emulator.created == 1


def test_the_profile_of_an_installed_session(
    ca: CertificateAuthority,
    emulator: Emulator,
    moto_url: str,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from aiobotocore.session import AioSession

    set_variables(monkeypatch, ca.issue("app").write(tmp_path / "pki"), emulator)
    session = AioSession()
    aio.install(session)
    files = fsspec.filesystem(
        "s3", session=session, endpoint_url=moto_url, skip_instance_cache=True
    )

    assert files.exists(bucket)
    assert emulator.created == 1


def test_the_page_is_as_it_says(tmp_path: Path, moto_url: str) -> None:
    (printed,) = type_page(tmp_path, moto_url, "s3fs")

    assert "b'sensor,value\\na,1.5\\n'" in printed

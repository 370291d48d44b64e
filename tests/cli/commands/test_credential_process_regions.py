"""Several Regions in flags and variables: the command calls, caches and fails over by them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import complaint, environment, identity, run

import boto_rolesanywhere
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.faults import ErrorStatus

CA = CertificateAuthority()
ROLE = "arn:aws:iam::123456789012:role/Both"


@pytest.fixture(scope="module")
def regions() -> Iterator[tuple[Emulator, Emulator]]:
    with (
        Emulator(CA, region="eu-west-1", role_arn=ROLE) as first,
        Emulator(CA, region="eu-central-1", role_arn=ROLE) as second,
    ):
        yield first, second


def test_the_next_region_is_asked_and_its_session_shared(
    regions: tuple[Emulator, Emulator], tmp_path: Path
) -> None:
    paths = CA.issue("web").write(tmp_path / "pki")
    flags = (
        *identity(paths),
        *("--trust-anchor-arn", ", ".join(each.trust_anchor_arn for each in regions)),
        *("--role-arn", ROLE, "--endpoint", " ".join(each.endpoint_url for each in regions)),
    )
    variables = {"AWS_ROLESANYWHERE_PROFILE_ARN": ",".join(each.profile_arn for each in regions)}
    env = environment(tmp_path, **variables)
    regions[0].inject(ErrorStatus(429, "ThrottlingException"), times=None)
    try:
        done = run("credential-process", *flags, env=env)
    finally:
        regions[0].clear_faults()
    assert done.returncode == 0
    assert b"IAM Roles Anywhere in eu-west-1 failed" in done.stderr
    key_id = json.loads(done.stdout)["AccessKeyId"]
    assert key_id == regions[1].requests[-1].access_key_id

    # The same in the library, and from the cache.
    session = boto_rolesanywhere.get_session(
        paths.certificate,
        paths.private_key,
        [each.trust_anchor_arn for each in regions],
        [each.profile_arn for each in regions],
        ROLE,
        duration=3600,  # as the helper's flags ask
        endpoint_url=[each.endpoint_url for each in regions],
        cache=tmp_path / ".cache" / "boto_rolesanywhere",
    )
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials().access_key == key_id
    again = run("credential-process", *flags, env=env)
    assert json.loads(again.stdout)["AccessKeyId"] == key_id


def test_one_endpoint_for_several_regions_is_refused(
    regions: tuple[Emulator, Emulator], tmp_path: Path
) -> None:
    paths = CA.issue("web").write(tmp_path / "pki")
    flags = (
        *identity(paths),
        *("--trust-anchor-arn", ", ".join(each.trust_anchor_arn for each in regions)),
        *("--profile-arn", ", ".join(each.profile_arn for each in regions)),
        *("--role-arn", ROLE),
    )
    env = environment(tmp_path, AWS_ENDPOINT_URL_ROLESANYWHERE=regions[0].endpoint_url)

    found = complaint(run("credential-process", *flags, env=env))

    assert "it names one endpoint, and there are several trust anchors" in found

"""Several Regions: each is checked, and none hides what is wrong with another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from examined import examined, named, only

from boto_rolesanywhere.doctor import Verdict, examine
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, faults

CA = CertificateAuthority()
ROLE = "arn:aws:iam::123456789012:role/Both"


@pytest.fixture(scope="module")
def regions() -> Iterator[tuple[Emulator, Emulator]]:
    with (
        Emulator(CA, region="eu-west-1", role_arn=ROLE) as first,
        Emulator(CA, region="eu-central-1", role_arn=ROLE) as second,
    ):
        yield first, second


def arguments(regions: tuple[Emulator, Emulator], folder: Path) -> dict[str, object]:
    paths = CA.issue("app").write(folder)
    return {
        "cert": str(paths.certificate),
        "key": str(paths.private_key),
        "anchor": [each.trust_anchor_arn for each in regions],
        "profile": [each.profile_arn for each in regions],
        "role": ROLE,
        "endpoint_url": [each.endpoint_url for each in regions],
    }


def created(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(one.status, one.text.split(":")[0]) for one in named(verdicts, "create-session")]


def test_each_region_is_called(
    regions: tuple[Emulator, Emulator], tmp_path: Path, moto_url: str, clean_environment: Path
) -> None:
    verdicts = list(examine(arguments(regions, tmp_path), timeout=5))

    assert "eu-west-1, eu-central-1" in only(verdicts, "arns").text
    assert "Region eu-west-1, then eu-central-1" in only(verdicts, "settings").text
    assert created(verdicts) == [("ok", "eu-west-1"), ("ok", "eu-central-1")]
    assert [one.text for one in named(verdicts, "endpoint")] == [
        f"{each.region}: {each.endpoint_url}" for each in regions
    ]


def test_one_that_refuses_is_seen_behind_one_that_works(
    regions: tuple[Emulator, Emulator], tmp_path: Path, clean_environment: Path
) -> None:
    refusing = regions[1]
    refusing.inject(faults.ErrorStatus(403, "AccessDeniedException", "no"), times=None)
    try:
        verdicts = list(examine(arguments(regions, tmp_path), timeout=5))
    finally:
        refusing.clear_faults()

    assert created(verdicts) == [("ok", "eu-west-1"), ("fail", "eu-central-1")]


def test_lists_that_do_not_go_together_are_named(
    regions: tuple[Emulator, Emulator], tmp_path: Path
) -> None:
    given = arguments(regions, tmp_path) | {"profile": regions[0].profile_arn}

    found = only(examined(given), "arns")

    assert found.status == "fail"
    assert "there are 1 of it, and 2 of the trust anchor ARN" in found.text

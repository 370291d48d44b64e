"""Lists of trust anchors, profiles and endpoints: how they are written, and what goes together."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from boto_rolesanywhere.credentials.cache_key import entry_key
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.names import gather
from boto_rolesanywhere.settings.regions import Place, places_of

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/R"
URLS = ["https://one.example", "https://two.example:8443/path"]


def arn(kind: str, region: str = "eu-west-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:rolesanywhere:{region}:{account}:{kind}/1b4285e1-3408-43cf-9fad-573beba9d0f4"


ANCHORS = [arn("trust-anchor"), arn("trust-anchor", "eu-central-1")]
PROFILES = [arn("profile"), arn("profile", "eu-central-1")]


def places(
    arguments: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Place, ...]:
    given = {"anchor": ANCHORS, "profile": PROFILES, "role": ROLE, **(arguments or {})}
    return places_of(gather(given, environ or {}, {}))


def test_each_region_has_its_own_trust_anchor_profile_and_endpoint() -> None:
    found = places({"endpoint_url": URLS})

    assert [str(place.trust_anchor) for place in found] == ANCHORS
    assert [str(place.profile) for place in found] == PROFILES
    assert [place.region for place in found] == ["eu-west-1", "eu-central-1"]
    assert [place.endpoint_url for place in found] == URLS
    assert [place.endpoint_url for place in places()] == [None, None]


@pytest.mark.parametrize("between", [",", ", ", " ", "  ,\t"])
def test_in_text_they_stand_side_by_side(between: str) -> None:
    texts = {
        "anchor": between.join(ANCHORS),
        "profile": between.join(PROFILES),
        "endpoint_url": between.join(URLS),
    }

    assert places(texts) == places({"endpoint_url": tuple(URLS)})


def test_a_list_of_one_is_one() -> None:
    one = {"anchor": ANCHORS[:1], "profile": PROFILES[:1]}

    assert places(one) == places({"anchor": ANCHORS[0], "profile": PROFILES[0]})
    assert places({**one, "region": "eu-central-1"})[0].region == "eu-central-1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"profile": PROFILES[:1]}, "there are 1 of it, and 2 of the trust anchor ARN"),
        ({"endpoint_url": URLS[0]}, "there are 1 of it, and 2 of the trust anchor ARN"),
        ({"profile": PROFILES[::-1]}, "the trust anchor is in Region 'eu-west-1' and the profile"),
        ({"profile": [PROFILES[0], arn("profile", "eu-central-1", "2" * 12)]}, "in account"),
        ({"region": "eu-west-1"}, "it names one Region, and there are several trust anchors"),
        ({"role": [ROLE, ROLE]}, "it is a list"),
        ({"anchor": []}, "it is a list"),
        ({"anchor": [ANCHORS[0], ""]}, "it is empty"),
        ({"anchor": [ANCHORS[0], 7]}, "it is a int"),
        ({"anchor": f"{ANCHORS[0]}, nonsense"}, "'nonsense' is not an ARN"),
        ({"endpoint_url": [URLS[0], "ftp://x"]}, ""),
        (
            {
                "endpoint_url": [
                    "https://rolesanywhere.eu-central-1.amazonaws.com",
                    "https://vpce-1-2.rolesanywhere.eu-west-1.vpce.amazonaws.com",
                ]
            },
            "stands where that of eu-west-1 belongs",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        places(given)
    assert words in str(caught.value)
    assert caught.value.where


def test_the_cache_tells_lists_apart_by_what_they_name() -> None:
    def key(*anchors: str, between: str = " ", endpoint: str = "") -> str:
        return entry_key(
            trust_anchor=between.join(anchors),
            profile="p",
            role="r",
            identity="i",
            endpoint=endpoint,
        )

    assert key(*ANCHORS) == key(*ANCHORS, between=" , ")
    keys = {key(*ANCHORS), key(*ANCHORS[::-1]), key(ANCHORS[0]), key(*ANCHORS, endpoint="u v")}
    assert len(keys) == 4

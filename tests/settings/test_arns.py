from __future__ import annotations

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import (
    Arn,
    parse_profile_arn,
    parse_role_arn,
    parse_trust_anchor_arn,
    require_agreement,
)

ANCHOR = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a1b2c3d-0000-4000-8000-000000000000"
)
PROFILE = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0a1b2c3d-0000-4000-8000-000000000001"
)
ROLE = "arn:aws:iam::123456789012:role/RolesAnywhere"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_trust_anchor_arn, ANCHOR),
        (parse_profile_arn, PROFILE),
        (parse_role_arn, ROLE),
        (parse_role_arn, "arn:aws:iam::123456789012:role/services/web/App+1=a,b.c@d-e_f"),
        (parse_trust_anchor_arn, ANCHOR.replace("trust-anchor", "alias/trust-anchor")),
        (parse_profile_arn, PROFILE.replace("profile", "alias/profile")),
        (parse_trust_anchor_arn, ANCHOR.replace("aws:", "aws-us-gov:").replace("eu-", "us-gov-")),
        (parse_trust_anchor_arn, ANCHOR.replace("arn:aws:", "arn:aws-cn:").replace("eu-", "cn-")),
        (parse_trust_anchor_arn, ANCHOR.replace("aws:", "aws-iso-b:").replace("eu-", "us-isob-")),
    ],
)
def test_an_arn_is_read_and_written_back(parse: object, text: str) -> None:
    assert callable(parse)
    assert str(parse(text)) == text


def test_white_space_around_an_arn_is_not_part_of_it() -> None:
    assert str(parse_role_arn(f" {ROLE}\n")) == ROLE


def test_a_role_keeps_its_path() -> None:
    assert parse_role_arn("arn:aws:iam::123456789012:role/a/b/C").resource == "role/a/b/C"


@pytest.mark.parametrize(
    ("parse", "text", "wording"),
    [
        (parse_trust_anchor_arn, "", "'' is not an ARN"),
        (parse_trust_anchor_arn, "0a1b2c3d-0000", "is not an ARN"),
        (parse_trust_anchor_arn, PROFILE, "names a 'profile'"),
        (parse_profile_arn, ANCHOR, "names a 'trust-anchor'"),
        (parse_profile_arn, ROLE, "is of the service 'iam'"),
        (parse_role_arn, PROFILE, "is of the service 'rolesanywhere'"),
        (parse_role_arn, "arn:aws:iam::123456789012:user/bob", "names a 'user'"),
        (parse_role_arn, "arn:aws:iam::123456789012:role/", "ends too soon"),
        (parse_role_arn, "arn:aws:iam::12345678901:role/x", "no twelve-digit account"),
        (parse_role_arn, "arn:aws:iam::xxxxxx:role/RolesAnywhere", "no twelve-digit account"),
        (parse_role_arn, "arn:aws:iam:eu-west-1:123456789012:role/x", "has a Region"),
        (parse_role_arn, "arn:amazon:iam::123456789012:role/x", "no valid partition"),
        (parse_trust_anchor_arn, ANCHOR.replace("eu-west-1", ""), "no valid Region"),
        (parse_trust_anchor_arn, ANCHOR.replace("eu-west-1", "<region>"), "no valid Region"),
        (parse_trust_anchor_arn, ANCHOR.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"), "twelve-digit"),
        (parse_role_arn, "x" * 5000, "…' is not an ARN"),
    ],
)
def test_what_is_wrong_with_an_arn_is_said(parse: object, text: str, wording: str) -> None:
    assert callable(parse)
    with pytest.raises(ConfigurationError) as caught:
        parse(text, where="AWS_ROLESANYWHERE_SOMETHING")

    message = str(caught.value)
    assert wording in message
    assert message.startswith("AWS_ROLESANYWHERE_SOMETHING: ")
    assert "; expected arn:aws:" in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("profile", "role", "wording"),
    [
        (PROFILE.replace("eu-west-1", "eu-west-2"), ROLE, "in Region 'eu-west-1'"),
        (PROFILE.replace("123456789012", "210987654321"), ROLE, "in account '123456789012'"),
        (PROFILE.replace("arn:aws:", "arn:aws-cn:"), ROLE, "and the profile in 'aws-cn'"),
        (PROFILE, ROLE.replace("arn:aws:", "arn:aws-cn:"), "and the role in 'aws-cn'"),
    ],
)
def test_arns_that_do_not_belong_together_are_refused(
    profile: str, role: str, wording: str
) -> None:
    with pytest.raises(ConfigurationError, match=wording):
        require_agreement(
            parse_trust_anchor_arn(ANCHOR), parse_profile_arn(profile), parse_role_arn(role)
        )


def test_a_role_of_another_account_is_left_to_the_service() -> None:
    role = Arn("aws", "iam", "", "210987654321", "role/x")

    require_agreement(parse_trust_anchor_arn(ANCHOR), parse_profile_arn(PROFILE), role)

    assert role.account != parse_trust_anchor_arn(ANCHOR).account

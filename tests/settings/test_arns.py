from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.arns import Arn, parse_arn, require_agreement

if TYPE_CHECKING:
    from boto_rolesanywhere.settings.arns import Kind

ANCHOR = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a1b2c3d-0000-4000-8000-000000000000"
)
PROFILE = (
    "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0a1b2c3d-0000-4000-8000-000000000001"
)
ROLE = "arn:aws:iam::123456789012:role/RolesAnywhere"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("trust-anchor", ANCHOR),
        ("profile", PROFILE),
        ("role", ROLE),
        ("role", "arn:aws:iam::123456789012:role/services/web/App+1=a,b.c@d-e_f"),
        ("trust-anchor", ANCHOR.replace("trust-anchor", "alias/trust-anchor")),
        ("profile", PROFILE.replace("profile", "alias/profile")),
        ("trust-anchor", ANCHOR.replace("aws:", "aws-us-gov:").replace("eu-", "us-gov-")),
        ("trust-anchor", ANCHOR.replace("arn:aws:", "arn:aws-cn:").replace("eu-", "cn-")),
        ("trust-anchor", ANCHOR.replace("aws:", "aws-iso-b:").replace("eu-", "us-isob-")),
    ],
)
def test_an_arn_is_read_and_written_back(kind: Kind, text: str) -> None:
    assert str(parse_arn(kind, text)) == text


def test_white_space_around_an_arn_is_not_part_of_it() -> None:
    assert str(parse_arn("role", f" {ROLE}\n")) == ROLE


def test_a_role_keeps_its_path() -> None:
    assert parse_arn("role", "arn:aws:iam::123456789012:role/a/b/C").resource == "role/a/b/C"


@pytest.mark.parametrize(
    ("kind", "text", "wording"),
    [
        ("trust-anchor", "", "'' is not an ARN"),
        ("trust-anchor", "0a1b2c3d-0000", "is not an ARN"),
        ("trust-anchor", PROFILE, "names a 'profile'"),
        ("profile", ANCHOR, "names a 'trust-anchor'"),
        ("profile", ROLE, "is of the service 'iam'"),
        ("role", PROFILE, "is of the service 'rolesanywhere'"),
        ("role", "arn:aws:iam::123456789012:user/bob", "names a 'user'"),
        ("role", "arn:aws:iam::123456789012:role/", "ends too soon"),
        ("role", "arn:aws:iam::12345678901:role/x", "no twelve-digit account"),
        ("role", "arn:aws:iam::xxxxxx:role/RolesAnywhere", "no twelve-digit account"),
        ("role", "arn:aws:iam:eu-west-1:123456789012:role/x", "has a Region"),
        ("role", "arn:amazon:iam::123456789012:role/x", "no valid partition"),
        ("trust-anchor", ANCHOR.replace("eu-west-1", ""), "no valid Region"),
        ("trust-anchor", ANCHOR.replace("eu-west-1", "<region>"), "no valid Region"),
        ("trust-anchor", ANCHOR.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"), "twelve-digit"),
        ("role", "x" * 5000, "…' is not an ARN"),
    ],
)
def test_what_is_wrong_with_an_arn_is_said(kind: Kind, text: str, wording: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_arn(kind, text, where="AWS_ROLESANYWHERE_SOMETHING")

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
            parse_arn("trust-anchor", ANCHOR),
            parse_arn("profile", profile),
            parse_arn("role", role),
        )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('"{}"', "stands in quotes"),
        ("{} # the role", "A comment behind a value"),
        ("{} ; the role", "A comment behind a value"),
    ],
)
def test_an_arn_as_for_a_shell_is_told_apart(written: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_arn("role", written.format("arn:aws:iam::123456789012:role/app"))
    assert words in str(caught.value.remedy)


def test_a_role_of_another_account_is_left_to_the_service() -> None:
    role = Arn("aws", "iam", "", "210987654321", "role/x")

    require_agreement(parse_arn("trust-anchor", ANCHOR), parse_arn("profile", PROFILE), role)

    assert role.account != parse_arn("trust-anchor", ANCHOR).account

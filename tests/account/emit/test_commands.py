"""The commands of the AWS CLI as text; `tests/journeys/test_emitted.py` runs them."""

from __future__ import annotations

from wanted_setups import FULL, PLAIN, TARGET

from boto_rolesanywhere.account.emit.commands import commands


def test_what_a_new_profile_maps_too_much_is_removed_before_anything_is_added() -> None:
    script = commands(FULL, TARGET)

    at = [
        script.index(words)
        for words in (
            "aws rolesanywhere create-profile",
            "aws rolesanywhere delete-attribute-mapping",
            "--certificate-field x509Subject \\\n  --specifiers '*'",
            "aws rolesanywhere put-attribute-mapping",
            "--certificate-field x509SAN \\\n  --specifiers URI 'Name/*'",
        )
    ]
    assert at == sorted(at)
    assert script.count("put-attribute-mapping") == 1  # x509SAN/DNS is there already


def test_a_plain_setup_is_three_commands_and_a_wait() -> None:
    lines = commands(PLAIN, TARGET).splitlines()

    assert [
        line.partition("aws ")[2].split(" --")[0].rstrip(" \\") for line in lines if "aws " in line
    ] == [
        "rolesanywhere create-trust-anchor",
        "iam create-role",
        "iam wait role-exists",
        "rolesanywhere create-profile",
    ]

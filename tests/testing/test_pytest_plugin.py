"""The fixtures that users get by installing the package."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]


def test_the_fixtures_serve_a_users_suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import boto_rolesanywhere

        seen = {}

        def test_a_session(rolesanywhere_ca, rolesanywhere_emulator):
            issued = rolesanywhere_ca.issue("app")
            session = boto_rolesanywhere.get_session(
                cert=issued.certificate_pem,
                key=issued.private_key_pem,
                anchor=rolesanywhere_emulator.trust_anchor_arn,
                profile=rolesanywhere_emulator.profile_arn,
                role=rolesanywhere_emulator.role_arn,
                endpoint_url=rolesanywhere_emulator.endpoint_url,
            )
            key = session.get_credentials().get_frozen_credentials().access_key
            assert rolesanywhere_emulator.requests[0].access_key_id == key
            seen.update(ca=rolesanywhere_ca, url=rolesanywhere_emulator.endpoint_url)

        def test_the_next_gets_a_new_emulator(rolesanywhere_ca, rolesanywhere_emulator):
            assert rolesanywhere_emulator.requests == []
            assert rolesanywhere_emulator.endpoint_url != seen["url"]
            assert rolesanywhere_ca is seen["ca"]
        """
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_the_fixtures_are_described(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(
        ["rolesanywhere_ca *", "    A certificate authority, *", "rolesanywhere_emulator *"]
    )


def test_the_plugin_costs_a_run_that_does_not_use_it_nothing() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules);"
        "import boto_rolesanywhere.testing.pytest_plugin;"
        "new = set(sys.modules) - before;"
        "print(*sorted(new & {'cryptography', 'botocore', 'boto3', 'http.server'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

"""The doctor's examination as a whole: the settings, where each comes from, and what is skipped."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from examined import ARNS, ISSUING, bad, config_file, examined, named, only, written

import boto_rolesanywhere


class TestConfiguration:
    def test_all_is_well(self, folder: Path) -> None:
        verdicts = examined(written(ISSUING.issue("app"), folder))

        assert bad(verdicts) == set()
        assert [one.name for one in verdicts] == [
            "configuration",
            "precedence",
            "arns",
            "settings",
            "file",
            "file",
            "key",
            "chain",
            "trust-anchor",
            "constraints",
            "validity",
            "validity",
            "crl",
        ]
        assert {one.name for one in verdicts if one.status == "skip"} == {"trust-anchor", "crl"}

    def test_each_setting_is_shown_with_the_place_it_came_from(
        self, folder: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        file = config_file(
            clean_environment,
            f"[profile onprem]\nrolesanywhere_role_arn = {ARNS['role']}\n"
            f"rolesanywhere_certificate = {arguments['cert']}\n",
        )
        monkeypatch.setenv("AWS_PROFILE", "onprem")
        monkeypatch.setenv("AWS_ROLESANYWHERE_PROFILE_ARN", ARNS["profile"])
        given = {name: arguments[name] for name in ("key", "anchor")}

        found = only(examined(given), "configuration")

        assert found.status == "ok"
        assert f"profile 'onprem' of {file}" in found.text
        assert dict(found.details) == {
            "certificate": f"{arguments['cert']} (from rolesanywhere_certificate of profile"
            " 'onprem')",
            "private key": f"{arguments['key']} (from argument key)",
            "trust anchor ARN": f"{ARNS['anchor']} (from argument anchor)",
            "profile ARN": f"{ARNS['profile']} (from AWS_ROLESANYWHERE_PROFILE_ARN)",
            "role ARN": f"{ARNS['role']} (from rolesanywhere_role_arn of profile 'onprem')",
        }

    def test_what_stands_for_a_variable_may_be_the_secret(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV", "hunter2")

        assert "hunter2" not in str(examined(arguments))

        monkeypatch.setenv("hunter2", "as a name")
        found = only(examined(arguments), "configuration")
        assert dict(found.details)["passphrase variable"].startswith("hunter2 (from ")

    def test_nothing_is_configured(self) -> None:
        verdicts = examined({})

        found = only(verdicts, "configuration")
        assert found.status == "fail"
        assert "nothing is configured for IAM Roles Anywhere" in found.text
        assert "Set rolesanywhere_certificate, rolesanywhere_private_key" in str(found.remedy)
        assert {one.status for one in verdicts[2:]} == {"skip"}

    def test_a_credential_process_is_pointed_out(self, clean_environment: Path) -> None:
        config_file(
            clean_environment,
            "[default]\ncredential_process = boto-rolesanywhere credential-process --x y\n",
        )
        found = only(examined({}), "configuration")
        assert "profile 'default' gives no settings (it has an unknown flag): correct" in str(
            found.remedy
        )

    def test_what_is_missing_is_named_with_its_places(self) -> None:
        found = only(examined({"role": ARNS["role"]}), "configuration")

        assert found.text == "not set: certificate, trust anchor ARN, profile ARN"
        assert "argument cert, AWS_ROLESANYWHERE_CERTIFICATE or" in str(found.remedy)

    def test_unknown_keys_and_variables_are_named_with_what_was_meant(
        self, folder: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config_file(
            clean_environment,
            "[default]\nregion = eu-west-1\nrolesanywhere_certifcate = x\n"
            "roles_anywhere_role_arn = y\nrolesanywhere_zzzzzzzz = z\n",
        )
        monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATEKEY", "x")
        monkeypatch.setenv("AWS_ROLESANYWHERE_CACHE_DIR", "/x")

        verdicts = examined(written(ISSUING.issue("app"), folder))

        warned = [one for one in named(verdicts, "configuration") if one.status == "warn"]
        assert [(one.text.split()[0], str(one.remedy).split(",")[0]) for one in warned] == [
            ("rolesanywhere_certifcate", "Did you mean rolesanywhere_certificate?"),
            ("roles_anywhere_role_arn", "Did you mean rolesanywhere_role_arn?"),
            ("rolesanywhere_zzzzzzzz", "There are: rolesanywhere_certificate"),
            (
                "AWS_ROLESANYWHERE_PRIVATEKEY",
                "Did you mean AWS_ROLESANYWHERE_PRIVATE_KEY?",
            ),
        ]

    def test_every_variable_of_the_package_is_known(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for source in Path(boto_rolesanywhere.__file__).parent.rglob("*.py"):
            for name in re.findall(r"\bAWS_ROLESANYWHERE_[A-Z_]*[A-Z]\b", source.read_text()):
                monkeypatch.setenv(name, "x")

        verdicts = examined(written(ISSUING.issue("app"), folder))

        assert "AWS_ROLESANYWHERE_CA" in os.environ
        assert [one.text for one in verdicts if "is not a setting" in one.text] == []

    def test_a_profile_that_is_not_there(self, folder: Path, clean_environment: Path) -> None:
        config_file(clean_environment, "[profile onprem]\nrolesanywhere_role_arn = x\n")

        verdicts = examined(written(ISSUING.issue("app"), folder), profile_name="onpram")

        found = named(verdicts, "configuration")[0]
        assert (found.status, found.remedy) == (
            "fail",
            "Profiles with rolesanywhere_… settings: onprem.",
        )
        assert "no profile 'onpram'" in found.text
        assert only(verdicts, "key").status == "ok"

    def test_a_config_file_that_is_none(self, folder: Path, clean_environment: Path) -> None:
        config_file(clean_environment, "[default\nx")
        verdicts = examined(written(ISSUING.issue("app"), folder))
        assert ("configuration", "fail") in bad(verdicts)

    def test_no_secret_is_in_any_verdict(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issued = ISSUING.issue("app")
        arguments = written(issued, folder, passphrase="hunter2-passphrase")
        arguments |= {
            "endpoint_url": "https://user:hunter2-password@localhost",
            "passphrase": "hunter2-passphrase",
        }
        pem = issued.private_key_pem.decode()
        monkeypatch.setenv("AWS_ROLESANYWHERE_CERTIFICATE_CHAIN", pem)
        token = {"key": "pkcs11:token=x?pin-value=hunter2-pin&module-path=/none.so"}

        said = str([examined(arguments), examined(arguments | token)])
        short = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"
        said += str(examined(arguments | {"chain": short, "key": short}))

        assert "hunter2" not in said
        assert pem.splitlines()[1] not in said
        assert "set, not shown" in said
        assert "no endpoint's URL, or holds a password; not shown" in said

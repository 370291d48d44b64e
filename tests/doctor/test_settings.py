"""What the doctor says of ARNs and options."""

from __future__ import annotations

from pathlib import Path

import pytest
from examined import ARNS, ISSUING, bad, examined, named, only, written


class TestSettings:
    def test_each_wrong_arn_is_said(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder) | {
            "anchor": ARNS["profile"],
            "role": "app",
        }
        verdicts = examined(arguments)

        texts = [one.text for one in named(verdicts, "arns")]
        assert len(texts) == 2
        assert "names a 'profile'" in texts[0]
        assert "'app' is not an ARN" in texts[1]
        assert only(verdicts, "settings").status == "skip"
        assert only(verdicts, "key").status == "ok"

    def test_arns_that_do_not_agree(self, folder: Path) -> None:
        other = ARNS["profile"].replace("eu-west-1", "us-east-1")
        verdicts = examined(written(ISSUING.issue("app"), folder) | {"profile": other})
        assert "in Region 'eu-west-1' and the profile in 'us-east-1'" in only(verdicts, "arns").text

    def test_a_role_of_another_account_is_doubted(self, folder: Path) -> None:
        role = ARNS["role"].replace("123456789012", "999999999999")
        verdicts = examined(written(ISSUING.issue("app"), folder) | {"role": role})
        assert bad(verdicts) == {("arns", "warn")}

    @pytest.mark.parametrize(
        ("setting", "value", "words"),
        [
            ("duration", "10", "'10' is not a session duration"),
            ("session_name", "a b", "not a role session name"),
            ("endpoint_url", "ftp://x", "not an HTTP URL"),
            ("region", "us-east-1", "goes to us-east-1, and the trust anchor is in eu-west-1"),
        ],
    )
    def test_a_wrong_option(self, folder: Path, setting: str, value: str, words: str) -> None:
        verdicts = examined(written(ISSUING.issue("app"), folder) | {setting: value})
        assert only(verdicts, "settings").status == "fail"
        assert words in only(verdicts, "settings").text

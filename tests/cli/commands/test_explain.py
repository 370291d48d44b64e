"""``explain``: a code's entry, offline."""

from __future__ import annotations

import pytest
from commands import ended

from boto_rolesanywhere.cli.commands.explain import explanations


@pytest.mark.parametrize("code", ["key-not-of-certificate", "[key-not-of-certificate]"])
def test_it_prints_the_entry_of_a_code(code: str) -> None:
    done = ended("explain", code)

    assert done.stderr == ""
    assert "the private key (…) does not belong to the certificate" in done.stdout
    assert done.stdout.count("\n\n") == 2  # messages, cause, remedy
    assert "openssl pkey -in KEY -pubout" in done.stdout


def test_without_a_code_it_lists_all_of_them() -> None:
    done = ended("explain")

    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert sorted(listed) == list(explanations())


def test_a_code_that_is_nearly_one_is_corrected() -> None:
    done = ended("explain", "key-not-of-certificat", status=2)

    assert done.stdout == ""
    assert "Did you mean key-not-of-certificate" in done.stderr


@pytest.mark.parametrize("code", ["", "../../etc/passwd", "x" * 1000])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    done = ended("explain", code, status=2)

    assert done.stdout == ""
    assert "`boto-rolesanywhere explain` lists them" in done.stderr


def test_a_failing_command_names_its_code() -> None:
    done = ended("sign-string", "--private-key", "no-such-file.pem", status=1)

    assert done.stderr.endswith("[file-missing]\n")
    assert "file-missing" in explanations()

"""PEM as people have it: copied from pages, with headers, beside other things."""

from __future__ import annotations

import pytest

from boto_rolesanywhere.identity.files.pem import PemError, scan

DER = bytes(range(100))
PEM = """\
-----BEGIN CERTIFICATE-----
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v
MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f
YGFiYw==
-----END CERTIFICATE-----
"""
BEGIN = "-----BEGIN CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "text",
    [
        PEM.replace("\n", "\u00a0\n"),
        PEM.replace("A\n", "A\u200b\n"),
        PEM.replace("\n", "\u2028"),
        PEM.replace(BEGIN, BEGIN + "\ufeff"),
        PEM.replace("==", ""),
        PEM.replace("==", "==="),
        PEM.removesuffix("--\n"),
        PEM.replace(BEGIN, BEGIN + "Comment: hello\n goes on\n\n"),
        PEM.replace(BEGIN, BEGIN + "Comment: hello\n"),
        "The file begins with -----BEGIN CERTIFICATE-----, as here:\n" + PEM,
        "-----BEGIN FOO-----\n@@@\n-----END FOO-----\n" + PEM,
    ],
    ids=["no-break", "zero-width", "U+2028", "mark", "no padding", "more padding", "short end",
         "long header", "header", "spoken of", "another block"],
)  # fmt: skip
def test_it_is_read(text: str) -> None:
    assert [block.der for block in scan(text.encode()) if block.label == "CERTIFICATE"] == [DER]


@pytest.mark.parametrize("text", [BEGIN + PEM, PEM.replace("AAEC", "A*EC"), PEM + BEGIN])
def test_what_may_be_half_of_something_is_refused(text: str) -> None:
    with pytest.raises(PemError):
        scan(text.encode())

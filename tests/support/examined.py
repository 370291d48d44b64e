"""A workload's files, and what the doctor says of them offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from boto_rolesanywhere.doctor import Verdict, examine
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate

ARNS = {
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0bb0",
    "role": "arn:aws:iam::123456789012:role/app",
}


ROOT = CertificateAuthority("Root")


ISSUING = ROOT.issue_intermediate("Issuing")


def written(issued: IssuedCertificate, folder: Path, **options: str) -> dict[str, object]:
    paths = issued.write(folder, **options)
    return {"cert": str(paths.bundle), "key": str(paths.private_key), **ARNS}


def examined(arguments: dict[str, object], **options: str) -> list[Verdict]:
    return list(examine(arguments, offline=True, **options))


def named(verdicts: Iterable[Verdict], name: str) -> list[Verdict]:
    return [one for one in verdicts if one.name == name]


def only(verdicts: Iterable[Verdict], name: str) -> Verdict:
    (one,) = named(verdicts, name)
    return one


def bad(verdicts: Iterable[Verdict]) -> set[tuple[str, str]]:
    return {(one.name, one.status) for one in verdicts if one.status in {"warn", "fail"}}


def config_file(home: Path, text: str) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(text)
    return path

"""The site of docs/, as scripts/docs builds it: what makes it fail, what it adds to the pages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from installed import require
from repository import DOCS, ROOT

from boto_rolesanywhere.cli import COMMANDS
from boto_rolesanywhere.cli.commands.ca import _ACTIONS as CA_ACTIONS

SITE = ROOT / ".cache" / "docs" / "html" / "docs"
DEAD = ("missing.md", "README.md#nowhere", "../examples/missing.yaml")


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    require(SITE.is_dir(), "the site, which scripts/docs builds,")
    folder = tmp_path / "source" / "docs"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Index\n\n## Group\n\n[One](page.md)\n")
    links = "\n".join(f"[to]({target})" for target in (*DEAD, "README.md#group"))
    (folder / "page.md").write_text(f"# Page\n\n{links}\n")

    done = subprocess.run(
        [ROOT / "scripts" / "docs", folder.parent, tmp_path / "html"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    warnings = re.findall(r"page\.md:\d+: WARNING:.*", done.stderr)
    assert len(warnings) == len(DEAD), done.stderr
    assert all(dead in "".join(warnings) for dead in ("missing.md", "nowhere", "missing.yaml"))


def test_the_site_has_every_command_and_public_name() -> None:
    require(SITE.is_dir(), "the site, which scripts/docs builds,")

    for command in COMMANDS:
        assert "All options" in (SITE / f"{command}.html").read_text(), command
    of_ca = (SITE / "ca.html").read_text()
    for action in CA_ACTIONS:
        assert f'id="ca-{action}"' in of_ca
    api = (SITE / "api.html").read_text()
    for name in ("get_session", "SessionDeniedError", "testing.Emulator", "doctor.Verdict"):
        assert f'id="boto_rolesanywhere.{name}"' in api


def test_the_sidebar_has_every_page_by_the_words_of_the_index() -> None:
    require(SITE.is_dir(), "the site, which scripts/docs builds,")
    html = (SITE / "api.html").read_text()
    sidebar = html[html.index("sidebar-tree") : html.index('role="main"')]
    links = re.findall(r"\[([^\]]+)\]\(([\w.-]+)\.md\)", (DOCS / "README.md").read_text())

    for text, page in links:
        assert re.search(rf'href="(#|{page}\.html)">{text}</a>', sidebar), page

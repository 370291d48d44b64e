"""Write TROUBLESHOOTING.md from the entries in boto_rolesanywhere/explanations/.

usage: python scripts/write_troubleshooting.py    (with the package installed, as in .venv)
"""

from __future__ import annotations

from pathlib import Path

from boto_rolesanywhere.cli.commands.explain import Explanation, explanations

PAGE = Path(__file__).resolve().parent.parent / "TROUBLESHOOTING.md"
HEAD = """\
# Troubleshooting

This page is made from the entries in the package. `boto-rolesanywhere explain CODE` prints one of
them offline.

Ask the doctor first: it checks everything between this machine and its credentials, in order.

```sh
boto-rolesanywhere doctor                            # settings from the environment and AWS_PROFILE
boto-rolesanywhere doctor --config-profile onprem    # or from this profile
boto-rolesanywhere doctor --offline                  # without the network
```

An error reads `WHERE: PROBLEM; expected …. What to do.` The command adds the error's code in
brackets; in Python the code is the attribute `code`. Below, each code has its messages, in which
`…` stands for what differs each time, or for nothing.

To see more of the way to AWS, without secrets, use `--debug` or
`logging.basicConfig(level=logging.DEBUG)`.
"""
GROUPS = (
    "Settings and ARNs",
    "Certificates",
    "Private keys and passphrases",
    "PKCS#11",
    "TPM",
    "The call: network and TLS",
    "What AWS says",
    "Command line, cache, serve, files",
    "Trust policies",
    "A CA of your own",
    "Revocation lists",
    "Testing tools",
)


def page() -> str:
    """The whole page."""
    entries = list(explanations().values())
    parts = [HEAD, "\n".join(f"- [{group}](#{anchor(group)})" for group in GROUPS) + "\n"]
    for group in GROUPS:
        parts += [f"## {group}\n", *(section(entry) for entry in entries if entry.group == group)]
    return "\n".join(parts)


def anchor(group: str) -> str:
    """What GitHub makes of a heading in a link."""
    kept = "".join(char for char in group.lower() if char.isalnum() or char in " -")
    return kept.replace(" ", "-")


def section(entry: Explanation) -> str:
    """One code's heading, messages, cause and remedy."""
    messages = " · ".join(f"`{message}`" for message in entry.messages)
    return f"### {entry.code}\n\n{messages}\n\n{entry.cause} **Remedy.** {entry.remedy}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

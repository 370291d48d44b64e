"""The commands from nothing to credentials."""

from __future__ import annotations

INIT = ("ca", "init", "--name", "Example CA")


SETUP_APP1 = ("setup", "--role", "app1", "--profile", "onprem")


ISSUE = ("ca", "issue", "app1", "--profile", "onprem")

"""`python -m boto_rolesanywhere.testing.emulator`: the emulator as a process of its own."""

from __future__ import annotations

import sys

from .command import main

sys.exit(main())

"""A local IAM Roles Anywhere. `python -m boto_rolesanywhere.testing.emulator` starts it alone.

One idea a module: `wire` (a request's parts), `signature`, `trust` (chain, constraints,
revocation), `principal` (what a certificate turns into), `grants` (who gets a session), `answers`
(statuses and words), `resources` (what is registered), `service` (all of these in order), `faults`,
`records`, `delivery`, `app`, `server` and `tls` (HTTP), `facade` (the class `Emulator`), `command`.
"""

from __future__ import annotations

from .facade import Emulator

__all__ = ["Emulator"]

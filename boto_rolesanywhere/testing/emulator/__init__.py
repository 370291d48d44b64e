"""A local IAM Roles Anywhere. `python -m boto_rolesanywhere.testing.emulator` starts it alone.

One idea a module: `wire` (a request's parts), `signature`, `trust` (chain, constraints,
revocation), `principal` (what a certificate turns into), `grants` (who gets a session), `answers`
(statuses and words), `resources` (what is registered), `subjects` (who came), `control_plane` (what
administrators ask for), `service` (all of these in order), `throttle`, `faults`, `records`, `state`
(what outlives a restart), `neighbours` and `trust_policy` (roles and CAs of services beside it),
`delivery`, `server` and `tls` (HTTP), `facade` and `controls` (the class `Emulator`), `pki`
and `command`.
"""

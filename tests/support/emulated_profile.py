"""A profile of ~/.aws/config whose sessions an emulator makes."""

from __future__ import annotations

from boto_rolesanywhere.testing import Emulator, IssuedPaths


def profile_lines(paths: IssuedPaths, emulator: Emulator) -> str:
    """The profile's settings, Region included, without its title."""
    return f"""region = eu-west-1
rolesanywhere_certificate = {paths.certificate}
rolesanywhere_private_key = {paths.private_key}
rolesanywhere_trust_anchor_arn = {emulator.trust_anchor_arn}
rolesanywhere_profile_arn = {emulator.profile_arn}
rolesanywhere_role_arn = {emulator.role_arn}
rolesanywhere_endpoint_url = {emulator.endpoint_url}
"""

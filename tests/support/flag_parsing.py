"""The flags that commands share, as the command reads them, and ARNs for them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import pytest

from boto_rolesanywhere.cli.flags import add_flags
from boto_rolesanywhere.cli.inputs import config_from, inputs_from
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.config import Config

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a"


PROFILE = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p"


ROLE = "arn:aws:iam::123456789012:role/R"


ARNS = ("--trust-anchor-arn", ANCHOR, "--profile-arn", PROFILE, "--role-arn", ROLE)


PLAIN = ("--certificate", "cert.pem", "--private-key", "key.pem", *ARNS)


def parser() -> Parser:
    made = Parser(prog="boto-rolesanywhere try", allow_abbrev=False)
    add_flags(made)
    return made


def parsed(*argv: str) -> argparse.Namespace:
    return parser().parse_args(argv)


def config(*argv: str, environ: Mapping[str, str] | None = None) -> Config:
    return config_from(inputs_from(parsed(*argv), environ=environ or {}))


def refusal(*argv: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config(*argv, environ=environ)
    return str(caught.value)


def secret_of(*argv: str, environ: Mapping[str, str] | None = None) -> bytes:
    secret = config(*PLAIN, *argv, environ=environ).sources.secret
    assert secret is not None
    return secret.reveal()

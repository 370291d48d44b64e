"""AWS IAM Roles Anywhere credentials for boto3 and botocore, in pure Python.

The public names are loaded when they are first used, so that importing the package costs nothing:
neither boto3 nor cryptography comes with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .errors import (
        CertificateError as CertificateError,
    )
    from .errors import (
        ConfigurationError as ConfigurationError,
    )

_HOMES = {
    "CertificateError": "errors",
    "ConfigurationError": "errors",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  # the keys are strings


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)

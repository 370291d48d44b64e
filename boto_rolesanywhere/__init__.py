"""AWS IAM Roles Anywhere credentials for boto3 and botocore, in pure Python.

The public names are loaded when they are first used, so that importing the package costs nothing:
neither boto3 nor cryptography comes with it.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

# As `typing` has it, which alone takes as long to load as a bare interpreter does to start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession

    from .errors import (
        CertificateError,
        ConfigurationError,
        EndpointError,
        InvalidResponseError,
        KeyDeviceError,
        PassphraseError,
        PrivateKeyError,
        RolesAnywhereError,
        ServiceError,
        SessionDeniedError,
        ThrottledError,
    )
    from .provider import RolesAnywhereProvider, install
    from .session import get_session
    from .signing_key import SigningKey

__all__ = [
    "CertificateError",
    "ConfigurationError",
    "EndpointError",
    "InvalidResponseError",
    "KeyDeviceError",
    "PassphraseError",
    "PrivateKeyError",
    "RolesAnywhereError",
    "RolesAnywhereProvider",
    "RolesAnywhereSession",
    "ServiceError",
    "SessionDeniedError",
    "SigningKey",
    "ThrottledError",
    "__version__",
    "get_session",
    "install",
]

# Where the names that are not errors live.
_HOMES = {
    "RolesAnywhereProvider": "provider",
    "RolesAnywhereSession": "credentials.session_value",
    "SigningKey": "signing_key",
    "get_session": "session",
    "install": "provider",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)

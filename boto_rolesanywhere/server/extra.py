"""Whether the packages of the extra ``serve`` are installed. To ask loads them."""

from __future__ import annotations


def require_extra() -> None:
    """See that the server's packages are there.

    Raises:
        ConfigurationError: naming the package and the extra.
    """
    try:
        import httptools  # noqa: F401  # only whether it is there
        import uvicorn  # noqa: F401  # only whether it is there
    except ImportError as error:
        from boto_rolesanywhere.errors import ConfigurationError

        raise ConfigurationError(
            f"a local endpoint needs a package that is not installed ({error.name})",
            remedy="Run: pip install 'boto_rolesanywhere[serve]'",
        ) from None

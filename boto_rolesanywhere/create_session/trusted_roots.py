"""The CA certificates of a call without botocore: those that botocore would take."""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH113, PTH118, PTH123

from __future__ import annotations

import os
import ssl
from importlib.util import find_spec
from typing import Final

_END: Final = "-----END CERTIFICATE-----\n"
# Amazon Trust Services' CAs, which signed the certificates of AWS's endpoints. To load all of the
# bundle takes ten times as long.
_AMAZONS: Final = ('Label: "Amazon', 'Label: "Starfield')


def bundle_file() -> str | None:
    """The file of CA certificates that botocore takes where none is configured: certifi's first."""
    for package in ("certifi", "botocore"):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if os.path.isfile(path := os.path.join(folder, "cacert.pem")):
                return path
            return None
    return None


def context_of(file: str) -> ssl.SSLContext:
    """Trusts the certificates in `file` alone, and checks the host's name, as botocore does."""
    return _strict(ssl.create_default_context(cafile=file))


def amazons_context(file: str) -> ssl.SSLContext | None:
    """The same with Amazon's CAs of the file alone; None if they are not found there."""
    with open(file, encoding="utf-8") as bundle:
        blocks = bundle.read().split(_END)
    amazons = [block + _END for block in blocks if any(name in block for name in _AMAZONS)]
    if not amazons:
        return None
    data = "".join(block[block.index("-----BEGIN") :] for block in amazons)
    return _strict(ssl.create_default_context(cadata=data))


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

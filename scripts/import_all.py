"""Imports every module of the installed package, or fails at the first that cannot be."""

from __future__ import annotations

import importlib
import pkgutil

import boto_rolesanywhere

# Of extras that this environment need not have, and of the tests.
OPTIONAL = {"aiobotocore", "asn1crypto", "pkcs11", "pytest", "tpm2_pytss"}

imported = 0
for module in pkgutil.walk_packages(boto_rolesanywhere.__path__, "boto_rolesanywhere."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
        imported += 1
    except ImportError as error:
        cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        if cause.name not in OPTIONAL:
            raise
print(f"{imported} modules can be imported")

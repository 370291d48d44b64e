"""Keeps what an emulator holds in a folder, so that ARNs, port and everything outlive a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.atomic_file import make_private_folder, write_atomically
from boto_rolesanywhere.authority.issued import certificates_pem
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.loading import read_certificates

from .resources import Profile, RevocationList, Role, TrustAnchor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .resources import Registry, Resource
    from .subjects import Subjects

_FORM: Final = 3
_KINDS: Final[dict[str, type[Any]]] = {
    "anchors": TrustAnchor,
    "profiles": Profile,
    "roles": Role,
    "lists": RevocationList,
}


class StateFolder:
    """A folder with ``state.json``, and ``tls`` for the emulator's own TLS files."""

    def __init__(self, path: Path) -> None:
        """Make the folder, for its owner alone, unless it is there."""
        make_private_folder(path)
        self.tls = path / "tls"
        self._file = path / "state.json"
        self._lock = Lock()

    def load(self) -> dict[str, Any] | None:
        """What `save` wrote; None if nothing was written yet.

        Raises:
            ConfigurationError: the file is damaged, or of another version of the emulator.
        """
        try:
            saved = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            saved = None
        if not isinstance(saved, dict) or saved.get("form") != _FORM:
            raise ConfigurationError(
                "it is not a state that this version of the emulator wrote",
                code="emulator-options",
                where=str(self._file),
                remedy="Name another folder, or remove this one to begin anew.",
            )
        return saved

    def save(self, first: Mapping[str, object], registry: Registry, subjects: Subjects) -> None:
        """Write all of it, with `first`: the ARNs of the first resources, and the port."""
        with self._lock:  # or an older one could be written over a newer one
            content = {
                "form": _FORM,
                **first,
                **{name: list(map(_dumped, registry.all(kind))) for name, kind in _KINDS.items()},
                "tags": registry.all_tags(),
                "subjects": subjects.dump(),
            }
            write_atomically(self._file, json.dumps(content).encode())


def restore(saved: Mapping[str, Any], registry: Registry, subjects: Subjects) -> None:
    """Register what was saved."""
    for name, kind in _KINDS.items():
        for dumped in saved[name]:
            registry.add(_loaded(kind, dumped))
    for arn, tags in saved["tags"].items():
        registry.tag(arn, tags)
    subjects.load(saved["subjects"])


def _dumped(resource: Resource) -> dict[str, object]:
    if isinstance(resource, TrustAnchor):
        pem = certificates_pem(resource.certificates).decode()
        return asdict(replace(resource, certificates=())) | {"certificates": pem}
    dumped = asdict(resource)
    if isinstance(resource, RevocationList):
        dumped["pem"] = resource.pem.decode()
    return dumped


def _loaded(kind: type[Any], dumped: Mapping[str, Any]) -> Resource:
    values: dict[str, Any] = {
        field.name: tuple(value) if isinstance(value := dumped[field.name], list) else value
        for field in fields(kind)
    }
    if kind is TrustAnchor:
        values["certificates"] = read_certificates(values["certificates"], where="state")
    elif kind is RevocationList:
        values["pem"] = values["pem"].encode()
    elif kind is Profile:
        mappings = values["attribute_mappings"]
        values["attribute_mappings"] = {name: tuple(rules) for name, rules in mappings.items()}
    resource: Resource = kind(**values)
    return resource

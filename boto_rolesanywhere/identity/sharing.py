"""One object for the same inputs, as long as somebody uses it.

A program may ask for one session in many places. What is the same is made once: its CreateSession
call, its client, its key on a token.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import is_
from types import MethodType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakSet, WeakValueDictionary

from botocore.config import Config as ClientConfig
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.certificates.plain import is_certificate
from boto_rolesanywhere.settings.sources import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Made = TypeVar("_Made")

# Nobody can guess at a passphrase by a digest that is made with a key of this process alone.
_KEY: Final = os.urandom(32)


class Sameness:
    """What tells inputs apart: equal to that of the same inputs, and usable as a key.

    Texts, bytes, numbers and certificates are the same if their values are, and so are mappings,
    lists, dataclasses and options of botocore that hold them. A `Secret` is the same if it comes
    from the same place. Any other object, a user's own key for example, is the same as itself
    alone. Only a digest is kept of texts and bytes.
    """

    __slots__ = ("_digest", "_objects")

    def __init__(self, *inputs: object) -> None:
        """Read the inputs now; a later change of them does not count."""
        objects: list[object] = []
        digest = hmac.new(_KEY, digestmod="sha256")
        for kind, content in _pieces(inputs, objects):
            # The lengths keep ("ab", "c") and ("a", "bc") apart.
            digest.update(b"%s%d:%s" % (kind, len(content), content))
        self._digest = digest.digest()
        self._objects = objects

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sameness)
            and self._digest == other._digest  # and so as many objects
            and all(map(is_, self._objects, other._objects))
        )

    def __hash__(self) -> int:
        return hash(self._digest)


def _pieces(value: object, objects: list[object]) -> Iterator[tuple[bytes, bytes]]:
    """What `value` consists of: kinds and contents. Objects are put into `objects`."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        yield b"text", value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes | bytearray | memoryview):
        yield b"bytes", bytes(value)
    elif value is None or isinstance(value, bool | int | float):
        yield b"value", repr(value).encode()
    elif (parts := _parts(value)) is not None:
        yield type(value).__name__.encode(), b"%d" % len(parts)
        for part in parts:
            yield from _pieces(part, objects)
    else:
        yield b"object", b""
        objects.append(value)


def _parts(value: object) -> list[object] | None:
    """What decides about `value`, if it is not an object that is the same as itself alone."""
    parts: list[object] | None = None
    if isinstance(value, Secret):
        parts = [value.told_apart_by]
    elif isinstance(value, ClientConfig):
        parts = [vars(value)]
    elif is_certificate(value):
        parts = [value.public_bytes(Encoding.DER)]
    elif is_dataclass(value):
        parts = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, Mapping):
        parts = [part for name in sorted(value, key=repr) for part in (name, value[name])]
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, MethodType):  # a new object at each look
        parts = [value.__self__, value.__func__]
    return parts


class Shared(Generic[_Made]):
    """Objects by the inputs that they were made of, each as long as somebody else holds it."""

    def __init__(self) -> None:
        self._made: WeakValueDictionary[Sameness, _Made] = WeakValueDictionary()
        self._lock = threading.Lock()
        _instances.add(self)

    def one(
        self,
        inputs: Sameness,
        make: Callable[[], _Made],
        usable: Callable[[_Made], bool] = lambda _: True,
    ) -> _Made:
        """The object of these inputs. Safe to use from several threads and after a fork.

        Args:
            inputs: what it is made of.
            make: makes it, quickly, if there is none.
            usable: whether the one that there is may still be handed out.
        """
        with self._lock:
            made = self._made.get(inputs)
            if made is None or not usable(made):
                made = self._made[inputs] = make()
            return made

    def renew_lock(self) -> None:
        """In a forked child: the lock may have been held by a thread that is not there."""
        self._lock = threading.Lock()


_instances: WeakSet[Shared[Any]] = WeakSet()


def _after_fork() -> None:
    for shared in _instances:
        shared.renew_lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)

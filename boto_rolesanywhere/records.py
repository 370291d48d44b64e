"""`NamedTuple` and `TypedDict` as `typing` has them, made in a third of the time.

`typing` compiles the annotation of each field. Of the way to the first credentials, where some
thirty records are made, that took a twentieth of all instructions, and nobody reads the result.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414  # so that type checkers know it
    from typing import TypedDict as TypedDict  # noqa: PLC0414  # the same
else:
    _SET_BY_NAMEDTUPLE = frozenset({"__module__", "__classcell__"})

    class _Maker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            if not bases:  # the class below
                return super().__new__(cls, name, bases, namespace)
            fields = namespace["__annotations__"]
            defaults = [namespace[field] for field in fields if field in namespace]
            made = namedtuple(  # noqa: PYI024  # see above
                name, fields, defaults=defaults, module=namespace["__module__"]
            )
            for attribute, value in namespace.items():
                if attribute not in fields and attribute not in _SET_BY_NAMEDTUPLE:
                    setattr(made, attribute, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """The parent of records."""

    class TypedDict(dict):
        """The parent of dicts with known keys."""

        def __init_subclass__(cls, *, total: bool = True) -> None:
            """Take what type checkers look at."""

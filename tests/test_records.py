"""Records are like those of `typing`."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from boto_rolesanywhere.records import NamedTuple, TypedDict


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2

    def __repr__(self) -> str:
        return "a point"

    @property
    def sum(self) -> int:
        """Of both."""
        return self.x + self.y

    @classmethod
    def origin(cls) -> Point:
        """The first."""
        return cls(0, 0)


class Options(TypedDict, total=False):
    """Some options."""

    name: str


def test_a_typed_dict_is_a_dict() -> None:
    assert Options(name="x") == {"name": "x"}
    assert Options.__annotations__ == {"name": "str"}


def test_a_record_is_a_named_tuple() -> None:
    point = Point(1)

    assert point == (1, 2)
    assert point == Point(x=1, y=2)
    assert isinstance(point, tuple)
    assert point._replace(y=5).sum == 6
    assert Point.origin() == (0, 0)
    assert Point._fields == ("x", "y")
    assert Point._field_defaults == {"y": 2}
    assert (Point.__name__, Point.__module__, Point.__doc__) == ("Point", __name__, "A place.")


def test_its_own_repr_counts_and_it_cannot_be_changed() -> None:
    point: Any = Point(1)

    assert repr(point) == "a point"
    with pytest.raises(AttributeError):
        point.x = 3


def test_it_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 7))) == Point(1, 7)


def test_annotations_are_not_compiled() -> None:
    assert Point.__annotations__ == {"x": "int", "y": "int"}

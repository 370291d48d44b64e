"""The operations that show subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import not_found
from .desk import page

if TYPE_CHECKING:
    from .call import Call
    from .desk import Desk


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListSubjects."""
    return page(call, "subjects", desk.subjects.all())


def get(desk: Desk, call: Call) -> dict[str, object]:
    """GetSubject. No alias is taken here."""
    found = desk.subjects.one(call.identifier)
    if found is None:
        raise not_found("subject")
    return {"subject": found}

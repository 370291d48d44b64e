"""Revocation lists: import, read, change, delete."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import replace
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.emulator.resources import RevocationList, TrustAnchor

from .call import refuse
from .desk import alias_changes, described, page

if TYPE_CHECKING:
    from .call import Call
    from .desk import Desk


def import_(desk: Desk, call: Call) -> dict[str, object]:
    """ImportCrl. A list of the same name is added; without ``enabled`` it is disabled."""
    anchor = desk.find(TrustAnchor, _anchor_arn(call))
    arn = desk.new_arn(RevocationList)
    new = RevocationList(
        arn=arn,
        trust_anchor_arn=anchor.arn,
        pem=_data(call.required("crlData")),
        name=call.name(),
        enabled=call.flag("enabled", default=False),
        aliases=desk.aliases(RevocationList, call.alias(), arn),
        about=desk.stamped({}),
    )
    tags = call.tags()
    _add(desk, new)
    desk.registry.tag(arn, tags)
    return show(new)


def get(desk: Desk, call: Call) -> dict[str, object]:
    """GetCrl."""
    return show(desk.find(RevocationList, call.identifier))


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListCrls."""
    return page(call, "crls", [_detail(one) for one in desk.registry.all(RevocationList)])


def update(desk: Desk, call: Call) -> dict[str, object]:
    """UpdateCrl, which changes neither ``enabled`` nor the trust anchor."""
    held = desk.find(RevocationList, call.identifier)
    alias, about = alias_changes(call, held.aliases)
    data = call.members.get("crlData")
    changed = replace(
        held,
        name=call.name() if "name" in call.members else held.name,
        pem=held.pem if data is None else _data(data),
        aliases=desk.aliases(RevocationList, alias, held.arn),
        about=desk.stamped({**held.about, **about}),
    )
    _add(desk, changed)
    return show(changed)


def enable(desk: Desk, call: Call) -> dict[str, object]:
    """EnableCrl."""
    return _switched(desk, call, enabled=True)


def disable(desk: Desk, call: Call) -> dict[str, object]:
    """DisableCrl."""
    return _switched(desk, call, enabled=False)


def delete(desk: Desk, call: Call) -> dict[str, object]:
    """DeleteCrl."""
    held = desk.find(RevocationList, call.identifier)
    desk.registry.remove(held.arn)
    return show(held)


def show(held: RevocationList) -> dict[str, object]:
    """The answer about one list."""
    return {"crl": _detail(held)}


def _detail(held: RevocationList) -> dict[str, object]:
    return described(held, "crl") | {
        "crlData": b64encode(held.pem).decode("ascii"),
        "trustAnchorArn": held.trust_anchor_arn,
    }


def _anchor_arn(call: Call) -> str:
    arn = call.required("trustAnchorArn")
    if not isinstance(arn, str) or not arn.startswith("arn:") or ":alias/" in arn:
        refuse("Invalid value for trustAnchorArn")  # an alias is not taken here
    return arn


def _data(value: object) -> bytes:
    try:
        return b64decode(value if isinstance(value, str) else "!", validate=True)
    except Error:
        refuse("Invalid value for crlData")


def _add(desk: Desk, new: RevocationList) -> None:
    try:
        desk.registry.add(new)
    except ConfigurationError as error:
        refuse(f"Invalid CRL: {error.problem}")  # the words are a guess


def _switched(desk: Desk, call: Call, *, enabled: bool) -> dict[str, object]:
    held = desk.find(RevocationList, call.identifier)
    changed = replace(held, enabled=enabled, about=desk.stamped(held.about))
    desk.registry.add(changed)
    return show(changed)

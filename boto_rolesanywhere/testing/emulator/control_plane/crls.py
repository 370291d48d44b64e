"""Revocation lists: import, read, change, delete."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.emulator.resources import RevocationList, TrustAnchor

from .call import not_found, refused
from .desk import alias_after, change_shown, described, page

if TYPE_CHECKING:
    from .call import Call
    from .desk import Desk


def import_(desk: Desk, call: Call) -> dict[str, object]:
    """ImportCrl. A list of the same name is added; without ``enabled`` it is disabled."""
    anchor_arn = call.parameters["trustAnchorArn"]
    if ":alias/" in anchor_arn:  # not taken here; which error says so is in the API's reference
        raise not_found("trust-anchor")
    anchor = desk.find(TrustAnchor, anchor_arn)
    arn = desk.new_arn(RevocationList)
    new = RevocationList(
        arn=arn,
        trust_anchor_arn=anchor.arn,
        pem=call.parameters["crlData"],
        name=call.parameters["name"],
        enabled=call.parameters.get("enabled", False),
        aliases=desk.aliases(RevocationList, call.alias(), arn),
        about=desk.stamped({}),
    )
    _add(desk, new)
    desk.registry.tag(arn, call.tags())
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
    changed = replace(
        held,
        name=call.parameters.get("name", held.name),
        pem=call.parameters.get("crlData", held.pem),
        aliases=desk.aliases(RevocationList, alias_after(call, held.aliases), held.arn),
        about=desk.stamped(held.about),
    )
    _add(desk, changed)
    return {"crl": change_shown(_detail(held), _detail(changed))}


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


def _add(desk: Desk, new: RevocationList) -> None:
    try:
        desk.registry.add(new)
    except ConfigurationError as error:
        raise refused(f"Invalid CRL: {error.problem}") from None  # the words are a guess


def _switched(desk: Desk, call: Call, *, enabled: bool) -> dict[str, object]:
    held = desk.find(RevocationList, call.identifier)
    changed = replace(held, enabled=enabled, about=desk.stamped(held.about))
    desk.registry.add(changed)
    return show(changed)

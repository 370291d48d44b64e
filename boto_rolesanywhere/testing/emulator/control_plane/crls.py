"""Revocation lists."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.testing.emulator.resources import RevocationList

from . import anchors
from .desk import Kind, not_found

if TYPE_CHECKING:
    from .desk import Desk
    from .model import Parameters


def _begun(desk: Desk, arn: str, parameters: Parameters) -> RevocationList:
    """A list of the same name is added; without ``enabled`` it is disabled."""
    anchor_arn = parameters["trustAnchorArn"]
    if ":alias/" in anchor_arn:  # not taken here; which error says so is in the API's reference
        raise not_found(anchors.KIND.path)
    anchor = desk.find(anchors.KIND, anchor_arn)
    enabled = parameters.get("enabled", False)
    return RevocationList(arn=arn, trust_anchor_arn=anchor.arn, pem=b"", enabled=enabled)


def _changed(_: Desk, held: RevocationList, parameters: Parameters) -> RevocationList:
    return replace(
        held,
        name=parameters.get("name", held.name),
        pem=parameters.get("crlData", held.pem),
    )


def _detail(held: RevocationList) -> dict[str, object]:
    data = b64encode(held.pem).decode("ascii")
    return {"crlData": data, "trustAnchorArn": held.trust_anchor_arn}


KIND: Final = Kind(
    resource=RevocationList,
    noun="Crl",
    path="crl",
    group="crls",
    fault="Invalid CRL",
    maker="Import",
    begun=_begun,
    changed=_changed,
    detail=_detail,
)

"""Trust anchors: create, read, change, delete; their notification settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.emulator.resources import TrustAnchor
from boto_rolesanywhere.testing.loading import read_certificates

from .call import refused
from .desk import alias_after, change_shown, described, page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from .call import Call
    from .desk import Desk

    Setting = dict[str, Any]

_MOST: Final = 50  # a quota of the User Guide
_EVENTS: Final = ("CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY")
_DEFAULT_THRESHOLD: Final = 45  # days


def create(desk: Desk, call: Call) -> dict[str, object]:
    """CreateTrustAnchor."""
    if len(desk.registry.all(TrustAnchor)) >= _MOST:
        raise refused(f"The account has {_MOST} trust anchors already")  # the words are a guess
    arn = desk.new_arn(TrustAnchor)
    source = call.parameters["source"]
    about = {
        "name": call.parameters["name"],
        "source": source,
        "crlDpRevocationEnabled": call.parameters.get("crlDpRevocationEnabled", False),
        "notificationSettings": _given_settings(desk, call),
    }
    anchor = TrustAnchor(
        arn=arn,
        certificates=_certificates(desk, source),
        # The model says nothing of the default; AWS's console and CLI make it enabled. A guess.
        enabled=call.parameters.get("enabled", True),
        aliases=desk.aliases(TrustAnchor, call.alias(), arn),
        about=desk.stamped(about),
    )
    _add(desk, anchor)
    desk.registry.tag(arn, call.tags())
    return show(anchor)


def get(desk: Desk, call: Call) -> dict[str, object]:
    """GetTrustAnchor."""
    return show(desk.find(TrustAnchor, call.identifier))


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListTrustAnchors."""
    return page(call, "trustAnchors", [_detail(one) for one in desk.registry.all(TrustAnchor)])


def update(desk: Desk, call: Call) -> dict[str, object]:
    """UpdateTrustAnchor. A Private CA's certificate is read anew where the source is sent again."""
    held = desk.find(TrustAnchor, call.identifier)
    changeable = ("name", "source", "crlDpRevocationEnabled")
    given = {name: call.parameters[name] for name in changeable if name in call.parameters}
    changed = replace(
        held,
        certificates=_certificates(desk, given["source"])
        if "source" in given
        else held.certificates,
        aliases=desk.aliases(TrustAnchor, alias_after(call, held.aliases), held.arn),
        about=desk.stamped({**held.about, **given}),
    )
    _add(desk, changed)
    return {"trustAnchor": change_shown(_detail(held), _detail(changed))}


def enable(desk: Desk, call: Call) -> dict[str, object]:
    """EnableTrustAnchor."""
    return _switched(desk, call, enabled=True)


def disable(desk: Desk, call: Call) -> dict[str, object]:
    """DisableTrustAnchor."""
    return _switched(desk, call, enabled=False)


def delete(desk: Desk, call: Call) -> dict[str, object]:
    """DeleteTrustAnchor. That its revocation lists go with it is a guess."""
    held = desk.find(TrustAnchor, call.identifier)
    desk.registry.remove(held.arn)
    return show(held)


def put_notifications(desk: Desk, call: Call) -> dict[str, object]:
    """PutNotificationSettings: those for other events stay. No alias is taken here."""
    held = desk.find(TrustAnchor, call.parameters["trustAnchorId"])
    return _with_settings(desk, held, [*_own_settings(held), *_given_settings(desk, call)])


def reset_notifications(desk: Desk, call: Call) -> dict[str, object]:
    """ResetNotificationSettings: those of the keys become the service's own again."""
    held = desk.find(TrustAnchor, call.parameters["trustAnchorId"])
    events = {key["event"] for key in call.parameters["notificationSettingKeys"]}
    kept = [each for each in _own_settings(held) if each["event"] not in events]
    return _with_settings(desk, held, kept)


def show(anchor: TrustAnchor) -> dict[str, object]:
    """The answer about one trust anchor."""
    return {"trustAnchor": _detail(anchor)}


def _detail(anchor: TrustAnchor) -> dict[str, object]:
    from cryptography.hazmat.primitives.serialization import Encoding

    shown = described(anchor, "trustAnchor")
    if "source" not in shown:
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in anchor.certificates).decode()
        data = {"x509CertificateData": pem}
        shown["source"] = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data}
    own = {each["event"]: each for each in _own_settings(anchor)}
    shown["notificationSettings"] = [own.get(event, _default(event)) for event in _EVENTS]
    shown.setdefault("crlDpRevocationEnabled", False)
    return shown


def _switched(desk: Desk, call: Call, *, enabled: bool) -> dict[str, object]:
    held = desk.find(TrustAnchor, call.identifier)
    changed = replace(held, enabled=enabled, about=desk.stamped(held.about))
    desk.registry.add(changed)
    return show(changed)


def _add(desk: Desk, anchor: TrustAnchor) -> None:
    try:
        desk.registry.add(anchor)
    except ConfigurationError as error:
        raise refused(f"Invalid certificate: {error.problem}") from None


def _certificates(desk: Desk, source: Mapping[str, Any]) -> tuple[x509.Certificate, ...]:
    kind, data = source.get("sourceType"), source.get("sourceData", {})
    if kind == "AWS_ACM_PCA" and "acmPcaArn" in data:
        pem = desk.private_cas(data["acmPcaArn"])
        if pem is None:
            raise refused("The private CA does not exist or is not active")  # guessed words
    elif kind == "CERTIFICATE_BUNDLE" and "x509CertificateData" in data:
        pem = data["x509CertificateData"]
    else:  # SELF_SIGNED_REPOSITORY is in the model and nowhere documented
        raise refused("Invalid value for source")
    try:
        return read_certificates(pem, where="source")
    except ConfigurationError as error:
        raise refused(f"Invalid certificate: {error.problem}") from None


def _given_settings(desk: Desk, call: Call) -> list[Setting]:
    return [
        {
            "threshold": _DEFAULT_THRESHOLD,
            "channel": "ALL",
            **setting,
            "configuredBy": desk.prefix.rpartition(":")[2],
        }
        for setting in call.parameters.get("notificationSettings", ())
    ]


def _default(event: str) -> Setting:
    return {
        "enabled": True,
        "event": event,
        "threshold": _DEFAULT_THRESHOLD,
        "channel": "ALL",
        "configuredBy": "rolesanywhere.amazonaws.com",
    }


def _own_settings(anchor: TrustAnchor) -> list[Setting]:
    """Those that the owner made; of two for one event the later one counts."""
    held: Any = anchor.about.get("notificationSettings", ())
    return list(held)


def _with_settings(desk: Desk, held: TrustAnchor, settings: Sequence[Setting]) -> dict[str, object]:
    by_event = {each["event"]: each for each in settings}
    about = {**held.about, "notificationSettings": list(by_event.values())}
    changed = replace(held, about=desk.stamped(about))
    desk.registry.add(changed)
    return show(changed)

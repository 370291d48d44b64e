"""Trust anchors: create, read, change, delete; their notification settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.emulator.resources import TrustAnchor
from boto_rolesanywhere.testing.loading import read_certificates

from .call import refuse
from .desk import alias_changes, described, page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from .call import Call
    from .desk import Desk

_MOST: Final = 50  # a quota of the User Guide
_LONGEST_BUNDLE: Final = 204_800
_EVENTS: Final = ("CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY")
_DEFAULT_THRESHOLD: Final = 45  # days
_MOST_SETTINGS: Final = 50
_THRESHOLDS: Final = range(1, 361)


def create(desk: Desk, call: Call) -> dict[str, object]:
    """CreateTrustAnchor."""
    if len(desk.registry.all(TrustAnchor)) >= _MOST:
        refuse(f"The account has {_MOST} trust anchors already")  # the words are a guess
    arn = desk.new_arn(TrustAnchor)
    source = call.required("source")
    about = {
        "name": call.name(),
        "source": source,
        "crlDpRevocationEnabled": call.flag("crlDpRevocationEnabled", default=False),
        "notificationSettings": _settings(call),
    }
    anchor = TrustAnchor(
        arn=arn,
        certificates=_certificates(desk, source),
        # The model says nothing of the default; AWS's console and CLI make it enabled. A guess.
        enabled=call.flag("enabled", default=True),
        aliases=desk.aliases(TrustAnchor, call.alias(), arn),
        about=desk.stamped(about),
    )
    tags = call.tags()
    _add(desk, anchor)
    desk.registry.tag(arn, tags)
    return show(anchor)


def get(desk: Desk, call: Call) -> dict[str, object]:
    """GetTrustAnchor."""
    return show(desk.find(TrustAnchor, call.identifier))


def list_(desk: Desk, call: Call) -> dict[str, object]:
    """ListTrustAnchors."""
    return page(call, "trustAnchors", [_detail(one) for one in desk.registry.all(TrustAnchor)])


def update(desk: Desk, call: Call) -> dict[str, object]:
    """UpdateTrustAnchor."""
    held = desk.find(TrustAnchor, call.identifier)
    alias, previous = alias_changes(call, held.aliases)
    about = {**held.about, **previous}
    certificates = held.certificates
    if "name" in call.members:
        about["name"] = call.name()
    if "source" in call.members:
        about["source"] = call.members["source"]
        certificates = _certificates(desk, call.members["source"])
    about["crlDpRevocationEnabled"] = call.flag(
        "crlDpRevocationEnabled", default=bool(about.get("crlDpRevocationEnabled"))
    )
    changed = replace(
        held,
        certificates=certificates,
        aliases=desk.aliases(TrustAnchor, alias, held.arn),
        about=desk.stamped(about),
    )
    _add(desk, changed)
    return show(changed)


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
    """PutNotificationSettings. No alias is taken here."""
    held = desk.find(TrustAnchor, str(call.required("trustAnchorId")))
    call.required("notificationSettings")
    put = {(each["event"], each["channel"]): each for each in _given_settings(call)}
    kept = [each for each in _shown_settings(held) if (each["event"], each["channel"]) not in put]
    return _with_settings(desk, held, [*kept, *put.values()])


def reset_notifications(desk: Desk, call: Call) -> dict[str, object]:
    """ResetNotificationSettings: those of the keys become the service's own again."""
    held = desk.find(TrustAnchor, str(call.required("trustAnchorId")))
    call.required("notificationSettingKeys")
    keys = {
        (key.get("event"), key.get("channel", "ALL"))
        for key in call.objects("notificationSettingKeys", _MOST_SETTINGS)
    }
    if not {event for event, _ in keys} <= set(_EVENTS):
        refuse("Invalid value in notificationSettingKeys")
    kept = [each for each in _shown_settings(held) if (each["event"], each["channel"]) not in keys]
    there = {each["event"] for each in kept}
    defaults = [each for each in _defaults() if each["event"] not in there]
    return _with_settings(desk, held, [*kept, *defaults])


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
    shown.setdefault("notificationSettings", _defaults())
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
        refuse(f"Invalid certificate: {error.problem}")


def _certificates(desk: Desk, source: object) -> tuple[x509.Certificate, ...]:
    data = source.get("sourceData") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(data, dict):
        refuse("Invalid value for source")
    kind = source.get("sourceType")
    if kind == "AWS_ACM_PCA":
        arn = data.get("acmPcaArn")
        pem = desk.private_cas(arn) if isinstance(arn, str) else None
        if pem is None:
            refuse("The private CA does not exist or is not active")  # the words are a guess
    elif kind == "CERTIFICATE_BUNDLE":
        pem = data.get("x509CertificateData")
    else:  # SELF_SIGNED_REPOSITORY is in the model and nowhere documented
        refuse("Invalid value for sourceType")
    if not isinstance(pem, str) or not 1 <= len(pem) <= _LONGEST_BUNDLE:
        refuse(f"x509CertificateData must have 1 to {_LONGEST_BUNDLE} characters")
    try:
        return read_certificates(pem, where="source")
    except ConfigurationError as error:
        refuse(f"Invalid certificate: {error.problem}")


def _settings(call: Call) -> list[dict[str, object]]:
    given = _given_settings(call)
    there = {each["event"] for each in given}
    return [*given, *(each for each in _defaults() if each["event"] not in there)]


def _given_settings(call: Call) -> list[dict[str, object]]:
    return [_setting(each) for each in call.objects("notificationSettings", _MOST_SETTINGS)]


def _setting(given: Mapping[str, object]) -> dict[str, object]:
    threshold, channel = given.get("threshold", _DEFAULT_THRESHOLD), given.get("channel", "ALL")
    if (
        given.get("event") not in _EVENTS
        or not isinstance(given.get("enabled"), bool)
        or channel != "ALL"
        or type(threshold) is not int
        or threshold not in _THRESHOLDS
    ):
        refuse("Invalid value in notificationSettings")
    return {
        "enabled": given["enabled"],
        "event": given["event"],
        "threshold": threshold,
        "channel": channel,
        "configuredBy": "account",  # a guess; of the defaults it is documented
    }


def _defaults() -> list[dict[str, object]]:
    return [
        {
            "enabled": True,
            "event": event,
            "threshold": _DEFAULT_THRESHOLD,
            "channel": "ALL",
            "configuredBy": "rolesanywhere.amazonaws.com",
        }
        for event in _EVENTS
    ]


def _shown_settings(anchor: TrustAnchor) -> list[dict[str, object]]:
    held = anchor.about.get("notificationSettings")
    return list(held) if isinstance(held, list) else _defaults()


def _with_settings(
    desk: Desk, held: TrustAnchor, settings: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    changed = replace(
        held, about=desk.stamped({**held.about, "notificationSettings": list(settings)})
    )
    desk.registry.add(changed)
    return show(changed)

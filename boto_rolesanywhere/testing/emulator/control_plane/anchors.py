"""Trust anchors, and their notification settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.authority.issued import certificates_pem
from boto_rolesanywhere.testing.emulator.resources import TrustAnchor
from boto_rolesanywhere.testing.loading import read_certificates

from .desk import Kind, picked, refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from .desk import Desk
    from .model import Parameters

    Setting = dict[str, Any]

_EVENTS: Final = ("CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY")
_DEFAULTS: Final = {"threshold": 45, "channel": "ALL"}  # the first in days


def put_notifications(desk: Desk, parameters: Parameters) -> dict[str, object]:
    """PutNotificationSettings: those for other events stay. No alias is taken here."""
    held = desk.find(KIND, parameters["trustAnchorId"])
    return _with_settings(desk, held, [*_own_settings(held), *_sent_settings(desk, parameters)])


def reset_notifications(desk: Desk, parameters: Parameters) -> dict[str, object]:
    """ResetNotificationSettings: those of the keys become the service's own again."""
    held = desk.find(KIND, parameters["trustAnchorId"])
    events = {key["event"] for key in parameters["notificationSettingKeys"]}
    kept = [each for each in _own_settings(held) if each["event"] not in events]
    return _with_settings(desk, held, kept)


def _begun(desk: Desk, arn: str, parameters: Parameters) -> TrustAnchor:
    return TrustAnchor(
        arn=arn,
        certificates=(),
        # The model says nothing of the default; AWS's console and CLI make it enabled. A guess.
        enabled=parameters.get("enabled", True),
        about={"notificationSettings": _sent_settings(desk, parameters)},
    )


def _changed(desk: Desk, held: TrustAnchor, parameters: Parameters) -> TrustAnchor:
    """A Private CA's certificate is read anew where the source is sent again."""
    source = parameters.get("source")
    about = picked(parameters, "name", "source", "crlDpRevocationEnabled")
    return replace(
        held,
        certificates=_certificates(desk, source) if source else held.certificates,
        about={**held.about, **about},
    )


def _detail(anchor: TrustAnchor) -> dict[str, object]:
    pem = {"x509CertificateData": certificates_pem(anchor.certificates).decode()}
    own = {each["event"]: each for each in _own_settings(anchor)}
    return {
        "source": anchor.about.get(
            "source", {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": pem}
        ),
        "notificationSettings": [own.get(event, _default(event)) for event in _EVENTS],
        "crlDpRevocationEnabled": anchor.about.get("crlDpRevocationEnabled", False),
    }


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
    return read_certificates(pem, where="source")


def _sent_settings(desk: Desk, parameters: Parameters) -> list[Setting]:
    sent = parameters.get("notificationSettings", ())
    return [{**_DEFAULTS, **setting, "configuredBy": desk.account} for setting in sent]


def _default(event: str) -> Setting:
    service = "rolesanywhere.amazonaws.com"
    return {"enabled": True, "event": event, **_DEFAULTS, "configuredBy": service}


def _own_settings(anchor: TrustAnchor) -> list[Setting]:
    """Those that the owner made; of two for one event the later one counts."""
    held: Any = anchor.about.get("notificationSettings", ())
    return list(held)


def _with_settings(desk: Desk, held: TrustAnchor, settings: Sequence[Setting]) -> dict[str, object]:
    by_event = {each["event"]: each for each in settings}
    about = {**held.about, "notificationSettings": list(by_event.values())}
    return KIND.answer(desk.keep(replace(held, about=about)))


KIND: Final = Kind(
    resource=TrustAnchor,
    noun="TrustAnchor",
    path="trust-anchor",
    group="trust anchors",
    fault="Invalid certificate",
    most=50,
    begun=_begun,
    changed=_changed,
    detail=_detail,
)

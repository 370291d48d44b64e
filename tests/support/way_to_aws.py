"""What the doctor says of the way to an emulator: a verdict for each step.

`examine` runs in the test's own process; the emulator is real, on loopback.
"""

from __future__ import annotations

from boto_rolesanywhere.doctor import Verdict, examine
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

CA = CertificateAuthority("Root")


APP = CA.issue("app")


def examined(
    emulator: Emulator,
    *,
    url: str | None = "",
    issued: IssuedCertificate = APP,
    verify: bool | str | None = None,
) -> dict[str, Verdict]:
    arguments: dict[str, object] = {
        "cert": issued.bundle_pem,
        "key": issued.private_key_pem,
        "anchor": emulator.trust_anchor_arn,
        "profile": emulator.profile_arn,
        "role": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url if url == "" else url,
    }
    verdicts = list(examine(arguments, verify=verify, timeout=3))
    return {one.name: one for one in verdicts}


def statuses(verdicts: dict[str, Verdict]) -> dict[str, str]:
    names = list(verdicts)
    return {name: verdicts[name].status for name in names[names.index("endpoint") :]}


def failed_at(name: str) -> dict[str, str]:
    """Well up to there, skipped from there on."""
    order = [
        *("endpoint", "proxy", "name-resolution", "connection", "tls"),
        *("clock", "create-session", "caller-identity"),
    ]
    at = order.index(name)
    return {
        one: "fail" if place == at else "ok" if place < at else "skip"
        for place, one in enumerate(order)
    }


ALL_WELL = dict.fromkeys(failed_at("endpoint"), "ok")

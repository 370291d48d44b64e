"""The service's error strings, and what users found behind each.

`diagnosis` finds out what this machine knows about one refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Denial(NamedTuple):
    """One refusal of CreateSession.

    Attributes:
        code: ours, stable.
        text: how the service's message begins.
        causes: likely causes, the most likely first, as seen by users.
        remedy: what to do next.
    """

    code: str
    text: str
    causes: tuple[str, ...]
    remedy: str


# Codes that `diagnosis` asks for.
NOT_ASSUMABLE: Final = "denied-role-not-assumable"
INVALID_SIGNATURE: Final = "denied-signature-invalid"
REVOKED: Final = "denied-certificate-revoked"
OF_ARNS: Final = (
    NOT_ASSUMABLE,
    "denied-profile-invalid",
    "denied-trust-anchor-unknown",
)

_WITHOUT_ORIGIN: Final = (
    "the profile has trusted identity propagation, and the certificate has no value for its"
    " subjectSource, or the profile's attribute mappings leave it out"
)

DENIALS: Final = (
    Denial(
        "denied-certificate-insufficient",
        "Untrusted certificate. Insufficient certificate",
        (
            "the certificate's keyUsage lacks digitalSignature",
            "the certificate is a CA's (basicConstraints CA:TRUE)",
            "it was signed with a hash weaker than SHA-256",
            "it was issued by another CA than the trust anchor's",
        ),
        "Have the certificate issued again for an end entity with keyUsage digitalSignature.",
    ),
    Denial(
        "denied-issuer-untrusted",
        "Untrusted signing certificate",
        (
            "the certificate was issued by another CA than the trust anchor's",
            "the intermediate certificates are missing from the request",
        ),
        "Compare the issuer with the trust anchor's certificate, and pass the intermediates"
        " (`chain`, --intermediates).",
    ),
    Denial(
        INVALID_SIGNATURE,
        "Invalid signature",
        (
            "this machine's clock is off by more than 5 minutes",
            "the private key is not the certificate's",
            "a proxy changed the Host header or the body",
        ),
        "Set the clock (NTP) if it is off; then check that key and certificate belong together.",
    ),
    Denial(
        NOT_ASSUMABLE,
        "Unable to assume role",
        (
            "a condition of the role's trust policy does not match the certificate",
            "the trust policy leaves out sts:AssumeRole, sts:TagSession or sts:SetSourceIdentity",
            "the profile's attribute mappings remove a tag that the policy asks for",
            "aws:SourceArn or aws:SourceAccount in the policy is not the trust anchor's",
            _WITHOUT_ORIGIN,
        ),
        "Evaluate the trust policy with `boto-rolesanywhere inspect --trust-policy FILE`.",
    ),
    Denial(
        "denied-duration",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ("the smaller of the profile's and the requested duration is above the role's maximum",),
        "Ask for a shorter session (`duration`, --session-duration), or raise the role's"
        " MaxSessionDuration.",
    ),
    Denial(
        "denied-session-name",
        "Not authorized to set roleSessionName",
        ("the profile does not accept role session names",),
        "Leave the role session name out (`session_name`, --role-session-name), or set"
        " acceptRoleSessionName on the profile.",
    ),
    Denial(
        "denied-profile-invalid",
        "Invalid or empty profile provided.",
        ("the profile is deleted or disabled", "it is in another Region or account"),
        "Check the profile's ARN and that it is enabled.",
    ),
    Denial(
        "denied-role-not-in-profile",
        "Requested Role isn't one of those listed in the Profile.",
        (
            "the role is not attached to the profile",
            "the role's path is left out of its ARN",
        ),
        "Attach the role to the profile, or copy its full ARN, path included.",
    ),
    Denial(
        "denied-trust-anchor-unknown",
        "Specified Trust Anchor wasn't found.",
        ("the trust anchor's ARN is wrong", "the request went to another Region"),
        "Check the trust anchor's ARN and Region.",
    ),
    Denial(
        REVOKED,
        "Certificate revoked",
        (
            "the certificate's serial number is in an enabled CRL of the trust anchor",
            (
                "the trust anchor has crlDpRevocationEnabled, and the list at the certificate's CRL"
                " distribution point has it"
            ),
        ),
        "Have a new certificate issued.",
    ),
)


# Within the text of a role that cannot be assumed: users' reports, such as issue 77 of AWS's helper
# and issue 48211 of Terraform's AWS provider. It names the fields: "Issuer: [ CN ]; Subject: [ ]".
_UNMAPPED: Final = Denial(
    NOT_ASSUMABLE,
    "to be mapped into session tags",
    (
        "attributes of the certificate could not become session tags: the message names them",
        _WITHOUT_ORIGIN,
    ),
    "Have the certificate issued without what STS refuses, or take the field out of the profile:"
    " aws rolesanywhere delete-attribute-mapping --profile-id ID --certificate-field FIELD.",
)

# Causes that a check of `doctor`'s rules out, if it found all well; by the name of the check.
SETTLED_BY: Final[Mapping[str, str]] = {
    "the certificate's keyUsage lacks digitalSignature": "constraints",
    "the certificate is a CA's (basicConstraints CA:TRUE)": "constraints",
    "it was signed with a hash weaker than SHA-256": "constraints",
    "it was issued by another CA than the trust anchor's": "trust-anchor",
    "the certificate was issued by another CA than the trust anchor's": "trust-anchor",
    "the intermediate certificates are missing from the request": "trust-anchor",
    "this machine's clock is off by more than 5 minutes": "clock",
    "the private key is not the certificate's": "key",
    "the request went to another Region": "settings",
}

# What to do if no other cause is left.
REMEDIES_ALONE: Final[Mapping[str, str]] = {
    "it was issued by another CA than the trust anchor's": "Compare the issuer with the trust"
    " anchor's certificate: --trust-anchor-certificate FILE does it.",
    "a proxy changed the Host header or the body": "Ask the endpoint without the proxy (NO_PROXY),"
    " or have the proxy leave these requests as they are.",
    "the trust anchor's ARN is wrong": "Check the trust anchor's ARN, and that it is enabled.",
}


def find_denial(message: str) -> Denial | None:
    """The entry for the service's `message`, or None for a text that is not known."""
    if _UNMAPPED.text in message:
        return _UNMAPPED
    return next((denial for denial in DENIALS if message.startswith(denial.text)), None)

"""What an administrator must be allowed for each operation, beside what it is named after."""

from __future__ import annotations

from typing import Final

# The User Guide's and the Service Authorization Reference's dependent actions.
_PASSING: Final = "iam:PassRole (iam:PassedToService = rolesanywhere.amazonaws.com)"
_ALSO: Final = {
    "CreateTrustAnchor": (
        "rolesanywhere:TagResource",
        "iam:CreateServiceLinkedRole for an account's first trust anchor",
    ),
    "CreateProfile": ("rolesanywhere:TagResource", _PASSING),
    "UpdateProfile": (_PASSING,),
    "EnableProfile": (_PASSING,),
    "ImportCrl": ("rolesanywhere:TagResource",),
    "CreateRole": ("iam:TagRole",),
}


def permissions_for(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions that an operation needs, its own first; some with a note."""
    return (f"{service}:{operation}", *_ALSO.get(operation, ()))

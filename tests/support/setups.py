"""Runs of setup in an account, and what there is then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from aws_account import REGION, Account, Watched

from boto_rolesanywhere.account.setup import Setup
from boto_rolesanywhere.account.tags import ANCHOR, SETUP
from boto_rolesanywhere.account.tags import REGION as REGION_TAG
from boto_rolesanywhere.account.teardown import removals_for_role, remove
from boto_rolesanywhere.account.wanted import (
    Notification,
    TrustedIdentity,
    Wanted,
    WantedAnchor,
    WantedProfile,
    WantedRole,
)
from boto_rolesanywhere.testing import CertificateAuthority

POLICY: Final[dict[str, object]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
}


CA: Final = CertificateAuthority("Example CA")


def small(ca: CertificateAuthority = CA, role: str = "app1", anchor: str = "example-ca") -> Wanted:
    """What the command wants without options."""
    return Wanted(
        anchor=WantedAnchor(
            name=anchor,
            alias=anchor,
            bundle=ca.certificate_pem.decode(),
            tags={SETUP: anchor},
        ),
        role=WantedRole(
            name=role,
            certificates=({"x509Subject/CN": role},),
            tags={SETUP: role, ANCHOR: anchor, REGION_TAG: REGION},
        ),
        profile=WantedProfile(name=role, alias=role, tags={SETUP: role, ANCHOR: anchor}),
    )


def whole(account: Account) -> Wanted:
    """Everything that can be asked for."""
    wanted = small()
    return Wanted(
        anchor=replace(
            wanted.anchor,
            crl_distribution_points=True,
            notifications=(
                Notification("CA_CERTIFICATE_EXPIRY", 90),
                Notification("END_ENTITY_CERTIFICATE_EXPIRY", enabled=False),
            ),
        ),
        role=replace(
            wanted.role,
            path="/apps/",
            policy_arns=(account.policy("reading"), account.policy("writing")),
            inline_policy=POLICY,
            max_session_duration=7200,
        ),
        profile=replace(
            wanted.profile,
            duration=7200,
            session_policy=POLICY,
            managed_policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
            accept_session_name=True,
            mappings={"x509Subject": ("CN", "OU"), "x509SAN": ("DNS",)},
            trusted_identity=TrustedIdentity("x509Subject/CN"),
        ),
    )


def run(account: Account, wanted: Wanted, **options: bool) -> tuple[Watched, Setup]:
    """One run to its end."""
    watched = account.watched()
    setup = Setup(watched.administrator, wanted, **options)
    setup.run()
    return watched, setup


def made(account: Account, wanted: Wanted) -> tuple[Any, Any, Any]:
    """The trust anchor, profile and role that setup made, of which there must be one each."""
    tagged = [one for one in account.control_plane().values() if SETUP in one["tags"]]
    (anchor,) = (one for one in tagged if "trustAnchorId" in one)
    (profile,) = (one for one in tagged if "profileId" in one)
    return anchor, profile, account.roles()[wanted.role.name]


def take_away(account: Account, watched: Watched | None = None) -> None:
    administrator = (watched or account.watched()).administrator
    remove(administrator, removals_for_role(administrator, "app1", lambda _: None), lambda _: None)

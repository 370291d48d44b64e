"""Setups that are wanted: a plain one, one with all that can be said, one with awkward texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from boto_rolesanywhere.account.emit.in_code import ANCHOR_ARN, PROFILE_ARN, ROLE_ARN, Target
from boto_rolesanywhere.account.tags import ANCHOR, REGION, SETUP
from boto_rolesanywhere.account.wanted import (
    Notification,
    TrustedIdentity,
    Wanted,
    WantedAnchor,
    WantedProfile,
    WantedRole,
)
from boto_rolesanywhere.testing import CertificateAuthority

PCA: Final = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/0aa0"
READ_ONLY: Final = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
DENY_ALL: Final = "arn:aws:iam::aws:policy/AWSDenyAll"
AWKWARD: Final = 'it\'s "${x}" %{y} `z` $(w) \\n é'
CONFIG: Final = f"""\
[profile onprem]
rolesanywhere_certificate = /etc/pki/$app `1`.pem
rolesanywhere_trust_anchor_arn = {ANCHOR_ARN}
rolesanywhere_profile_arn = {PROFILE_ARN}
rolesanywhere_role_arn = {ROLE_ARN}
"""
TARGET: Final = Target(region="eu-west-1", account="123456789012", config=CONFIG)
PLAIN: Final = Wanted(
    WantedAnchor(
        name="Example CA",
        alias="example-ca",
        bundle=CertificateAuthority().certificate_pem.decode(),
        tags={SETUP: "example-ca"},
    ),
    WantedRole(
        name="app1",
        certificates=({"x509Subject/CN": "app1"},),
        tags={SETUP: "app1", ANCHOR: "example-ca", REGION: "eu-west-1"},
    ),
    WantedProfile(name="app1", alias="app1", tags={SETUP: "app1", ANCHOR: "example-ca"}),
)


def policy(text: str) -> dict[str, object]:
    """Of permissions, with a text in it that no language may take for its own."""
    statement = {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": "arn:aws:s3:::bucket/${aws:PrincipalTag/x509Subject/CN}/*",
        "Condition": {"StringLike": {"s3:prefix": text}, "Bool": {"aws:SecureTransport": True}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


FULL: Final = Wanted(
    replace(
        PLAIN.anchor,
        notifications=(
            Notification("CA_CERTIFICATE_EXPIRY", 90),
            Notification("END_ENTITY_CERTIFICATE_EXPIRY", enabled=False),
        ),
        tags={**PLAIN.anchor.tags, "team": "payments @ example"},
        crl_distribution_points=True,
    ),
    replace(
        PLAIN.role,
        name="App.1=x@y",
        path="/apps/",
        certificates=(
            {"x509Subject/CN": "app1", "x509SAN/DNS": "app1.example.com"},
            {"x509Subject/OU": "it"},
        ),
        policy_arns=(READ_ONLY, DENY_ALL),
        inline_policy=policy(AWKWARD),
        max_session_duration=7200,
        tags={**PLAIN.role.tags, "team": "payments @ example"},
    ),
    replace(
        PLAIN.profile,
        name="App-1-x-y",
        duration=7200,
        session_policy=policy(AWKWARD),
        managed_policy_arns=(READ_ONLY,),
        accept_session_name=True,
        mappings={"x509Subject": ("CN", "OU"), "x509SAN": ("DNS",)},
        trusted_identity=TrustedIdentity("x509Subject/CN"),
        tags={**PLAIN.profile.tags, "team": "payments @ example"},
    ),
)
PRIVATE_CA: Final = replace(
    PLAIN,
    anchor=replace(PLAIN.anchor, name="private-ca-0aa0", bundle=None, pca_arn=PCA),
    role=replace(PLAIN.role, certificates=({"x509Subject/CN": "app1"}, {"x509Subject/CN": "app2"})),
)
SETUPS: Final = {"plain": PLAIN, "full": FULL, "private CA": PRIVATE_CA}

"""Revocation lists: imported, enabled, and what they revoke."""

from __future__ import annotations

import pytest
from control_plane_calls import INVALID, MISSING, Administrator, client, refusal
from sessions import keys_from

from boto_rolesanywhere.errors import ServiceError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


class TestRevocationLists:
    def test_one_that_is_imported_is_disabled_until_it_is_enabled(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        issued = ca.issue("app1")
        imported = admin.import_crl(
            name="all", crlData=ca.crl((issued,)), trustAnchorArn=emulator.trust_anchor_arn
        )["crl"]
        assert imported["enabled"] is False

        def session() -> object:
            return keys_from(emulator, issued)

        assert session()
        admin.enable_crl(crlId=imported["crlId"])
        with pytest.raises(ServiceError, match="Certificate revoked"):
            session()
        updated = admin.update_crl(crlId=imported["crlId"], crlData=ca.crl((1,)))["crl"]
        assert updated["enabled"] is True
        assert session()
        assert admin.get_crl(crlId=imported["crlArn"])["crl"]["crlData"] == updated["crlData"]

    def test_the_same_name_adds_one_and_two_is_the_most(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        given = {
            "name": "all",
            "crlData": ca.crl((1,)),
            "trustAnchorArn": emulator.trust_anchor_arn,
        }
        first, second = (admin.import_crl(**given)["crl"] for _ in range(2))
        assert first["crlId"] != second["crlId"]
        assert refusal(admin.import_crl, **given) == INVALID
        admin.delete_crl(crlId=first["crlId"])
        assert admin.import_crl(**given)

    def test_what_aws_refuses_is_refused(
        self, ca: CertificateAuthority, emulator: Emulator, admin: Administrator
    ) -> None:
        anchor = emulator.trust_anchor_arn
        for data in (ca.crl(()), b"no list", ca.crl((1,)) + b"\n" * 300_000):
            unchecked = client(emulator, parameter_validation=False)
            assert (
                refusal(unchecked.import_crl, name="x", crlData=data, trustAnchorArn=anchor)
                == INVALID
            )
        admin.update_trust_anchor(trustAnchorId=anchor, aliasName="onprem")
        alias = admin.get_trust_anchor(trustAnchorId=anchor)["trustAnchor"]["aliasArn"]
        assert (
            refusal(admin.import_crl, name="x", crlData=ca.crl((1,)), trustAnchorArn=alias)
            == MISSING
        )

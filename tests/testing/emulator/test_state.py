"""An emulator with a state folder goes on where the one before it ended."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from sessions import keys_from

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator


def admin(emulator: Emulator) -> object:
    return boto3.client(
        "rolesanywhere",
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        aws_access_key_id="AKIDADMIN",
        aws_secret_access_key="any",
    )


def everything(emulator: Emulator) -> dict[str, object]:
    client = admin(emulator)
    lists = {
        name: getattr(client, f"list_{name}")()
        for name in ("trust_anchors", "profiles", "crls", "subjects")
    }
    for answer in lists.values():
        del answer["ResponseMetadata"]
    (subject,) = lists["subjects"]["subjects"]
    detail = client.get_subject(subjectId=subject["subjectId"])["subject"]
    tags = client.list_tags_for_resource(resourceArn=emulator.profile_arn)["tags"]
    return {**lists, "detail": detail, "tags": tags, "url": emulator.endpoint_url}


def test_all_that_was_made_is_there_again(tmp_path: Path) -> None:
    ca = CertificateAuthority()
    issued = ca.issue("app1")

    def session(emulator: Emulator) -> object:
        return keys_from(emulator, issued)

    with Emulator(ca, state=tmp_path / "state") as emulator:
        assert session(emulator)
        client = admin(emulator)
        client.tag_resource(resourceArn=emulator.profile_arn, tags=[{"key": "a", "value": "b"}])
        client.update_profile(profileId=emulator.profile_arn, aliasName="app", durationSeconds=900)
        client.import_crl(
            name="all", crlData=ca.crl((1,)), trustAnchorArn=emulator.trust_anchor_arn, enabled=True
        )
        before = everything(emulator)
    with Emulator(state=tmp_path / "state", region="us-east-1") as emulator:
        assert everything(emulator) == before
        assert emulator.region == "eu-west-1"
        assert session(emulator)


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    for content in ("{", json.dumps({"form": 0})):
        (tmp_path / "state.json").write_text(content)
        with pytest.raises(ConfigurationError, match="not a state that this version"):
            Emulator(state=tmp_path)

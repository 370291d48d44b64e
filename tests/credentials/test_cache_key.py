"""Which session is which: every input counts, however it was given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.cli.cached_answer import key_of_flags
from boto_rolesanywhere.credentials.cache import key_of
from boto_rolesanywhere.credentials.cache_key import (
    entry_key,
    fingerprint,
    fingerprint_bytes,
    fingerprint_folder,
)
from boto_rolesanywhere.settings.config import resolve
from boto_rolesanywhere.settings.profile_reader import configured_endpoint
from boto_rolesanywhere.testing import CertificateAuthority

INPUTS = {
    "trust_anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "role": "arn:aws:iam::123456789012:role/R",
    "region": "eu-west-1",
    "certificate": "file 00",
    "duration": "900",
    "session_name": "me",
    "endpoint": "https://vpce.example",
}
ARNS = {
    "--trust-anchor-arn": INPUTS["trust_anchor"],
    "--profile-arn": INPUTS["profile"],
    "--role-arn": INPUTS["role"],
}


def key(**changed: str) -> str:
    inputs: dict[str, Any] = {**INPUTS, **changed}
    return entry_key(**inputs)


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_every_input_counts(name: str) -> None:
    assert key(**{name: INPUTS[name] + "x"}) != key()


def test_inputs_that_only_join_alike_are_told_apart() -> None:
    assert key(duration="9", session_name="00x") != key(duration="900", session_name="x")


CONFIG = """[default]
region = eu-west-1

[profile global]
endpoint_url = https://three.example

[profile own]
services = mine

[profile other]
services = yours

[profile none]
services = nowhere
ignore_configured_endpoint_urls = true

[services mine]
rolesanywhere =
  endpoint_url = https://four.example

[services yours]
rolesanywhere =
  endpoint_url = https://five.example
"""


def test_an_endpoint_that_botocore_would_take_counts(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(CONFIG)
    plain = {"AWS_CONFIG_FILE": str(file)}
    given = {"AWS_ENDPOINT_URL": "https://one.example"}
    ours = {"AWS_ENDPOINT_URL_ROLESANYWHERE": "https://two.example", **given}
    ignored = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", **given}
    profiles = ("global", "own", "other", "none")

    found = [configured_endpoint(name, plain) for name in profiles]
    found += [configured_endpoint(None, one) for one in (given, ours, ignored)]

    assert len(set(found)) == len(found)
    assert "" not in found
    assert [configured_endpoint(None, plain | {"AWS_PROFILE": name}) for name in profiles] == found[
        :4
    ]
    both = plain | {"AWS_PROFILE": "own", "AWS_DEFAULT_PROFILE": "other"}
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in both.items():
            patch.setenv(variable, value)
        chosen = botocore.session.Session().profile
    assert configured_endpoint(None, both) == configured_endpoint(chosen, plain) != ""
    for name in (None, "default", "missing"):
        assert configured_endpoint(name, plain) == ""
    assert configured_endpoint(None, {"AWS_CONFIG_FILE": str(tmp_path / "missing")}) == ""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "cert.pem"
    path.write_bytes(b"one")
    return path


def of_flags(environ: Mapping[str, str] | None = None, **more: str) -> str | None:
    given = {**ARNS, **{f"--{name.replace('_', '-')}": value for name, value in more.items()}}
    return key_of_flags(given, environ or {})


def test_a_new_certificate_in_the_same_file_is_another_session(certificate: Path) -> None:
    before = of_flags(certificate=str(certificate))
    certificate.write_bytes(b"two")

    assert before is not None
    assert of_flags(certificate=str(certificate)) not in (before, None)


def test_the_same_settings_are_the_same_session_however_they_come(
    certificate: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile ours]\n"
        f"rolesanywhere_certificate = {certificate}\n"
        + "".join(
            f"rolesanywhere_{flag[2:].replace('-', '_')} = {arn}\n" for flag, arn in ARNS.items()
        )
    )
    variables = {
        f"AWS_ROLESANYWHERE_{flag[2:].replace('-', '_').upper()}": arn for flag, arn in ARNS.items()
    }
    by_flag = of_flags(certificate=str(certificate))

    assert by_flag is not None
    assert by_flag == key_of_flags({"--certificate": str(certificate)}, variables)
    assert by_flag == key_of_flags({"--config-profile": "ours"}, {"AWS_CONFIG_FILE": str(config)})
    assert by_flag == of_flags(certificate=str(certificate), region="eu-west-1")
    # The key and what unlocks it do not make another session.
    assert by_flag == of_flags(certificate=str(certificate), private_key="k", pkcs11_pin="1")


def test_a_session_is_shared_between_library_and_command(tmp_path: Path) -> None:
    issued = CertificateAuthority().issue("web")
    paths = issued.write(tmp_path)
    arguments: dict[str, object] = {
        "anchor": INPUTS["trust_anchor"],
        "profile": INPUTS["profile"],
        "role": INPUTS["role"],
        "duration": 900,
        "session_name": "me",
        "endpoint_url": "https://e.example",
        "region": "eu-central-1",
    }
    by_flag = of_flags(
        certificate=str(paths.certificate),
        session_duration="0900",
        role_session_name="me",
        endpoint="e.example",
        region="eu-central-1",
    )

    def in_library(certificate: object) -> str | None:
        config = resolve({**arguments, "cert": certificate}, environ={}, section={})
        assert config is not None
        return key_of(config, {})

    assert by_flag is not None
    for same in (paths.certificate, str(paths.certificate), paths.certificate.read_bytes()):
        assert in_library(same) == by_flag
    # An object has no file, and so an entry of its own; it is that of its DER file.
    der = tmp_path / "cert.der"
    der.write_bytes(issued.certificate.public_bytes(Encoding.DER))
    assert in_library(issued.certificate) == in_library(der) != by_flag


def test_without_a_certificate_or_an_arn_there_is_no_session(tmp_path: Path) -> None:
    assert of_flags() is None
    assert of_flags(certificate=str(tmp_path / "gone")) is None
    assert of_flags(certificate=str(tmp_path)) is None
    assert key_of_flags({"--certificate": __file__}, {}) is None
    assert of_flags(certificate=__file__) is not None
    assert of_flags(certificate=__file__, config_profile="no-such") is None


def test_a_token_is_known_by_uri_and_library() -> None:
    assert fingerprint("pkcs11:token=a") != fingerprint("pkcs11:token=b")
    assert fingerprint("pkcs11:token=a", "/one.so") != fingerprint("pkcs11:token=a", "/two.so")
    assert fingerprint("pkcs11:token=a") == fingerprint("pkcs11:token=a")


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert fingerprint(str(tmp_path / "pipe")) is None


def test_a_home_folder_is_found(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(certificate.parent))

    assert fingerprint("~/cert.pem") == fingerprint_bytes(b"one")


def test_a_chosen_certificate_depends_on_all_it_is_chosen_from(tmp_path: Path) -> None:
    store, selector = tmp_path / "store", tmp_path / "selector.json"
    store.mkdir()
    (store / "a.pem").write_bytes(b"a")
    selector.write_text("[]")

    def chosen(wanted: str = "Key=x509Subject,Value=CN=a", **more: str) -> str | None:
        return of_flags(cert_selector=wanted, cert_store=str(store), **more)

    first = chosen()
    assert first is not None
    assert chosen() == first
    assert chosen("Key=x509Subject,Value=CN=b") != first
    assert chosen(use_latest_expiring_certificate="") != first
    by_file = chosen(f"file://{selector}")
    selector.write_text("[ ]")
    assert chosen(f"file://{selector}") not in (by_file, None)
    (store / "b.pem").write_bytes(b"b")
    assert chosen() not in (first, None)
    assert of_flags(cert_selector="x", cert_store=str(tmp_path / "gone")) is None
    assert of_flags(cert_selector=f"file://{tmp_path}/gone", cert_store=str(store)) is None
    assert fingerprint_folder(str(tmp_path / "gone")) is None

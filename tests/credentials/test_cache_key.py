"""Every input that makes another session makes another cache key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from boto_rolesanywhere.cli.cached_answer import key_of_flags
from boto_rolesanywhere.composition import Issuer
from boto_rolesanywhere.credentials.cache_key import (
    entry_key,
    fingerprint,
    fingerprint_places,
    read_file,
    read_folder,
)
from boto_rolesanywhere.settings.config import Arguments, resolve
from boto_rolesanywhere.testing import CertificateAuthority

INPUTS = {
    "trust_anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "role": "arn:aws:iam::123456789012:role/R",
    "region": "eu-west-1",
    "identity": "00",
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
        "rolesanywhere_duration_seconds = 3600\n"  # which the flags ask for
        + "".join(
            f"rolesanywhere_{flag[2:].replace('-', '_')} = {arn}\n" for flag, arn in ARNS.items()
        )
    )
    variables = {
        f"AWS_ROLESANYWHERE_{flag[2:].replace('-', '_').upper()}": arn for flag, arn in ARNS.items()
    } | {"AWS_ROLESANYWHERE_DURATION_SECONDS": "3600"}
    by_flag = of_flags(certificate=str(certificate))

    assert by_flag is not None
    assert by_flag == key_of_flags({"--certificate": str(certificate)}, variables)
    assert by_flag == key_of_flags({"--config-profile": "ours"}, {"AWS_CONFIG_FILE": str(config)})
    assert by_flag == of_flags(certificate=str(certificate), region="eu-west-1")
    # What unlocks the key does not make another session.
    assert by_flag == of_flags(certificate=str(certificate), pkcs11_pin="1")


def test_a_new_key_beside_the_same_certificates_is_another_session(
    certificate: Path, tmp_path: Path
) -> None:
    # Two certificates may stand in one file, and then the key decides which of them signs.
    key_file = tmp_path / "key.pem"
    key_file.write_bytes(b"first")
    before = of_flags(certificate=str(certificate), private_key=str(key_file))
    key_file.write_bytes(b"second")

    assert before is not None
    assert of_flags(certificate=str(certificate), private_key=str(key_file)) not in (before, None)


def in_library(**arguments: object) -> str | None:
    given: Arguments = arguments  # type: ignore[assignment]  # the names are those of Arguments
    config = resolve(given, environ={}, section={})
    assert config is not None
    material, _ = Issuer(config)._identity.current()
    return Issuer(config)._key(material)


def test_library_and_command_share_their_sessions(tmp_path: Path) -> None:
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
        private_key=str(paths.private_key),
        session_duration="0900",
        role_session_name="me",
        endpoint="e.example",
        region="eu-central-1",
    )

    assert by_flag is not None
    for cert in (paths.certificate, str(paths.certificate), paths.certificate.read_bytes()):
        for key in (paths.private_key, paths.private_key.read_bytes()):
            assert in_library(**arguments, cert=cert, key=key) == by_flag
    # An object has no file, and so an entry of its own.
    objects = in_library(**arguments, cert=issued.certificate, key=issued.private_key)
    assert objects not in (by_flag, None)


@pytest.mark.parametrize(
    ("scheme", "setting"),
    [("PKCS11", "certificate"), (" pkcs11", "certificate"), ("Handle", "private_key")],
)
def test_the_scheme_of_a_uri_has_no_case(certificate: Path, scheme: str, setting: str) -> None:
    places = {"certificate": str(certificate)}
    by_case = [
        of_flags(**places | {setting: f"{spelt}:token=x"})
        for spelt in (scheme, scheme.strip().lower())
    ]

    assert by_case[0] == by_case[1] is not None
    assert fingerprint_places([f"{scheme}:token=x"]) == fingerprint(
        [f"{scheme.strip().lower()}:token=x"]
    )


def test_without_a_certificate_or_an_arn_there_is_no_session(tmp_path: Path) -> None:
    assert of_flags() is None
    assert of_flags(certificate=str(tmp_path / "gone")) is None
    assert of_flags(certificate=str(tmp_path)) is None
    assert key_of_flags({"--certificate": __file__}, {}) is None
    assert of_flags(certificate=__file__) is not None
    assert of_flags(certificate=__file__, config_profile="no-such") is None


def test_a_token_is_known_by_uri_and_library() -> None:
    def of_token(uri: str, module: str = "") -> str | None:
        return fingerprint_places([uri, "", ""], module)

    assert of_token("pkcs11:token=a") == of_token("pkcs11:token=a") is not None
    assert of_token("pkcs11:token=a") != of_token("pkcs11:token=b")
    assert of_token("pkcs11:token=a", "/one.so") != of_token("pkcs11:token=a", "/two.so")


def test_parts_do_not_change_places(certificate: Path) -> None:
    one = str(certificate)
    found = {fingerprint_places(places) for places in ((one, "", ""), ("", one, ""), (one, one))}
    found.add(fingerprint(["one", None, None]))

    assert len(found) == 4


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert fingerprint_places([str(tmp_path / "pipe")]) is None


def test_a_home_folder_is_found(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(certificate.parent))

    assert read_file("~/cert.pem") == b"one"


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
    assert read_folder(str(tmp_path / "gone")) is None

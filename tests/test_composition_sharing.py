"""In one process the same inputs share credentials, and other inputs do not."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from weakref import ref

import boto3
import botocore.session
import pytest
from botocore.config import Config
from forked import in_child

import boto_rolesanywhere
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedPaths


@pytest.fixture
def paths(ca: CertificateAuthority, tmp_path: Path) -> IssuedPaths:
    (tmp_path / "pki").mkdir()
    return ca.issue("app").write(tmp_path / "pki")


class Asker:
    """Asks for sessions of one workload."""

    def __init__(self, emulator: Emulator, paths: IssuedPaths) -> None:
        self.arguments: dict[str, object] = {
            "cert": paths.certificate,
            "key": paths.private_key,
            "anchor": emulator.trust_anchor_arn,
            "profile": emulator.profile_arn,
            "role": emulator.role_arn,
            "endpoint_url": emulator.endpoint_url,
        }

    def session(self, **changes: object) -> boto3.Session:
        return boto_rolesanywhere.get_session(**self.arguments | changes)  # type: ignore[arg-type]  # of several types

    def credentials(self, **changes: object) -> SessionCredentials:
        held = self.session(**changes).get_credentials()
        assert isinstance(held, SessionCredentials)
        return held


@pytest.fixture
def asker(emulator: Emulator, paths: IssuedPaths) -> Asker:
    return Asker(emulator, paths)


def test_many_sessions_of_one_identity_make_one_call(asker: Asker, emulator: Emulator) -> None:
    sessions = [asker.session() for _ in range(50)]

    keys = {session.get_credentials().get_frozen_credentials() for session in sessions}  # type: ignore[union-attr]

    assert len(keys) == 1
    assert emulator.created == 1


def same_values(asker: Asker) -> list[tuple[dict[str, object], dict[str, object]]]:
    """The same inputs, said in different ways or with different objects."""
    cert, key = Path(str(asker.arguments["cert"])), Path(str(asker.arguments["key"]))
    return [
        ({}, {"cert": str(cert), "key": str(key)}),
        ({"cert": cert.read_bytes()}, {"cert": bytearray(cert.read_bytes())}),
        ({"client_config": Config(retries={"max_attempts": 2})},) * 2,
        ({"passphrase": "unused"}, {"passphrase": "unused"}),
        ({"cache": str(cert.parent)}, {"cache": cert.parent}),
        ({"botocore_session": botocore.session.Session()}, {"botocore_session": boto3.Session()}),
        ({"duration": 900}, {"duration": 900}),
    ]


def test_the_same_inputs_share_however_they_are_said(asker: Asker) -> None:
    for one, other in same_values(asker):
        assert asker.credentials(**one) is asker.credentials(**other), (one, other)


def changed_arguments(asker: Asker, folder: Path) -> dict[str, object]:
    """Another value for each argument, all of which can be opened."""
    cert, key = Path(str(asker.arguments["cert"])), Path(str(asker.arguments["key"]))
    copied = {path: shutil.copy(path, folder / path.name) for path in (cert, key)}
    bundle = folder / "bundle.pem"
    bundle.write_bytes(cert.read_bytes())

    def changed(name: str, old: str, new: str) -> str:
        return str(asker.arguments[name]).replace(old, new)

    return {
        "cert": copied[cert],  # another file, which may be replaced at another time
        "key": copied[key],
        "anchor": changed("anchor", "trust-anchor/", "trust-anchor/f"),
        "profile": changed("profile", "profile/", "profile/f"),
        "role": changed("role", "role/", "role/other/"),
        "chain": bundle,
        "passphrase": "hunter2",
        "region": "eu-central-1",
        "duration": 900,
        "session_name": "web-1",
        "endpoint_url": "http://127.0.0.1:9",
        "verify": str(bundle),
        "client_config": Config(read_timeout=5),
        "profile_name": "work",
        "botocore_session": _with_options(Config(read_timeout=5)),
        "pkcs11_module": "/usr/lib/other.so",
        "tpm_tcti": "swtpm:port=2321",
        "cache": folder / "cache",
    }


def _with_options(options: Config) -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_default_client_config(options)
    return session


def test_each_argument_decides_and_none_is_forgotten(
    asker: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile work]\nmax_attempts = 2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    table = changed_arguments(asker, tmp_path)
    no_input = {"return", "clock_correction"}  # the latter is of the session's other clients
    assert set(table) == set(boto_rolesanywhere.get_session.__annotations__) - no_input

    kept = {name: asker.credentials(**{name: value}) for name, value in table.items()}
    kept["nothing"] = asker.credentials()

    assert len(set(map(id, kept.values()))) == len(kept)


def test_what_a_program_set_in_its_session_decides(asker: Asker) -> None:
    before = asker.credentials()
    session = botocore.session.Session()
    session.set_config_variable("max_attempts", 7)

    assert asker.credentials(botocore_session=session) is not before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AWS_MAX_ATTEMPTS", "2"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("no_proxy", "example.com"),
        ("REQUESTS_CA_BUNDLE", "/etc/other.pem"),
        ("AWS_CONFIG_FILE", "/etc/other"),
    ],
)
def test_what_botocore_reads_from_the_environment_decides(
    asker: Asker, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asker.credentials()
    monkeypatch.setenv(name, text)

    assert asker.credentials() is not before


SERVICES = "services = x\n[services x]\nrolesanywhere =\n  endpoint_url = {}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "max_attempts = 2"),
        (SERVICES.format("http://127.0.0.1:9"), SERVICES.format("http://127.0.0.1:8")),
    ],
)
def test_what_the_config_file_says_by_now_decides(
    asker: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    config.write_text(f"[default]\n{before}\n")
    credentials = asker.credentials()
    config.write_text(f"[default]\n{after}\n")

    assert asker.credentials() is not credentials


def test_a_key_object_is_the_same_as_itself_alone(
    ca: CertificateAuthority, asker: Asker, emulator: Emulator
) -> None:
    issued = ca.issue("app")

    class Key:
        def public_key(self) -> object:
            return issued.private_key.public_key()

        def sign(self, data: bytes) -> bytes:
            raise AssertionError(data)

    key, other = Key(), Key()
    cert = issued.certificate_pem
    first = asker.credentials(cert=cert, key=key)
    assert asker.credentials(cert=cert, key=key) is first
    assert asker.credentials(cert=cert, key=other) is not first


def test_a_replaced_certificate_is_another_input(
    ca: CertificateAuthority, asker: Asker, paths: IssuedPaths
) -> None:
    before = asker.credentials()
    ca.issue("next").write(paths.certificate.parent)
    after = asker.credentials()

    assert after is not before
    assert after.session.source_identity == "CN=next"
    assert asker.credentials() is after


def test_credentials_that_have_followed_a_rotation_are_not_taken_for_the_old_ones(
    ca: CertificateAuthority, asker: Asker, paths: IssuedPaths
) -> None:
    old = {path: path.read_bytes() for path in (paths.certificate, paths.private_key)}
    running = asker.credentials()
    assert running.session.source_identity == "CN=app"
    ca.issue("next").write(paths.certificate.parent)
    running._state.held = None  # its time is over
    assert running.session.source_identity == "CN=next"
    for path, content in old.items():
        path.write_bytes(content)

    assert asker.credentials().session.source_identity == "CN=app"


def test_installed_providers_share_with_get_session(
    asker: Asker, emulator: Emulator, paths: IssuedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessions import set_variables

    set_variables(monkeypatch, paths, emulator)
    sessions = [boto3.Session() for _ in range(3)]
    for session in sessions:
        boto_rolesanywhere.install(session)
    sessions.append(boto_rolesanywhere.get_session())

    assert len({id(session.get_credentials()) for session in sessions}) == 1


def test_what_nobody_uses_any_more_is_let_go(asker: Asker) -> None:
    session = asker.session()
    credentials = ref(session.get_credentials())  # type: ignore[type-var]
    other = asker.credentials()
    del session
    gc.collect()
    assert credentials() is other

    del other
    gc.collect()
    assert credentials() is None


def test_a_child_has_what_its_parent_had(asker: Asker, emulator: Emulator) -> None:
    parents = asker.credentials()
    keys = parents.get_frozen_credentials()

    assert in_child(lambda: asker.credentials().get_frozen_credentials() == keys)
    assert emulator.created == 1

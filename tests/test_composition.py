"""From settings to credentials there is one way, and it goes through `composition`."""

from __future__ import annotations

import ast
import contextlib
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.exceptions import ProfileNotFound

import boto_rolesanywhere
from boto_rolesanywhere.cli.flags import add_flags
from boto_rolesanywhere.cli.inputs import inputs_from
from boto_rolesanywhere.cli.parser import Parser
from boto_rolesanywhere.credentials.cache_entry import read_entry
from boto_rolesanywhere.credentials.refreshing import SessionCredentials
from boto_rolesanywhere.errors import ConfigurationError, EndpointError, RolesAnywhereError
from boto_rolesanywhere.testing import CertificateAuthority, Emulator, IssuedCertificate

PACKAGE = Path(boto_rolesanywhere.__file__).parent
PARTS = {"SessionCreator", "RotatingIdentity", "SessionCredentials", "resolve"}


def calls_of_parts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in PARTS and not (name == "resolve" and isinstance(called, ast.Attribute)):
                yield name


def test_the_composition_alone_puts_the_parts_together() -> None:
    users = {
        str(path.relative_to(PACKAGE)): sorted(set(calls_of_parts(path)))
        for path in PACKAGE.rglob("*.py")
    }

    assert {path: names for path, names in users.items() if names} == {
        "composition.py": sorted(PARTS),
        "create_session/direct.py": [
            "RotatingIdentity",
            "resolve",
        ],  # the one exception, of a cold command
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pki"
    made.mkdir()
    return made


class Workload:
    """A process that holds a certificate and shares its sessions."""

    def __init__(self, emulator: Emulator, folder: Path, **more: object) -> None:
        arguments: dict[str, object] = {
            "cert": folder / "cert.pem",
            "key": folder / "key.pem",
            "anchor": emulator.trust_anchor_arn,
            "profile": emulator.profile_arn,
            "role": emulator.role_arn,
            "endpoint_url": emulator.endpoint_url,
            "cache": folder.parent / "cache",
        }
        session = boto_rolesanywhere.get_session(**arguments | more)  # type: ignore[arg-type]  # of several types
        self.credentials = held(session)

    def subject(self) -> str:
        """Whose session it holds, by what CloudTrail shows."""
        return str(self.credentials.session.source_identity)

    def renew(self) -> None:
        self.credentials._state.held = None


def held(session: boto3.Session) -> SessionCredentials:
    credentials = session.get_credentials()
    assert isinstance(credentials, SessionCredentials)
    return credentials


def put(folder: Path, *, cert: IssuedCertificate, key: IssuedCertificate) -> None:
    (folder / "cert.pem").write_bytes(cert.certificate_pem)
    (folder / "key.pem").write_bytes(key.private_key_pem)


def test_a_renewal_amidst_a_rotation_leaves_nothing_to_the_new_identity(
    ca: CertificateAuthority, emulator: Emulator, folder: Path
) -> None:
    old, new = ca.issue("old"), ca.issue("new")
    put(folder, cert=old, key=old)
    running = Workload(emulator, folder)
    assert running.subject() == "CN=old"
    entries = set((folder.parent / "cache").glob("*.session"))

    put(folder, cert=new, key=old)
    running.renew()
    assert running.subject() == "CN=old"  # the new certificate cannot be used yet
    assert set((folder.parent / "cache").glob("*.session")) == entries

    put(folder, cert=new, key=new)
    assert Workload(emulator, folder).subject() == "CN=new"
    running.renew()
    assert running.subject() == "CN=new"


def test_of_two_certificates_in_one_file_the_key_decides(
    ca: CertificateAuthority, emulator: Emulator, folder: Path
) -> None:
    old, new = ca.issue("old"), ca.issue("new")
    (folder / "cert.pem").write_bytes(old.certificate_pem + new.certificate_pem)

    for issued in (old, new, old):
        (folder / "key.pem").write_bytes(issued.private_key_pem)
        assert Workload(emulator, folder).subject() == issued.certificate.subject.rfc4514_string()
    assert emulator.created == 2


def test_files_that_change_after_the_look_do_not_change_whose_entry_it_is(
    ca: CertificateAuthority, emulator: Emulator, folder: Path
) -> None:
    """The pair is swapped between the look into the cache and the call."""
    old, new = ca.issue("old"), ca.issue("new")
    put(folder, cert=old, key=old)
    running = Workload(emulator, folder)

    lock_seen: list[object] = []

    def swap_when_locked(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(".lock") and not lock_seen:
            lock_seen.append(arguments[0])
            put(folder, cert=new, key=new)

    sys.addaudithook(swap_when_locked)
    assert running.subject() == "CN=new"
    put(folder, cert=old, key=old)

    assert lock_seen
    assert Workload(emulator, folder).subject() == "CN=old"


def test_a_session_without_a_checked_endpoint_is_not_shared(
    ca: CertificateAuthority,
    emulator: Emulator,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    issued = ca.issue("app")
    put(folder, cert=issued, key=issued)
    checked = Workload(emulator, folder)
    assert checked.subject()

    unchecked = Workload(emulator, folder, verify=False)
    assert unchecked.subject()
    assert emulator.created == 2

    assert len(list((folder.parent / "cache").glob("*.session"))) == 1
    assert "The argument cache has no effect" in caplog.text


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_an_empty_ca_bundle_counts_as_not_set(
    ca: CertificateAuthority, folder: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = ca.issue("app")
    put(folder, cert=issued, key=issued)
    monkeypatch.setenv(variable, "")
    with Emulator(ca, tls=True) as emulator:
        with pytest.raises(EndpointError, match="unable to get local issuer certificate"):
            Workload(emulator, folder, cache=False).subject()  # its failure would be shared
        assert Workload(emulator, folder, verify=str(emulator.ca_bundle_path)).subject()


CONFIGURED = """[default]
Endpoint_URL = {url}
"""


@pytest.mark.parametrize("place", ["config", "credentials", "session"])
def test_each_endpoint_has_its_own_sessions(
    ca: CertificateAuthority,
    emulator: Emulator,
    folder: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued = ca.issue("app")
    put(folder, cert=issued, key=issued)
    arns = {
        f"{name}_arn": getattr(emulator, f"{name}_arn")
        for name in ("trust_anchor", "profile", "role")
    }
    with Emulator(ca, **arns) as other:
        for number, endpoint in enumerate((emulator, other)):
            text = CONFIGURED.format(url=endpoint.endpoint_url)
            file = folder / f"file{number}"
            file.write_text(text)
            session = botocore.session.Session()
            if place == "session":
                session.set_config_variable("config_file", str(file))
            else:
                variable = {"config": "CONFIG", "credentials": "SHARED_CREDENTIALS"}[place]
                monkeypatch.setenv(f"AWS_{variable}_FILE", str(file))
            workload = Workload(emulator, folder, endpoint_url=None, botocore_session=session)
            assert workload.credentials.get_frozen_credentials().access_key
        assert (emulator.created, other.created) == (1, 1)


@pytest.mark.parametrize("text", [None, "no header\n"], ids=["no profile", "no INI file"])
def test_library_and_command_have_the_same_words(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(text or "[profile ours]\nrolesanywhere_role_arn = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    parser = Parser(prog="try")
    add_flags(parser)

    with pytest.raises(ConfigurationError) as of_library:
        boto_rolesanywhere.get_session(profile_name="gone")
    with pytest.raises(ConfigurationError) as of_command:
        inputs_from(parser.parse_args(["--config-profile", "gone"]), environ=os.environ)

    assert of_library.value.remedy == of_command.value.remedy
    assert type(of_library.value) is type(of_command.value)
    assert isinstance(of_library.value, ProfileNotFound) == (text is None)
    if text:
        assert str(of_library.value) == str(of_command.value)


RACE_SECONDS = float(os.environ.get("RACE_SECONDS", "1.5"))  # 60 for a long look


class Race:
    """Swaps certificate and key at random while two workloads make, use and lose sessions."""

    def __init__(self, emulator: Emulator, folder: Path, pairs: list[IssuedCertificate]) -> None:
        self.emulator, self.folder, self.pairs = emulator, folder, pairs
        self.cache = folder.parent / "cache"
        self.wrong: list[str] = []
        self.subjects: dict[str, str] = {}  # by the key of the entry that a whole pair gets
        for issued in pairs:
            put(folder, cert=issued, key=issued)
            subject = Workload(emulator, folder).subject()
            (key,) = {path.stem for path in self.cache.glob("*.session")} - set(self.subjects)
            self.subjects[key] = subject
        self.ends_at = time.monotonic() + RACE_SECONDS

    def run(self) -> None:
        threads = [threading.Thread(target=task) for task in (self._swap, self._use, self._use)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _swap(self) -> None:
        chance = random.Random(1)
        while time.monotonic() < self.ends_at:
            for name in chance.sample(["cert.pem", "key.pem"], 2):
                issued = chance.choice(self.pairs)
                fresh = self.folder / f".{name}"
                fresh.write_bytes(
                    issued.certificate_pem if name == "cert.pem" else issued.private_key_pem
                )
                fresh.replace(self.folder / name)
            time.sleep(chance.random() / 200)

    def _use(self) -> None:
        while time.monotonic() < self.ends_at:
            with contextlib.suppress(RolesAnywhereError):  # the pair does not fit just now
                workload = Workload(self.emulator, self.folder)
                for _ in range(3):
                    workload.subject()
                    workload.renew()
            self._look()

    def _look(self) -> None:
        for key, subject in self.subjects.items():
            entry = read_entry(str(self.cache), key)
            if entry is not None and f'"source_identity": "{subject}"' not in entry.details:
                self.wrong.append(f"{subject}: {entry.details}")
            (self.cache / f"{key}.session").unlink(missing_ok=True)


def test_while_files_are_swapped_no_entry_holds_another_identity(
    ca: CertificateAuthority, emulator: Emulator, folder: Path
) -> None:
    race = Race(emulator, folder, [ca.issue("old"), ca.issue("new")])

    race.run()

    assert race.wrong == []
    assert emulator.created > 4

"""``boto-rolesanywhere credential-process`` as SDKs start it, against the emulator."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import processes
import pytest
from commands import COMMAND, arns, complaint, environment, identity, run
from soft_token import PIN, SOFTHSM, soft_token

import boto_rolesanywhere
from boto_rolesanywhere.credentials.cache_entry import Entry
from boto_rolesanywhere.credentials.failure_mark import FailureMark
from boto_rolesanywhere.credentials.turn import take_flock
from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.faults import ErrorStatus

CA = CertificateAuthority()
HEAVY = ("boto3", "botocore", "cryptography", "argparse", "json", "re", "typing", "dataclasses")


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with Emulator(CA, accept_role_session_name=True) as emulator:
        yield emulator


class Caller:
    """One user: a home, a certificate, and the command line that asks the emulator."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator = emulator
        self.home = home
        self.paths = CA.issue("web").write(home / "pki")
        self.flags = (*identity(self.paths), *arns(emulator))
        self.before = emulator.created

    def run(
        self, *more: str, flags: tuple[str, ...] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        given = self.flags if flags is None else flags
        return run("credential-process", *given, *more, env=environment(self.home, **variables))

    def key_id(self, *more: str, warned: bool = False, **variables: str) -> str:
        done = self.run(*more, **variables)
        assert done.returncode == 0, done.stderr.decode()
        assert bool(done.stderr) == warned, done.stderr.decode()
        found: str = json.loads(done.stdout)["AccessKeyId"]
        return found

    @property
    def created(self) -> int:
        return self.emulator.created - self.before

    @property
    def folder(self) -> Path:
        return self.home / ".cache" / "boto_rolesanywhere"

    def entry(self) -> tuple[Path, Entry]:
        (path,) = self.folder.glob("*.session")
        entry = Entry.from_bytes(path.read_bytes())
        assert entry is not None
        return path, entry

    def age(self, *, advisory: bool = True, mandatory: bool = False, ended: bool = False) -> None:
        """Let the cached session be due, without waiting for it."""
        path, entry = self.entry()
        entry.received -= 10
        entry.boot -= 10
        for name, due in (("advisory", advisory), ("mandatory", mandatory), ("expiry", ended)):
            if due:
                setattr(entry, name, entry.received + 1)
        path.write_bytes(entry.to_bytes())


@pytest.fixture
def caller(shared: Emulator, tmp_path: Path) -> Caller:
    return Caller(shared, tmp_path / "me")


def test_it_prints_the_credentials_and_nothing_else(caller: Caller) -> None:
    done = caller.run()

    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert sorted(answer) == [
        *("AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "SessionToken", "Version")
    ]
    assert done.stdout.startswith(b'{"Version":1,"AccessKeyId":"ASIA')  # scripts cut it with sed
    assert answer["Version"] == 1
    assert answer["AccountId"] == caller.emulator.account
    assert answer["AccessKeyId"] == caller.emulator.requests[-1].access_key_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["Expiration"])
    assert done.stdout.count(b"\n") == 1


def test_boto3_gets_credentials_through_it(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    config = caller.home / "config"
    command = " ".join((*COMMAND, "credential-process", *caller.flags))
    config.write_text(f"[profile onprem]\ncredential_process = {command}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(caller.home))
    # As the AWS CLI sets it for the command too, which must not ask that profile in turn.
    monkeypatch.setenv("AWS_PROFILE", "onprem")

    credentials = boto3.Session().get_credentials()

    assert credentials is not None
    frozen = credentials.get_frozen_credentials()
    assert frozen.access_key == caller.emulator.requests[-1].access_key_id
    assert frozen.token
    assert caller.created == 1


def test_the_second_process_asks_nobody(caller: Caller) -> None:
    assert caller.key_id() == caller.key_id()
    assert caller.created == 1


def test_a_hit_loads_nothing_that_takes_time(caller: Caller) -> None:
    caller.key_id()
    program = (
        "import sys; before = set(sys.modules)\n"
        "from boto_rolesanywhere.cli import main\n"
        f"status = main({['credential-process', *caller.flags]!r})\n"
        f"loaded = {set(HEAVY)!r} & (set(sys.modules) - before)\n"
        "sys.exit(str(sorted(loaded)) if loaded else status)"
    )
    # -S: site may bring some of them for its own ends; -P would hide the package in a checkout.
    bare = environment(caller.home, PYTHONPATH=str(Path(boto_rolesanywhere.__file__).parents[1]))
    done = run(env=bare, program=(sys.executable, "-S", "-c", program))

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ASIA" in done.stdout
    assert caller.created == 1


@pytest.mark.skipif(os.getuid() != 0, reason="becomes a user that the machine does not know")
def test_without_a_home_it_works_uncached(caller: Caller) -> None:
    nobody = ("setpriv", "--ruid=54321", "env", "--unset=HOME")
    env = environment(caller.home)

    done = run("credential-process", *caller.flags, env=env, program=(*nobody, *COMMAND))

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    told = "Nothing is cached: there is no home folder. Set AWS_ROLESANYWHERE_CACHE_DIR."
    assert done.stderr.decode() == f"boto-rolesanywhere: {told}\n"

    paths, emulator = caller.paths, caller.emulator
    five = [paths.certificate, paths.private_key, emulator.trust_anchor_arn]
    five += [emulator.profile_arn, emulator.role_arn]
    asked = "import boto_rolesanywhere as ours, sys; ours.get_session(*sys.argv[1:], cache=True)"
    done = run(*five, env=env, program=(*nobody, sys.executable, "-c", asked))
    assert b"this user has no home folder to cache sessions in" in done.stderr


def test_one_session_however_the_settings_come(caller: Caller) -> None:
    emulator = caller.emulator
    settings = {
        "certificate": str(caller.paths.certificate),
        "private_key": str(caller.paths.private_key),
        "trust_anchor_arn": emulator.trust_anchor_arn,
        "profile_arn": emulator.profile_arn,
        "role_arn": emulator.role_arn,
        "endpoint_url": emulator.endpoint_url,
    }
    config = caller.home / "config"
    lines = "".join(f"rolesanywhere_{name} = {value}\n" for name, value in settings.items())
    config.write_text(f"[default]\nregion = us-east-1\n\n[profile onprem]\n{lines}")
    variables = {f"AWS_ROLESANYWHERE_{name.upper()}": value for name, value in settings.items()}

    def answer(*flags: str, **environ: str) -> bytes:
        done = caller.run(flags=flags, **environ)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    by_profile = answer("--config-profile", "onprem", AWS_CONFIG_FILE=str(config))
    by_variable = answer(**variables)
    by_flag = answer(*caller.flags, AWS_ROLESANYWHERE_DURATION_SECONDS="3600")

    assert by_profile == by_variable
    assert by_flag == answer(*caller.flags)  # asks for an hour, as AWS's helper does
    assert caller.created == 2


def test_the_library_shares_it_if_asked_to(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(caller.home))

    def key_id(*, cache: bool | str) -> str:
        session = boto_rolesanywhere.get_session(
            cert=caller.paths.certificate,
            key=caller.paths.private_key,
            anchor=caller.emulator.trust_anchor_arn,
            profile=caller.emulator.profile_arn,
            role=caller.emulator.role_arn,
            endpoint_url=caller.emulator.endpoint_url,
            duration=3600,  # which the flags ask for
            cache=cache,
        )
        credentials = session.get_credentials()
        assert credentials is not None
        return credentials.get_frozen_credentials().access_key

    first = key_id(cache=True)
    assert caller.key_id() == first
    assert key_id(cache=True) == first
    assert key_id(cache=str(caller.folder)) == first
    assert key_id(cache=False) != first
    assert caller.created == 2


def test_other_inputs_are_another_session(caller: Caller) -> None:
    first = caller.key_id()

    assert caller.key_id("--role-session-name", "me") != first
    assert caller.key_id("--session-duration", "900") != first
    CA.issue("web").write(caller.paths.certificate.parent)
    assert caller.key_id() != first
    assert caller.created == 4


def test_the_cache_can_be_left_out_renewed_and_put_elsewhere(caller: Caller) -> None:
    first = caller.key_id()

    assert caller.key_id("--no-cache") != first
    assert caller.key_id() == first
    renewed = caller.key_id("--force-refresh")
    assert renewed != first
    assert caller.key_id() == renewed
    elsewhere = caller.key_id("--cache-dir", str(caller.home / "elsewhere"))
    assert elsewhere != renewed
    assert caller.key_id(AWS_ROLESANYWHERE_CACHE_DIR=str(caller.home / "elsewhere")) == elsewhere
    assert caller.created == 4


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_user_may_read_what_is_kept(caller: Caller) -> None:
    caller.key_id()

    path, _ = caller.entry()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_session_that_is_due_is_renewed(caller: Caller) -> None:
    first = caller.key_id()
    caller.age(advisory=True)
    second = caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    third = caller.key_id()

    assert len({first, second, third}) == 3
    assert caller.key_id() == third
    assert caller.created == 3


def test_a_failed_renewal_leaves_the_good_session_in_use(caller: Caller) -> None:
    first = caller.key_id()
    caller.age(advisory=True, mandatory=True)
    with caller.emulator.injected(ErrorStatus()):
        done = caller.run()

    assert json.loads(done.stdout)["AccessKeyId"] == first
    assert done.returncode == 0
    warning = done.stderr.decode()
    assert warning.startswith("boto-rolesanywhere: The session was not renewed; the cached one")
    assert warning.count("\n") == 1
    # For a while nobody tries again.
    assert caller.key_id() == first
    assert caller.created == 1


def test_a_corrupt_entry_is_replaced(caller: Caller) -> None:
    first = caller.key_id()
    path, _ = caller.entry()
    path.write_bytes(path.read_bytes()[:-1])

    assert caller.key_id() != first
    assert caller.created == 2


def test_an_ended_session_whose_renewal_fails_is_an_error(caller: Caller) -> None:
    caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    with caller.emulator.injected(ErrorStatus(403, "AccessDeniedException", "no")):
        assert "CreateSession" in complaint(caller.run())


def test_until_a_pause_is_over_other_processes_report_the_same_failure(caller: Caller) -> None:
    attempts = len(caller.emulator.requests)
    with caller.emulator.injected(ErrorStatus(403, "AccessDeniedException", "no")):
        first = complaint(caller.run())
        program = (
            "import sys; before = set(sys.modules)\n"
            "from boto_rolesanywhere.cli import main\n"
            f"status = main({['credential-process', *caller.flags]!r})\n"
            f"loaded = {set(HEAVY)!r} & (set(sys.modules) - before)\n"
            "sys.exit(str(sorted(loaded)) if loaded else status)"
        )
        path = str(Path(boto_rolesanywhere.__file__).parents[1])
        bare = environment(caller.home, PYTHONPATH=path)
        (mark,) = caller.folder.glob("*.failed")
        read = FailureMark.from_bytes(mark.read_bytes())
        assert read is not None
        read.until += 60  # so that its pause outlasts the start of the next process
        mark.write_bytes(read.to_bytes())
        second = complaint(run(env=bare, program=(sys.executable, "-S", "-c", program))).strip()
        words, _, code = first.strip().rpartition(" ")
        assert second.startswith(f"{words} Another call failed so ")
        assert second.endswith(code)
        assert len(caller.emulator.requests) == attempts + 1
        complaint(caller.run("--no-cache"))
        complaint(caller.run("--force-refresh"))
        assert len(caller.emulator.requests) == attempts + 3
    assert caller.key_id("--force-refresh") == caller.key_id()
    assert not list(caller.folder.glob("*.failed"))


def test_16_processes_that_start_at_once_share_one_failure(caller: Caller) -> None:
    attempts = len(caller.emulator.requests)
    # The pause that the service asks for outlasts the start of the last process.
    fault = ErrorStatus(429, "ThrottlingException", "no", retry_after_seconds=60)
    with caller.emulator.injected(fault):
        started = [
            processes.Process(
                "credential-process",
                *caller.flags,
                env=environment(caller.home),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(16)
        ]
        answers = [one.communicate() for one in started]

    assert {one.returncode for one in started} == {1}
    assert {out for out, _ in answers} == {b""}
    assert all(b"ThrottlingException, HTTP 429): no." in err for _, err in answers)
    assert len(caller.emulator.requests) == attempts + 1


def test_64_processes_that_start_at_once_ask_once(caller: Caller) -> None:
    started = [
        processes.Process(
            "credential-process",
            *caller.flags,
            env=environment(caller.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(64)
    ]
    answers = {one.communicate() for one in started}

    assert {one.returncode for one in started} == {0}
    assert len(answers) == 1
    assert next(iter(answers))[1] == b""
    assert caller.created == 1


def test_without_a_fit_folder_there_are_credentials_and_a_warning(caller: Caller) -> None:
    done = caller.run("--cache-dir", str(caller.paths.certificate))

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert b"boto-rolesanywhere: No session is cached in " in done.stderr


def test_who_waits_for_another_process_loads_nothing_that_takes_time(caller: Caller) -> None:
    caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    path, entry = caller.entry()
    program = (
        "import sys, time; before, sleep = set(sys.modules), time.sleep\n"
        "def waiting(seconds):\n"
        "    print('waiting', file=sys.stderr, flush=True); sleep(seconds)\n"
        "time.sleep = waiting\n"
        "from boto_rolesanywhere.cli import main\n"
        f"status = main({['credential-process', *caller.flags]!r})\n"
        f"loaded = {set(HEAVY)!r} & (set(sys.modules) - before)\n"
        "sys.exit(str(sorted(loaded)) if loaded else status)"
    )
    bare = environment(caller.home, PYTHONPATH=str(Path(boto_rolesanywhere.__file__).parents[1]))
    release = take_flock(str(caller.folder / f"{path.stem[:2]}.lock"))
    assert release is not None
    with subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        env=bare,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        entry.advisory = entry.mandatory = entry.expiry = entry.received + 3600
        path.write_bytes(entry.to_bytes())
        out, err = process.communicate(timeout=60)
    release()

    assert process.returncode == 0, err
    assert set(err.split()) <= {"waiting"}
    assert out == f"{entry.answer}\n"
    assert caller.created == 1


def test_who_waited_in_vain_renews_it(caller: Caller) -> None:
    first = caller.key_id()
    caller.age(advisory=True, mandatory=True, ended=True)
    path, _ = caller.entry()
    holder = os.fork()
    if holder == 0:
        take_flock(str(caller.folder / f"{path.stem[:2]}.lock"))
        os.kill(os.getpid(), signal.SIGSTOP)
    os.waitpid(holder, os.WUNTRACED)
    waiting = processes.Process(
        *("credential-process", *caller.flags),
        env=environment(caller.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.kill(holder, signal.SIGKILL)  # its lock goes with it
    os.waitpid(holder, 0)
    out, err = waiting.communicate()

    assert err == b""
    assert json.loads(out)["AccessKeyId"] != first
    assert caller.created == 2


def test_where_filelock_is_needed_and_missing_there_are_credentials_and_a_hint(
    caller: Caller,
) -> None:
    program = (
        "import sys; sys.modules['filelock'] = None\n"
        "from boto_rolesanywhere.credentials import turn; turn.NEEDS_FILELOCK = True\n"
        "from boto_rolesanywhere.cli import main; sys.exit(main())"
    )
    done = run(
        "credential-process",
        *caller.flags,
        env=environment(caller.home),
        program=(sys.executable, "-c", program),
    )

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert b"pip install 'boto_rolesanywhere[cli]', or say --no-cache" in done.stderr
    assert not caller.folder.exists()


def test_without_locks_there_are_credentials_and_a_warning(caller: Caller) -> None:
    caller.key_id()
    path, _ = caller.entry()
    caller.age(advisory=True, mandatory=True, ended=True)
    lock = caller.folder / f"{path.stem[:2]}.lock"
    lock.unlink()
    lock.mkdir()  # cannot be opened, as a file on a file system without locks cannot be locked

    done = caller.run()

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert done.stderr.startswith(b"boto-rolesanywhere: Sessions in ")
    assert b"are renewed without a lock: " in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "no arguments were given, and nothing is configured"),
        (("--certificate", "x.pem"), "trust anchor ARN (--trust-anchor-arn or AWS_ROLESANYWHERE"),
        (("--nope",), "there is no flag --nope (did you mean --no-cache?). See"),
        (("--certificate", "x", "--cert-selector", "y"), "--certificate and --cert-selector were"),
        (("--config-profile", "gone"), "there is no profile 'gone' in the AWS config file"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(
    caller: Caller, flags: tuple[str, ...], words: str
) -> None:
    assert words in complaint(caller.run(flags=flags))
    assert caller.created == 0


def test_a_lost_certificate_is_named(caller: Caller) -> None:
    caller.paths.certificate.unlink()

    message = complaint(caller.run())

    assert f"{caller.paths.certificate}: there is no such file" in message


def test_with_debug_it_tells_what_it_does_and_no_secret(caller: Caller) -> None:
    done = caller.run("--debug", "--pkcs8-password", "pa55word")

    answer = json.loads(done.stdout)
    told = done.stderr.decode()
    assert "CreateSession" in told
    assert done.returncode == 0
    for secret in (answer["SecretAccessKey"], answer["SessionToken"], "pa55word"):
        assert secret not in told
    assert "Signature=" not in told
    assert caller.paths.private_key.read_text().split("\n")[1] not in told


def test_an_unchecked_endpoint_is_warned_of_once(tmp_path: Path) -> None:
    with Emulator(CA, tls=True) as emulator:
        caller = Caller(emulator, tmp_path)

        assert "beside the system's store" in complaint(caller.run())
        done = caller.run("--no-verify-ssl")

        assert b"ASIA" in done.stdout
        warning = done.stderr.decode()
        assert warning.startswith("boto-rolesanywhere: --no-verify-ssl: the endpoint's TLS")
        assert warning.count("\n") == 1


def test_a_session_from_an_unchecked_endpoint_is_not_shared(tmp_path: Path) -> None:
    with Emulator(CA, tls=True) as emulator:
        caller = Caller(emulator, tmp_path)
        bundle = {"AWS_CA_BUNDLE": str(emulator.ca_bundle_path)}

        unchecked = caller.key_id("--no-verify-ssl", warned=True)
        assert not caller.folder.exists()
        checked = caller.key_id(**bundle)
        again = caller.key_id("--no-verify-ssl", warned=True)

        assert caller.key_id(**bundle) == checked
        assert len({unchecked, checked, again}) == 3


def test_each_endpoint_has_its_own_session(caller: Caller) -> None:
    """The credentials file counts for botocore too, and the case of a key does not."""
    caller.flags = tuple(
        word for word in caller.flags if "--endpoint" not in word and "http" not in word
    )
    files = {name: caller.home / name for name in ("config", "credentials")}
    files["config"].write_text("[default]\n")
    variables = {
        "AWS_CONFIG_FILE": str(files["config"]),
        "AWS_SHARED_CREDENTIALS_FILE": str(files["credentials"]),
    }
    arns = {
        f"{name}_arn": getattr(caller.emulator, f"{name}_arn")
        for name in ("trust_anchor", "profile", "role")
    }
    with Emulator(CA, **arns) as other:
        found = []
        for emulator in (caller.emulator, other, caller.emulator, other):
            files["credentials"].write_text(f"[default]\nEndpoint_URL = {emulator.endpoint_url}\n")
            found.append(caller.key_id(**variables))

        assert found[:2] == found[2:]
        assert (caller.created, other.created) == (1, 1)


def test_proxies_are_honoured_with_or_without_the_flag(caller: Caller) -> None:
    nowhere = "http://127.0.0.1:9"
    for more in ((), ("--with-proxy",)):
        done = caller.run(*more, HTTP_PROXY=nowhere, http_proxy=nowhere)
        assert "127.0.0.1:9" in complaint(done)


def test_an_encrypted_key_opens_by_flag_variable_or_file(caller: Caller) -> None:
    paths = CA.issue("web").write(caller.home / "encrypted", passphrase="pa55word")
    caller.flags = (*identity(paths), *arns(caller.emulator), "--no-cache")
    secret = caller.home / "secret"
    secret.write_text("pa55word\n")

    assert caller.key_id("--pkcs8-password", "pa55word")
    assert caller.key_id("--pkcs8-password-env", "MINE", MINE="pa55word")
    assert caller.key_id("--pkcs8-password-file", str(secret))
    assert "--pkcs8-password-env MINE" in complaint(
        caller.run("--pkcs8-password-env", "MINE", MINE="wrong")
    )


def test_a_certificate_is_chosen_from_a_folder(caller: Caller) -> None:
    store = caller.home / "store"
    for name in ("web", "mail"):
        CA.issue(name).write(store, name=name)
    caller.flags = (*arns(caller.emulator), "--cert-store", str(store))

    first = caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=mail")

    assert caller.emulator.requests[-1].access_key_id == first
    assert caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=mail") == first
    assert caller.key_id("--cert-selector", "Key=x509Subject,Value=CN=web") != first
    assert caller.created == 2


def test_a_profile_says_what_opens_the_store(caller: Caller) -> None:
    store = caller.home / "store"
    CA.issue("web").write(store, name="web", passphrase="pa55word")
    file = caller.home / "passphrase"
    file.write_text("pa55word")
    config = caller.home / "config"
    config.write_text(f"[profile p]\nrolesanywhere_private_key_passphrase_file = {file}\n")
    caller.flags = (*arns(caller.emulator), "--cert-store", str(store), "--config-profile", "p")

    key = caller.key_id(
        "--cert-selector", "Key=x509Subject,Value=CN=web", AWS_CONFIG_FILE=str(config)
    )

    assert caller.emulator.requests[-1].access_key_id == key


def test_a_certificate_is_chosen_from_a_token(caller: Caller) -> None:
    issuing = CA.issue_intermediate("Issuing")
    old, new = issuing.issue("web"), issuing.issue("mail")
    with soft_token() as token:
        for number, (name, one) in enumerate((("old", old), ("new", new)), 1):
            token.add_key(one.private_key, label=name, id_=f"0{number}")
            token.add_public_key(one.private_key.public_key(), label=name, id_=f"0{number}")
            token.add_certificate(one.certificate, label=name, id_=f"0{number}")
        token.add_certificate(new.certificate, label="copy", id_="02")  # as some tools leave one
        token.add_certificate(new.chain[0], label="issuing", id_="09")
        pin = caller.home / "pin"
        pin.write_text(f"{PIN}\n")
        selector = ("--cert-selector", "Key=x509Subject,Value=CN=mail", "--pkcs11-lib", SOFTHSM)
        caller.flags = (*arns(caller.emulator), *selector)

        by_file = ("--cert-store", token.uri, "--pkcs11-pin-file", str(pin))
        first = caller.key_id(*by_file)
        assert caller.key_id(*by_file) == first
        in_uri = caller.key_id("--cert-store", f"{token.uri}?pin-value={PIN}")
        by_variable = caller.key_id(
            *("--cert-store", token.uri, "--no-cache"),
            AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE=PIN,
        )
        assert len({first, in_uri, by_variable}) == 3

    assert caller.created == 3
    assert caller.emulator.requests[-1].certificate_serial == new.serial_number


def test_help_teaches_with_an_example() -> None:
    done = run("credential-process", "--help", env=environment(Path("/nowhere")))

    text = done.stdout.decode()
    assert done.returncode == 0
    for words in ("credential_process = boto-rolesanywhere", "--no-cache", "--force-refresh"):
        assert words in text

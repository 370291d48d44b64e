"""Sessions that ``credential-process`` keeps for the next process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from cached_command import CA, HEAVY, Caller
from commands import COMMAND, arns, complaint, environment, identity, run

import boto_rolesanywhere
from boto_rolesanywhere.testing.faults import ErrorStatus


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
    told = "Nothing is cached: this user has no home folder to cache sessions in. Name a folder"
    told += " (`cache`, --cache-dir), or set AWS_ROLESANYWHERE_CACHE_DIR."
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
def test_a_wrong_passphrase_is_noticed_where_the_key_is_opened(caller: Caller) -> None:
    paths = CA.issue("web").write(caller.home / "encrypted", passphrase="pa55word")
    caller.flags = (*identity(paths), *arns(caller.emulator))
    first = caller.key_id("--pkcs8-password", "pa55word")

    assert caller.key_id("--pkcs8-password", "wrong") == first
    refused = complaint(caller.run("--pkcs8-password", "wrong", "--no-cache"))
    assert "[passphrase-wrong]" in refused


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
        done = caller.run(AWS_MAX_ATTEMPTS="1")

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


def test_without_a_fit_folder_there_are_credentials_and_a_warning(caller: Caller) -> None:
    done = caller.run("--cache-dir", str(caller.paths.certificate))

    assert done.returncode == 0
    assert b"ASIA" in done.stdout
    assert b"boto-rolesanywhere: No session is cached in " in done.stderr

"""``exec`` as a process: what the command gets, what it does not, and who hears which signal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import processes
import pytest
from older import AGING, DUE

from boto_rolesanywhere.testing import Emulator

PATIENCE = 30.0
SHOW_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
SHOW_KEY = """
import boto3
credentials = boto3.Session().get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)
"""
OTHER_SOURCES = {
    "AWS_ACCESS_KEY_ID": "AKIAOTHER",
    "AWS_SECRET_ACCESS_KEY": "other",
    "AWS_SECURITY_TOKEN": "other",
    "AWS_PROFILE": "other",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/other",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/other",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/other",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/other",
    "AWS_BEARER_TOKEN_BEDROCK": "other",
    "AWS_BEARER_TOKEN_TOMORROW": "other",
    "AWS_CREDENTIAL_FILE": "/other",
    "AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth",
    "AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE": "hush",
    "KEPT": "kept",
}
both_ways = pytest.mark.parametrize("way", [[], ["--serve"]], ids=["keys", "endpoint"])


@pytest.fixture
def aws_files(clean_environment: Path) -> Path:
    """The folder of the AWS config files, with a profile that OTHER_SOURCES names."""
    folder = clean_environment / ".aws"
    folder.mkdir()
    (folder / "config").write_text("[profile other]\nregion = us-west-2\n")
    return folder


def words_of(arguments: Sequence[str], command: Sequence[str]) -> list[str]:
    return ["exec", *arguments, "--", *command]


def run(
    arguments: Sequence[str], *command: str, given: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    return processes.run(
        *words_of(arguments, command),
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environ},
    )


def python(arguments: Sequence[str], code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(arguments, sys.executable, "-c", code, **environ)


def environment(arguments: Sequence[str], **environ: str) -> dict[str, str]:
    done = python(arguments, SHOW_ENVIRONMENT, **environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def last_key(emulator: Emulator) -> str | None:
    return emulator.requests[-1].access_key_id


@both_ways
def test_boto3_in_the_command_uses_the_role(
    emulator: Emulator, flags: list[str], way: list[str]
) -> None:
    done = python([*flags, *way], SHOW_KEY)

    method = "container-role" if way else "env"
    assert done.stdout == f"{method} {last_key(emulator)}\n", done.stderr
    assert emulator.created == 1


@both_ways
def test_the_command_uses_the_role_whatever_else_is_configured(
    emulator: Emulator, flags: list[str], way: list[str], aws_files: Path
) -> None:
    (aws_files / "credentials").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n"
    )
    with (aws_files / "config").open("a") as config:
        config.write("[default]\ncredential_process = /bin/false\n")
    done = python([*flags, *way], SHOW_KEY, **OTHER_SOURCES)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == last_key(emulator)


@both_ways
def test_the_commands_environment_has_no_other_source_and_no_passphrase(
    emulator: Emulator, flags: list[str], way: list[str], aws_files: Path
) -> None:
    secret = ["--pkcs8-password-env", "MY_PASSPHRASE"]
    other = {**OTHER_SOURCES, "MY_PASSPHRASE": "hush", "AWS_RETRY_MODE": "standard"}
    del other["AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE"]
    env = environment([*flags, *way, *secret], **other)

    assert env["KEPT"] == "kept"
    assert env["AWS_RETRY_MODE"] == "standard"
    ours = {
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        *("AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    }
    if not way:
        ours = {
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            *("AWS_CREDENTIAL_EXPIRATION", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCOUNT_ID"),
        }
    assert set(env) & (ours | set(other)) == ours | {"KEPT", "AWS_RETRY_MODE"}
    assert "other" not in {value for name, value in env.items() if name.startswith("AWS_")}
    assert "hush" not in env.values()


@both_ways
def test_the_command_has_the_file_limits_that_were_there(
    flags: list[str], way: list[str], aws_files: Path
) -> None:
    limits = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    done = python([*flags, *way], limits)

    assert done.stdout.split() == [str(number) for number in before], done.stderr


def test_a_pin_in_a_uri_is_not_passed_on(flags: list[str]) -> None:
    given = {
        "AWS_ROLESANYWHERE_PRIVATE_KEY": "pkcs11:token=t?pin-value=4711",
        "AWS_ROLESANYWHERE_CERTIFICATE": "pkcs11:token=t",
    }

    found = environment(flags, **given)

    assert found["AWS_ROLESANYWHERE_CERTIFICATE"] == "pkcs11:token=t"
    assert "4711" not in json.dumps(found)


def test_the_variable_that_the_environment_names_is_not_passed_on(flags: list[str]) -> None:
    named = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV": "LOCK", "LOCK": "hunter2"}

    assert "hunter2" not in json.dumps(environment(flags, **named))


def test_the_passphrase_in_the_usual_variable_is_not_passed_on(flags: list[str]) -> None:
    env = environment(flags, AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE="hush")

    assert "hush" not in env.values()


def test_the_variable_that_a_profile_names_is_not_passed_on(
    flags: list[str], aws_files: Path
) -> None:
    with (aws_files / "config").open("a") as config:
        config.write("rolesanywhere_private_key_passphrase_env = MY_PASSPHRASE\n")
    env = environment([*flags, "--config-profile", "other"], MY_PASSPHRASE="hush")

    assert "hush" not in env.values()


def test_keys_come_with_their_end(emulator: Emulator, flags: list[str]) -> None:
    env = environment(flags)

    assert env["AWS_ACCESS_KEY_ID"] == last_key(emulator)
    assert env["AWS_CREDENTIAL_EXPIRATION"].endswith("Z")
    assert env["AWS_ACCOUNT_ID"] == emulator.account


def test_the_config_file_is_hidden_only_if_its_default_profile_has_credentials(
    flags: list[str], aws_files: Path
) -> None:
    assert "AWS_CONFIG_FILE" not in environment([*flags, "--serve"])

    (aws_files / "config").write_text("[default]\ncredential_process = /bin/false\n")
    assert environment([*flags, "--serve"])["AWS_CONFIG_FILE"] == os.devnull
    assert "AWS_CONFIG_FILE" not in environment(flags)


@pytest.mark.parametrize(
    ("environ", "newer", "older"),
    [
        ({}, "eu-west-1", "eu-west-1"),
        ({"AWS_PROFILE": "other"}, "us-west-2", "us-west-2"),
        ({"AWS_REGION": "ap-south-1"}, "ap-south-1", "ap-south-1"),
        ({"AWS_DEFAULT_REGION": "ap-south-1"}, "ap-south-1", "ap-south-1"),
        # As without us: the SDKs that do not read AWS_REGION take the profile's.
        ({"AWS_REGION": "ap-south-1", "AWS_PROFILE": "other"}, "ap-south-1", "us-west-2"),
    ],
)
def test_a_region_is_given_where_there_is_none(
    flags: list[str], aws_files: Path, environ: dict[str, str], newer: str, older: str
) -> None:
    env = environment(flags, **environ)

    assert (env["AWS_REGION"], env["AWS_DEFAULT_REGION"]) == (newer, older)


def test_boto3_has_a_region(flags: list[str]) -> None:
    code = "import boto3; print(boto3.client('ec2').meta.region_name)"
    done = python(flags, code)

    assert (done.returncode, done.stdout) == (0, "eu-west-1\n"), done.stderr


def test_a_long_run_renews_by_its_endpoint(
    emulator: Emulator, flags: list[str], tmp_path: Path
) -> None:
    code = f"""
import json, os, time, urllib.request
request = urllib.request.Request(
    os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    headers={{"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}},
)
keys = []
end = time.monotonic() + 20
while len(keys) < 3 and time.monotonic() < end:
    key = json.load(urllib.request.urlopen(request))["AccessKeyId"]
    if key not in keys:
        keys.append(key)
        os.truncate(os.environ["SECONDS_AHEAD"], len(keys) * {DUE})
    time.sleep(0.05)
print(*keys)
"""
    done = processes.run(
        *words_of([*flags, "--serve"], [sys.executable, "-c", code]),
        module=AGING,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "SECONDS_AHEAD": str(tmp_path / "ahead")},
    )

    keys = done.stdout.split()
    assert len(keys) == 3, done.stderr
    assert keys == [record.access_key_id for record in emulator.requests][:3]


def test_the_private_endpoint_wants_its_token_and_has_no_imds(flags: list[str]) -> None:
    code = """
import os, urllib.error, urllib.request
url = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
base = url.split("/credentials")[0]
requests = [
    urllib.request.Request(url),
    urllib.request.Request(url, headers={"Authorization": "guess"}),
    urllib.request.Request(base + "/latest/api/token", method="PUT"),
    urllib.request.Request(base + "/healthz"),
]
for request in requests:
    try:
        print(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    done = python([*flags, "--serve"], code)

    assert done.stdout.split() == ["401", "401", "404", "404"], done.stderr


@both_ways
@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 128 + 9), ("kill -TERM $$", 128 + 15)],
)
def test_the_exit_status_is_the_commands(
    flags: list[str], way: list[str], script: str, status: int
) -> None:
    done = run([*flags, *way], "sh", "-c", script)

    # In place of this program, the command dies of the signal itself.
    died = status > 128 and not way
    assert done.returncode == (128 - status if died else status)


@both_ways
def test_input_and_output_are_the_commands(flags: list[str], way: list[str]) -> None:
    done = run([*flags, *way], "sh", "-c", "cat; echo problem >&2", given="some input")

    assert (done.stdout, done.stderr) == ("some input", "problem\n")


@both_ways
def test_arguments_arrive_as_they_are(flags: list[str], way: list[str]) -> None:
    words = ["--serve", "--", "a b", "", "$HOME", "--role-arn"]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    done = run([*flags, *way], sys.executable, "-c", code, *words)

    assert json.loads(done.stdout) == words


def test_the_two_dashes_may_be_left_out(flags: list[str]) -> None:
    line = ["exec", *flags, "echo", "--serve", "x"]
    done = processes.run(*line, capture_output=True, text=True, check=True, timeout=PATIENCE)

    assert done.stdout == "--serve x\n"


@both_ways
@pytest.mark.parametrize(
    ("make", "status", "words"),
    [
        (None, 127, "No such file or directory"),
        (0o644, 126, "Permission denied"),
    ],
)
def test_a_command_that_cannot_be_run_is_told_as_a_shell_does(
    flags: list[str], way: list[str], tmp_path: Path, make: int | None, status: int, words: str
) -> None:
    program = tmp_path / "program"
    if make is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(make)
    done = run([*flags, *way], str(program))

    assert done.returncode == status
    assert words in done.stderr
    assert str(program) in done.stderr
    assert done.stderr.count("\n") == 1


@both_ways
def test_an_empty_name_is_no_command(flags: list[str], way: list[str]) -> None:
    done = run([*flags, *way], "")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no command to run" in done.stderr


@both_ways
def test_the_command_is_not_run_without_credentials(
    emulator: Emulator, flags: list[str], way: list[str], tmp_path: Path
) -> None:
    emulator.remove(emulator.role_arn)
    done = run([*flags, *way], "touch", str(tmp_path / "ran"))

    assert done.returncode == 1
    assert done.stderr.startswith("boto-rolesanywhere: CreateSession was refused")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("more", [[], ["--"]])
def test_without_a_command_it_says_how_to_write_one(flags: list[str], more: list[str]) -> None:
    done = processes.run("exec", *flags, *more, capture_output=True, text=True, timeout=PATIENCE)

    assert done.returncode == 2
    assert "exec -- aws s3 ls" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_teaches() -> None:
    done = processes.run("exec", "--help", capture_output=True, text=True, check=True)

    for word in ("--serve", "COMMAND", "examples:", "AWS_PROFILE", "127", "-- aws s3 ls"):
        assert word in done.stdout


# Says which signals it got, in their order, and ends at SIGTERM.
LISTEN = """
import os, signal, sys, time
def tell(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # print() may be at work already
    if number == signal.SIGTERM:
        sys.exit(3)
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"):
    signal.signal(getattr(signal, name), tell)
os.write(1, b"listening\\n")
while True:
    time.sleep(0.1)  # pause() would sleep through a signal that comes right before it
"""


def listening(
    arguments: Sequence[str], stdin: int = subprocess.DEVNULL, **options: object
) -> subprocess.Popen[str]:
    process = processes.Process(
        *words_of(arguments, [sys.executable, "-c", LISTEN]),
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]  # what Popen takes, passed on
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process  # type: ignore[no-any-return]  # follows from the line above


@both_ways
def test_signals_reach_the_command(flags: list[str], way: list[str]) -> None:
    names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"]
    process = listening([*flags, *way])
    assert process.stdout is not None
    for name in names:
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"

    assert process.wait(PATIENCE) == 3
    assert process.stdout.read() == ""
    process.stdout.close()


def test_a_second_signal_does_not_change_the_status(flags: list[str]) -> None:
    code = "signal.signal(signal.SIGTERM, lambda *_: os._exit(3)); os.write(1, b'ready\\n')"
    waiting = f"import os, signal, time; {code}; time.sleep({PATIENCE})"
    process = processes.Process(
        *words_of([*flags, "--serve"], [sys.executable, "-c", waiting]),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(20):  # the first ends the command; the others come while we clear up
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)

    assert process.wait(PATIENCE) == 3
    process.stdout.close()


@pytest.mark.skipif(
    not hasattr(signal, "sigtimedwait"), reason="the sender of a signal is not told"
)
def test_what_is_typed_at_the_terminal_reaches_the_command_once(flags: list[str]) -> None:
    ours, terminal = pty.openpty()

    def make_it_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = listening(
        [*flags, "--serve"],
        terminal,
        start_new_session=True,
        preexec_fn=make_it_the_terminal,
    )
    assert process.stdout is not None
    # Stopped, so that the command has long handled its own when this program sees the other.
    process.send_signal(signal.SIGSTOP)
    os.write(ours, b"\x03")
    assert process.stdout.readline() == "SIGINT\n"
    process.send_signal(signal.SIGCONT)
    # Had the other been passed on, it would come before this one, which is.
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == "SIGTERM\n"

    assert process.wait(PATIENCE) == 3
    process.stdout.close()
    os.close(ours)
    os.close(terminal)


@both_ways
def test_the_command_has_the_signals_of_its_caller(flags: list[str], way: list[str]) -> None:
    code = """
import signal
held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(len(held), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""
    done = python([*flags, *way], code)
    assert done.stdout == "0 True\n"

    pipe = run([*flags, *way], "sh", "-c", "kill -PIPE $$; echo survived")
    status = 128 + signal.SIGPIPE if way else -signal.SIGPIPE
    assert (pipe.stdout, pipe.returncode) == ("", status)

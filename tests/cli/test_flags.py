"""The flags that all commands share: those of AWS's helper, taken and refused as there."""

from __future__ import annotations

import pytest
from flag_parsing import ANCHOR, ARNS, PLAIN, PROFILE, ROLE, config, parsed, parser, refusal

from boto_rolesanywhere.cli.flag_table import EXCLUSIVE, FLAGS, TAKES_VALUE, read_plainly
from boto_rolesanywhere.cli.flags import given_flags
from boto_rolesanywhere.cli.inputs import issuer_from, sources_from
from boto_rolesanywhere.errors import ConfigurationError

HELPERS = {
    *("--certificate", "--private-key", "--intermediates"),
    *("--trust-anchor-arn", "--profile-arn", "--role-arn"),
    *("--session-duration", "--role-session-name", "--region", "--endpoint"),
    *("--no-verify-ssl", "--with-proxy", "--debug"),
    *("--pkcs8-password", "--pkcs11-lib", "--pkcs11-pin", "--reuse-pin"),
    *("--tpm-key-password", "--no-tpm-key-password"),
    *("--cert-selector", "--system-store-name", "--use-latest-expiring-certificate"),
}


def test_every_flag_of_the_helper_is_there() -> None:
    assert set(TAKES_VALUE) >= HELPERS


def test_what_is_given_arrives() -> None:
    found = config(
        *PLAIN,
        *("--intermediates", "chain.pem", "--session-duration", "900"),
        *("--role-session-name", "me", "--region", "eu-central-1"),
        *("--endpoint", "https://e.example", "--pkcs11-lib", "/lib.so", "--tpm-tcti", "device:x"),
    )

    assert (found.sources.certificate, found.sources.private_key) == ("cert.pem", "key.pem")
    assert (found.sources.chain, found.sources.pkcs11_module) == ("chain.pem", "/lib.so")
    assert (found.sources.tpm_tcti, found.sources.secret) == ("device:x", None)
    assert (str(found.trust_anchor), str(found.profile), str(found.role)) == (ANCHOR, PROFILE, ROLE)
    assert (found.duration, found.session_name) == (900, "me")
    assert (found.region, found.endpoint_url) == ("eu-central-1", "https://e.example")


def test_the_private_key_may_be_left_out() -> None:
    assert config("--certificate", "pkcs11:token=t", *ARNS).sources.private_key is None


def test_an_hour_is_asked_for_where_the_helper_asks_for_one() -> None:
    assert config(*PLAIN).duration == 3600
    assert config(*PLAIN, "--session-duration", "900").duration == 900
    environ = {"AWS_ROLESANYWHERE_DURATION_SECONDS": "1800"}
    assert config(*PLAIN, environ=environ).duration == 1800


def test_the_helpers_other_forms_are_taken() -> None:
    found = config(
        *(f"{flag}={value}" for flag, value in zip(PLAIN[::2], PLAIN[1::2], strict=True))
    )
    assert str(found.role) == ROLE

    assert config(*PLAIN, "--endpoint", "e.example").endpoint_url == "https://e.example"
    empty = ("--intermediates", "", "--region", "", "--pkcs8-password", "")
    found = config(*PLAIN, *empty)
    assert (found.sources.chain, found.region, found.sources.secret) == (None, "eu-west-1", None)

    for words, debug in ((["--debug"], True), (["--debug=true"], True), (["--debug=false"], False)):
        assert parsed(*words).debug is debug
    assert "--debug" not in given_flags(parsed("--debug=false"))


def test_what_changes_nothing_is_accepted() -> None:
    assert config(*PLAIN, "--with-proxy", "--reuse-pin") == config(*PLAIN)


def test_all_that_the_helper_refuses_together_is_known() -> None:
    chosen = ("--cert-selector", "--system-store-name", "--system-store-location")
    latest = "--use-latest-expiring-certificate"
    helpers = {
        *((one, other) for one in ("--certificate", "--private-key") for other in chosen),
        *((one, "--reuse-pin") for one in (*chosen, latest, "--tpm-key-password")),
        *((one, "--intermediates") for one in (latest, "--cert-selector")),
        ("--private-key", latest),
        *((one, "--cert-selector") for one in ("--tpm-key-password", "--no-tpm-key-password")),
        ("--no-tpm-key-password", "--tpm-key-password"),
        ("--pkcs8-password", "--tpm-key-password"),
    }

    assert {frozenset(pair) for pair in helpers} <= {frozenset(pair) for pair in EXCLUSIVE}


def arguments_for(flag: str) -> tuple[str, ...]:
    return (flag, "value") if TAKES_VALUE[flag] else (flag,)


@pytest.mark.parametrize(("one", "other"), EXCLUSIVE)
def test_what_the_helper_refuses_together_is_refused(one: str, other: str) -> None:
    message = refusal(*arguments_for(one), *arguments_for(other))

    assert f"{one} and {other} were both given, and exclude each other" in message


def test_certificate_and_key_alone_suffice_where_no_service_is_asked() -> None:
    only_key = sources_from(parsed("--private-key", "key.pem"), environ={})
    assert (only_key.certificate, only_key.private_key) == ("key.pem", "key.pem")

    by_variable = sources_from(parsed(), environ={"AWS_ROLESANYWHERE_CERTIFICATE": "c.pem"})
    assert by_variable.certificate == "c.pem"
    with pytest.raises(ConfigurationError, match="neither a certificate nor a private key"):
        sources_from(parsed(), environ={})


def test_the_call_follows_the_settings() -> None:
    issuer = issuer_from(parsed(*PLAIN, "--session-duration", "900"))

    assert issuer.config.duration == 900
    assert issuer.credentials().refresh_needed()


def test_an_unquoted_selector_is_taken_whole_as_the_documentation_shows_it() -> None:
    words = ["Key=x509Subject,Value=CN=a", "Key=x509Issuer,Value=CN=b"]
    found = given_flags(parsed("--cert-selector", *words, "--debug"))

    assert found["--cert-selector"] == " ".join(words)
    assert read_plainly(["--cert-selector", *words, "--debug"], {}) == found


def test_a_selector_without_a_store_says_what_to_name() -> None:
    message = refusal(*ARNS, "--cert-selector", "Key=x509Subject,Value=CN=a")

    assert "stores of Windows and macOS are not supported" in message
    assert "--cert-store with a folder of certificate files or a pkcs11: URI" in message
    assert "without --cert-selector" in refusal(*ARNS, "--cert-store", "/etc/pki")


def test_help_explains_every_flag_and_warns_of_secrets_on_the_command_line() -> None:
    text = " ".join(parser().format_help().split())

    for group in FLAGS.values():
        for flag, _, explained in group:
            assert flag in text
            assert " ".join(explained.split()) in text
    assert text.count("Every user of this machine can read a running command's arguments") == 3

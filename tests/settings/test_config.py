from __future__ import annotations

import base64
from pathlib import Path

import pytest

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.settings.config import Config, resolve
from boto_rolesanywhere.settings.names import SETTINGS

ANCHOR = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a"
PROFILE = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p"
ROLE = "arn:aws:iam::123456789012:role/R"

ARGUMENTS = {
    "cert": "cert.pem",
    "key": "key.pem",
    "anchor": ANCHOR,
    "profile": PROFILE,
    "role": ROLE,
}
ENVIRONMENT = {
    "AWS_ROLESANYWHERE_CERTIFICATE": "env-cert.pem",
    "AWS_ROLESANYWHERE_PRIVATE_KEY": "env-key.pem",
    "AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN": ANCHOR + "-env",
    "AWS_ROLESANYWHERE_PROFILE_ARN": PROFILE + "-env",
    "AWS_ROLESANYWHERE_ROLE_ARN": ROLE + "-env",
}
SECTION = {
    "region": "us-east-1",
    "rolesanywhere_certificate": "file-cert.pem",
    "rolesanywhere_private_key": "file-key.pem",
    "rolesanywhere_certificate_chain": "file-chain.pem",
    "rolesanywhere_trust_anchor_arn": ANCHOR + "-file",
    "rolesanywhere_profile_arn": PROFILE + "-file",
    "rolesanywhere_role_arn": ROLE + "-file",
}


def config(
    arguments: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    section: dict[str, object] | None = None,
) -> Config:
    found = resolve(
        arguments or {}, environ=environ or {}, section=section or {}, profile_name="onprem"
    )
    assert found is not None
    return found


def refusal(
    arguments: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    section: dict[str, object] | None = None,
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config(arguments, environ, section)
    return str(caught.value)


def test_nothing_of_ours_is_not_configured_rather_than_wrong() -> None:
    section = {"region": "eu-west-1", "role_arn": ROLE, "source_profile": "other"}

    assert resolve({}, environ={"AWS_REGION": "eu-west-1"}, section=section) is None
    assert resolve({"cert": None}, environ={}, section={}) is None
    assert resolve({}, environ={"AWS_ROLESANYWHERE_CERTIFICATE": ""}, section={}) is None
    # An option alone, set for other programs or other profiles, asks for nothing.
    assert resolve({}, environ={"AWS_ROLESANYWHERE_REGION": "eu-west-1"}, section={}) is None


def test_each_source_suffices_alone() -> None:
    assert config(dict(ARGUMENTS)).sources.certificate == "cert.pem"
    assert config(environ=ENVIRONMENT).sources.certificate == "env-cert.pem"
    assert config(section=dict(SECTION)).sources.chain == "file-chain.pem"


def test_arguments_beat_environment_beats_file_one_by_one() -> None:
    found = config({"role": ROLE}, {"AWS_ROLESANYWHERE_PROFILE_ARN": PROFILE}, dict(SECTION))

    assert str(found.role) == ROLE
    assert str(found.profile) == PROFILE
    assert str(found.trust_anchor) == ANCHOR + "-file"
    assert found.sources.certificate == "file-cert.pem"


def test_options_default_to_what_the_service_decides() -> None:
    found = config(dict(ARGUMENTS))

    assert found.region == "eu-west-1"
    assert (found.duration, found.session_name, found.endpoint_url) == (None, None, None)
    assert found.sources.secret is None


def test_options_come_from_every_source() -> None:
    section = SECTION | {
        "rolesanywhere_region": "eu-central-1",
        "rolesanywhere_duration_seconds": "43200",
        "rolesanywhere_role_session_name": "web@host",
        "rolesanywhere_endpoint_url": "https://vpce.example:8443",
        "rolesanywhere_pkcs11_module": "/usr/lib/hsm.so",
        "rolesanywhere_tpm_tcti": "device:/dev/tpmrm0",
    }
    found = config({"duration": 900}, {"AWS_ROLESANYWHERE_ROLE_SESSION_NAME": "env"}, section)

    assert (found.region, found.duration, found.session_name) == ("eu-central-1", 900, "env")
    assert found.endpoint_url == "https://vpce.example:8443"
    assert found.sources.pkcs11_module == "/usr/lib/hsm.so"
    assert found.sources.tpm_tcti == "device:/dev/tpmrm0"


def test_the_key_may_stand_with_the_certificate() -> None:
    arguments = {name: value for name, value in ARGUMENTS.items() if name != "key"}

    assert config(arguments).sources.private_key is None


def test_all_that_is_missing_is_named_at_once_with_where_to_set_it() -> None:
    message = refusal({"key": "key.pem"})

    for words in (
        "profile 'onprem'",
        "certificate (argument cert, AWS_ROLESANYWHERE_CERTIFICATE or rolesanywhere_certificate)",
        "trust anchor ARN (argument anchor, AWS_ROLESANYWHERE_TRUST_ANCHOR_ARN or",
        "profile ARN (argument profile, AWS_ROLESANYWHERE_PROFILE_ARN or",
        "role ARN (argument role, AWS_ROLESANYWHERE_ROLE_ARN or rolesanywhere_role_arn)",
    ):
        assert words in message
    assert "private key" not in message


def test_a_key_is_asked_for_with_the_certificate() -> None:
    assert "private key, if it is not with the certificate" in refusal({"role": ROLE})


def test_a_misspelt_key_of_the_profile_is_pointed_at() -> None:
    section = {name: SECTION[name] for name in SECTION if name != "rolesanywhere_role_arn"}

    message = refusal(section=section | {"rolesanywhere_rolearn": ROLE})

    assert "rolesanywhere_rolearn in the profile is not a setting" in message
    assert "did you mean rolesanywhere_role_arn?" in message


def test_a_key_that_is_like_no_other_is_not_guessed_at() -> None:
    message = refusal(section={"rolesanywhere_role_arn": ROLE, "rolesanywhere_zzzzzzzz": "x"})

    assert "did you mean" not in message


@pytest.mark.parametrize(
    ("argument", "value", "wording"),
    [
        ("duration", 899, "argument duration: 899 is not a session duration; expected a whole"),
        ("duration", 43201, "from 900 to 43200"),
        ("duration", "an hour", "'an hour' is not a session duration"),
        ("duration", 900.5, "900.5 is not a session duration"),
        ("duration", True, "True is not a session duration"),
        ("session_name", "x", "expected 2 to 64 letters"),
        ("session_name", "with space", "is not a role session name"),
        ("session_name", 7, "argument session_name: it is a int"),
        ("region", "Ireland", "'Ireland' is not a Region; expected for example eu-west-1"),
        ("endpoint_url", "rolesanywhere.example", "it is not an HTTP URL"),
        ("endpoint_url", "https://[::1", "it is not an HTTP URL"),
        ("endpoint_url", "https://host:99999", "it is not an HTTP URL"),
        ("cert", "", "argument cert: it is empty; expected a certificate"),
        ("key", b"", "argument key: it is empty; expected a private key"),
        ("anchor", 5, "argument anchor: it is a int; expected the trust anchor ARN as text"),
        ("anchor", PROFILE, "argument anchor: "),
        ("role", " ", "argument role: it is empty; expected the role ARN as text"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    argument: str, value: object, wording: str
) -> None:
    assert wording in refusal(ARGUMENTS | {argument: value})


def test_a_wrong_setting_of_the_file_is_named_by_key_and_profile() -> None:
    message = refusal(section=SECTION | {"rolesanywhere_duration_seconds": "1"})
    assert "from 900 to 43200 (15 minutes to 12 hours)" in message

    assert message.startswith("rolesanywhere_duration_seconds of profile 'onprem': ")


def test_a_nested_section_in_place_of_a_value_is_refused() -> None:
    message = refusal(section=SECTION | {"rolesanywhere_certificate": {"a": "b"}})

    assert message.startswith("rolesanywhere_certificate of profile 'onprem': it is a dict")


def test_the_passphrase_comes_from_argument_variable_or_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b"from file \r\n")
    by_file = {"rolesanywhere_private_key_passphrase_file": str(file)}
    by_name = {"rolesanywhere_private_key_passphrase_env": "MY_SECRET"}
    variable = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE": "from variable"}
    mine = {"MY_SECRET": "from mine"}

    def revealed(
        arguments: dict[str, object], environ: dict[str, str], section: dict[str, object]
    ) -> bytes:
        secret = config(ARGUMENTS | arguments, environ, section).sources.secret
        assert secret is not None
        value = secret.reveal()
        assert value.decode() not in repr(secret)
        return value

    assert revealed({"passphrase": lambda: "from call"}, variable, {**by_file}) == b"from call"
    assert revealed({}, variable | mine, {**by_file, **by_name}) == b"from variable"
    assert revealed({}, mine, {**by_file, **by_name}) == b"from mine"
    assert revealed({}, {}, {**by_file}) == b"from file "
    # The environment beats the profile, whichever form each has.
    named = {"AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_FILE": str(file)}
    assert revealed({}, named | mine, {**by_name}) == b"from file "
    assert revealed({}, named, {**by_name}) == b"from file "


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_passphrase_file_of_windows_is_read(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes("grü\u00df\r\n".encode(encoding))
    by_file: dict[str, object] = {"rolesanywhere_private_key_passphrase_file": str(file)}
    secret = config(ARGUMENTS, {}, by_file).sources.secret
    assert secret is not None
    assert secret.reveal() == "grü\u00df".encode()


def test_a_pem_in_place_of_a_path_is_answered_in_the_words_of_its_place() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    said = refusal(ARGUMENTS | {"cert": None}, {"AWS_ROLESANYWHERE_CERTIFICATE": pem})
    assert said.startswith("AWS_ROLESANYWHERE_CERTIFICATE: it holds the PEM itself")
    assert "Write the PEM into a file" in said
    assert "encode" not in said
    assert "MIIB" not in said


def test_a_passphrase_that_is_not_where_it_should_be_is_named(tmp_path: Path) -> None:
    section: dict[str, object] = {"rolesanywhere_private_key_passphrase_env": "HUNTER2"}
    said = refusal(dict(ARGUMENTS), section=section)
    assert "rolesanywhere_private_key_passphrase_env" in said
    assert "the environment variable that it names is not set" in said
    assert "HUNTER2" not in said

    section = {"rolesanywhere_private_key_passphrase_file": str(tmp_path / "gone")}
    secret = config(dict(ARGUMENTS), section=section).sources.secret
    assert secret is not None
    with pytest.raises(ConfigurationError, match=r"gone' cannot be read \(No such file"):
        secret.reveal()


def test_a_passphrase_never_shows_in_a_config() -> None:
    assert "hunter2" not in repr(config(ARGUMENTS | {"passphrase": "hunter2"}))


def test_no_two_settings_share_a_name() -> None:
    assert len({setting.config_key for setting in SETTINGS}) == len(SETTINGS)
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


def test_the_base64_of_a_key_in_place_of_a_path_is_answered_likewise_and_not_shown() -> None:
    text = base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nMIIB\n" * 3).decode()
    said = refusal(ARGUMENTS | {"key": None}, {"AWS_ROLESANYWHERE_PRIVATE_KEY": text})
    assert said.startswith("AWS_ROLESANYWHERE_PRIVATE_KEY: it holds the content itself")
    assert text[:20] not in said

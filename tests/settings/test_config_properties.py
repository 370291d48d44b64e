"""Any input gives a value that is of the input, or our error."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.settings.arns import SERVICES, parse_arn
from boto_rolesanywhere.settings.config import resolve
from boto_rolesanywhere.settings.names import SETTINGS

FIELD = st.text(alphabet=st.sampled_from("abz019-/:_+=,.@ é٣\n"), max_size=12)
ARNISH = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda *fields: ":".join(("arn", *fields)),
        st.sampled_from(["aws", "aws-cn", "aws-us-gov", "AWS", ""]) | FIELD,
        st.sampled_from(["rolesanywhere", "iam"]) | FIELD,
        st.sampled_from(["eu-west-1", "us-gov-west-1", ""]) | FIELD,
        st.sampled_from(["123456789012", "1"]) | FIELD,
        st.sampled_from(["trust-anchor/a", "alias/profile/b", "role/p/N", "profile/c"]) | FIELD,
    ),
)
VALUE = st.one_of(
    ARNISH,
    st.binary(max_size=8),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dictionaries(FIELD, FIELD, max_size=2),
    st.sampled_from(["900", "https://h", "eu-west-1", "name"]),
)
ARGUMENT_NAMES = [setting.argument for setting in SETTINGS if setting.argument]


@given(ARNISH)
def test_an_arn_is_read_back_as_it_was_or_refused(text: str) -> None:
    for kind in SERVICES:
        try:
            arn = parse_arn(kind, text)
        except RolesAnywhereError:
            continue
        assert str(arn) == text.strip()


@given(
    st.dictionaries(st.sampled_from(ARGUMENT_NAMES), VALUE),
    st.dictionaries(st.sampled_from([setting.variable for setting in SETTINGS]), ARNISH),
    st.dictionaries(st.sampled_from([setting.config_key for setting in SETTINGS]) | FIELD, VALUE),
)
def test_any_settings_give_a_config_or_our_error(
    arguments: dict[str, object], environ: dict[str, str], section: dict[str, object]
) -> None:
    try:
        config = resolve(arguments, environ=environ, section=section)
    except RolesAnywhereError:
        return
    if config is None:  # then nothing of what says where a session comes from was set
        names = {"trust_anchor_arn", "profile_arn", "role_arn", "certificate", "private_key"}
        assert not any(environ.get(f"AWS_ROLESANYWHERE_{name.upper()}") for name in names)
        return
    assert config.region
    assert config.trust_anchor.region == config.profile.region
    arns = {"anchor": config.trust_anchor, "profile": config.profile, "role": config.role}
    for argument, arn in arns.items():
        if arguments.get(argument) is not None:
            assert str(arn) == str(arguments[argument]).strip()

"""From the settings to one frozen `Config`, checked as far as text can be.

`names` has the table of settings. Nothing here reads the environment or the config file: the caller
brings both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.records import TypedDict
from boto_rolesanywhere.redaction import holds_secret, logger_of

from . import names
from .arns import Arn, parse_arn
from .names import Found, Setting, gather
from .passphrases import configured_secret
from .places import plain_place
from .regions import places_of
from .sources import IdentitySources, Secret
from .values import duration_of, optional_text, session_name_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .role_chain import AssumedRole
    from .sources import CertificateSource, ChainSource, KeySource, SecretSource

logger = logger_of(__name__)
_Source = TypeVar("_Source")


class Arguments(TypedDict, total=False):
    """What the caller gives for one call, by the names of `get_session`'s arguments.

    None counts as not given.
    """

    cert: CertificateSource | None
    key: KeySource | None
    anchor: str | Sequence[str] | None
    profile: str | Sequence[str] | None
    role: str | None
    chain: ChainSource | None
    passphrase: SecretSource | Secret | None
    region: str | None
    duration: int | str | None
    session_name: str | None
    endpoint_url: str | Sequence[str] | None
    pkcs11_module: str | None
    tpm_tcti: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that a CreateSession call needs, checked as far as text can be.

    Attributes:
        sources: certificate, key and chain, unopened.
        trust_anchor: the trust anchor's ARN.
        profile: the profile's ARN.
        role: the role's ARN.
        region: the Region of endpoint and signature; the trust anchor's unless set otherwise.
        duration: seconds asked for; None leaves it to the profile.
        session_name: role session name asked for; None leaves it to the service.
        endpoint_url: None for AWS's own.
        endpoint_origin: which setting names it.
        assumed: the roles that are assumed with the session, in order.
        others: the same for the Regions to turn to if this one fails, in order of preference.
    """

    sources: IdentitySources
    trust_anchor: Arn
    profile: Arn
    role: Arn
    region: str
    duration: int | None = None
    session_name: str | None = None
    endpoint_url: str | None = None
    endpoint_origin: str | None = None
    assumed: tuple[AssumedRole, ...] = ()
    others: tuple[Config, ...] = ()

    @property
    def regions(self) -> tuple[Config, ...]:
        """This one and the `others`."""
        return (self, *self.others)

    @property
    def last_role(self) -> Arn:
        """The role whose credentials the program gets."""
        return parse_arn("role", self.assumed[-1].role_arn) if self.assumed else self.role


def resolve(
    arguments: Arguments,
    *,
    environ: Mapping[str, str],
    section: Mapping[str, object],
    flags: Mapping[str, str] | None = None,
    profile_name: str | None = "default",
    assumed: tuple[AssumedRole, ...] = (),
) -> Config | None:
    """Bring the settings together. The arguments are those of `gather` and of `Config`.

    Returns:
        The Config, or None when none of certificate, key and ARNs is set anywhere.

    Raises:
        ConfigurationError: settings are missing (all are named) or one is wrong.
    """
    found = gather(arguments, environ, section, flags=flags, profile_name=profile_name)
    if not any(setting in found for setting in names.CORE):
        return None
    missing = [setting for setting in names.REQUIRED if setting not in found]
    if missing:
        raise _not_set(missing, found, section, profile_name, by_flag=flags is not None)
    places = places_of(found)
    for each in assumed:
        parse_arn("role", each.role_arn, where=f"role_arn of profile {each.profile!r}")
    first = Config(
        sources=identity_sources(found, arguments, environ),
        role=parse_arn("role", text_of(found[names.ROLE], names.ROLE)),
        duration=duration_of(found),
        session_name=session_name_of(found),
        **places[0]._asdict(),
        endpoint_origin=found[names.ENDPOINT_URL].where if names.ENDPOINT_URL in found else None,
        assumed=assumed,
    )
    return replace(first, others=tuple(replace(first, **each._asdict()) for each in places[1:]))


def identity_sources(
    found: Mapping[Setting, Found], arguments: Arguments, environ: Mapping[str, str]
) -> IdentitySources:
    """Certificate, key and chain of what `gather` found, unopened.

    The certificate must be among them; what unlocks the key may be among `arguments`.

    Raises:
        ConfigurationError: one of them is empty, or names what is not there.
    """
    # First: a command that needs the key alone has it in the certificate's place too.
    key: KeySource | None = _source(arguments.get("key"), names.PRIVATE_KEY, found)
    certificate: CertificateSource | None = _source(arguments.get("cert"), names.CERTIFICATE, found)
    if certificate is None:
        raise KeyError(names.CERTIFICATE)
    secret = arguments.get("passphrase")
    if secret is not None and not isinstance(secret, Secret):
        secret = Secret(secret, "argument passphrase")
    # What opens them says whether their types are right.
    return IdentitySources(
        certificate=certificate,
        private_key=key,
        chain=_source(arguments.get("chain"), names.CHAIN, found),
        secret=secret or configured_secret(found, environ),
        pkcs11_module=optional_text(found, names.PKCS11_MODULE),
        tpm_tcti=optional_text(found, names.TPM_TCTI),
    )


def _source(
    argument: _Source | str | None, setting: Setting, found: Mapping[Setting, Found]
) -> _Source | str | None:
    if setting not in found:
        return None
    value, where = found[setting].value, found[setting].where  # the argument, if there is one
    if isinstance(value, str | bytes) and not value:
        raise ConfigurationError(
            "it is empty", code="setting-not-text", where=where, expected=f"a {setting.title}"
        )
    if argument is not None and not isinstance(argument, str):
        return argument
    if isinstance(value, str) and argument is None and _is_content(value):
        content = "PEM" if "-----BEGIN" in value else "content"
        raise ConfigurationError(
            f"it holds the {content} itself, where the path of a file belongs",
            code="content-given-as-path",
            where=where,
            expected=f"the path of the {setting.title}",
            remedy=f"Write the {content} into a file that only its user may read,"
            " and give its path.",
        )
    # A nested section of the config file is no text.
    return plain_place(value) if isinstance(value, str) else text_of(found[setting], setting)


def _is_content(text: str) -> bool:
    """Whether it is a PEM, or its base64, and no place."""
    return holds_secret(text) and "pin-value" not in text.lower()


def _not_set(
    missing: Sequence[Setting],
    found: Mapping[Setting, Found],
    section: Mapping[str, object],
    profile_name: str | None,
    *,
    by_flag: bool,
) -> ConfigurationError:
    """The error that names all settings that are missing, and where each may be set."""

    def places(setting: Setting) -> str:
        first = setting.flag if by_flag else f"argument {setting.argument}"
        if profile_name is None:
            return f"({first} or {setting.variable})"
        return f"({first}, {setting.variable} or {setting.config_key})"

    wanted = [f"{setting.title} {places(setting)}" for setting in missing]
    if names.PRIVATE_KEY not in found:
        key = f"private key, if it is not with the certificate {places(names.PRIVATE_KEY)}"
        wanted.insert(int(names.CERTIFICATE in missing), key)
    guesses = [
        f"{key} in the profile is not a setting: did you mean {meant}?"
        for key, meant in _misspelt(section)
    ]
    looked_at = ["flags" if by_flag else "arguments", "environment"]
    if profile_name is None:
        guesses = [
            f"{names.PREFIX}… settings of a profile count only if --config-profile names it."
        ]
    else:
        looked_at.append(f"profile {profile_name!r}")
    return ConfigurationError(
        "not set: " + "; ".join(wanted),
        code="settings-missing",
        where=f"configuration for IAM Roles Anywhere ({', '.join(looked_at)})",
        remedy=" ".join(guesses) or None,
    )


def warn_of_misspelt(section: Mapping[str, object], profile_name: str | None) -> None:
    """Warn of lines of a profile that resemble a setting of ours, and so set nothing."""
    for key, meant in _misspelt(section):
        logger.warning(
            "%s of profile %s is not a setting: did you mean %s?", key, profile_name, meant
        )


def why_unset(section: Mapping[str, object]) -> str | None:
    """Why lines that look like settings of ours are none; None if there are no such lines."""
    begins, common = re.compile(rf"\s*{names.PREFIX}\w+\s*[=:]"), names.PREFIX.rstrip("_")
    for key, value in section.items():
        # botocore reads indented lines as a block, or as more of the value before them.
        block = value if isinstance(value, dict) else ()
        below = str(value).splitlines()[1:]
        if any(map(begins.match, below)) or any(name.startswith(names.PREFIX) for name in block):
            return (
                f"The lines below {key} begin with blanks, and so belong to it: remove the blanks."
            )
        if key.startswith(common) and not key.startswith(names.PREFIX):
            return f"{key} is not a setting: their names begin with {names.PREFIX} (an underscore)."
    return None


def _misspelt(section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = {setting.name for setting in names.SETTINGS}
    for key in section:
        # Compared without the prefix, which alone would make any two of them alike.
        name = key.removeprefix(names.PREFIX)
        if name != key and name not in known:
            import difflib

            for near in difflib.get_close_matches(name, known, n=1):
                yield key, names.PREFIX + near

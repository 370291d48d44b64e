"""`get_session`: from a certificate, its key and three ARNs to an ordinary boto3 session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config as ClientConfig

from boto_rolesanywhere.create_session.signing_time import correct_signing
from boto_rolesanywhere.settings.config import Arguments
from boto_rolesanywhere.settings.inputs import look_up, remedy_of_nothing, require_followed

from .composition import Issuer, config_of, own_session
from .errors import ConfigurationError, hides_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    import botocore.session

    from boto_rolesanywhere.settings.sources import (
        CertificateSource,
        ChainSource,
        KeySource,
        SecretSource,
    )


@hides_frames
def get_session(
    cert: CertificateSource | None = None,
    key: KeySource | None = None,
    anchor: str | Sequence[str] | None = None,
    profile: str | Sequence[str] | None = None,
    role: str | None = None,
    *,
    chain: ChainSource | None = None,
    passphrase: SecretSource | None = None,
    region: str | None = None,
    duration: int | None = None,
    session_name: str | None = None,
    endpoint_url: str | Sequence[str] | None = None,
    verify: bool | str | None = None,
    client_config: ClientConfig | None = None,
    profile_name: str | None = None,
    botocore_session: botocore.session.Session | boto3.Session | None = None,
    pkcs11_module: str | None = None,
    tpm_tcti: str | None = None,
    cache: bool | str | os.PathLike[str] = False,
    clock_correction: bool = False,
) -> boto3.Session:
    """A boto3 session whose credentials come from IAM Roles Anywhere and renew themselves.

    Arguments that are left out come from the environment (``AWS_ROLESANYWHERE_CERTIFICATE`` …) or
    from the AWS config file (``rolesanywhere_certificate`` … in the profile). Certificate and key
    are opened and checked here; CreateSession is called at the first use.

    Args:
        cert: the end-entity certificate, with or without its intermediates: a path, the bytes of
            a PEM, DER or PKCS #12 file, a ``pkcs11:`` URI (RFC 7512), or an object of
            `cryptography`.
        key: its private key: a path or bytes as above, a ``pkcs11:`` URI, ``handle:0x…`` of a TPM,
            an object of `cryptography`, or any `SigningKey`. Not needed if `cert` holds it.
        anchor: the trust anchor's ARN; or a list of them, in order of preference: if the Region of
            the first cannot be reached, fails or throttles, the next one is asked.
        profile: the ARN of the IAM Roles Anywhere profile; a list with one for each trust anchor.
        role: the role's ARN, with its path.
        chain: the intermediate certificates, in any order.
        passphrase: the passphrase, PIN or TPM password of `key`: str, bytes, or a callable that
            gives one of them and is called only when it is needed.
        region: where CreateSession is called; the trust anchor's Region by default, and always with
            several.
        duration: seconds, 900 to 43200; the profile's own duration by default.
        session_name: the role session name, which the profile must accept.
        endpoint_url: of the CreateSession call alone, as in `boto3.client`; a list with one for
            each trust anchor.
        verify: of the CreateSession call alone: False, or the path of a CA bundle.
        client_config: botocore's options of the CreateSession call alone.
        profile_name: the profile of the AWS config file, for these settings and for the session.
        botocore_session: the session to put the credentials in, botocore's or boto3's; a new one
            by default. One of boto3's is what is returned.
        pkcs11_module: path of the token's PKCS #11 library; p11-kit's proxy by default.
        tpm_tcti: how to reach the TPM, for example ``device:/dev/tpmrm0``.
        cache: True to share sessions with this user's other processes (the command's too) that ask
            for the same session, through files of mode 0600; or the folder for the files. Not with
            ``verify=False``. On Windows it needs the extra ``cache``.
        clock_correction: whether the session's clients sign by the service's time where this
            machine's clock is off by more than 5 minutes. CreateSession does so in any case, if
            TLS verifies who says the time.

    Returns:
        The session. Its default Region is what boto3 would choose, else that of the call.

    Raises:
        ConfigurationError: settings are missing or wrong.
        CertificateError: the certificate cannot be read, or AWS would refuse it.
        PrivateKeyError: the key cannot be read, or is not the certificate's.
        botocore.exceptions.ProfileNotFound: `profile_name` does not exist.
    """
    session = own_session(botocore_session)
    arguments = Arguments(
        cert=cert,
        key=key,
        anchor=anchor,
        profile=profile,
        role=role,
        chain=chain,
        passphrase=passphrase,
        region=region,
        duration=duration,
        session_name=session_name,
        endpoint_url=endpoint_url,
        pkcs11_module=pkcs11_module,
        tpm_tcti=tpm_tcti,
    )
    issuer = issuer_for(session, arguments, profile_name, client_config, verify).shared()
    credentials = issuer.credentials(cache)
    put_into(session, credentials, issuer.config.region, profile_name)
    if clock_correction:
        # A session out of the cache tells no time.
        correct_signing(session, lambda: issuer.clock, issuer.learn_time if cache else None)
    if isinstance(botocore_session, boto3.Session):
        # A second one around the same session of botocore could make no client of S3.
        return botocore_session
    return boto3.Session(botocore_session=session)


def issuer_for(
    session: botocore.session.Session,
    arguments: Arguments,
    profile_name: str | None,
    client_config: ClientConfig | None,
    verify: bool | str | None,
) -> Issuer:
    """The issuer for the arguments of `get_session`; it opens nothing yet.

    Raises:
        ConfigurationError: settings are missing or wrong.
        botocore.exceptions.ProfileNotFound: `profile_name` does not exist.
    """
    _require_usable(verify)
    if client_config is not None and not isinstance(client_config, ClientConfig):
        raise ConfigurationError(
            f"it is a {type(client_config).__name__}",
            code="setting-not-text",
            where="argument client_config",
            expected="a botocore.config.Config",
        )
    inputs = look_up(session, profile_name=profile_name, arguments=arguments)
    config = config_of(inputs)
    if config is None:
        require_followed(inputs)
        raise ConfigurationError(
            "nothing is configured for IAM Roles Anywhere",
            code="settings-missing",
            where=f"arguments, environment and profile {inputs.profile_name!r}",
            expected="cert, key, anchor, profile and role, as arguments, as"
            " AWS_ROLESANYWHERE_… variables or as rolesanywhere_… settings of a profile",
            remedy=remedy_of_nothing(inputs),
        )
    return Issuer(
        config,
        session,
        profile_name=profile_name,
        client_config=client_config,
        verify=verify,
    )


def put_into(
    session: botocore.session.Session,
    credentials: object,
    region: str,
    profile_name: str | None,
) -> None:
    """Have `session` use these credentials, with this profile, and this Region if it has none.

    Nothing fails here: the caller's session is changed as a whole or not at all.
    """
    if profile_name is not None:
        session.set_config_variable("profile", profile_name)
    # What an older chain of this session found is dropped; botocore has no public setter for
    # credentials that renew themselves.
    session._credentials = credentials  # type: ignore[attr-defined]  # noqa: SLF001  # above
    if session.get_config_variable("region") is None:
        session.set_config_variable("region", region)


def _require_usable(verify: object) -> None:
    if verify is None or isinstance(verify, bool):
        return
    # botocore takes an empty path for False.
    if not isinstance(verify, str | os.PathLike) or not verify or not Path(verify).exists():
        problem = f"there is no file {verify!r}" if isinstance(verify, str) else "it is no path"
        raise ConfigurationError(
            problem,
            code="setting-invalid",
            where="argument verify",
            expected="False, or the path of a CA bundle in PEM",
        )

"""The parts of aiobotocore that `aio` leans on; a release that moves one fails here.

Read a failure here as: aiobotocore has changed, look at the place named.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from aiobotocore import args, credentials, signers
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.credentials import CredentialProvider, RefreshableCredentials
from botocore.session import Session

from boto_rolesanywhere.aio import AioSessionCredentials
from boto_rolesanywhere.create_session.botocore_session import plain_options


def source(function: object) -> str:
    return inspect.getsource(function)  # type: ignore[arg-type]  # any


def test_a_session_is_botocores_and_its_credentials_are_awaited() -> None:
    # composition.as_botocore_session tells the two kinds apart by it, aio.as_aio_session by the
    # class.
    assert issubclass(AioSession, Session)
    assert inspect.iscoroutinefunction(AioSession.get_credentials)
    assert not inspect.iscoroutinefunction(Session.get_credentials)


def test_a_session_keeps_its_credentials_in_one_attribute() -> None:
    # session.put_into sets it.
    session = AioSession()
    session._credentials = marker = object()

    assert asyncio.run(session.get_credentials()) is marker


def test_what_settings_are_read_with_is_not_awaited() -> None:
    # settings.inputs.look_up, create_session.private_session and session.put_into call them.
    for name in (
        *("get_config_variable", "set_config_variable", "get_scoped_config"),
        *("instance_variables", "get_default_client_config", "get_component"),
    ):
        assert not inspect.iscoroutinefunction(getattr(AioSession, name)), name
    assert isinstance(AioSession().full_config, dict)


def test_a_clients_credentials_are_read_by_two_methods() -> None:
    # aio.AioSessionCredentials has both, and they are awaited.
    assert "await credentials.get_frozen_credentials()" in source(signers.AioRequestSigner)
    assert "credentials.get_account_id" in source(args.AioClientArgsCreator)
    assert "await self.get_credentials()" in source(AioSession._create_client)


def test_the_chain_awaits_load() -> None:
    # aio.AioRolesAnywhereProvider.load and aio._AioWatch.load are coroutines.
    assert "await provider.load()" in source(credentials.AioCredentialResolver.load_credentials)
    resolver = AioSession().get_component("credential_provider")
    assert isinstance(resolver, credentials.AioCredentialResolver)
    assert all(isinstance(each, CredentialProvider) for each in resolver.providers)
    assert [each.METHOD for each in resolver.providers][:2] == ["env", "assume-role"]


def test_the_assume_role_provider_has_a_builder_for_source_profiles() -> None:
    # provider.put_in_chain replaces it.
    resolver = AioSession().get_component("credential_provider")
    builder = resolver.get_provider("assume-role")._profile_provider_builder

    assert isinstance(builder, credentials.AioProfileProviderBuilder)
    assert list(inspect.signature(builder.providers).parameters) == [
        "profile_name",
        "disable_env_vars",
    ]
    using = credentials.AioAssumeRoleProvider._resolve_credentials_from_profile
    assert "self._profile_provider_builder.providers(" in source(using)
    assert "AioCredentialResolver(profile_providers)" in source(using)


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_no_way_into_refreshable_credentials_is_forgotten() -> None:
    # aio.AioSessionCredentials holds nothing that the base class's methods read. What is added
    # there must be overridden, or refuse, as the attributes do.
    cls = credentials.AioRefreshableCredentials
    assert issubclass(cls, RefreshableCredentials)
    overridden = {name for name in public(cls) if name in vars(AioSessionCredentials)}
    attributes = {"access_key", "secret_key", "token", "account_id"}
    made = {"create_from_metadata", "get_deferred_property"}  # makes others; reads by the property

    assert public(cls) - overridden - made == attributes
    held: Any = AioSessionCredentials(lambda: None)  # type: ignore[arg-type,return-value]  # unused
    for name in attributes:
        with pytest.raises(NotImplementedError, match="get_frozen_credentials"):
            getattr(held, name)


def test_its_options_are_botocores_and_some_more() -> None:
    # create_session.botocore_session.plain_options leaves those out.
    options = AioConfig(connector_args={"force_close": True}, read_timeout=5)

    assert isinstance(options, Config)
    assert options.read_timeout == 5
    assert "connector_args" not in Config.OPTION_DEFAULTS
    assert type(Config().merge(plain_options(options))) is Config

"""The administrator: ordinary AWS credentials, and the clients that use them.

No credentials of IAM Roles Anywhere are used here: botocore's own chain finds the administrator's.
"""

from __future__ import annotations

import os
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore import xform_name
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ProfileNotFound
from botocore.session import Session

from boto_rolesanywhere._version import __version__
from boto_rolesanywhere.create_session.trust import (
    own_bundle,
    trust_as_for,
    trust_of_the_command,
)
from boto_rolesanywhere.errors import ConfigurationError, NoSuchProfileError
from boto_rolesanywhere.settings.arns import parse_arn
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables
from boto_rolesanywhere.settings.profile_reader import profile_variable

from .pace import Pace
from .service_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.client import BaseClient
    from botocore.credentials import Credentials

Service = Literal["rolesanywhere", "iam", "sts", "acm-pca", "s3"]

# Eight attempts outlast a control plane that takes one call a second from all its callers.
_OPTIONS: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=10, read_timeout=30
)
_SESSION_NAME: Final = "boto-rolesanywhere-setup"


class Administrator:
    """Who makes changes in an AWS account: credentials, a Region, and clients for both.

    Attributes:
        session: the botocore session behind the clients; handlers of its events see every call.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        account_role: str | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Find the profile; nothing is sent yet.

        Args:
            profile: of the AWS config file; None: botocore's ordinary chain.
            region: None: that of the environment or of the profile.
            account_role: the ARN of a role to assume first, as in another account.
            pace: of the calls to the control plane.

        Raises:
            ConfigurationError: there is no such profile, no Region, or `account_role` is no role;
                or botocore cannot read the config file.
        """
        if account_role is not None:
            parse_arn("role", account_role, where="--account-role")
        self._pace = pace or Pace()
        self._clients: dict[Service, BaseClient] = {}
        self.session = without_empty_variables(Session(profile=profile))
        self.session.user_agent_extra = f"boto_rolesanywhere/{__version__}"
        if account_role is not None:
            source = without_empty_variables(Session(profile=profile))
            assumed = _AssumedRole(self, account_role, source)
            self.session.register_component("credential_provider", CredentialResolver([assumed]))
        with translated("sts"):
            try:
                self.session.get_scoped_config()
            except ProfileNotFound as error:
                raise NoSuchProfileError(
                    f"there is no profile {error.kwargs['profile']!r} in the AWS config file",
                    code="profile-missing",
                    where="--admin-profile" if profile else profile_variable(os.environ),
                ) from None
            # The AWS CLI reads AWS_REGION, botocore does not.
            self._region = (
                region or os.environ.get("AWS_REGION") or self.session.get_config_variable("region")
            )

    @property
    def region(self) -> str:
        """Where the trust anchor and the profile are.

        Raises:
            ConfigurationError: nothing says it.
        """
        if not self._region:
            raise ConfigurationError(
                "no Region is set",
                code="region-missing",
                expected="--region, AWS_REGION or a region in the administrator's profile",
            )
        region: str = self._region
        return region

    @cached_property
    def _caller(self) -> tuple[str, str]:
        """Account and partition."""
        with translated("sts"):
            answer = self.client("sts").get_caller_identity()
            return answer["Account"], answer["Arn"].split(":")[1]

    @property
    def account(self) -> str:
        """The account's twelve digits, asked of STS."""
        return self._caller[0]

    @property
    def partition(self) -> str:
        """Of the account's ARNs, for example ``aws-cn``; asked of STS."""
        return self._caller[1]

    def client(self, service: Service) -> Any:  # noqa: ANN401  # botocore makes its class
        """The client of a service; for waiters and streams. What it raises is botocore's.

        `translated` of `service_errors` turns that into errors of ours.
        """
        if service not in self._clients:
            with translated(service):
                self._clients[service] = self._open(service)
        return self._clients[service]

    def call(self, service: Service, operation: str, **parameters: object) -> Any:  # noqa: ANN401  # by operation
        """Call one operation, named as AWS names it.

        Raises:
            RolesAnywhereError: as `translated` says.
        """
        client = self.client(service)
        with translated(service):
            return getattr(client, xform_name(operation))(**parameters)

    def pages(
        self, service: Service, operation: str, key: str, **parameters: object
    ) -> Iterator[Any]:
        """The items under `key` of every page of a list.

        Raises:
            RolesAnywhereError: as `translated` says.
        """
        client = self.client(service)
        with translated(service):
            for page in client.get_paginator(xform_name(operation)).paginate(**parameters):
                yield from page[key]

    def takes(self, service: Service, operation: str, parameter: str) -> bool:
        """Whether this botocore knows a parameter: aliases, for one, came in 2026."""
        model = self.client(service).meta.service_model.operation_model(operation)
        return parameter in model.input_shape.members

    def _open(self, service: Service) -> BaseClient:
        # IAM and STS need a Region too, if only for their endpoints.
        client = _client(self.session, service, region_name=self.region, config=_OPTIONS)
        if service == "rolesanywhere":
            client.meta.events.register("before-send.rolesanywhere", self._pace.wait)
        return client


def _client(session: Session, service: str, **options: Any) -> BaseClient:  # noqa: ANN401  # botocore's
    """A client that trusts what the command trusts."""
    client: BaseClient = session.create_client(service, verify=own_bundle(session), **options)
    trust_as_for(trust_of_the_command(session), client)
    return client


class _AssumedRole(CredentialProvider):
    """The credentials of a role that the administrator assumes, renewed when they end."""

    METHOD = "assume-role"

    def __init__(self, administrator: Administrator, role: str, source: Session) -> None:
        super().__init__()
        self._administrator, self._role, self._source = administrator, role, source

    def load(self) -> Credentials | None:
        credentials = self._source.get_credentials()
        if credentials is None:
            return None
        fetcher = AssumeRoleCredentialFetcher(
            partial(_client, self._source, region_name=self._administrator.region),
            credentials,
            self._role,
            extra_args={"RoleSessionName": _SESSION_NAME},
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

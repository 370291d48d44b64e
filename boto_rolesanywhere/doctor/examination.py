"""The order of the checks, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.clock import utc_now

from .calls import check_caller_identity, check_create_session
from .case import Case
from .certificate import check_constraints, check_validity
from .chain import check_chain, check_trust_anchor
from .configuration import check_configuration
from .crl import check_crl
from .files import check_files
from .key import check_key
from .network import check_clock, check_connection, check_name_resolution
from .route import check_endpoint, check_proxy
from .settings import check_arns, check_settings
from .tls import check_tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from boto_rolesanywhere.settings.config import Arguments

    from .verdict import Verdict

_LOCAL: Final = (
    check_configuration,
    check_arns,
    check_settings,
    check_files,
    check_key,
    check_chain,
    check_trust_anchor,
    check_constraints,
    check_validity,
    check_crl,
)
# Each needs what those before it found: no clock can be asked over a connection that fails.
_REMOTE: Final = (
    check_endpoint,
    check_proxy,
    check_name_resolution,
    check_connection,
    check_tls,
    check_clock,
    check_create_session,
    check_caller_identity,
)


def examine(
    arguments: Arguments | None = None,
    *,
    profile_name: str | None = None,
    flags: Mapping[str, str] | None = None,
    verify: bool | str | None = None,
    trust_anchor_certificate: str | None = None,
    crl: str | None = None,
    offline: bool = False,
    timeout: float = 5.0,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[Verdict]:
    """Check everything, and give each verdict as soon as it is known.

    Settings that are not given come from the environment, then from the profile, as in
    `get_session`. A check that needs what an earlier one did not find is skipped, and says so.

    Args:
        arguments: settings by the names of `get_session`'s arguments.
        profile_name: a profile of the AWS config file; AWS_PROFILE or ``default`` when left out.
        flags: of the command, with their values; None if this is not the command.
        verify: of the endpoint, as in `boto3.client`: False, or the path of a CA bundle.
        trust_anchor_certificate: a file with the trust anchor's certificate, to hold the chain to.
        crl: a file with a certificate revocation list, to look the certificates up in.
        offline: leave out all that needs the network.
        timeout: seconds for each step on the network.
        clock: gives this machine's time, aware.

    Yields:
        The verdicts. Nothing that a check finds is raised.
    """
    case = Case(
        arguments=arguments or {},
        environ=os.environ,
        profile=profile_name,
        flags=flags,
        verify=verify,
        anchor_file=trust_anchor_certificate,
        crl_file=crl,
        timeout=timeout,
        clock=clock,
    )
    try:
        for check in _LOCAL if offline else (*_LOCAL, *_REMOTE):
            yield from check(case)
    finally:
        case.close()

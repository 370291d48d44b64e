"""The order of the checks, and the values that each check hands on."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from boto_rolesanywhere.certificates.public_keys import algorithm_for
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.identity.identity import Identity

from .calls import check_caller_identity, check_create_session, check_roles
from .chain import (
    check_chain,
    check_constraints,
    check_session_tags,
    check_trust_anchor,
    check_validity,
)
from .crl import check_crl
from .files import check_files, check_key
from .network import check_clock, check_connection, check_name_resolution
from .precedence import check_precedence
from .route import check_endpoint, check_proxy, creator_for
from .settings import check_arns, check_configuration, check_settings
from .tls import check_tls
from .verdict import Question, skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.credentials.session_value import RolesAnywhereSession
    from boto_rolesanywhere.identity.opening import Matched
    from boto_rolesanywhere.settings.config import Arguments, Config
    from boto_rolesanywhere.settings.inputs import Inputs
    from boto_rolesanywhere.settings.sources import IdentitySources

    from .route import Route
    from .verdict import Check, Name, Status, Verdict

_Value = TypeVar("_Value")
_INCOMPLETE: Final = "the settings are not complete"
_NO_KEY: Final = "no usable pair of key and certificate was found"
_NO_LEAF: Final = "the certificate that belongs to the key is not known"
_NOT_REACHED: Final = "the endpoint was not reached"
# Each needs the results of the checks before it: a failed connection shows no clock.
_STEPS: Final[tuple[tuple[Name, Callable[[Route, Question], Check[bool]], str], ...]] = (
    ("connection", check_connection, "there is no address to connect to"),
    ("tls", check_tls, _NOT_REACHED),
    ("clock", check_clock, _NOT_REACHED),
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
    choose: Callable[[Mapping[str, str], Inputs], Arguments] | None = None,
) -> Iterator[Verdict]:
    """Check everything, and give each verdict as soon as it is known.

    Settings that are not passed come from the environment, then from the profile, as in
    `get_session`. If an earlier check did not find what a check needs, that check is skipped.

    Args:
        arguments: settings by the names of `get_session`'s arguments.
        profile_name: a profile of the AWS config file; AWS_PROFILE or ``default`` when left out.
        flags: of the command, with their values; None if this is not the command.
        verify: of the endpoint, as in `boto3.client`: False, or the path of a CA bundle.
        trust_anchor_certificate: a file with the trust anchor's certificate, for the chain.
        crl: a file with a certificate revocation list, to look the certificates up in.
        offline: leave out the checks that need the network.
        timeout: seconds for each step on the network.
        clock: gives this machine's time, aware.
        choose: gives certificate, key and chain for the flags that choose from a certificate store
            in a ``credential_process``; None: such a line is not looked at.

    Yields:
        The verdicts. Nothing that a check finds is raised.
    """
    question = Question(
        arguments=arguments or {},
        environ=os.environ,
        profile=profile_name,
        flags=flags,
        verify=verify,
        anchor_file=trust_anchor_certificate,
        crl_file=crl,
        timeout=timeout,
        clock=clock,
        choose=choose,
    )
    seen: dict[str, set[Status]] = {}

    def noted(verdict: Verdict) -> Verdict:
        seen.setdefault(verdict.name, set()).add(verdict.status)
        return verdict

    with ExitStack() as opened:
        workload = yield from _each(_check_workload(question, opened), noted)
        if not offline:
            yield from _each(_check_calls(question, workload, seen), noted)
        elif workload.identity is not None:
            yield from check_session_tags(workload.identity.certificate)


def _each(check: Check[_Value], change: Callable[[Verdict], Verdict]) -> Check[_Value]:
    """The same check, with its verdicts changed."""
    while True:
        try:
            verdict = next(check)
        except StopIteration as end:
            value: _Value = end.value
            return value
        yield change(verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workload:
    """What this machine has for the call.

    Attributes:
        inputs: where the settings come from.
        config: all settings, checked; None if they are not complete.
        identity: what signs; None if it cannot be had.
        obstacle: why there is no use in calling; empty if there is none.
    """

    inputs: Inputs
    config: Config | None
    identity: Identity | None = None
    obstacle: str = ""


def _check_workload(question: Question, opened: ExitStack) -> Check[_Workload]:
    inputs = yield from check_configuration(question)
    yield from check_precedence(inputs)
    found = inputs.found()
    arns_agree = yield from check_arns(found)
    sources, config = yield from check_settings(inputs, found, arns_agree=arns_agree)
    workload = _Workload(inputs=inputs, config=config)
    if sources is None:
        yield skipped("file", _INCOMPLETE)
        yield from _without_key(question, _INCOMPLETE)
        return replace(workload, obstacle=_NO_KEY)
    if not (yield from check_files(sources)):
        yield from _without_key(question, "a file is not usable")
        return replace(workload, obstacle=_NO_KEY)
    matched, signs = yield from check_key(sources, question.clock())
    if matched is None:
        yield from _without_key(question)
        return replace(workload, obstacle=_NO_KEY)
    if matched.key is not question.arguments.get("key"):  # else its owner closes it
        opened.callback(getattr(matched.key, "close", lambda: None))
    chain, obstacle = yield from _check_certificates(question, matched, sources)
    if not signs:
        return replace(workload, obstacle=_NO_KEY)
    identity = Identity(
        certificate=matched.leaf,
        chain=chain or (),
        key=matched.key,
        algorithm=algorithm_for(matched.leaf.public_key()),
    )
    return replace(workload, identity=identity, obstacle=obstacle)


def _without_key(question: Question, why: str | None = None) -> Iterator[Verdict]:
    """The checks of certificates if the key's certificate is not known."""
    if why is not None:
        yield skipped("key", why)
    yield skipped("chain", _NO_LEAF)
    anchors = yield from _anchors(question, ())
    yield skipped("constraints", _NO_LEAF)
    yield skipped("validity", _NO_LEAF)
    yield from _list(question, (), anchors)


def _check_certificates(
    question: Question, matched: Matched, sources: IdentitySources
) -> Check[tuple[tuple[x509.Certificate, ...] | None, str]]:
    """The chain, and why a call would fail."""
    now, leaf = question.clock(), matched.leaf
    chain = yield from check_chain(matched, sources, now)
    path = (leaf, *(chain or ()))
    anchors = yield from _anchors(question, path if chain is not None else ())
    acceptable = yield from check_constraints(leaf, now)
    valid_now = yield from check_validity(leaf, chain or (), now)
    yield from _list(question, path, (*matched.candidates, *anchors))
    if chain is None:
        return chain, "the chain cannot be sent"
    if not acceptable:
        return chain, "AWS would refuse the certificate"
    return chain, "" if valid_now else "the certificate has expired, or is not valid yet"


def _anchors(
    question: Question, path: Sequence[x509.Certificate]
) -> Check[tuple[x509.Certificate, ...]]:
    if question.anchor_file is None:
        yield skipped("trust-anchor", "give --trust-anchor-certificate FILE to compare")
        return ()
    return (yield from check_trust_anchor(question.anchor_file, path, question.clock()))


def _list(
    question: Question, path: Sequence[x509.Certificate], known: Sequence[x509.Certificate]
) -> Iterator[Verdict]:
    if question.crl_file is None:
        yield skipped("crl", "give --crl FILE to look the certificate up in a list")
    else:
        yield from check_crl(question.crl_file, path, known, question.clock())


def _check_calls(
    question: Question, workload: _Workload, seen: Mapping[str, set[Status]]
) -> Check[None]:
    inputs, config = workload.inputs, workload.config
    check = _check_region(question, workload, config, seen)
    if config is not None and config.others:
        check = _named(check, config.region)
    session = yield from check
    if config is None or session is None:
        yield skipped("caller-identity", "there are no credentials")
    else:
        yield from check_caller_identity(session, config, inputs, question)
    for other in config.others if config is not None else ():
        yield from _named(_check_region(question, workload, other, seen), other.region)


def _named(check: Check[_Value], region: str) -> Check[_Value]:
    """The same verdicts, which say of which Region they are."""
    return _each(check, lambda verdict: replace(verdict, text=f"{region}: {verdict.text}"))


def _check_region(
    question: Question,
    workload: _Workload,
    config: Config | None,
    seen: Mapping[str, set[Status]],
) -> Check[RolesAnywhereSession | None]:
    """The way to one Region, and the call there; gives the session."""
    inputs, identity = workload.inputs, workload.identity
    reached = yield from _check_way(question, inputs, config)
    obstacle = workload.obstacle or ("" if reached else _NOT_REACHED)
    if config is None or identity is None or obstacle:
        yield skipped("create-session", obstacle or _INCOMPLETE)
        return None
    creator = creator_for(question, inputs, config, lambda: identity)
    passed = {name for name, statuses in seen.items() if statuses == {"ok"}}
    session = yield from check_create_session(creator, passed)
    return (yield from check_roles(session, config, inputs, question))


def _check_way(question: Question, inputs: Inputs, config: Config | None) -> Check[bool]:
    """Whether the endpoint can be talked to."""
    route = None
    if config is None:
        yield skipped("endpoint", _INCOMPLETE)
    else:
        route = yield from check_endpoint(question, inputs, config)
    reached = False
    if route is None:
        yield skipped("proxy", "the endpoint is not known")
        yield skipped("name-resolution", "the way to the endpoint is not known")
    else:
        yield from check_proxy(route)
        reached = yield from check_name_resolution(route, question)
    for name, check, otherwise in _STEPS:
        if route is not None and reached:
            reached = yield from check(route, question)
        else:
            yield skipped(name, otherwise)
    return reached

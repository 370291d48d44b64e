"""From a request's bytes to the answer's: CreateSession here, the rest by `control_plane`.

No sockets and no web framework here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.testing.faults import Fault, Reset

from .answers import (
    ANCHOR_DISABLED,
    NO_TRUST_ANCHOR,
    THROTTLED,
    UNKNOWN_OPERATION,
    UNTRUSTED_SIGNER,
    Refused,
    json_answer,
    refusal_answer,
)
from .control_plane.authentication import check as check_administrator
from .control_plane.desk import Desk
from .control_plane.model import find_route, read
from .control_plane.operations import OPERATIONS
from .faults import FaultPlan, applied, instead_of_answer
from .grants import Grant, grant
from .records import CREATED, Records, RequestRecord
from .resources import Arn, Registry, TrustAnchor
from .signature import read_authorization, verify
from .subjects import Subjects
from .throttle import Throttle
from .trust import check_leaf, check_revocation, find_path, read_certificate, read_chain
from .wire import Received, read_session_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.clock import Clock

    from .answers import Answer
    from .control_plane.desk import PrivateCas
    from .control_plane.model import Route
    from .wire import SessionRequest

    # What is sent, and what the record says of it: fields of `RequestRecord`.
    _Outcome = tuple[Answer, dict[str, Any]]

CREATE_SESSION: Final = "CreateSession"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out.

    Attributes:
        answer: the HTTP answer.
        fault: what the delivery shall do to it, if anything.
    """

    answer: Answer
    fault: Fault | None


class Dials:
    """What may be turned while the service runs.

    Attributes:
        clock_offset: how far its clock is off. Set it to see what a wrong clock does.
        max_lifetime: seconds that no session exceeds; None for no such limit.
        requests_per_second: the quota of CreateSession; None for no limit.
        control_plane_rate: that of each group of the control plane's operations.
    """

    clock_offset: timedelta = timedelta()
    max_lifetime: float | None = None
    requests_per_second: int | None = None
    control_plane_rate: int | None = None


class Service:
    """A local IAM Roles Anywhere, as a function from requests to answers.

    Attributes:
        region: of the endpoint. Scope, trust anchor and profile are of the same.
        clock: says what time it is, before the offset.
        registry: what is registered.
        faults: what shall go wrong next.
        records: what was asked so far.
        administrators: secret access keys by access key id, with one of which calls of the control
            plane must be signed; empty to let everybody in.
        desk: what the control plane works on.
    """

    def __init__(
        self,
        *,
        prefix: str,
        clock: Clock,
        private_cas: PrivateCas,
        dials: Dials,
        administrators: Mapping[str, str],
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.region = prefix.split(":")[3]
        self.clock = clock
        self.registry = Registry()
        self.faults = FaultPlan()
        self.records = Records(on_request)
        self.administrators = administrators
        self._dials = dials
        self._throttles: defaultdict[str, Throttle] = defaultdict(Throttle)
        self.desk = Desk(self.registry, prefix, self.now, private_cas, Subjects())

    def now(self) -> datetime:
        """The service's time."""
        return self.clock() + self._dials.clock_offset

    def handle(self, received: Received) -> Reply:
        """Answer one request, and remember it."""
        now = self.now()
        session = (received.method, received.path) == ("POST", "/sessions")
        route = None if session else find_route(received)
        operation = CREATE_SESSION if session else route and route.name
        fault = self.faults.next(operation)
        answer = instead_of_answer(fault, now)
        if answer is None:
            answer, facts = self._outcome(received, operation, route, now)
        else:
            status = None if isinstance(fault, Reset) else answer.status
            facts = {"outcome": f"fault: {fault}", "status": status}
        self.records.append(_record(received, now, operation, fault, facts))
        return Reply(applied(fault, answer), fault)

    def _outcome(
        self, received: Received, operation: str | None, route: Route | None, now: datetime
    ) -> _Outcome:
        try:
            if operation == CREATE_SESSION:
                granted = self._create_session(received, now)
                return json_answer(201, granted.content, now), _facts(granted)
            return self._administer(received, route, now)
        except Refused as refused:
            refusal = refused.refusal
            return refusal_answer(refusal, now), {
                "outcome": refusal.code,
                "status": refusal.status,
                "message": refusal.message,
                "reason": refused.reason,
            }

    def _administer(self, received: Received, route: Route | None, now: datetime) -> _Outcome:
        operation = OPERATIONS.get(route.name) if route else None
        if route is None or operation is None:  # botocore may know more than the emulator
            raise Refused(UNKNOWN_OPERATION, f"{received.method} {received.path}")
        check_administrator(received, self.administrators, region=self.region, now=now)
        rate = self._dials.control_plane_rate
        if not self._throttles[operation.group].admits(now, rate):
            raise Refused(THROTTLED, f"above {rate} a second for {operation.group}")
        content = operation.answer(self.desk, read(route, received))
        facts = {"outcome": route.name, "status": route.status}
        return json_answer(route.status, content, now), facts

    def _create_session(self, received: Received, now: datetime) -> Grant:
        # In which order the service looks at things is not documented; this one lets each test of
        # one wrong thing see that thing's answer.
        rate = self._dials.requests_per_second
        if not self._throttles[CREATE_SESSION].admits(now, rate):
            raise Refused(THROTTLED, f"above {rate} a second")
        authorization = read_authorization(received)
        certificate = read_certificate(received)
        verify(received, authorization, certificate, region=self.region, now=now)
        chain = read_chain(received)
        request = read_session_request(received)
        anchor = self._find_anchor(request.trust_anchor_arn)
        try:
            granted = self._granted(request, certificate, chain, anchor, now)
        except Refused as refused:
            if refused.refusal is not UNTRUSTED_SIGNER:  # then nobody vouches for the subject
                self.desk.subjects.note(certificate, self.desk.prefix, now, failed=True)
            raise
        self.desk.subjects.note(certificate, self.desk.prefix, now, failed=False)
        return granted

    def _granted(
        self,
        request: SessionRequest,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
        anchor: TrustAnchor,
        now: datetime,
    ) -> Grant:
        if not anchor.enabled:
            raise Refused(ANCHOR_DISABLED, "the trust anchor is disabled")
        check_leaf(certificate, now)
        path = find_path(certificate, chain, anchor.certificates, now)
        check_revocation(path, self.registry.revocation_lists(anchor.arn))
        return grant(
            request,
            certificate,
            anchor,
            self.registry,
            now=now,
            max_lifetime=self._dials.max_lifetime,
        )

    def _find_anchor(self, arn: str) -> TrustAnchor:
        anchor = self.registry.find(TrustAnchor, arn)
        if anchor is None:
            raise Refused(NO_TRUST_ANCHOR, f"{arn} is not registered")
        region = Arn.parse(anchor.arn, where="trust anchor").region
        if region != self.region:
            raise Refused(NO_TRUST_ANCHOR, f"it is in {region}, this endpoint in {self.region}")
        return anchor


def _facts(granted: Grant) -> dict[str, Any]:
    about: Mapping[str, Any] = granted.profile.about
    return {
        "outcome": CREATED,
        "status": 201,
        "access_key_id": granted.access_key_id,
        "session_policy": about.get("sessionPolicy"),
        "managed_policy_arns": tuple(about.get("managedPolicyArns", ())),
        "principal_tags": granted.tags,
        "origin_identity": granted.origin_identity,
    }


def _record(
    received: Received,
    now: datetime,
    operation: str | None,
    fault: Fault | None,
    facts: Mapping[str, Any],
) -> RequestRecord:
    headers: dict[str, str] = {}
    for name, value in received.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return RequestRecord(
        received_at=now,
        method=received.method,
        path=received.path,
        query=received.query,
        headers=MappingProxyType(headers),
        body=received.body,
        operation=operation,
        fault=str(fault) if fault else None,
        trust_anchor_arn=received.text("trustAnchorArn"),
        profile_arn=received.text("profileArn"),
        role_arn=received.text("roleArn"),
        certificate_serial=_serial(received),
        **facts,
    )


def _serial(received: Received) -> int | None:
    try:
        return read_certificate(received).serial_number
    except Refused:
        return None

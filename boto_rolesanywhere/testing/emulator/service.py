"""From a request's bytes to the answer's: CreateSession here, the rest by `control_plane`.

No sockets and no web framework here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .answers import (
    ANCHOR_DISABLED,
    NO_TRUST_ANCHOR,
    THROTTLED,
    Refused,
    json_answer,
    refusal_answer,
)
from .control_plane.authentication import check as check_administrator
from .control_plane.desk import Desk
from .control_plane.operations import find as find_operation
from .faults import Fault, FaultPlan, Reset, applied, instead_of_answer
from .grants import Grant, grant
from .records import CREATED, Records, RequestRecord
from .resources import Arn, Registry
from .signature import read_authorization, verify
from .subjects import Subjects
from .trust import check_leaf, check_revocation, find_path, read_certificate, read_chain
from .wire import Received, read_session_request

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from boto_rolesanywhere.clock import Clock

    from .answers import Answer
    from .control_plane.desk import PrivateCas
    from .resources import TrustAnchor

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out.

    Attributes:
        answer: the HTTP answer.
        fault: what the delivery shall do to it, if anything.
    """

    answer: Answer
    fault: Fault | None


class Throttle:
    """At most so many requests in any second; None for no limit."""

    def __init__(self, requests_per_second: int | None) -> None:
        self.requests_per_second = requests_per_second
        self._lock = Lock()
        self._passed: deque[datetime] = deque()

    def admits(self, now: datetime) -> bool:
        """Whether a request may pass now. One that may not is not counted."""
        limit = self.requests_per_second
        if limit is None:
            return True
        with self._lock:
            while self._passed and self._passed[0] <= now - _SECOND:
                self._passed.popleft()
            if len(self._passed) >= limit:
                return False
            self._passed.append(now)
            return True


class Service:
    """A local IAM Roles Anywhere, as a function from requests to answers.

    Attributes:
        region: of the endpoint. Scope, trust anchor and profile are of the same.
        clock: says what time it is, before the offset.
        clock_offset: how far the service's clock is off.
        max_lifetime: seconds that no session exceeds; None for no such limit.
        registry: what is registered.
        faults: what shall go wrong next.
        records: what was asked so far.
        throttle: the quota of CreateSession.
        administrators: secret access keys by access key id, with one of which calls of the control
            plane must be signed; empty to let everybody in.
        control_plane_rate: how many calls of one group pass a second; None for no limit.
        desk: what the control plane works on.
    """

    def __init__(
        self,
        *,
        prefix: str,
        clock: Clock,
        private_cas: PrivateCas,
        max_lifetime: float | None = None,
        requests_per_second: int | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.region = prefix.split(":")[3]
        self.clock = clock
        self.clock_offset = timedelta()
        self.max_lifetime = max_lifetime
        self.registry = Registry()
        self.faults = FaultPlan()
        self.records = Records(on_request)
        self.throttle = Throttle(requests_per_second)
        self.administrators: dict[str, str] = {}
        self.control_plane_rate: int | None = None
        self._group_throttles: dict[str, Throttle] = {}
        self.desk = Desk(self.registry, prefix, self.now, private_cas, Subjects())

    def now(self) -> datetime:
        """The service's time."""
        return self.clock() + self.clock_offset

    def handle(self, received: Received) -> Reply:
        """Answer one request, and remember it."""
        now, fault = self.now(), self.faults.next()
        answer = instead_of_answer(fault, now)
        if answer is not None:
            status = None if isinstance(fault, Reset) else answer.status
            self._remember(received, now, f"fault: {fault}", status, fault)
            return Reply(answer, fault)
        granted: Grant | None = None
        try:
            if (received.method, received.path) == ("POST", "/sessions"):
                granted = self._create_session(received, now)
                outcome, status, content = CREATED, 201, granted.content
            else:
                outcome, status, content = self._administer(received, now)
        except Refused as refused:
            refusal = refused.refusal
            self._remember(received, now, refusal.code, refusal.status, fault, refused=refused)
            return Reply(applied(fault, refusal_answer(refusal, now)), fault)
        self._remember(received, now, outcome, status, fault, granted=granted)
        return Reply(applied(fault, json_answer(status, content, now)), fault)

    def _administer(self, received: Received, now: datetime) -> tuple[str, int, dict[str, object]]:
        name, operation, call = find_operation(received)
        check_administrator(received, self.administrators, region=self.region, now=now)
        rate = self.control_plane_rate
        throttle = self._group_throttles.setdefault(operation.group, Throttle(rate))
        throttle.requests_per_second = rate
        if not throttle.admits(now):
            raise Refused(THROTTLED, f"above {rate} a second for {operation.group}")
        return name, operation.status, operation.answer(self.desk, call)

    def _create_session(self, received: Received, now: datetime) -> Grant:
        # In which order the service looks at things is not documented; this one lets each test of
        # one wrong thing see that thing's answer.
        if not self.throttle.admits(now):
            raise Refused(THROTTLED, f"above {self.throttle.requests_per_second} a second")
        authorization = read_authorization(received)
        certificate = read_certificate(received)
        verify(received, authorization, certificate, region=self.region, now=now)
        chain = read_chain(received)
        request = read_session_request(received)
        anchor = self._find_anchor(request.trust_anchor_arn)
        self._check_trust(certificate, chain, anchor, now)
        try:
            granted = grant(
                request,
                certificate,
                anchor,
                self.registry,
                now=now,
                max_lifetime=self.max_lifetime,
            )
        except Refused:
            self.desk.subjects.note(certificate, self.desk.prefix, now, failed=True)
            raise
        self.desk.subjects.note(certificate, self.desk.prefix, now, failed=False)
        return granted

    def _find_anchor(self, arn: str) -> TrustAnchor:
        anchor = self.registry.anchor(arn)
        if anchor is None:
            raise Refused(NO_TRUST_ANCHOR, f"{arn} is not registered")
        region = Arn.parse(anchor.arn, where="trust anchor").region
        if region != self.region:
            raise Refused(NO_TRUST_ANCHOR, f"it is in {region}, this endpoint in {self.region}")
        if not anchor.enabled:
            raise Refused(ANCHOR_DISABLED, "the trust anchor is disabled")
        return anchor

    def _check_trust(
        self,
        certificate: x509.Certificate,
        chain: tuple[x509.Certificate, ...],
        anchor: TrustAnchor,
        now: datetime,
    ) -> None:
        check_leaf(certificate, now)
        path = find_path(certificate, chain, anchor.certificates, now)
        check_revocation(path, self.registry.revocation_lists(anchor.arn))

    def _remember(
        self,
        received: Received,
        now: datetime,
        outcome: str,
        status: int | None,
        fault: Fault | None,
        *,
        refused: Refused | None = None,
        granted: Grant | None = None,
    ) -> None:
        headers: dict[str, str] = {}
        for name, value in received.headers:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        self.records.append(
            RequestRecord(
                received_at=now,
                method=received.method,
                path=received.path,
                query=received.query,
                headers=MappingProxyType(headers),
                body=received.body,
                outcome=outcome,
                status=status,
                message=refused.refusal.message if refused else None,
                reason=refused.reason if refused else None,
                fault=str(fault) if fault else None,
                trust_anchor_arn=received.text("trustAnchorArn"),
                profile_arn=received.text("profileArn"),
                role_arn=received.text("roleArn"),
                certificate_serial=_serial(received),
                access_key_id=granted.access_key_id if granted else None,
            )
        )


def _serial(received: Received) -> int | None:
    try:
        return read_certificate(received).serial_number
    except Refused:
        return None

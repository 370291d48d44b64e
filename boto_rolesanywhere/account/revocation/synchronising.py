"""Brings the lists of CAs to a trust anchor, with no more calls than that takes."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from boto_rolesanywhere.account.found import tags_of
from boto_rolesanywhere.account.tags import SETUP, SYNCHRONISED, rolesanywhere_tags
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import RolesAnywhereError

from .anchors import Anchor, imported_lists, read_anchor
from .lists import counted
from .rules import authorities_below, issuer_of, require_importable
from .sources import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from boto_rolesanywhere.account.administrator import Administrator
    from boto_rolesanywhere.clock import Clock
    from boto_rolesanywhere.identity.opening import Access

    from .anchors import Imported
    from .lists import RevocationList

State = Literal[
    "imported",
    "updated",
    "enabled",
    "unchanged",
    "empty",  # nothing to import
    "spare",  # another source has a newer list of the same CA
    "older",
    "in-the-way",
    "refused",
    "failed",
]
MOST_LISTS: Final = 2  # of a trust anchor (User Guide, "Quotas")
# Faults of a list that was read: the next try meets them again.
_OF_THE_LIST: Final = frozenset(
    {
        "crl-issuer-foreign",
        "crl-not-current",
        "crl-partial",
        "crl-signature",
        "crl-too-large",
        "crl-unreadable",
    }
)
_AT_AWS: Final = frozenset({"imported", "updated", "enabled", "unchanged"})
_OF_A_CA_BELOW: Final = (
    "Its CA is below the trust anchor: that AWS looks at such a list is nowhere published, so try"
    " it with a certificate that may be revoked"
)
_NOT_IN_NAMES: Final = re.compile(r"[^ a-zA-Z0-9_-]+")
_LONGEST_NAME: Final = 255
_KEPT: Final = {SYNCHRONISED: "crl sync"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source.

    Attributes:
        source: as it was named.
        state: what was done, or why nothing was.
        text: the same in words.
        remedy: what to do; None if nothing is to be done.
        code: of the error, if there was one.
        listed: the source's list, if it could be read.
        crl_arn: of the list at AWS, if there is one.
    """

    source: str
    state: State
    text: str
    remedy: str | None = None
    code: str | None = None
    listed: RevocationList | None = None
    crl_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be brought where.

    Attributes:
        trust_anchor: its ARN, or that of its alias.
        sources: of the lists, as `Reader.read` takes them. Two of one CA: the newer list counts.
        issuers: certificates of CAs below the trust anchor.
        adopt: take over a list of the same CA that somebody else imported.
        whole: take a list that names its own distribution point for a complete one.
    """

    trust_anchor: str
    sources: tuple[str, ...]
    issuers: tuple[x509.Certificate, ...] = ()
    adopt: bool = False
    whole: bool = False


class _There(NamedTuple):
    """A list that AWS has, and that can be read."""

    imported: Imported
    listed: RevocationList


class _Candidate(NamedTuple):
    source: str
    listed: RevocationList
    issuer: x509.Certificate

    def outcome(
        self, state: State, text: str, remedy: str | None = None, *, at: Imported | None = None
    ) -> Outcome:
        code = "crl-in-the-way" if state == "in-the-way" else None
        arn = at.arn if at else None
        return Outcome(self.source, state, text, remedy, code, self.listed, arn)


@dataclass(frozen=True, slots=True)
class Synchroniser:
    """Carries out an order, as often as it is asked to.

    Attributes:
        administrator: in the trust anchor's Region.
        order: what to do.
        access: opens the key of a CA of ours.
        clock: gives the time.
    """

    administrator: Administrator
    order: Order
    access: Access
    _: KW_ONLY
    clock: Clock = utc_now

    def run(self) -> tuple[Outcome, ...]:
        """Bring all lists, and say what became of each source; one that fails stops no other.

        Raises:
            RolesAnywhereError: the trust anchor or its lists cannot be read.
        """
        anchor = read_anchor(self.administrator, self.order.trust_anchor)
        reader = Reader(
            administrator=self.administrator,
            anchors=anchor.certificates,
            access=self.access,
            clock=self.clock,
        )
        outcomes: list[Outcome] = []
        candidates: list[_Candidate] = []
        for source in self.order.sources:
            found = self._read(reader, anchor, source)
            if isinstance(found, Outcome):
                outcomes.append(found)
            else:
                candidates.append(found)
        if candidates:
            outcomes += self._bring_all(anchor, candidates)
        return tuple(outcomes)

    def _read(self, reader: Reader, anchor: Anchor, source: str) -> _Candidate | Outcome:
        try:
            found = reader.read(source)
            known = (*self.order.issuers, *found.authorities)
            issuer = issuer_of(found.listed, authorities_below(anchor.certificates, known))
            require_importable(found.listed, self.clock(), whole=self.order.whole)
        except RolesAnywhereError as error:
            return _fault(source, error)
        return _Candidate(source, found.listed, issuer)

    def _bring_all(self, anchor: Anchor, candidates: Sequence[_Candidate]) -> list[Outcome]:
        lists = imported_lists(self.administrator, anchor)
        free = MOST_LISTS - len(lists)
        newest: dict[x509.Certificate, _Candidate] = {}
        for candidate in candidates:
            other = newest.get(candidate.issuer)
            if other is None or is_older(other.listed, candidate.listed):
                newest[candidate.issuer] = candidate
        outcomes = []
        for candidate in candidates:
            chosen = newest[candidate.issuer]
            if chosen is not candidate:
                text = f"{chosen.source} has a list of the same CA that is newer, or the same"
                outcomes.append(candidate.outcome("spare", text))
                continue
            try:
                outcome = self._bring(anchor, candidate, lists, free)
            except RolesAnywhereError as error:
                outcome = _fault(candidate.source, error)
            if candidate.issuer not in anchor.certificates and outcome.state in _AT_AWS:
                outcome = replace(outcome, text=f"{outcome.text}. {_OF_A_CA_BELOW}")
            outcomes.append(outcome)
            free -= outcome.state == "imported"
        return outcomes

    def _bring(
        self, anchor: Anchor, candidate: _Candidate, lists: Sequence[Imported], free: int
    ) -> Outcome:
        there, *further = _of_issuer(lists, candidate) or (None,)
        if not candidate.listed.entries:
            return _empty(candidate, there)
        if there is None:
            return self._import(anchor, candidate) if free > 0 else _full(candidate, lists)
        if not there.imported.is_ours:
            if not self.order.adopt:
                return _of_somebody_else(candidate, there)
            tags = rolesanywhere_tags(_KEPT)
            self.administrator.call(
                "rolesanywhere", "TagResource", resourceArn=there.imported.arn, tags=tags
            )
        outcome = self._update(candidate, there)
        for twin in further:  # two runs found no list, and each imported one
            if twin.imported.is_ours:
                self._update(candidate, twin)
                remedy = f"{twin.imported} is a second one of the same CA, and may be removed: "
                remedy += f"aws rolesanywhere delete-crl --crl-id {twin.imported.crl_id}"
                outcome = replace(outcome, remedy=remedy)
        return outcome

    def _import(self, anchor: Anchor, candidate: _Candidate) -> Outcome:
        listed, tags = candidate.listed, _KEPT
        made_by_setup = tags_of(self.administrator, anchor.arn).get(SETUP)
        if made_by_setup is not None:  # so that `teardown` removes the list too
            tags = {**tags, SETUP: made_by_setup}
        answer = self.administrator.call(
            "rolesanywhere",
            "ImportCrl",
            name=_name_for(candidate.issuer),
            crlData=listed.pem,
            trustAnchorArn=anchor.arn,
            enabled=True,  # absent, it would be disabled
            tags=rolesanywhere_tags(tags),
        )
        outcome = candidate.outcome("imported", f"{describe(listed)} is imported and enabled")
        return replace(outcome, crl_arn=answer["crl"]["crlArn"])

    def _update(self, candidate: _Candidate, there: _There) -> Outcome:
        listed, imported = candidate.listed, there.imported
        state: State = "unchanged"
        text, remedy = f"{describe(listed)} is imported already", None
        if is_older(listed, there.listed):
            state, remedy = "older", "Look why the source serves an old list."
            text = f"{describe(listed)} is older than what AWS has: {describe(there.listed)}"
        elif there.listed.crl != listed.crl:
            self.administrator.call(
                "rolesanywhere", "UpdateCrl", crlId=imported.crl_id, crlData=listed.pem
            )
            state, text = "updated", f"{describe(listed)} took the place of the last one"
        if not imported.enabled:
            self.administrator.call("rolesanywhere", "EnableCrl", crlId=imported.crl_id)
            state = "enabled" if state == "unchanged" else state
            text += "; it was disabled, and is enabled now"
        return candidate.outcome(state, text, remedy, at=imported)


def is_older(listed: RevocationList, other: RevocationList) -> bool:
    """Whether a list is older than another one of the same CA.

    A CA that was restored begins its numbers anew, and one whose clock was put right goes back in
    time: a list that is later by one of the two counts as the newer.
    """
    if listed.number is None or other.number is None:
        return listed.this_update < other.this_update
    this, that = (listed.this_update, listed.number), (other.this_update, other.number)
    return this != that and this[0] <= that[0] and this[1] <= that[1]


def describe(listed: RevocationList) -> str:
    """A list in one clause."""
    number = "" if listed.number is None else f" number {listed.number}"
    end = f", next update {listed.next_update:%Y-%m-%d %H:%M} UTC" if listed.next_update else ""
    return f"list{number} of {listed.issuer}, {counted(listed.entries)}{end}"


def _fault(source: str, error: RolesAnywhereError) -> Outcome:
    state: State = "refused" if error.code in _OF_THE_LIST else "failed"
    text = error.problem + (f"; expected {error.expected}" if error.expected else "")
    return Outcome(source, state, text, error.remedy, error.code)


def _of_issuer(lists: Sequence[Imported], candidate: _Candidate) -> list[_There]:
    """What AWS has of the same CA, ours before others'."""
    issuer = candidate.listed.crl.issuer.public_bytes()
    found = [
        _There(each, each.listed)
        for each in lists
        if each.listed and each.listed.is_of(issuer) and each.listed.is_signed_by(candidate.issuer)
    ]
    return sorted(found, key=lambda there: not there.imported.is_ours)


def _empty(candidate: _Candidate, there: _There | None) -> Outcome:
    issuer = candidate.listed.issuer
    text = f"the list of {issuer} has no entries, which AWS refuses to import"
    if there is None or not there.imported.enabled:
        return candidate.outcome("empty", f"{text}; none is needed, since nothing is revoked")
    text += (
        f". AWS keeps {describe(there.listed)}, and goes on refusing the certificates that it names"
    )
    remedy = (
        "If one of them is to be accepted again, remove the list: aws rolesanywhere delete-crl"
        f" --crl-id {there.imported.crl_id}"
    )
    return candidate.outcome("empty", text, remedy, at=there.imported)


def _of_somebody_else(candidate: _Candidate, there: _There) -> Outcome:
    imported = there.imported
    if imported.enabled and there.listed.crl == candidate.listed.crl:
        text = f"{imported} is this list; somebody else imported it"
        return candidate.outcome("unchanged", text, at=imported)
    text = f"AWS has a list of the same CA that `crl sync` did not import: {imported}"
    remedy = "Let `crl sync` keep it from now on: --adopt. Stop what kept it before."
    return candidate.outcome("in-the-way", text, remedy, at=imported)


def _full(candidate: _Candidate, lists: Sequence[Imported]) -> Outcome:
    text = (
        f"the trust anchor has {MOST_LISTS} lists already, which is the most:"
        f" {' and '.join(map(str, lists))}"
    )
    remedy = (
        "Remove the one that is not needed: aws rolesanywhere delete-crl --crl-id ID. Certificates"
        " that it alone names are accepted again then."
    )
    return candidate.outcome("in-the-way", text, remedy)


def _name_for(issuer: x509.Certificate) -> str:
    name = _NOT_IN_NAMES.sub("-", describe_subject(issuer)).strip("-")
    return f"crl sync {name}"[:_LONGEST_NAME]

"""How an inspection and an evaluation look in a terminal. Nothing is worked out here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from boto_rolesanywhere.cli.terminal import Mark, Page
    from boto_rolesanywhere.inspection.certificate import CertificateInspection
    from boto_rolesanywhere.inspection.trust_policy import (
        ActionResult,
        ConditionResult,
        Evaluation,
        StatementResult,
    )

_HOLDS: Final[dict[bool | None, Mark]] = {True: "ok", False: "fail", None: "warn"}
_DECIDED: Final[dict[str, Mark]] = {"allowed": "ok", "undecided": "warn"}
_DETAIL: Final = 7
_VALUES: Final = 9


def show_inspection(page: Page, inspection: CertificateInspection, place: str) -> None:
    """Add how AWS will see the certificate in `place`."""
    from boto_rolesanywhere.certificates.descriptions import describe_subject

    _show_certificate(page, inspection, place)
    page.heading("What AWS asks of it")
    column = max(len(constraint.title) for constraint in inspection.constraints)
    for constraint in inspection.constraints:
        page.marked(
            "fail" if constraint.problems else "ok",
            constraint.title,
            constraint.value,
            column=column,
        )
        for problem in constraint.problems:
            page.note(f"{problem.text}. {problem.remedy}", indent=_DETAIL)
    for slip in inspection.slips:
        page.marked("warn", "encoding", slip, column=column)
    _show_session(page, inspection)
    page.heading("Chain sent with it", "" if inspection.chain else "none")
    if inspection.chain:
        page.fields(
            (str(place), f"{describe_subject(link)}, until {link.not_valid_after_utc:%Y-%m-%d}")
            for place, link in enumerate(inspection.chain, 1)
        )


def _show_certificate(page: Page, inspection: CertificateInspection, place: str) -> None:
    from boto_rolesanywhere.certificates.reading import decimal

    page.heading("Certificate", place)
    days = inspection.days_left
    amount = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    left = f"{amount} left" if days >= 0 else f"expired {amount} ago"
    signs = inspection.algorithm or "nothing that AWS knows"
    page.fields(
        (
            ("subject", inspection.subject),
            ("issuer", inspection.issuer),
            ("serial number", f"{inspection.serial_number_hex} (hex)"),
            ("", f"{decimal(inspection.serial_number)} (decimal)"),
            ("valid from", f"{inspection.not_before:%Y-%m-%d %H:%M:%S} UTC"),
            ("until", f"{inspection.not_after:%Y-%m-%d %H:%M:%S} UTC, {left}"),
            ("key", f"{inspection.key}, signs with {signs}"),
            *(("revocation list", url) for url in inspection.revocation_lists),
        )
    )


def _show_session(page: Page, inspection: CertificateInspection) -> None:
    page.heading("What it turns into")
    doubt = inspection.source_identity_doubt
    default = inspection.session_name == inspection.serial_number_hex
    origin = "default" if default else "as asked for, if the profile accepts one"
    page.fields(
        (
            ("session name", f"{inspection.session_name} ({origin})"),
            ("SourceIdentity", inspection.source_identity + (f" ({doubt})" if doubt else "")),
        )
    )
    page.heading("Trusted identity propagation", "if the profile has it, by its subjectSource")
    page.fields(
        (source, subject or "no value: AWS denies the session")
        for source, subject in inspection.origins
    )
    kept = [tag for tag in inspection.tags if tag.dropped is None]
    dropped = [tag for tag in inspection.tags if tag.dropped is not None]
    page.heading("Session tags", "in policies as aws:PrincipalTag/KEY")
    page.fields((tag.key, tag.value + ("" if tag.documented else " [1]")) for tag in kept)
    for tag in dropped:
        page.marked("warn", f"{tag.key} is dropped", tag.value)
        page.note(f"{tag.dropped}; conditions see no such tag", indent=_DETAIL)
    for name, why in inspection.unused_names:
        page.marked("skip", name, why)
    if not all(tag.documented for tag in kept):
        page.note("[1] AWS does not document this name; try it before you rely on it", indent=2)


def show_evaluation(page: Page, evaluation: Evaluation, place: str) -> None:
    """Add the verdict of the trust policy in `place`."""
    page.heading("Trust policy", place if place != "-" else "from standard input")
    column = max(len(action.action) for action in evaluation.actions)
    for action in evaluation.actions:
        page.marked(
            _DECIDED.get(action.decision, "fail"), action.action, _decision(action), column=column
        )
    for result in evaluation.statements:
        _show_statement(page, result)
    if evaluation.warnings:
        page.heading("Warnings")
        for warning in evaluation.warnings:
            page.marked("warn", f"{warning}.")
    if evaluation.warnings or not evaluation.allowed:
        page.note("`boto-rolesanywhere trust-policy --correct` sets mistakes right", indent=2)


def _decision(action: ActionResult) -> str:
    if action.decision == "implicitly denied":
        return "denied: no statement allows it"
    names = " and ".join(statement.name for statement in action.decided_by)
    if action.decision == "undecided":
        return f"undecided: it depends on {names}"
    return f"{action.decision} by {names}"


def _show_statement(page: Page, result: StatementResult) -> None:
    applies = {True: "applies", False: "does not apply", None: "undecided"}[result.applies]
    statement = result.statement
    page.heading(f"{statement.effect}: {statement.name}", applies)
    principals, actions = statement.principals, statement.actions
    rows = (
        (
            _HOLDS[result.principal],
            "NotPrincipal" if principals.negated else "Principal",
            ", ".join(f"{kind} {name}" for kind, name in principals.entries) or "nobody",
        ),
        (
            _HOLDS[bool(result.actions)],
            "NotAction" if actions.negated else "Action",
            ", ".join(actions.patterns) or "none",
        ),
    )
    column = max(len(title) for _, title, _ in rows)
    for mark, title, value in rows:
        page.marked(mark, title, value, column=column)
    for condition in result.conditions:
        _show_condition(page, condition)


def _show_condition(page: Page, result: ConditionResult) -> None:
    condition = result.condition
    page.marked(_HOLDS[result.holds], f"{condition.operator} {condition.key}")
    wanted = " or ".join(map(repr, result.wanted)) or "nothing"
    missing = "not known here" if result.holds is None else "no such key"
    seen = " and ".join(map(repr, result.seen)) or missing
    page.fields((("policy", wanted), ("session", seen)), indent=_VALUES)
    if result.reason:
        page.note(result.reason, indent=_VALUES)

"""The profile's ``credential_process``: flags without a setting, and what it does around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto_rolesanywhere.errors import ConfigurationError, RolesAnywhereError

from .verdict import Verdict, of_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto_rolesanywhere.settings.inputs import Inputs
    from boto_rolesanywhere.settings.process_line import ProcessLine

    from .verdict import Check, Question


def check_line(question: Question, inputs: Inputs, followed: Inputs) -> Check[Inputs]:
    """Flags of the profile's credential_process that no setting stands for."""
    from boto_rolesanywhere.settings.inputs import line_of

    line = line_of(inputs.session, inputs.profile_name or "default", inputs.section)
    if line is None:
        return followed
    yield from _around(line, question)
    if line.secret is not None:
        flag = line.secret[0]
        yield Verdict(
            "configuration",
            "warn",
            f"the value of {flag} in credential_process is the secret itself: every user of this"
            " machine can read the arguments of a running command",
            f"Put it in a file that only you can read, and name that with {flag}-file.",
        )
    if "\n" in str(inputs.section["credential_process"]).strip():
        yield Verdict(
            "configuration",
            "warn",
            f"credential_process goes on below {followed.process}: boto3 and the AWS CLI read it"
            " whole, and other SDKs may not",
            "Write it on one line.",
        )
    others = line.others
    if question.choose is None:
        others = (*others, *line.selection)
    elif line.selection:
        try:
            chosen = question.choose(line.selection, followed)
        except RolesAnywhereError as error:
            yield of_error("configuration", error)
        else:
            followed = followed._replace(arguments={**followed.arguments, **chosen})
    if others:
        yield Verdict(
            "configuration",
            "warn",
            f"doctor does not follow {', '.join(others)} of credential_process",
            "Give doctor the flags of that line.",
        )
    return followed


def _around(line: ProcessLine, question: Question) -> Iterator[Verdict]:
    """What the line does around the program, such as set a variable, and doctor does not."""
    set_there = [
        name for name, value in line.variables.items() if question.environ.get(name) != value
    ]
    if set_there:
        yield Verdict(
            "configuration",
            "warn",
            f"credential_process sets {', '.join(set_there)}, and doctor runs without",
            "Set the same for doctor.",
        )
    if line.around:
        yield Verdict(
            "configuration",
            "warn",
            f"credential_process runs {line.program} by {line.around}, and doctor runs here: user,"
            " files and variables may differ",
            f"Run doctor by {line.around}, too.",
        )


def hint_of_line(inputs: Inputs) -> str | None:
    """What to do about a line that gives no settings; None if it runs another program."""
    from boto_rolesanywhere.settings.process_words import PROGRAMS, not_read

    process = inputs.section.get("credential_process")
    where = f"The credential_process of profile {inputs.profile_name!r}"
    if reason := not_read(process):
        problem, remedy = reason
        return f"{where}: {problem}. {remedy}"
    if not PROGRAMS.search(str(process)):
        return None
    strange = _strange_flags(process)
    said = f" (it has {strange})" if strange else ""
    return f"{where} gives no settings{said}: correct that line, or give doctor its flags."


def _strange_flags(process: object) -> str:
    """The flags of a ``credential_process`` that mean nothing, without their values."""
    from boto_rolesanywhere.settings.process_line import read_line

    try:
        line = read_line(process)
    except ConfigurationError:  # reported by an earlier check
        return ""
    return ", ".join(line.others) if line else ""

"""The contexts as a script for each shell. A script runs nothing of ours: completing takes no time.

Each script walks over the words to find the context, looks whether the word before wants a value,
and offers what it knows; where a file may stand, it leaves the shell to complete one.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.commands.env import fish_quoted, powershell_quoted
from boto_rolesanywhere.cli.outcome import PROGRAM

from .tree import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .tree import Context, Word

_BASH: Final = """\
# Completion of %(program)s for bash. In ~/.bashrc:  eval "$(%(program)s completion bash)"
_boto_rolesanywhere() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= word words=
    # bash takes --flag=value for three words
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "${at:+$at }$word" in
            %(paths)s) at="${at:+$at }$word" ;;
        esac
    done
    COMPREPLY=()
    case "$at:$prev" in
%(values)s
        *)
            case "$at" in
%(words)s
            esac
            ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _boto_rolesanywhere %(program)s
"""
_ZSH: Final = """\
#compdef %(program)s
# Completion of %(program)s for zsh. In ~/.zshrc, after compinit:
#   eval "$(%(program)s completion zsh)"
_%(program)s() {
    local at= word prev=${words[CURRENT-1]}
    local -a known
    for word in "${(@)words[2,CURRENT-1]}"; do
        case "${at:+$at }$word" in
            %(paths)s) at="${at:+$at }$word" ;;
        esac
    done
    if [[ $PREFIX == --*=* ]]; then
        prev=${PREFIX%%%%=*}
        compset -P '*='
    fi
    case "$at:$prev" in
%(values)s
    esac
    case "$at" in
%(words)s
    esac
    _describe -V %(program)s known
}
if [[ $funcstack[1] == _%(program)s ]]; then
    _%(program)s "$@"
else
    compdef _%(program)s %(program)s
fi
"""
_FISH: Final = """\
# Completion of %(program)s for fish:
#   %(program)s completion fish > ~/.config/fish/completions/%(program)s.fish
function __boto_rolesanywhere_at
    set -l at
    for word in (commandline -opc)[2..-1]
        if contains -- (string join -- ' ' $at $word) %(paths)s
            set -a at $word
        end
    end
    test "$at" = "$argv[1]"
end
complete -c %(program)s -f
%(lines)s
"""
_POWERSHELL: Final = """\
# Completion of %(program)s for PowerShell. In $PROFILE:
#   %(program)s completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName '%(program)s' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $known = @{
%(words)s
    }
    $values = @{
%(values)s
    }
    $at = ''
    $prev = ''
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition -and $wordToComplete) { break }
        $prev = $element.ToString()
        $next = "$at $prev".Trim()
        if ($known.ContainsKey($next)) { $at = $next }
    }
    $found = $values["${at}:$prev"]
    if ($null -eq $found) { $found = $known[$at] }
    foreach ($pair in $found) {
        $text, $help = $pair -split '\\|', 2
        if ($text.StartsWith($wordToComplete)) {
            [System.Management.Automation.CompletionResult]::new(
                $text, $text, 'ParameterValue', $help)
        }
    }
}
"""
_RETURN: Final = "\n            return"


def bash(contexts: Sequence[Context]) -> str:
    """For bash 3.2 and later."""
    values = _cases(
        contexts,
        one_of=lambda word: f"words={shlex.quote(' '.join(word.choices))}",
        file="return",
        other=f"compopt +o default 2>/dev/null{_RETURN}",
    )
    words = [
        f"                {_quoted(each.path)}) words="
        f"{shlex.quote(' '.join(word.text for word in each.words))} ;;"
        for each in contexts
    ]
    return _filled(_BASH, contexts, values=values, words=words)


def zsh(contexts: Sequence[Context]) -> str:
    """For zsh 5."""
    values = _cases(
        contexts,
        one_of=lambda word: f"compadd -- {' '.join(map(shlex.quote, word.choices))}{_RETURN}",
        file=f"_files{_RETURN}",
        other=f"_message value{_RETURN}",
    )
    words = []
    for each in contexts:
        known = " ".join(shlex.quote(f"{word.text}:{word.help}") for word in each.words)
        files = " [[ $PREFIX == -* ]] || _files ;;" if each.takes_files else " ;;"
        words.append(
            f"        {_quoted(each.path)}) known=({known}){';' * each.takes_files}{files}"
        )
    return _filled(_ZSH, contexts, values=values, words=words)


def fish(contexts: Sequence[Context]) -> str:
    """For fish 3."""
    lines = []
    for each in contexts:
        start = f"complete -c {PROGRAM} -n \"__boto_rolesanywhere_at '{each.path}'\""
        if each.takes_files:
            lines.append(f"{start} -F")
        for word in each.words:
            name = f"-l {word.text[2:]}" if word.text.startswith("--") else f"-a {word.text}"
            value = {
                Value.NONE: "",
                Value.ONE_OF: f" -x -a {fish_quoted(' '.join(word.choices))}",
                Value.FILE: " -r -F",
                Value.OTHER: " -x",
            }[word.value]
            lines.append(f"{start} {name}{value} -d {fish_quoted(word.help)}")
    return _filled(_FISH, contexts, separator=" ", lines=lines)


def powershell(contexts: Sequence[Context]) -> str:
    """For Windows PowerShell 5.1 and PowerShell 7."""
    words = [
        _ps_list(each.path, ((word.text, word.help or word.text) for word in each.words))
        for each in contexts
    ]
    # An empty list: PowerShell completes a file then.
    values = [
        _ps_list(f"{each.path}:{word.text}", ((choice, choice) for choice in word.choices))
        for each in contexts
        for word in each.words
        if word.value is not Value.NONE
    ]
    return _filled(_POWERSHELL, contexts, words=words, values=values)


SCRIPTS: Final = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}


def _cases(
    contexts: Sequence[Context], *, one_of: Callable[[Word], str], file: str, other: str
) -> list[str]:
    """What a shell does behind a flag; the flags of all contexts for which it does the same."""
    found: dict[str, list[str]] = {}
    for each in contexts:
        for word in each.words:
            if word.value is not Value.NONE:
                body = {Value.FILE: file, Value.OTHER: other}.get(word.value) or one_of(word)
                found.setdefault(body, []).append(_quoted(f"{each.path}:{word.text}"))
    return [
        f"        {'|'.join(flags)})\n            {body}\n            ;;"
        for body, flags in found.items()
    ]


def _quoted(text: str) -> str:
    return f'"{text}"'  # of letters, blanks, colons and dashes


def _ps_list(key: str, pairs: Iterable[tuple[str, str]]) -> str:
    texts = ", ".join(powershell_quoted("|".join(pair)) for pair in pairs)
    return f"        {powershell_quoted(key)} = @({texts})"


def _filled(
    script: str, contexts: Sequence[Context], *, separator: str = "|", **parts: Iterable[str]
) -> str:
    paths = separator.join(_quoted(each.path) for each in contexts if each.path)
    lines = {name: "\n".join(part) for name, part in parts.items()}
    return script % {"program": PROGRAM, "paths": paths, **lines}

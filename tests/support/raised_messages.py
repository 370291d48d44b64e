"""The messages that the package can raise, read from its source, with `…` where a value stands.

A small abstract interpretation of text: f-strings, concatenations, choices, constants, local names,
and parameters (whose values are looked for at all calls). What cannot be followed becomes `…`.
Nothing is imported or run.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

GAP: Final = "…"
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

# What takes a message, and which argument it is: (position, keyword).
_ERRORS: Final = (
    *(
        "RolesAnywhereError",
        "ConfigurationError",
        "NoSuchProfileError",
        "CertificateError",
        "PrivateKeyError",
    ),
    *("PassphraseError", "KeyDeviceError", "EndpointError", "InvalidResponseError"),
    "NoSuchProfileError",
)
_SINKS: Final = dict.fromkeys(_ERRORS, (0, "what")) | {
    "_Meaning": (0, "what"),  # tables of return codes
    "Finding": (1, "text"),  # what is wrong with a certificate
    "PemError": (0, ""),  # handed on word for word
    "TypeError": (0, ""),
    "ValueError": (0, ""),
    "ArgumentTypeError": (0, ""),  # argparse hands it on
    "complain": (0, "message"),  # the command's one line on stderr
    "answer": (1, "body"),  # of the local endpoint
    "json_answer": (1, "content"),
}
_LOGGED: Final = ("warning", "error")
_MAKES_CLASSES: Final = "error_class"  # gives one of `_ERRORS`
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True)
class Message:
    """One message and where it is given.

    Attributes:
        text: with `…` for each value.
        place: file and line.
    """

    text: str
    place: str


@dataclass
class _Module:
    path: Path
    tree: ast.Module
    functions: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    constants: dict[str, ast.expr] = field(default_factory=dict)
    owners: dict[ast.AST, Function] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where an expression stands, and the names that are being looked up already."""

    module: _Module
    owner: Function | None
    seen: frozenset[tuple[Function | None, str]]


class Source:
    """All modules of a package."""

    def __init__(self, folder: Path, *, skip: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._modules = [
            _index(path, ast.parse(path.read_text(encoding="utf-8")))
            for path in sorted(folder.rglob("*.py"))
            if not path.relative_to(folder).as_posix().startswith(skip)
        ]
        self._calls: dict[str, list[tuple[_Module, ast.Call]]] = defaultdict(list)
        for module in self._modules:
            for call in module.calls:
                self._calls[_name_of(call.func)].append((module, call))

    def messages(self) -> list[Message]:
        """Every message that is given to an error, to the command's stderr or to the log."""
        found = []
        for module in self._modules:
            for call in module.calls:
                given = _message_argument(module, call)
                if given is not None:
                    found += self._read(module, call, given)
        return found

    def wordless(self) -> set[str]:
        """The files in which a message is nothing but a value: another's words, handed on."""
        return {
            module.path.relative_to(self._folder).as_posix()
            for module in self._modules
            for call in module.calls
            if (given := _message_argument(module, call)) is not None
            and GAP in self._all_texts(module, call, given)
        }

    def _all_texts(self, module: _Module, call: ast.Call, given: ast.expr) -> set[str]:
        return self._texts(given, _Place(module, module.owners.get(call), frozenset()))

    def _read(self, module: _Module, call: ast.Call, given: ast.expr) -> list[Message]:
        place = f"{module.path.relative_to(self._folder).as_posix()}:{call.lineno}"
        texts = self._all_texts(module, call, given)
        if _is_logged(call):
            texts = {re.sub(r"%[.\d]*[sdf]", GAP, text) for text in texts}
        tidy = {re.sub(f"{GAP}+", GAP, " ".join(text.split())) for text in texts}
        return [Message(text, place) for text in sorted(tidy) if _LETTERS.search(text)]

    def _texts(self, node: ast.expr, at: _Place) -> set[str]:
        """Everything that `node` may come to."""
        match node:
            case ast.Constant(value=value):
                return _constant(value)
            case ast.JoinedStr(values=values):
                pieces = [self._piece(one, at) for one in values]
                return {"".join(chosen) for chosen in itertools.product(*pieces)}
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return {a + b for a in self._texts(left, at) for b in self._texts(right, at)}
            case ast.Call():
                return self._called(node, at)
            case ast.Name(id=name):
                return self._named(name, at)
        choices = _choices(node)
        return {GAP} if choices is None else set().union(*(self._texts(c, at) for c in choices))

    def _called(self, call: ast.Call, at: _Place) -> set[str]:
        match call.func:
            case ast.Attribute(value=inner, attr="encode"):
                return self._texts(inner, at)
            case ast.Name(id=name) if name in at.module.functions:
                return self._returned(name, None, at.module, at.seen)
        return {GAP}

    def _piece(self, node: ast.expr, at: _Place) -> set[str]:
        """Of an f-string: constants, and what was put together here; not values."""
        match node:
            case ast.Constant():
                return {str(node.value)}
            case ast.FormattedValue(value=ast.IfExp() as choice, conversion=-1):
                return self._texts(choice, at)
            case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None):
                if name in at.module.constants or name.isupper() or name == "what":
                    return self._named(name, at) or {GAP}
                if at.owner is not None and name not in _parameters(at.owner):
                    # A phrase is ours, a single word is some value.
                    texts = self._assigned(name, at.owner, at)
                    return {text if " " in text else GAP for text in texts} or {GAP}
        return {GAP}

    def _named(self, name: str, at: _Place) -> set[str]:
        if (at.owner, name) in at.seen:
            return set()
        at = _Place(at.module, at.owner, at.seen | {(at.owner, name)})
        if at.owner is not None:
            found = self._assigned(name, at.owner, at)
            if name in _parameters(at.owner):
                return found | self._passed(name, at.owner, at)
            if found:
                return found
        home = self._home_of(name, at.module)
        if home is None:
            return {GAP}
        return self._texts(home.constants[name], _Place(home, None, at.seen))

    def _assigned(self, name: str, owner: Function, at: _Place) -> set[str]:
        found: set[str] = set()
        for node in ast.walk(owner):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    found |= self._texts(value, at)
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                    for number, target in enumerate(targets):
                        if isinstance(target, ast.Name) and target.id == name:
                            found |= self._element(value, number, at)
                case ast.For(target=target) | ast.comprehension(target=target):
                    names = {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
                    found |= {GAP} if name in names else set()
        return found

    def _element(self, value: ast.expr, number: int, at: _Place) -> set[str]:
        match value:
            case ast.Tuple(elts=elements):
                return self._texts(elements[number], at)
            case ast.Call(func=ast.Name(id=name)):
                home = self._home_of_function(name, at.module)
                return self._returned(name, number, home, at.seen) if home else {GAP}
        return {GAP}

    def _returned(
        self,
        name: str,
        number: int | None,
        module: _Module,
        seen: frozenset[tuple[Function | None, str]],
    ) -> set[str]:
        found: set[str] = set()
        for function in module.functions[name]:
            at = _Place(module, function, seen)
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    if number is None:
                        found |= self._texts(node.value, at)
                    else:
                        found |= self._element(node.value, number, at)
        return found

    def _passed(self, name: str, owner: Function, at: _Place) -> set[str]:
        """What the callers pass as this parameter."""
        number = [one for one in _parameters(owner) if one not in ("self", "cls")].index(name)
        found: set[str] = set()
        for module, call in self._calls[owner.name]:
            if owner.name.startswith("_") and module is not at.module:
                continue
            given = _argument(call, number, name)
            if given is not None and not _is_logged(call):
                found |= self._texts(given, _Place(module, module.owners.get(call), at.seen))
        return found

    def _home_of(self, name: str, module: _Module) -> _Module | None:
        if name in module.constants:
            return module
        if not name.isupper():
            return None
        return next((one for one in self._modules if name in one.constants), None)

    def _home_of_function(self, name: str, module: _Module) -> _Module | None:
        if name in module.functions:
            return module
        return next((one for one in self._modules if name in one.functions), None)


def _index(path: Path, tree: ast.Module) -> _Module:
    module = _Module(path, tree)
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                module.constants[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                module.constants[name] = value
    for inner in ast.walk(tree):
        if isinstance(inner, Function):
            module.functions[inner.name].append(inner)
            # Outer functions come first, so that the innermost is what stays.
            module.owners.update(dict.fromkeys(ast.walk(inner), inner))
        elif isinstance(inner, ast.Call):
            module.calls.append(inner)
    return module


def _constant(value: object) -> set[str]:
    if value is None:
        return set()
    return {value.decode() if isinstance(value, bytes) else str(value)}


def _choices(node: ast.expr) -> list[ast.expr] | None:
    """The expressions of which `node` is one; of a JSON answer, its message."""
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return [body, orelse]
        case ast.BoolOp(values=values):
            return values
        case ast.Dict(keys=keys, values=values):
            named = zip(keys, values, strict=True)
            return [v for k, v in named if isinstance(k, ast.Constant) and k.value == "message"]
    return None


def _message_argument(module: _Module, call: ast.Call) -> ast.expr | None:
    if _is_logged(call):
        return call.args[0]
    sink = _SINKS.get(_name_of(call.func))
    if sink is None and _gives_error_class(call.func, module.owners.get(call)):
        sink = (0, "what")
    return _argument(call, *sink) if sink else None


def _gives_error_class(func: ast.expr, owner: Function | None) -> bool:
    if isinstance(func, ast.Call):
        return _name_of(func.func) == _MAKES_CLASSES
    if not isinstance(func, ast.Name) or owner is None:
        return False
    for node in ast.walk(owner):
        if isinstance(node, ast.Assign) and _MAKES_CLASSES in ast.unparse(node.value):
            names = {one.id for one in ast.walk(node.targets[0]) if isinstance(one, ast.Name)}
            first = node.targets[0].elts[0] if isinstance(node.targets[0], ast.Tuple) else None
            if func.id in names and (first is None or ast.unparse(first) == func.id):
                return True
    return False


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place < len(call.args) else None


def _is_logged(call: ast.Call) -> bool:
    func = call.func
    if not (isinstance(func, ast.Attribute) and func.attr in _LOGGED and call.args):
        return False
    return "logger" in ast.unparse(func.value).lower()


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _name_of(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""

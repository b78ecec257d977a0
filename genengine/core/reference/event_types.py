"""Collect every event type with the fields of its data, by reading the code that writes events.

An event is written by `append_event(stream, "noun.verb", …, data=…)`, by `MACHINE.apply(row, "action", …, data=…)`, or
by a function that passes its own argument on to one of them (a teller). The source is the only list, so that the page
cannot go stale.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from genengine.core.reference.sources import facts_of, machines, model_named, source_files, stream_of
from genengine.core.states import Machine

NAME = re.compile(r"^[a-z_]+\.[a-z_]+$")
OF_A_TRANSITION = ("from", "state", "reason")


@dataclass
class EventType:
    """One type: where it stands, what it is about, which fields its data may have."""

    name: str
    streams: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    fields: dict[str, None] = field(default_factory=dict)  # ordered

    def add(self, *, stream: str, subject: str, fields: Iterable[str]) -> None:
        """Merge what one place in the code says."""
        self.streams |= {stream} - {""}
        self.subjects |= {subject} - {""}
        self.fields |= dict.fromkeys(fields)


@dataclass(frozen=True)
class Teller:
    """A function that writes the event its caller names."""

    parameter: str
    position: int
    names: tuple[str, ...]
    stream: str
    subject: str
    fields: tuple[str, ...]
    open_by: str  # the parameter whose keys become fields, empty when there is none
    subject_by: str = ""  # the parameter whose model is the subject, when the function takes any


@dataclass
class Scope:
    """One function: its parameters and what its local names were given."""

    node: ast.FunctionDef
    given: dict[str, list[ast.expr]]

    @property
    def names(self) -> tuple[str, ...]:
        """Every named parameter, in the order of positions."""
        arguments = self.node.args
        return tuple(a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))

    @property
    def rest(self) -> str:
        """The name of `**kwargs`, empty without."""
        return self.node.args.kwarg.arg if self.node.args.kwarg else ""


def collect_event_types() -> list[EventType]:
    """Return every event type of the installed apps by name."""
    reader = _Reader()
    reader.read()
    return sorted(reader.types.values(), key=lambda one: one.name)


class _Reader:
    def __init__(self) -> None:
        self.types: dict[str, EventType] = {}
        self.machines = machines()
        self.modules = [_scopes(ast.parse(path.read_text(encoding="utf-8"))) for path in source_files()]
        self.tellers: dict[str, dict[int, Teller]] = {}  # by function name, then by module

    def read(self) -> None:
        for machine in self.machines.values():
            self._machine(machine)
        known = -1
        while known != sum(map(len, self.tellers.values())):  # a teller may be told by another
            known = sum(map(len, self.tellers.values()))
            for number, scopes in enumerate(self.modules):
                for scope in scopes:
                    self._function(number, scope)

    def _machine(self, machine: Machine) -> None:
        for row in machine.table:
            fields = (*facts_of(machine.name), *OF_A_TRANSITION)
            self._type(row.event).add(stream=stream_of(machine.name), subject=machine.name, fields=fields)

    def _type(self, name: str) -> EventType:
        return self.types.setdefault(name, EventType(name))

    def _function(self, module: int, scope: Scope) -> None:
        for call in ast.walk(scope.node):
            if not isinstance(call, ast.Call):
                continue
            if isinstance(call.func, ast.Attribute) and call.func.attr == "apply":
                self._applied(call, scope)
            elif isinstance(call.func, ast.Name):
                if call.func.id == "append_event":
                    self._appended(module, call, scope)
                elif teller := self._teller(module, call.func.id):
                    self._told(module, call, scope, teller)

    def _teller(self, module: int, name: str) -> Teller | None:
        """A function of this module, or the only public one of that name elsewhere."""
        found = self.tellers.get(name, {})
        if module in found or name.startswith("_"):
            return found.get(module)
        return next(iter(found.values())) if len(found) == 1 else None

    def _applied(self, call: ast.Call, scope: Scope) -> None:
        machine = self.machines.get(ast.unparse(call.func.value))  # type: ignore[attr-defined]
        if machine is None or len(call.args) < 2:
            return
        fields, _ = _fields(_keyword(call, "data"), scope)
        for action in _texts(call.args[1], scope):
            self._type(machine[action].event).add(stream="", subject="", fields=fields)

    def _appended(self, module: int, call: ast.Call, scope: Scope) -> None:
        fields, open_by = _fields(_keyword(call, "data"), scope)
        stream = stream_of(_owner(call.args[0])) if call.args else ""
        subject = "".join(_texts(_keyword(call, "subject_kind"), scope)[:1])
        event = call.args[1]
        for name in _names(event, scope):
            self._type(name).add(stream=stream or stream_of(subject), subject=subject, fields=fields)
        for kind, name in _patterns(event):
            self._type(name).add(stream=stream_of(kind), subject=kind, fields=(*facts_of(kind), *fields))
        by = _model_of(_keyword(call, "subject_kind"), scope)
        self._passes_on(module, event, scope, stream, subject, fields, open_by, by)

    def _told(self, module: int, call: ast.Call, scope: Scope, teller: Teller) -> None:
        event = _argument(call, teller.parameter, teller.position)
        if event is None:
            return
        fields, open_by = list(teller.fields), ""
        if teller.open_by:
            passed, open_by = _fields(_keyword(call, teller.open_by), scope)
            fields += passed
            fields += [k.arg for k in call.keywords if k.arg and k.arg not in teller.names]
            for more in (k.value for k in call.keywords if k.arg is None):
                spread, opened = _fields(more, scope)
                fields, open_by = fields + spread, open_by or opened
        subject = teller.subject or _subject(call, scope, teller)
        for name in _names(event, scope):
            self._type(name).add(stream=teller.stream, subject=subject or name.partition(".")[0], fields=fields)
        self._passes_on(module, event, scope, teller.stream, subject, fields, open_by)

    def _passes_on(
        self,
        module: int,
        event: ast.expr,
        scope: Scope,
        stream: str,
        subject: str,
        fields: Iterable[str],
        open_by: str,
        subject_by: str = "",
    ) -> None:
        if isinstance(event, ast.Name) and event.id in scope.names:
            position = scope.names.index(event.id)
            teller = Teller(event.id, position, scope.names, stream, subject, tuple(fields), open_by, subject_by)
            self.tellers.setdefault(scope.node.name, {}).setdefault(module, teller)


def _scopes(tree: ast.Module) -> list[Scope]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            given: dict[str, list[ast.expr]] = {}
            for line in ast.walk(node):
                if isinstance(line, ast.Assign):
                    for target in line.targets:
                        given.setdefault(ast.unparse(target), []).append(line.value)
                elif isinstance(line, ast.AnnAssign) and line.value is not None:
                    given.setdefault(ast.unparse(line.target), []).append(line.value)
            found.append(Scope(node, given))
    return found


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    return _keyword(call, name) or (call.args[position] if position < len(call.args) else None)


def _subject(call: ast.Call, scope: Scope, teller: Teller) -> str:
    if teller.subject_by:
        given = _argument(call, teller.subject_by, teller.names.index(teller.subject_by))
        return given.id if isinstance(given, ast.Name) and model_named(given.id) else ""
    if "subject_kind" not in teller.names:
        return ""
    return "".join(_texts(_argument(call, "subject_kind", teller.names.index("subject_kind")), scope)[:1])


def _model_of(node: ast.expr | None, scope: Scope) -> str:
    """`subject._meta.model_name`, also by way of a local name: the parameter `subject`."""
    values = scope.given.get(node.id, []) if isinstance(node, ast.Name) else [node]
    names = [ast.unparse(v).removesuffix("._meta.model_name") for v in values if v is not None]
    return next((name for name in names if name in scope.names), "")


def _texts(node: ast.expr | None, scope: Scope) -> list[str]:
    """The texts that an expression may be: a constant, either side of a condition, a local name of these."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, scope) + _texts(node.orelse, scope)
    if isinstance(node, ast.Name) and node.id not in scope.names:
        return [text for value in scope.given.get(node.id, []) for text in _texts(value, scope)]
    return []


def _names(node: ast.expr, scope: Scope) -> list[str]:
    return [text for text in _texts(node, scope) if NAME.match(text)]


def _patterns(node: ast.expr) -> list[tuple[str, str]]:
    """`f"{kind}.progress"`: one type for each model that has such a field."""
    if not (isinstance(node, ast.JoinedStr) and len(node.values) == 2 and isinstance(node.values[1], ast.Constant)):
        return []
    tail = str(node.values[1].value)
    kinds = [machine.name for machine in machines().values()]
    return [(kind, kind + tail) for kind in kinds if _has_field(kind, tail.removeprefix("."))]


def _has_field(kind: str, name: str) -> bool:
    model = model_named(kind)
    return model is not None and name in {one.name for one in model._meta.get_fields()}


def _owner(node: ast.expr) -> str:
    """`approval.master.event_stream()` is about `master`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value).rpartition(".")[2]
    return ""


def _fields(node: ast.expr | None, scope: Scope) -> tuple[list[str], str]:
    """The keys of a mapping, and the parameter that brings more, if one does."""
    keys: list[str] = []
    open_by = ""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                keys.append(str(key.value))
            elif key is None:
                more, opened = _fields(value, scope)
                keys, open_by = keys + more, open_by or opened
    elif isinstance(node, ast.BoolOp):
        return _fields(node.values[0], scope)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event_facts":
        keys = list(facts_of(_owner(node)))
    elif isinstance(node, ast.Name) and node.id in (*scope.names, scope.rest):
        open_by = node.id
    elif isinstance(node, ast.Name):
        for value in scope.given.get(node.id, []):
            more, opened = _fields(value, scope)
            keys, open_by = keys + more, open_by or opened
    return keys, open_by

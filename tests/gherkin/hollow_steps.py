"""Steps that say something and do nothing, found in the source by following what each reaches.

A ``Then`` must reach a judgement: a wait of ``polling``, or the error of a broken promise. A ``When`` must reach what
acts: a fault, a commit, a write, a request, or for the gate a run of it or a change of its copy. What only builds a
probe for the next step is a ``Given``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Functions, and errors that are raised, by which the platform is judged.
JUDGES = {"eventually", "consistently", "wait_until", "raise ConditionTimeout"}
#: Functions and methods that act.
ACTS = {
    "commit", "inject", "push_to", "remedy", "revert", "create", "send", "run_client", "pass_through", "rmtree",
    "copyfile", "write_text", "create_task", "dry_run", "refusal", "request",
}  # fmt: skip
_WANTED = {"then": JUDGES, "when": ACTS}


@dataclass
class _Function:
    """What a function names: whatever it calls or hands on.

    Attributes:
        named: Full names of functions that imports or the module itself resolve.
        methods: Names after a dot of which nobody knows whose they are.
        ends: What it calls or raises, by the last part of the name.
    """

    named: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)


class Source:
    """The functions of some packages, and what each names."""

    def __init__(self, *packages: Path) -> None:
        self._functions: dict[str, _Function] = {}
        self._methods: dict[str, set[str]] = {}
        self._imports: dict[str, str] = {}
        self.steps: list[tuple[str, str]] = []
        for package in packages:
            for file in sorted(package.rglob("*.py")):
                parts = file.relative_to(package.parent).with_suffix("").parts
                self._read(".".join(part for part in parts if part != "__init__"), file)

    def reaches(self, start: str, wanted: set[str]) -> bool:
        """Whether a function can get to one of these ends."""
        seen, waiting = set[str](), [start]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._imports:
                waiting.append(self._imports[name])
            if (function := self._functions.get(name)) is None:
                continue
            if function.ends & wanted:
                return True
            waiting += function.named
            waiting += [one for method in function.methods for one in self._methods.get(method, ())]
        return False

    def _read(self, module: str, file: Path) -> None:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        known = dict(_imported(tree))
        self._imports |= {f"{module}.{name}": full for name, full in known.items()}
        known |= {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name, node in _functions(tree):
            self._functions[f"{module}.{name}"] = _described(node, known)
            if "." in name:
                self._methods.setdefault(node.name, set()).add(f"{module}.{name}")
            self.steps += [(kind, f"{module}.{name}") for kind in _kinds(node)]


def hollow(source: Source) -> list[str]:
    """Complaints about steps that reach nothing of what makes one."""
    return [
        f"{kind.capitalize()} {name} reaches nothing that {'judges' if kind == 'then' else 'acts'}"
        for kind, name in source.steps
        if not source.reaches(name, _WANTED[kind])
    ]


def _kinds(node: ast.FunctionDef) -> set[str]:
    """Of a step definition: ``then``, ``when``, or both."""
    called = (one.func for one in node.decorator_list if isinstance(one, ast.Call))
    return {func.id for func in called if isinstance(func, ast.Name) and func.id in _WANTED}


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions of a module, and methods of its classes as ``Class.method``."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{one.name}", one) for one in node.body if isinstance(one, ast.FunctionDef))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Local name -> full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)


def _described(function: ast.FunctionDef, known: dict[str, str]) -> _Function:
    found = _Function()
    for node in (inner for statement in function.body for inner in ast.walk(statement)):
        if isinstance(node, ast.Name):
            found.named.add(known.get(node.id, node.id))
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner in known:
                found.named.add(f"{known[owner]}.{node.attr}")
            else:
                found.methods.add(node.attr)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            found.ends.add(f"raise {node.exc.func.id}")
        elif isinstance(node, ast.Call):
            found.ends.add(node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))
    return found

"""The specification as pytest-bdd understands it: features, definitions, and which of them a step would take."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pytest_bdd.parser import FeatureParser, ScenarioTemplate, Step
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

#: What people who read a feature need not know: tools, namespaces, label keys, paths in objects.
MACHINERY = {
    "a command": re.compile(r"\b(kubectl|helm|k3d|docker|curl|git push)\b"),
    "a namespace": re.compile(r"\b(argocd|kube-system|kube-public|forge/|default/)|\bnamespace \W?[a-z-]+\W"),
    "a label or annotation key": re.compile(r"\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(io|dev|sh|com|org)/\S"),
    "a path in an object": re.compile(r"(^|\W)\.?(spec|metadata|status|data)\.\w|\[\d+\]|\$\.|jsonpath"),
}


@dataclass(frozen=True)
class Example:
    """One run of a scenario: the scenario itself, or an outline with one row filled in."""

    template: ScenarioTemplate
    name: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return f"{self.template.feature.rel_filename}:{self.template.line_number} {self.name}"


def templates(folder: Path) -> list[ScenarioTemplate]:
    """Every scenario and outline below a folder."""
    files = sorted(folder.rglob("*.feature"))
    parsed = (FeatureParser(str(folder), str(file.relative_to(folder))).parse() for file in files)
    return [template for feature in parsed for template in feature.scenarios.values()]


def examples(template: ScenarioTemplate) -> list[Example]:
    """What would run."""
    contexts = [context for table in template.examples for context in table.as_contexts()] or [{}]
    rendered = ((context, template.render(context)) for context in contexts)
    return [
        Example(template, f"{scenario.name}{_values(context)}", tuple(scenario.steps)) for context, scenario in rendered
    ]


def rows(template: ScenarioTemplate) -> list[tuple[Mapping[str, str], set[str]]]:
    """What fills an outline in, and the tags that count for it; a scenario that is none is filled in with nothing."""
    tags = template.tags | template.feature.tags
    filled = [(context, tags | table.tags) for table in template.examples for context in table.as_contexts()]
    return filled or [({}, tags)]


def _values(context: Mapping[str, str]) -> str:
    """As the runner names an example, and a mutant picks it."""
    return f" [{', '.join(context.values())}]" if context else ""


def definitions(folder: Path) -> list[StepFunctionContext]:
    """Every step definition in the modules of a folder; a function with two decorators is two."""
    modules = {_imported(file).__name__ for file in sorted(folder.glob("*.py"))}
    known = list(step_function_context_registry.values())
    return [context for context in known if context.step_func.__module__ in modules]


def _imported(file: Path) -> ModuleType:
    """As the root ``conftest.py`` names it, so that no module is there twice."""
    name = f"{file.parent.name}.{file.stem}" if file.stem != "__init__" else file.parent.name
    if name in sys.modules or importlib.util.find_spec(file.parent.name):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def matching(step: Step, known: list[StepFunctionContext]) -> list[StepFunctionContext]:
    """The definitions that pytest-bdd could take for a step: of its type or of any, and with a text that fits."""
    return [context for context in known if context.type in (None, step.type) and context.parser.is_matching(step.name)]


def unresolved(folder: Path, known: list[StepFunctionContext]) -> list[str]:
    """Complaints about steps that resolve to no definition or to several."""
    complaints = []
    for example in _all_examples(folder):
        for step in example.steps:
            count = len(matching(step, known))
            if count != 1:
                complaints.append(f"{example}: {step} resolves to {count} definitions")
    return complaints


def unused(folder: Path, known: list[StepFunctionContext]) -> list[str]:
    """Complaints about definitions that no step resolves to."""
    used = [context for example in _all_examples(folder) for step in example.steps for context in matching(step, known)]
    return [f"{c.step_func.__module__}: {c.type} {c.parser.name!r} is used by no step" for c in known if c not in used]


def badly_sized(folder: Path) -> list[str]:
    """Complaints about scenarios that are not 3 to 5 steps; a background is read once and may have 2 more."""
    complaints = []
    for template in templates(folder):
        background, own = len(template.all_background_steps), len(template.steps) - len(template.all_background_steps)
        if not 3 <= background + own <= 5 + background or background > 2:
            complaints.append(
                f"{template.feature.rel_filename}: {template.name}: {own} steps and {background} in background"
            )
    return complaints


def machinery(folder: Path) -> list[str]:
    """Complaints about words in features that belong into steps or deeper."""
    complaints = []
    for file in sorted(folder.rglob("*.feature")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            found = [what for what, pattern in MACHINERY.items() if pattern.search(line)]
            complaints += [f"{file.relative_to(folder)}:{number} names {what}: {line.strip()}" for what in found]
    return complaints


def bindings(folder: Path) -> list[str]:
    """The paths that the modules of a folder hand to ``scenarios(…)`` or ``scenario(…)``."""
    return [
        argument.value
        for file in sorted(folder.glob("test_*.py"))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("scenarios", "scenario")
        for argument in (call.args if call.func.id == "scenarios" else call.args[:1])
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def badly_bound(features: Path, binders: Path) -> list[str]:
    """Complaints about feature files that no test binds, or that two do."""
    bound = [features / path for path in bindings(binders)]
    complaints = []
    for file in sorted(features.rglob("*.feature")):
        count = sum(path == file or path in file.parents for path in bound)
        if count != 1:
            complaints.append(f"{file.relative_to(features)} is bound {count} times below {binders.name}")
    return complaints


def marks(folder: Path) -> set[str]:
    """Markers that the tests of a folder set themselves: ``pytest.mark.safety``."""
    return {
        node.attr
        for file in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
    }


def _all_examples(folder: Path) -> Iterator[Example]:
    for template in templates(folder):
        yield from examples(template)

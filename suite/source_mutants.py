"""``make mutation``: change what decides, a place at a time, and see whether the fast tier notices.

The kill matrix breaks the platform; here the judgements and guards themselves are wrong. Chosen are modules that decide
from what they are given, whose mistakes would be silent: a probe that is met too early, a policy's oracle, a write that
should have been denied, a damaged journal that is taken for an empty one, an exit code. What acts on a cluster is left
to the kill matrix: only a cluster shows what becomes of it.

Why not a library: mutmut writes the changed guard into a tree from which tests then run, leaves out decorated
functions, which is each property, and what is at module level, and changes each word of each message, which is most of
what survives it here. cosmic-ray changes the checkout itself and starts an interpreter for each mutant. Here a mutant
exists only in the memory of a process that was forked for it, and a survivor has a line.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.machinery
import importlib.util
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from math import inf
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from types import CodeType

from neuroscale.cli import main
from neuroscale.errors import ExitCode, PreconditionFailed, UsageError
from neuroscale.polling import duration
from neuroscale.screen import say
from neuroscale.settings import ROOT
from suite import benchmarks_page
from suite.benchmarks_page import Survivor

_TESTS = "tests/"
#: What else is beside it starts whole processes, which do not have the mutant.
_ENDINGS = "test_each_error_has_an_exit_code_and_a_sentence"
#: What else is beside it tries deltas that are wrong already.
_OPINION = "test_a_second_implementation_says_the_same"
#: Modules of the delta, and what covers each.
_PRICING = (
    "compare", "demand", "injected", "models", "needs", "runtimes", "surroundings", "tables", "unpriced", "workloads",
)  # fmt: skip
_DELTA = (
    "unit/delta/test_delta_shapes.py", "unit/delta/test_delta_compare.py", "unit/delta/test_delta_written.py",
    f"unit/delta/test_delta_second_opinion.py::{_OPINION}",
)  # fmt: skip
#: What is mutated -> the tests that cover it: first those which are quick to notice.
MODULES = {
    "neuroscale/chaos/journal.py": ("unit/test_journal.py",),
    "neuroscale/cluster/guard.py": ("unit/test_guard.py",),
    "neuroscale/cluster/state.py": ("unit/test_state.py",),
    **{f"neuroscale/{name}.py": _DELTA for name in ("prices", *(f"delta/{one}" for one in _PRICING))},
    "neuroscale/errors.py": ("unit/test_errors.py", f"unit/test_endings.py::{_ENDINGS}", "unit/host/test_programs.py"),
    "neuroscale/evidence/restarts.py": ("unit/test_restarts.py",),
    "neuroscale/gate/appproject.py": (
        "unit/gate/test_gate_stages.py", "unit/gate/test_corpus.py", "manifests/test_manifests.py",
    ),
    "neuroscale/gate/policy.py": ("unit/gate/test_gate_stages.py", "unit/gate/test_gate_pipeline.py"),
    "neuroscale/gate/resources.py": (
        "unit/gate/test_gate_stages.py", "unit/gate/test_corpus.py", "unit/gate/test_gate_pipeline.py",
    ),
    "neuroscale/gate/schema.py": (
        "unit/gate/test_gate_stages.py", "unit/gate/test_corpus.py", "unit/gate/test_gate_pipeline.py",
    ),
    "neuroscale/gate/scopes.py": ("unit/gate/test_gate_stages.py", "unit/gate/test_corpus.py"),
    "neuroscale/guardrails/oracle.py": ("unit/gate/test_corpus.py", "unit/guardrails/test_oracle.py"),
    "neuroscale/inference_client.py": ("unit/serving/test_inference_client.py",),
    "neuroscale/kubernetes/merge_patch.py": ("unit/test_merge_patch.py",),
    "neuroscale/kubernetes/quantities.py": ("unit/test_quantities.py",),
    "neuroscale/polling.py": ("unit/test_polling.py",),
    "neuroscale/probes/applications.py": ("unit/test_probes_argo.py",),
    "neuroscale/probes/argo.py": ("unit/test_probes_argo.py",),
    "neuroscale/probes/certificates.py": ("unit/test_probes_ground.py",),
    "neuroscale/probes/cluster_dns.py": ("unit/test_probes_ground.py",),
    "neuroscale/probes/expected.py": (
        "unit/test_probes_expected.py", "unit/test_probes_guardrails.py", "unit/serving/test_probes_serving.py",
    ),
    "neuroscale/probes/gateway.py": ("unit/test_probes_ground.py", "unit/serving/test_serving_milestone.py"),
    "neuroscale/probes/guardrails.py": ("unit/test_probes_guardrails.py",),
    "neuroscale/probes/knative_resources.py": ("unit/serving/test_probes_serving.py",),
    "neuroscale/probes/nodes.py": ("unit/test_probes_ground.py",),
    "neuroscale/probes/serving.py": ("unit/serving/test_probes_serving.py", "unit/serving/test_serving_milestone.py"),
    "neuroscale/probes/symptom_probes.py": ("unit/serving/test_probes_symptoms.py", "unit/test_probes_workloads.py"),
    "neuroscale/probes/webhooks.py": ("unit/guardrails/test_judgements.py", "unit/serving/test_serving_milestone.py"),
    "neuroscale/probes/workloads.py": ("unit/test_probes_workloads.py", "unit/test_probes_ground.py"),
    "neuroscale/pull_request_checks/report.py": ("unit/pull_request_checks/test_report.py",),
    "neuroscale/quantile.py": ("unit/test_quantile.py",),
    "neuroscale/sticky_comments.py": (
        "unit/test_sticky_comments.py", "unit/test_comment_command.py", "unit/pull_request_checks/test_report.py",
    ),
    "suite/mutants/mutant.py": ("unit/test_kill_matrix.py",),
}  # fmt: skip
#: Beyond twice what the tests take without a mutant: one that waits for ever is as good as red.
_GRACE_SECONDS = 10.0
_PRELOADED = ("pytest", "hypothesis", "neuroscale.cli", "suite.kill_matrix")
_OURS = {"neuroscale", "suite"}
#: Neither the runner's plugins nor anybody else's: most of a mutant's time would be theirs.
_OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:warnings", "-o", "addopts=", "--confcutdir=tests")

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
#: A longer set is a table of data.
_TABLE = 4
_FUNCTIONS = {"all": "any", "any": "all", "min": "max", "max": "min"}


@dataclass(frozen=True)
class SourceMutant:
    """A module with one change: at the ``index``-th place where there can be one."""

    file: str
    index: int
    line: int
    change: str

    @property
    def name(self) -> str:
        """What it is called, wherever it stands in its module today."""
        return f"{self.file}: {self.change}"

    def tree(self) -> ast.Module:
        """The module's code, changed."""
        return _Changes(self.index).of(self.file)


def mutants_of(file: str) -> list[SourceMutant]:
    """Every mutant of a module, in the order of its lines."""
    changes = _Changes()
    changes.of(file)
    return [SourceMutant(file, index, *found) for index, found in enumerate(changes.found)]


class _Changes(ast.NodeTransformer):
    """Goes through a module, lists what can be changed, and changes one place of it."""

    def __init__(self, wanted: int | None = None) -> None:
        self.found: list[tuple[int, str]] = []
        self._wanted = wanted
        self._left_out: set[ast.AST] = set()

    def of(self, file: str) -> ast.Module:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        # What types say, and what decorators are told, decides nothing.
        for node in ast.walk(tree):
            own = (getattr(node, "annotation", None), getattr(node, "returns", None))
            self._left_out |= {*filter(None, own), *getattr(node, "decorator_list", [])}
        # What a limit is set to is a choice, and no test's business.
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                self._left_out.add(statement)
        self.visit(tree)
        return ast.fix_missing_locations(tree)

    def visit(self, node: ast.AST) -> ast.AST:
        if node in self._left_out or isinstance(node, ast.JoinedStr):
            return node
        for changed in _changed(node):
            self.found.append((_line(node), f"{_shown(node)} → {_shown(changed)}"))
            if len(self.found) - 1 == self._wanted:
                return changed
        # Of an error, what it says.
        return node if isinstance(node, ast.Raise) else self.generic_visit(node)


def _changed(node: ast.AST) -> Iterator[ast.AST]:  # noqa: PLR0912 - one line for each kind of change
    """A node as it would be if it were wrong."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARISONS:
            yield _with(node, ops=[_COMPARISONS[type(operator)]()])
        case ast.BoolOp(op=operator):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=operator) if type(operator) in _OPERATORS:
            yield _with(node, op=_OPERATORS[type(operator)]())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            yield _with(node, func=ast.Name(_FUNCTIONS[name], ast.Load()))
        case ast.Set(elts=elements) if 1 < len(elements) <= _TABLE:
            yield from (_with(node, elts=[one for one in elements if one is not other]) for other in elements)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if _is_plain(test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[test]) if _is_plain(test):
            yield _with(node, ifs=[ast.UnaryOp(ast.Not(), test)])
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _is_plain(test: ast.expr) -> bool:
    """Whether a condition has no change of its own."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    vars(changed).update(fields)
    return changed


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else node.lineno  # type: ignore[attr-defined]


def _shown(node: ast.AST) -> str:
    return shorten(ast.unparse(node).strip().splitlines()[0], 100, placeholder=" …")


# --- trying them


class _Loader(importlib.machinery.SourceFileLoader):
    """Finds one module, changed, ahead of whoever finds modules."""

    def __init__(self, mutant: SourceMutant) -> None:
        self.module = mutant.file.removesuffix(".py").replace("/", ".")
        super().__init__(self.module, str(ROOT / mutant.file))
        self._tree = mutant.tree()

    def find_spec(self, name: str, _path: object, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.module else None

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib's signature
        return compile(self._tree, self.path, "exec")


def _try(mutant: SourceMutant | None, tests: Sequence[str], folder: str) -> None:
    """In a process of its own: exit code 0 if the tests notice nothing."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(ROOT)
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    if mutant is not None:
        loader = _Loader(mutant)
        sys.meta_path.insert(0, loader)
        # Before pytest, which rewrites its plugins itself.
        importlib.import_module(loader.module)
    import pytest  # noqa: PLC0415

    sys.exit(int(pytest.main([*_OPTIONS, f"--basetemp={folder}", *tests])))


@dataclass(frozen=True)
class _Trial:
    mutant: SourceMutant | None
    process: BaseProcess
    began: float
    limit: float
    folder: Path

    def end(self) -> None:
        """It, and whatever its tests started."""
        if self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()  # on a busy machine it may not have made its group yet
        self.process.join()
        shutil.rmtree(self.folder, ignore_errors=True)


class Trials:
    """Tries mutants, as many at once as there are processors."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([*_PRELOADED])
        self._number = count()

    def control(self, tests: Sequence[str]) -> float:
        """Seconds that the tests take with nothing changed.

        Raises:
            PreconditionFailed: They are red.
        """
        trial = self._begin(None, tests, inf)
        trial.process.join()
        trial.end()
        if trial.process.exitcode != 0:
            raise PreconditionFailed(
                f"Tests should be green without a mutant, but ended with {trial.process.exitcode}. "
                f"Next: pytest {' '.join(tests)}"
            )
        return time.monotonic() - trial.began

    def survivors(self, mutants: Iterable[SourceMutant], tests: Sequence[str], limit: float) -> list[SourceMutant]:
        """Those that the tests do not notice; one that has not ended within ``limit`` seconds is noticed."""
        waiting, running, found = deque(mutants), list[_Trial](), list[SourceMutant]()
        try:
            while waiting or running:
                while waiting and len(running) < (os.cpu_count() or 1):
                    running.append(self._begin(waiting.popleft(), tests, limit))
                wait([trial.process.sentinel for trial in running], timeout=1)
                for trial in running[:]:
                    ended = not trial.process.is_alive()
                    if ended or time.monotonic() - trial.began > trial.limit:
                        running.remove(trial)
                        trial.end()
                        if ended and trial.process.exitcode == 0 and trial.mutant is not None:
                            found.append(trial.mutant)
        finally:
            for trial in running:
                trial.end()
        return sorted(found, key=lambda mutant: mutant.index)

    def _begin(self, mutant: SourceMutant | None, tests: Sequence[str], limit: float) -> _Trial:
        folder = self._base / str(next(self._number))
        process = self._processes.Process(target=_try, args=(mutant, tests, str(folder)))
        process.start()
        return _Trial(mutant, process, time.monotonic(), limit, folder)


def run(files: Sequence[str]) -> tuple[int, list[SourceMutant]]:
    """How many mutants these modules have, and which of them survive.

    Raises:
        UsageError: A module is none of those that are mutated.
    """
    if unknown := set(files) - set(MODULES):
        raise UsageError(f"Modules should be among those mutated, but are not: {', '.join(sorted(unknown))}. "
                         f"There are: {', '.join(MODULES)}")  # fmt: skip
    tried, survivors = 0, list[SourceMutant]()
    with TemporaryDirectory(prefix="neuroscale-mutation-", ignore_cleanup_errors=True) as folder:
        trials = Trials(Path(folder))
        for file in files:
            tests = [_TESTS + name for name in MODULES[file]]
            began, mutants = time.monotonic(), mutants_of(file)
            found = trials.survivors(mutants, tests, 2 * trials.control(tests) + _GRACE_SECONDS)
            tried, survivors = tried + len(mutants), [*survivors, *found]
            say(f"{file}: {len(found)} of {len(mutants)} survive, {duration(time.monotonic() - began)}")
            for mutant in found:
                say(f"  line {mutant.line}: {mutant.change}", markup=False)
    return tried, survivors


def command() -> None:
    """Try, report and, with ``--record``, write down. A survivor that is not on record fails."""
    parser = argparse.ArgumentParser(prog="python -m suite.source_mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--record", action="store_true", help=f"write the survivors into {benchmarks_page.DATA.name}")
    parser.add_argument("files", nargs="*", metavar="neuroscale/MODULE.py", help="default: all that are chosen")
    arguments = parser.parse_args()
    files = arguments.files or [*MODULES]
    began = time.monotonic()
    tried, survivors = run(files)
    document = benchmarks_page.load(benchmarks_page.DATA)
    # In the order of lines: one that is explained explains no other that reads alike.
    reasons = defaultdict[str, deque[str]](deque)
    for survivor in document.survivors:
        reasons[survivor.name].append(survivor.why)
    found = [
        Survivor(
            file=one.file,
            line=one.line,
            change=one.change,
            why=reasons[one.name].popleft() if reasons[one.name] else "",
        )
        for one in survivors
    ]
    fresh = [survivor for survivor in found if not survivor.why]
    say(f"{len(found)} of {tried} mutants survive, {len(fresh)} of them unexplained, "
        f"after {duration(time.monotonic() - began)}")  # fmt: skip
    if arguments.record:
        document.survivors = [*(one for one in document.survivors if one.file not in files), *found]
        benchmarks_page.save(document)
    raise SystemExit(ExitCode.FAILED if fresh else ExitCode.PASSED)


if __name__ == "__main__":
    main(command)

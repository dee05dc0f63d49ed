"""What the gate says of a repository as CI hears it, and what it should say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.bootstrap.render import copy_folder
from neuroscale.errors import ConditionTimeout, ExitCode, Inconclusive
from neuroscale.gate import findings, pipeline
from neuroscale.gate.corpus_check import mistake
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.polling import duration
from neuroscale.settings import GITOPS_FOLDERS, ROOT

_SHOWN = 3


@dataclass(frozen=True)
class GateOutput:
    """What came of asking the gate.

    Attributes:
        result: What it judged; empty when there is no verdict.
        code: What it says to the shell.
        why: Its findings, or why there is no verdict.
        seconds: How long it took.
    """

    result: GateResult
    code: ExitCode
    why: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        more = f", and {len(self.why) - _SHOWN} more" if len(self.why) > _SHOWN else ""
        return f"exit code {int(self.code)} and {'; '.join(self.why[:_SHOWN]) or 'nothing was found'}{more}"


def ask(tools: Tools, repository: Path = ROOT, reference: str | None = None) -> GateOutput:
    """Let the gate judge a checkout, as a change of a commit if one is given."""
    start = time.monotonic()
    try:
        judged = pipeline.pass_through(tools, reference, repository)
    except Inconclusive as error:
        return GateOutput(GateResult(), error.exit_code, (_in_one_line(error),), time.monotonic() - start)
    said = tuple(map(_in_one_line, judged.findings))
    return GateOutput(judged, findings.exit_code(judged.findings), said, time.monotonic() - start)


@contextmanager
def copied(repository: Path = ROOT) -> Iterator[Path]:
    """What the gate looks at in a checkout, to be changed."""
    with TemporaryDirectory(prefix="neuroscale-changed-") as name:
        for folder in GITOPS_FOLDERS:
            if (repository / folder).is_dir():
                copy_folder(repository, folder, Path(name))
        yield Path(name)


def each_policy_judged(answer: GateOutput) -> None:
    """Every policy must have evaluated at least one object.

    Raises:
        ConditionTimeout: At least one judged nothing.
    """
    if idle := [name for name in POLICIES if not answer.result.evaluated.get(name)]:
        raise ConditionTimeout(
            f"Each policy should judge objects, but {', '.join(idle)} judged none, with {answer}. Next: neuroscale gate"
        )


def is_green(answer: GateOutput) -> None:
    """Nothing is rejected.

    Raises:
        ConditionTimeout: Something is, or there is no verdict.
    """
    if answer.code != ExitCode.PASSED or answer.why:
        raise ConditionTimeout(
            f"The gate should find nothing to reject, but ended with {answer}. Next: neuroscale gate"
        )


def was_quick(answer: GateOutput, at_most: float) -> None:
    """It is asked before each merge.

    Raises:
        ConditionTimeout: It took longer.
    """
    if answer.seconds > at_most:
        took = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in answer.result.seconds.items())
        raise ConditionTimeout(
            f"The gate should take at most {duration(at_most)}, but took {duration(answer.seconds)}: {took}. "
            f"Next: neuroscale gate"
        )


def is_not_green(answer: GateOutput) -> None:
    """CI must not merge.

    Raises:
        ConditionTimeout: It would.
    """
    if answer.code == ExitCode.PASSED:
        raise ConditionTimeout(f"The gate should not be green, but ended with {answer}. Next: pytest -m gate")


def description(answer: GateOutput, text: str) -> None:
    """Whoever is stopped is told why.

    Raises:
        ConditionTimeout: Something else is said.
    """
    if not any(text in said for said in answer.why):
        raise ConditionTimeout(f"The gate should say {text!r}, but ended with {answer}. Next: pytest -m gate")


def rejects(answer: GateOutput, specimen: Specimen, folder: Path) -> None:
    """One specimen in a folder is rejected as it says, by its name, and nothing else is.

    Raises:
        ConditionTimeout: Something else is rejected, or nothing, or for another reason.
    """
    named = [one for one in answer.result.findings if one.where.startswith(f"apps/{folder.name}: ")]
    others = [one for one in answer.result.findings if one not in named or not one.where.endswith(specimen.name)]
    if answer.code != ExitCode.FAILED or others or (said := mistake(specimen, named)):
        wrong = "" if answer.code != ExitCode.FAILED or others else f" ({said})"
        raise ConditionTimeout(
            f"The gate should reject {specimen.name} in apps/{folder.name} and nothing else, but ended with "
            f"{answer}{wrong}. Next: pytest -m gate"
        )


def _in_one_line(said: object) -> str:
    return " ".join(str(said).split())

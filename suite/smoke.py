"""The reference platform's smoke test on this platform: its 22 checks, by its names, each with better witnesses.

``scripts/smoke-test.sh`` runs this module with the options it was given. What the checks ask is not written here: it is
the steady state of the milestones, and the scenarios that are tagged ``smoke``.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from neuroscale.cli import main
from neuroscale.cli.runs import pytest
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.errors import ExitCode, NeuroscaleError, PreconditionFailed, SteadyStateLost
from neuroscale.milestones import assert_steady_state, probes_of, reachable
from neuroscale.platform import Platform, connect
from neuroscale.polling import Verdict, met, pending
from neuroscale.results import RunFolder, ScenarioResult
from neuroscale.screen import say, say_verbatim, table

CheckVerdict = Literal["PASS", "FAIL", "SKIPPED", "NOT RUN", "NOT THERE"]
_COLOURS: Mapping[CheckVerdict, str] = {"PASS": "green", "FAIL": "red", "NOT RUN": "red"}


@dataclass(frozen=True)
class Check:
    """A check of the reference, and what shows whether it is kept here.

    Attributes:
        milestone: Its letter; empty for what comes before all of them.
        name: As the reference's own script has it, in short.
        probe: A regular expression for the description of a probe of the milestone's steady state; of any milestone, if
            the check has none.
        scenario: The beginning of a scenario's name, with the example of an outline.
        program: What must be on PATH.
        skipped_by: The option that leaves it out.
    """

    milestone: str
    name: str
    probe: str = ""
    scenario: str = ""
    program: str = ""
    skipped_by: str = ""


_SYNCED = r"each of the \d+ Applications that Git describes is Synced and Healthy"
_ANSWERED = "The gateway routes requests to the model [the reference rows, "
_DENIED = "A rule rejects a violation and admits its compliant control ["
_FORM = "A model is asked for in the portal, merged, and served"
_DRIFT, _BLOCK = "--skip-drift", "--skip-policy-block"
API_REACHABLE = "the API server can be reached"
#: In the order of the reference.
CHECKS = (
    Check("", "kubectl is there", program="kubectl"),
    Check("", "curl is there", program="curl"),
    Check("", "the cluster's API can be reached", probe=API_REACHABLE),
    Check("a", "Argo CD's pods run", probe="workloads of Argo CD have all containers ready"),
    Check("a", "Applications are healthy", probe=_SYNCED),
    Check("a", "no Application is Unknown", probe=_SYNCED),
    Check("a", "drift heals", scenario="A deleted Deployment is restored", skipped_by=_DRIFT),
    Check("b", "the KServe controller is up", probe="workloads of serving have all containers ready"),
    Check("b", "InferenceServices are Ready", probe=r"InferenceServices that Git describes is Ready in every respect"),
    Check("b", "a model answers a prediction", scenario=_ANSWERED),
    Check("c", "Backstage is up", probe="workloads of the portal have all containers ready"),
    Check("c", "the scaffolder's output is served", scenario=_FORM),
    Check("c", "the scaffolder's output has an Application", scenario=_FORM),
    Check("d", "Kyverno runs", probe="workloads of guardrails have all containers ready"),
    Check("d", "policies are there", probe="policies that Git describes is enforced, by Kyverno and by the API server"),
    Check("d", "a bad InferenceService is denied", scenario=f"{_DENIED}model-owner-missing, ", skipped_by=_BLOCK),
    Check("a", "the ApplicationSet is there", probe=_SYNCED),
    Check("a", "it has made Applications", probe=r"exactly the \d+ Applications that Git describes exist"),
    Check("a", "the quota of default is there", probe=_SYNCED),
    Check("a", "the LimitRange of default is there", probe=_SYNCED),
    Check("d", "a Deployment that may be root is denied", scenario=f"{_DENIED}may-be-root, ", skipped_by=_BLOCK),
    Check("f", "OpenCost is up", probe="workloads of what tells costs have all containers ready"),
)  # fmt: skip


@dataclass(frozen=True)
class Witnesses:
    """What was learned of the platform.

    Attributes:
        milestones: That the cluster has.
        probes: Milestone and description of each probe that was asked -> its answer.
        scenarios: That were run.
        options: With which something is left out.
        which: Finds a program.
    """

    milestones: Sequence[str]
    probes: Mapping[tuple[str, str], Verdict]
    scenarios: Sequence[ScenarioResult] = ()
    options: Sequence[str] = ()
    which: Callable[[str], str | None] = shutil.which

    def judge(self, check: Check) -> tuple[CheckVerdict, str]:
        """A check's verdict, and what was seen."""
        if check.milestone and check.milestone not in self.milestones:
            how = f"scripts/bootstrap.sh --milestones {check.milestone}"
            return "NOT THERE", f"this cluster has no milestone {check.milestone.upper()}. Next: {how}"
        if check.skipped_by in self.options:
            return "SKIPPED", check.skipped_by
        if check.program:
            found = self.which(check.program)
            return ("PASS", found) if found else ("NOT THERE", "nothing here needs it but whoever types it")
        return self._of_probe(check) if check.probe else self._of_scenario(check)

    def _of_probe(self, check: Check) -> tuple[CheckVerdict, str]:
        answers = [
            verdict
            for (letter, description), verdict in self.probes.items()
            if letter == check.milestone and re.search(check.probe, description)
        ]
        if not answers:
            return "NOT RUN", "it could not be asked"
        worst = next((verdict for verdict in answers if not verdict), answers[0])
        return ("PASS" if worst else "FAIL"), worst.observed

    def _of_scenario(self, check: Check) -> tuple[CheckVerdict, str]:
        of_example = check.scenario.endswith(", ")
        run = [
            result
            for result in self.scenarios
            if result.scenario == check.scenario or (of_example and result.scenario.startswith(check.scenario))
        ]
        if not run:
            return "NOT RUN", "its scenario was not run"
        worst = next((result for result in run if result.verdict != "passed"), run[0])
        if worst.verdict == "passed":
            return "PASS", f"{worst.scenario} ({worst.seconds:.0f} s)"
        return ("FAIL" if worst.verdict == "failed" else "NOT RUN"), worst.why


def ask(platform: Platform, milestones: Sequence[str]) -> dict[tuple[str, str], Verdict]:
    """The steady state of some milestones: helped along like a precondition, then asked once."""
    try:
        reachable(platform)
    except NeuroscaleError as error:
        return {("", API_REACHABLE): pending(str(error))}
    answers = {("", API_REACHABLE): met(platform.cluster.server)}
    for letter in milestones:
        try:
            assert_steady_state(letter, platform)
        except SteadyStateLost as error:
            say_verbatim(str(error))
        answers |= {(letter, probe.description): probe.check(platform.cluster) for probe in probes_of(letter, platform)}
    return answers


def arguments(milestones: Sequence[str], options: Sequence[str]) -> list[str]:
    """What selects the scenarios of the checks that are not left out, and of no milestone that is not there."""
    wanted = f"smoke and ({' or '.join(f'milestone_{letter}' for letter in milestones)})"
    left_out = [" and not drift"] if _DRIFT in options else []
    selected = ["-m", "".join([wanted, *left_out])]
    # pytest names a test after its scenario, and an example after its values.
    return [*selected, "-k", "not a_rule_rejects_a_violation"] if _BLOCK in options else selected


def show(witnesses: Witnesses) -> ExitCode:
    """Print each check's verdict, and how many there are of each; what could not be checked is no pass."""
    listed = table("", "milestone", "check", "seen")
    verdicts: list[CheckVerdict] = []
    for check in CHECKS:
        verdict, seen = witnesses.judge(check)
        verdicts.append(verdict)
        colour = _COLOURS.get(verdict, "yellow")
        listed.add_row(f"[{colour}]{verdict}[/]", check.milestone.upper(), check.name, escape(seen))
    say(listed)
    say(", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts)) + f" of {len(CHECKS)} checks")
    if "FAIL" in verdicts:
        return ExitCode.FAILED
    return ExitCode.NOT_RUN if "NOT RUN" in verdicts else ExitCode.PASSED


def run(options: Sequence[str], runner: Callable[..., int]) -> int:
    """Ask and try everything; print the list.

    Args:
        options: With which something is left out.
        runner: Runs pytest with arguments, and returns its exit code.

    Returns:
        The exit code: the list's own, or the worse one of what ran the scenarios.
    """
    platform, state = connect(), load_state()
    milestones = state.milestones if state else []
    if not milestones:
        raise PreconditionFailed("The cluster should have a milestone, but has none. Next: scripts/bootstrap.sh")
    with exclusive():
        probes = ask(platform, milestones)
    before, code, scenarios = {folder.path for folder in RunFolder.all()}, 0, list[ScenarioResult]()
    if all(probes.values()):
        code = runner(*arguments(milestones, options))
        new = [folder for folder in RunFolder.all() if folder.path not in before]
        scenarios = new[-1].run.results if new else []
    else:
        say("The platform is not well, so no scenario was tried.")
    listed = show(Witnesses(milestones, probes, scenarios, options, _which))
    # A scenario that is no check's counts as well; so does whatever kept pytest from its work.
    return listed if listed and code in {ExitCode.PASSED, ExitCode.FAILED, ExitCode.NOT_RUN} else code


def _which(program: str) -> str | None:
    """Also what the Python environment brings along."""
    return shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)


def command(
    skip_drift: Annotated[bool, typer.Option(_DRIFT, help="Break nothing.")] = False,  # noqa: FBT002 - typer's flags
    skip_policy_block: Annotated[bool, typer.Option(_BLOCK, help="Submit nothing.")] = False,  # noqa: FBT002
) -> None:
    """The reference's smoke test."""
    options = [name for name, given in ((_DRIFT, skip_drift), (_BLOCK, skip_policy_block)) if given]
    raise typer.Exit(run(options, pytest))


if __name__ == "__main__":
    main(lambda: typer.run(command))

"""Mutants of death on the way: portals that bear no death, and a gate that does not come back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import yaml

from neuroscale.chaos.faults import Committed, FunctionPatched
from neuroscale.deaths.processes import Death, die
from neuroscale.deaths.survival import Survived
from neuroscale.errors import PreconditionFailed
from neuroscale.incidents.portal_values import VALUES
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.mortal import MortalPortal
from neuroscale.local_portal.process import Program
from neuroscale.local_portal.submissions import wait_until_offered
from neuroscale.settings import ROOT
from suite.mutants.mutant import Mutant

_ACTION, _FORGOTTEN = "giteaPullRequest.ts", "forgottenTasks.ts"
_JOB = "infrastructure/pull-requests/job/job.yaml"
#: Text of a source file of the portal -> what stands there instead.
_Changes = Sequence[tuple[str, str]]


def _configured(portal: MortalPortal, more: Object) -> Program:
    """The portal, with more settings than it has."""
    program = portal.backstage.program
    file = program.log.with_name("mutant.yaml")
    file.write_text(yaml.safe_dump(more), encoding="utf-8")
    return replace(program, command=[*program.command, "--config", str(file)])


def _rewritten(portal: MortalPortal, file: str, changes: _Changes) -> Program:
    """The portal, with one of its own sources changed.

    Raises:
        PreconditionFailed: What is to be changed is not there.
    """
    program, folder = portal.backstage.program, portal.backstage.program.log.with_name("mutant")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(program.folder, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(program.folder / "node_modules")
    source = folder / "packages" / "backend" / "src" / file
    text = source.read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            raise PreconditionFailed(
                f"{file} should hold {old!r} once, but does not, so that the mutant is another one"
            )
        text = text.replace(old, new)
    source.write_text(text, encoding="utf-8")
    return replace(program, folder=folder)


def _start(death: Death, portal: MortalPortal, program: Program) -> None:
    part = death.part(portal)
    assert part is portal.backstage, "the mutant is for the death of the portal"
    part.start(program)


def bring_back_without_worker(death: Death, portal: MortalPortal) -> None:
    """The portal comes back, answers, takes forms, and runs none."""
    _start(death, portal, _configured(portal, {"scaffolder": {"concurrentTasksLimit": 0}}))


def bring_back_without_recovery(death: Death, portal: MortalPortal) -> None:
    """The portal comes back, and leaves what it had begun as it is."""
    _start(death, portal, _configured(portal, {"scaffolder": {"taskRecovery": {"enabled": False}}}))


def bring_back_blind(death: Death, portal: MortalPortal) -> None:
    """The portal comes back, and does not look for what it had made before."""
    changes = (
        ("if (!(await findBranch())) {", "if (true) {"),
        ("if (!(await soon(findBranch))) {", "if (true) {"),
        ("return open ?? (", "return ("),
    )
    _start(death, portal, _rewritten(portal, _ACTION, changes))


def bring_back_with_branches_by_task(death: Death, portal: MortalPortal) -> None:
    """The portal comes back, and makes each task a branch of its own."""
    changes = (
        ("branchName: branch,", "branchName,"),
        (
            "const forge = connect(",
            "const branch = `${branchName}-${ctx.task.id}`;\n      const forge = connect(",
        ),
    )
    _start(death, portal, _rewritten(portal, _ACTION, changes))


def _with(portal: MortalPortal, program: Program) -> None:
    portal.backstage.kill()
    portal.backstage.start(program)
    wait_until_offered(portal.portal)


def die_half_made(portal: MortalPortal, what: str, when: str) -> Survived:
    """The portal opens a pull request with the first of the files, and leaves the others for later."""
    _with(portal, _rewritten(portal, _ACTION, [("files: operations }", "files: operations.slice(0, 1) }")]))
    return die(portal, what, when)


def _patched(wire: str, replacement: str) -> tuple[FunctionPatched]:
    return (
        FunctionPatched(wire=f"neuroscale.deaths.processes:{wire}", replacement=f"suite.mutants.deaths:{replacement}"),
    )


_DIES = "A part of the portal dies on the way of a form"
_POD = "A pod is deleted while a form is on its way"
_GATE = "The gate's Job dies, and its verdict comes all the same"
_AND_ANOTHER = "and another form is handed in as soon as that is over"
_NEXT = "the other form has become a pull request within 10 s"
_ENDS = "the task of the first form has ended within 90 s, and nothing of it is half-made"
_ONE_EACH = "each of the two forms is one pull request with its files and its text"
_MADE = ("the portal", "after its branch was made")
_OPENED = ("the portal", "after its pull request was opened")
_DONE = ("the Git server", "before its end is recorded")


def _step(what: str, when: str) -> str:
    return f"{what} dies {when}, {_AND_ANOTHER}"


MILESTONE = "c"
MUTANTS = (
    Mutant(
        "death-leaves-no-worker",
        "The portal comes back and is well, and nobody in it takes up a task",
        scenario=_DIES,
        example=", ".join(_MADE),
        before=_step(*_MADE),
        faults=_patched("bring_back", "bring_back_without_worker"),
        red_step=_NEXT,
        reason=r"the form that came next becomes a pull request .* it is open",
    ),
    Mutant(
        "death-leaves-a-task-without-end",
        "The portal comes back, and leaves the task that it had begun as it is",
        scenario=_DIES,
        example=", ".join(_MADE),
        before=_step(*_MADE),
        faults=_patched("bring_back", "bring_back_without_recovery"),
        red_step=_ENDS,
        reason=r"the first form's task ends .* it is processing",
    ),
    Mutant(
        "death-of-an-action-that-looks-for-nothing",
        "The portal comes back, and does not look for the branch that it had made",
        scenario=_DIES,
        example=", ".join(_MADE),
        before=_step(*_MADE),
        faults=_patched("bring_back", "bring_back_blind"),
        red_step=_ONE_EACH,
        reason=r"should have one pull request, but missing are \{'model-golden-\w+': 1\}",
    ),
    Mutant(
        "death-of-an-action-that-makes-another-branch",
        "The portal comes back, and each task makes a branch of its own: the same form is a second pull request",
        scenario=_DIES,
        example=", ".join(_OPENED),
        before=_step(*_OPENED),
        faults=_patched("bring_back", "bring_back_with_branches_by_task"),
        red_step=_ONE_EACH,
        reason=r"these are there and should not be: \['model-golden-\w+-[0-9a-f-]{36}'",
    ),
    Mutant(
        "death-of-a-pull-request-half-made",
        "The portal opens pull requests before all of their files are there",
        scenario=_DIES,
        example=", ".join(_DONE),
        before=_step(*_DONE),
        faults=_patched("die", "die_half_made"),
        red_step=_ENDS,
        reason=r"should be half-made, but without apps/golden-",
    ),
    Mutant(
        "cluster-death-leaves-no-worker",
        "The portal is set up to take up no task: its pods are well",
        scenario=_POD,
        example="its database",
        before=f"the pod of its database is deleted on the way of a form, {_AND_ANOTHER}",
        faults=(
            Committed(
                message="Let nobody take up a task",
                files={},
                replaced={VALUES: [("    scaffolder:\n", "    scaffolder:\n      concurrentTasksLimit: 0\n")]},
            ),
        ),
        hold=50,  # a sync and a rollout
        red_step=_NEXT,
        reason=r"the form that came next becomes a pull request .* it is open",
    ),
    Mutant(
        "gate-job-dies-for-good",
        "The gate's Job gives up when its pod is killed",
        scenario=_GATE,
        example="pod, while it judges",
        before="a good model is proposed, and the gate's pod is killed while it judges",
        faults=(
            Committed(
                message="Give up at once",
                files={_JOB: (ROOT / _JOB).read_text(encoding="utf-8").replace("backoffLimit: 2", "backoffLimit: 0")},
            ),
        ),
        red_step="the gate's status of it is success and says: nothing found",
        # Whoever watches says after a minute that none came; the control takes a quarter of that.
        reason=r"Last seen: (error: no verdict came|pending: the gate will judge it)",
    ),
)

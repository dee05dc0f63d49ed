"""The boundaries of a form's way: between two of the things that are done for it one after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from neuroscale.errors import FaultHadNoEffect
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.doors import Moment
from neuroscale.local_portal.process import NEXT
from neuroscale.local_portal.rig import LocalPortal

#: The database of the portal's tasks.
TASKS = "backstage_plugin_scaffolder"


@dataclass(frozen=True)
class Progress:
    """What is on record of a form: in the database, and at the Git server.

    Attributes:
        status: Of its task.
        written: Whether the files that it becomes are kept.
        steps: Those that are done.
        checkpoints: What the step that opens the pull request has done.
        branch: Whether it is there.
        pull_request: Whether it is open.
    """

    status: str
    written: bool = False
    steps: frozenset[str] = frozenset()
    checkpoints: frozenset[str] = frozenset()
    branch: bool = False
    pull_request: bool = False


@dataclass(frozen=True)
class Boundary:
    """A moment of the way, and what is done by then.

    Attributes:
        progress: What is on record there.
        moment: The request that follows, or whose answer does.
        at_database: Whether that is one to the database; else it is one to the Git server.
    """

    progress: Progress
    moment: Moment
    at_database: bool = False


_NEW_BRANCH = rb"POST /api/v1/repos/[^ ]+/contents HTTP"
_NEW_PULL_REQUEST = rb"POST /api/v1/repos/[^ ]+/pulls HTTP"
_TAKEN_UP = rb'update "tasks" set "status" = .*"last_heartbeat_at" = CURRENT_TIMESTAMP, "secrets".*processing'
_BEGUN = rb'insert into "task_events".*Beginning step Write the manifests'
_WRITTEN = rb'update "tasks" set "state" = .*"render":\{"status":"completed"'
_COMPLETED = rb'update "tasks" set "status" = .*completed'

_RENDERED = frozenset({"render"})
_BRANCHED = frozenset({"branch"})
_WHOLE = Progress(
    "processing",
    written=True,
    steps=frozenset({"render", "gitea"}),
    checkpoints=frozenset({"branch", "pull-request"}),
    branch=True,
    pull_request=True,
)
#: By their names, in the order of the way. The branch and its commit come with one request: nothing lies between them.
BOUNDARIES: Mapping[str, Boundary] = {
    "before its task is taken up": Boundary(Progress("open"), Moment((_TAKEN_UP,)), at_database=True),
    "before its files are written": Boundary(Progress("processing"), Moment((_BEGUN,)), at_database=True),
    "after its files were written": Boundary(
        Progress("processing", written=True), Moment((_WRITTEN,)), at_database=True
    ),
    "before its branch is made": Boundary(
        Progress("processing", written=True, steps=_RENDERED), Moment((_NEW_BRANCH,))
    ),
    "after its branch was made": Boundary(
        Progress("processing", written=True, steps=_RENDERED, branch=True), Moment((_NEW_BRANCH,), answered=True)
    ),
    "before its pull request is opened": Boundary(
        Progress("processing", written=True, steps=_RENDERED, checkpoints=_BRANCHED, branch=True),
        Moment((_NEW_PULL_REQUEST,)),
    ),
    "after its pull request was opened": Boundary(
        Progress("processing", written=True, steps=_RENDERED, checkpoints=_BRANCHED, branch=True, pull_request=True),
        Moment((_NEW_PULL_REQUEST,), answered=True),
    ),
    "before its end is recorded": Boundary(_WHOLE, Moment((_COMPLETED,)), at_database=True),
    "after its end was recorded": Boundary(
        replace(_WHOLE, status="completed"), Moment((_COMPLETED, b"COMMIT"), answered=True), at_database=True
    ),
}


def status_of(task: str, portal: LocalPortal) -> str:
    """How a task stands, as its database says it; empty if there is none."""
    return portal.database.execute(TASKS, f"SELECT status FROM tasks WHERE id = '{task}'")  # noqa: S608 - a UUID


def progress_of(task: str, branch: str, portal: LocalPortal) -> Progress:
    """Where a form is, asked by nobody's door.

    Raises:
        FaultHadNoEffect: Its task is nowhere.
        ProgramFailed: The database does not say.
        NeuroscaleError: The Git server does not say.
    """
    kept = f"EXISTS (SELECT FROM scaffolder_task_workspaces WHERE task_id = '{task}')"
    row = f"SELECT json_build_array(status, state::json, {kept}) FROM tasks WHERE id = '{task}'"  # noqa: S608
    if not (said := portal.database.execute(TASKS, row)):
        raise FaultHadNoEffect(f"The task {task} should be on record, but is not. Next: {NEXT}")
    status, state, written = json.loads(said)
    done = (state or {}).get("state") or {}
    return Progress(
        status,
        written=written,
        steps=_names(done.get("steps"), "completed"),
        checkpoints=_names(done.get("checkpoints"), "success"),
        branch=branch in portal.git_server.branches(),
        pull_request=portal.git_server.pull_request(branch) is not None,
    )


def _names(entries: Mapping[str, Object] | None, status: str) -> frozenset[str]:
    """Of the scaffolder's entries of this status; a checkpoint's is the last word of a longer one."""
    return frozenset(name.rpartition(".")[2] for name, one in (entries or {}).items() if one["status"] == status)

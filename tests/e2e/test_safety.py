"""What the suite promises of itself, tried on the real cluster. The tests that need the lock free come first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from rich.text import Text

from neuroscale.bootstrap.up import roll_back
from neuroscale.chaos import faults, monkeypatching
from neuroscale.chaos.journal import Journal
from neuroscale.chaos.objects import fresh
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.errors import ExitCode
from neuroscale.kubernetes.refs import Ref
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform, connect
from neuroscale.polling import eventually, pause
from neuroscale.probes.argo import Gone, application
from neuroscale.probes.reference_app import NGINX
from neuroscale.settings import ARGOCD, BUDGETS, GIT_SERVER, ROOT_APPLICATION

pytestmark = pytest.mark.safety

_ROOT = Path(__file__).parents[2]
_NOTIFIER = Ref("Deployment", "argocd-notifications-controller", ARGOCD)


def run(*arguments: str, environment: dict[str, str] | None = None, within: float = 240) -> tuple[int, str]:
    """Its exit code, and what it says without the colours that ``FORCE_COLOR`` puts between the words."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    return done.returncode, Text.from_ansi(done.stdout + done.stderr).plain


def test_sigterm_undoes_what_is_broken(tmp_path: Path) -> None:
    """A terminated run puts back what it broke, and says that it was interrupted."""
    state = load_state()
    assert state is not None, "run `neuroscale up` first"
    journal = Journal.of(state.nonce)
    command = [sys.executable, "-m", "pytest", "-m", "incident_a3", "-q"]
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(tmp_path)}
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 180
        while not journal.unfinished():
            assert child.poll() is None, f"it ended with {child.returncode} before it broke anything"
            assert time.monotonic() < deadline, "it broke nothing within 3 min"
            pause(0.2)
        child.send_signal(signal.SIGTERM)
        code = child.wait(timeout=120)
    assert code == ExitCode.INTERRUPTED
    assert journal.unfinished() == []
    eventually(Gone(Ref("Namespace", "incident-node-full")), connect().cluster, within=BUDGETS.roll_back)


def test_a_second_run_is_told_who_holds_the_cluster() -> None:
    with exclusive():
        code, said = run("neuroscale", "rollback")
    assert code == ExitCode.NOT_RUN
    assert f"pid {os.getpid()}" in said
    assert "started 20" in said


def test_a_cluster_of_the_same_name_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """Without our state file, the very same cluster is a stranger's."""
    code, said = run("neuroscale", "up", environment={"NEUROSCALE_STATE": str(tmp_path)})
    assert code == ExitCode.REFUSED
    assert "left alone" in said
    assert connect().cluster.text("/readyz") == "ok"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("pytest", "-m", "milestone_z"), "milestone_a"),
        (("neuroscale", "up", "--milestones", "z"), "among a"),
        (("neuroscale", "incident", "run", "z9"), "repo_server_down"),
        (("neuroscale", "kill-matrix", "--only", "no-such"), "workload-scaled-away"),
        (("neuroscale", "report", "no-such-run"), "no-such-run"),
    ],
    ids=["marker", "milestone", "incident", "mutant", "run"],
)
def test_an_unknown_name_is_a_usage_error_that_lists_the_known_ones(arguments: tuple[str, ...], names: str) -> None:
    code, said = run(*arguments)
    assert code == ExitCode.USAGE, said
    assert names in said


def test_nothing_collected_is_not_a_pass() -> None:
    code, said = run("pytest", "-m", "milestone_a and incident_a1")
    assert code == ExitCode.NOTHING_COLLECTED
    assert "No scenario was run" in said


FAULTS: dict[str, faults.Fault] = {
    "object-deleted": faults.ObjectDeleted(target=Ref("ConfigMap", "argocd-gpg-keys-cm", ARGOCD)),
    "object-created": faults.ObjectCreated(
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "left-by-a-killed-run", "namespace": GIT_SERVER},
        }
    ),
    "created-by-program": faults.CreatedByProgram(
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "made-by-a-killed-run", "namespace": GIT_SERVER},
        },
        program=(sys.executable, str(_ROOT / "tests" / "creating_program.py")),
        python_path="",
        by="a program",
    ),
    "fields-edited": faults.FieldsEdited(target=_NOTIFIER, patch={"metadata": {"labels": {"left-by": "a-killed-run"}}}),
    "application-edited": faults.ApplicationEdited(
        target=application(ROOT_APPLICATION), patch={"metadata": {"labels": {"left-by": "a-killed-run"}}}
    ),
    "secret-edited": faults.SecretEdited(
        target=Ref("Secret", "argocd-notifications-secret", ARGOCD),
        patch={"metadata": {"labels": {"left-by": "a-killed-run"}}},
        reader=_NOTIFIER,
    ),
    "scaled-to": faults.ScaledTo(target=_NOTIFIER, replicas=0),
    "container-added": faults.ContainerAdded(
        target=_NOTIFIER, container={"name": "left-by-a-killed-run", "image": "docker.io/rancher/mirrored-pause:3.6"}
    ),
    "cpu-taken": faults.CpuTaken(
        target=Ref("Pod", "left-by-a-killed-run", GIT_SERVER),
        priority_class="system-cluster-critical",
        image="docker.io/rancher/mirrored-pause:3.6",
        short_of=NGINX,
    ),
    "committed": faults.Committed(
        message="left by a killed run", files={"apps/test-app/notes.txt": "left by a killed run\n"}
    ),
    "rewired": faults.FunctionPatched(
        wire="neuroscale.gate.schema:check", replacement="suite.mutants.gate:ignore_schemas"
    ),
}


def looks(platform: Platform, fault: faults.Fault) -> Any:
    """What the fault touches, without what the API server counts up at every write."""
    if isinstance(fault, faults.Committed):
        return {path: platform.git_server.read(path) for path in fault.paths}
    if isinstance(fault, faults.FunctionPatched):
        return monkeypatching.at(fault.wire)
    obj = platform.cluster.get(fault.target)
    if obj is None:
        return None
    kept = fresh(obj)
    kept["metadata"] = {key: kept["metadata"].get(key) for key in ("name", "labels")}
    return kept


@pytest.mark.parametrize("point", ["before-deed", "after-deed", "before-close"])
@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_a_killed_run_left_is_healed(kind: str, point: str, platform: Platform) -> None:
    state = load_state()
    assert state is not None
    assert_steady_state("a", platform)
    fault, journal = FAULTS[kind], Journal.of(state.nonce)
    before = looks(platform, fault)
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed.py")), point],
        input=TypeAdapter(faults.Fault).dump_json(fault),
        cwd=_ROOT,
        # What takes a function's place is the runner's, in the checkout.
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    assert [entry.fault for entry in journal.unfinished()] == [fault]
    # What a process did to itself has ended with it; healing must bear that there is nothing to put back.
    if point == "after-deed" and not isinstance(fault, faults.FunctionPatched):
        assert looks(platform, fault) != before, "the deed must be seen, or its undoing proves nothing"
    assert roll_back(platform, state.nonce, print) == 1
    assert looks(platform, fault) == before
    assert journal.unfinished() == []

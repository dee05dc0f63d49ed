"""A command line that is seen, killed and judged by how it ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from neuroscale.bootstrap_scenarios import kills, own_cluster
from neuroscale.bootstrap_scenarios.docker_door import DockerDoor, docker_socket
from neuroscale.bootstrap_scenarios.kills import evaluate_arrival, evaluate_death
from neuroscale.bootstrap_scenarios.observed import STOPPED
from neuroscale.bootstrap_scenarios.own_cluster import Ended, OwnCluster, Started, assert_well
from neuroscale.bootstrap_scenarios.points import Deed
from neuroscale.chaos import monkeypatching
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import ConditionTimeout, ExitCode, FaultHadNoEffect, HostError
from neuroscale.local_portal.doors import Held, Moment
from neuroscale.settings import state_dir


def started(folder: Path, *deeds: str, code: int | None = None) -> Started:
    (folder / "trace").write_text("".join(f"{deed}\n" for deed in deeds))
    (folder / "log").write_text("said\n")
    return Started(lambda: code, folder / "trace", folder / "log")


# --- how it ends


def test_a_run_is_well_that_ended_with_0_in_time() -> None:
    assert_well(Ended(0, 19.9, (), ""), 20)
    for ended in (Ended(1, 1, (), "no"), Ended(-9, 1, (), "no"), Ended(0, 20.1, (), "no")):
        with pytest.raises(ConditionTimeout, match=r"should end with 0 within 20 s, but ended with .*: no\. Next"):
            assert_well(ended, 20)


def test_a_death_is_by_sigkill(tmp_path: Path) -> None:
    assert evaluate_death(started(tmp_path)).state == "pending"
    assert evaluate_death(started(tmp_path, code=-signal.SIGKILL)).state == "met"
    for code in (0, 1, -signal.SIGTERM):
        assert evaluate_death(started(tmp_path, code=code)).state == "unrecoverable"


def test_it_has_come_where_it_has_stopped_and_is_alive(tmp_path: Path) -> None:
    assert evaluate_arrival(started(tmp_path, "pid 1"), None).state == "pending"
    assert evaluate_arrival(started(tmp_path, "pid 1", "file x", STOPPED), None).state == "met"
    assert evaluate_arrival(started(tmp_path, "pid 1", STOPPED, code=1), None).state == "unrecoverable"
    assert started(tmp_path, "pid 17").process == 17


def test_it_has_come_where_docker_is_asked_and_waits(tmp_path: Path) -> None:
    work, held = started(tmp_path, "pid 1"), Held(Moment((b"x",)))
    assert evaluate_arrival(work, held).state == "pending"
    held._reached.set()
    assert evaluate_arrival(work, held).state == "met"
    held.lost_at = 1.0
    assert evaluate_arrival(work, held).state == "unrecoverable"


# --- as a process


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnCluster:
    made = OwnCluster(tmp_path, "own")
    monkeypatch.setattr(OwnCluster, "delete", lambda self: None)
    return made


def module(folder: Path, content: str) -> str:
    """A module that a program can be, found beside the library."""
    (folder / "stand_in.py").write_text(content)
    return "stand_in"


WRITES = """
import os, sys, time
from pathlib import Path
from neuroscale.bootstrap_scenarios.observed import Observer
trace, pattern, count, *rest = sys.argv[1:]
observer = Observer(Path(trace), pattern, int(count))
for deed in ("file a", "file b", os.environ["NEUROSCALE_CLUSTER"], os.environ.get("SUPPLY", "any supply"), *rest):
    observer.note(deed)
print("well")
sys.exit(3 if "fails" in rest else 0)
"""


@pytest.fixture
def stand_in(own: OwnCluster, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Environment of a stand-in for the command line, which does a few deeds."""
    name = module(own.folder, WRITES)
    monkeypatch.setattr(own_cluster, "program", lambda: (name,))
    return {"PYTHONPATH": f"{own.folder}{os.pathsep}{own_cluster.ROOT}"}


def test_what_it_does_and_how_it_ends_is_seen(own: OwnCluster, stand_in: dict[str, str]) -> None:
    ended = own.run("up", env=stand_in)
    assert (ended.code, ended.said) == (0, "well")
    assert ended.deeds[1:] == ("file a", "file b", "own", "any supply", "up")
    assert own.run("fails", env=stand_in).code == 3


def test_it_is_made_as_the_session_s_cluster_was(own: OwnCluster, stand_in: dict[str, str], ours: ClusterState) -> None:
    assert "registry" in own.run("up", env=stand_in).deeds
    ours.model_copy(update={"adopted": True}).save()
    assert "any supply" in own.run("up", env=stand_in).deeds


@pytest.fixture
def ours(state: ClusterState) -> ClusterState:
    made = state.model_copy(update={"supply": "registry", "adopted": False})
    made.save()
    return made


def test_a_bootstrap_that_fails_is_no_start(
    own: OwnCluster, stand_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.make_anew(env=stand_in).code == 0
    monkeypatch.setattr(own_cluster, "UP", ("fails",))
    with pytest.raises(FaultHadNoEffect, match="ended with 3: well"):
        own.make_anew(env=stand_in)


def test_it_is_killed_at_the_deed_and_nothing_later_is_done(
    own: OwnCluster, stand_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", stand_in["PYTHONPATH"])
    monkeypatch.setattr(own_cluster, "ROOT", stand_in["PYTHONPATH"])
    monkeypatch.setattr(own_cluster, "running", _in(own.folder, own_cluster.running))
    monkeypatch.setattr(kills, "POINTS", {"at b": Deed("^file b$"), "never": Deed("^file z$")})
    kills.kill(own, "at b")
    assert (own.folder / "0.trace").read_text().splitlines()[1:] == ["file a", "file b", STOPPED]
    with pytest.raises(FaultHadNoEffect, match=r"should be killed never, but: .*it had ended with 0: well"):
        kills.kill(own, "never")


def _in(folder: Path, running: Any) -> Any:
    return lambda command, log, env, folder: running(command, log, env=env, folder=log.parent)


def test_a_program_in_place_of_it_reaches_the_process(own: OwnCluster) -> None:
    """What a mutant is: a function of this process is exchanged, and the process that it starts does otherwise."""
    draft = state_dir(own.name) / f".state.json.{'0' * 32}"
    draft.parent.mkdir(parents=True)
    # As far as it comes where there is no Docker; what ends it with this process is there.
    if found := shutil.which("setpriv"):
        (own.folder / "setpriv").symlink_to(found)
    nothing = {"PATH": str(own.folder)}
    draft.touch()
    monkeypatching.exchange("neuroscale.bootstrap_scenarios.own_cluster:program", "suite.mutants.bootstrap:keep_drafts")
    try:
        broken = own.run(*own_cluster.UP, env=nothing)
    finally:
        monkeypatching.restore("neuroscale.bootstrap_scenarios.own_cluster:program")
    assert draft.exists()
    whole = own.run(*own_cluster.UP, env=nothing)
    assert not draft.exists(), "drafts of killed writers are swept first of all"
    assert whole.code == broken.code == ExitCode.NOT_RUN
    assert whole.said == broken.said


# --- Docker's door


def test_docker_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert docker_socket() == Path("/var/run/docker.sock")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert docker_socket() == Path("/run/other.sock")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(HostError, match="should listen at a socket of this machine"):
        docker_socket()


def test_the_door_holds_whoever_says_the_last_word_on_any_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "real.sock"))
    listener.listen()
    heard = list[bytes]()

    def serve() -> None:
        peers = [listener.accept()[0] for _ in range(2)]
        heard.extend(peer.recv(100) for peer in peers)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'real.sock'}")
    with DockerDoor(tmp_path) as door:
        held = door.stop_at(Moment((b"^POST /create", b"^POST /start")))
        clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for client, word in zip(clients, (b"POST /create", b"POST /start"), strict=True):
            client.connect(door.address.removeprefix("unix://"))
            client.sendall(word)
            assert held.has_come(5 if word == b"POST /start" else 0.3) == (word == b"POST /start")
        assert b"POST /start" not in heard
        held.drop()
        for client in clients:
            client.close()
    listener.close()

"""What this machine remembers: whole or not at all, private, and held by one run at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from neuroscale.cluster.state import ClusterState, exclusive, kubeconfig_file, load_state, state_file
from neuroscale.components import endpoints
from neuroscale.errors import ExitCode, Locked, NeuroscaleError
from neuroscale.platform import connect
from neuroscale.settings import CLUSTER_NAME, ROOT


def a_state(name: str = CLUSTER_NAME) -> ClusterState:
    return ClusterState(
        name=name, nonce="n", server="https://127.0.0.1:6550", created_at=datetime.now(UTC), forge_url="http://f"
    )


def test_a_state_is_read_back_as_it_was_saved() -> None:
    assert load_state() is None
    a_state().save()
    saved = load_state()
    assert saved is not None
    assert saved.model_dump(exclude={"created_at"}) == a_state().model_dump(exclude={"created_at"})


def test_clusters_do_not_share_a_state() -> None:
    a_state("one").save()
    assert load_state("two") is None
    assert kubeconfig_file("one").parent != kubeconfig_file("two").parent


def test_nobody_else_reads_it() -> None:
    a_state().save()
    assert state_file().stat().st_mode & 0o777 == 0o600
    assert state_file().parent.stat().st_mode & 0o777 == 0o700


def test_who_says_nothing_has_adopted_nothing() -> None:
    """An adopted cluster need not be local: nobody gets there by leaving a field out."""
    whole = a_state().model_dump(mode="json")
    del whole["adopted"]
    assert ClusterState.model_validate(whole).adopted is False
    with pytest.raises(ValidationError, match="frozen"):
        a_state().adopted = True  # type: ignore[misc]


def test_a_crash_while_saving_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a_state().save()
    old = state_file().read_bytes()

    def crash(descriptor: int) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(OSError, match="power cut"):
            a_state("another").model_copy(update={"name": a_state().name}).save()
    assert state_file().read_bytes() == old
    a_state().save()
    assert load_state() is not None


def test_ports_that_came_later_do_not_damage_an_old_state() -> None:
    a_state().model_copy(update={"ports": {"api": 6550, "forge": 3300, "argocd": 8081, "gateway": 8082}}).save()
    old = load_state()
    assert old is not None
    assert old.ports is not None
    assert endpoints({**old.ports, "portal": 7007}) == endpoints(old.ports)
    del old.ports["gateway"]
    old.save()
    assert load_state() == old
    assert list(endpoints(old.ports)) == ["Git server", "Argo CD"]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": "x"}', "\x00"])
def test_a_damaged_file_is_named_with_the_next_move(content: str) -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_text(content, encoding="utf-8")
    with pytest.raises(NeuroscaleError, match=rf"state\.json should describe cluster {CLUSTER_NAME}.*Next: "):
        load_state()


@pytest.mark.parametrize(
    "ports",
    [
        {"api": 6550, "forge": 3300, "argocd": 8081},
        {"api": 6550, "forge": 3300, "argocd": 8081, "gateway": 8082},
        {"api": 6550, "forge": 3300, "argocd": 8081, "gateway": 8082, "a-later-one": 8083},
    ],
    ids=["older", "as it was", "newer"],
)
def test_a_state_of_another_version_is_not_damaged(ports: dict[str, int]) -> None:
    """A port more or less, or a field that this version does not know: the cluster is still the suite's."""
    written = {**json.loads(a_state().model_dump_json()), "ports": ports, "a_later_field": {"a": 1}}
    state_file().parent.mkdir(parents=True)
    state_file().write_text(json.dumps(written), encoding="utf-8")
    found = load_state()
    assert found is not None
    assert found.nonce == "n"
    assert found.ports == ports


def test_connecting_without_a_cluster_says_what_to_do() -> None:
    with pytest.raises(NeuroscaleError, match=r"this machine made none\. Next: neuroscale up") as caught:
        connect()
    assert caught.value.exit_code == ExitCode.NOT_RUN


_HOLD = """
import sys
from neuroscale.cluster.state import exclusive
with exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_told_who_holds_the_cluster() -> None:
    command = [sys.executable, "-c", _HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Locked, match=rf"pid {other.pid}, started {datetime.now(UTC):%Y-%m-%d}T"), exclusive():
            pytest.fail("two runs held one cluster")
        other.communicate("")
    with exclusive():
        pass


def test_a_run_that_was_killed_holds_nothing() -> None:
    command = [sys.executable, "-c", _HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
    with exclusive():
        pass


def test_the_lock_is_given_back_when_a_run_fails() -> None:
    with pytest.raises(ValueError, match="run"), exclusive():
        raise ValueError("run")
    with exclusive():
        pass


def test_two_clusters_can_be_held_at_once() -> None:
    with exclusive("one"), exclusive("two"):
        pass

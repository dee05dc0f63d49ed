"""Restarts of the platform's containers: counted by container, and told with what may have provoked them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from apiserver import NONCE, ApiServer
from fake_git_server import fake_platform
from fakes import NGINX, populate

from neuroscale.chaos.breakage import Breakage, listeners
from neuroscale.chaos.faults import Committed, Fault, ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.evidence.restarts import Container, restart_counts, restarts
from neuroscale.kubernetes.refs import Ref
from suite import restarts as plugin
from suite.session import PLATFORM, RUN

_KSERVE = Container("kserve", "kserve-controller-manager-1", "manager")


def with_restarts(api: ApiServer, count: int) -> None:
    """The pods of all namespaces: the platform's controller, and a tenant's pod of the same name."""
    status = {"containerStatuses": [{"name": _KSERVE.name, "restartCount": count}]}
    metas = [{"name": _KSERVE.pod, "namespace": namespace} for namespace in ("kserve", "default")]
    pods = {"items": [{"metadata": meta, "status": status} for meta in metas]}
    api.answers["GET /api/v1/pods"] = (200, json.dumps(pods).encode(), {})


def test_only_the_platforms_containers_are_counted(api: ApiServer, cluster: Cluster) -> None:
    with_restarts(api, 2)
    assert restart_counts(cluster) == {_KSERVE: 2}


_AWAY = ScaledTo(target=Ref("Deployment", "coredns", "kube-system"), replicas=0)
_OWN = ScaledTo(target=Ref("Deployment", "kserve-controller-manager", "kserve"), replicas=0)
_COMMIT = Committed(files={"apps/a.yaml": ""}, message="Break it")
_RESTARTED = "container manager of pod kserve/kserve-controller-manager-1 restarted"


@pytest.mark.parametrize(
    ("before", "faults", "told"),
    [
        ({_KSERVE: 3}, [], []),
        ({_KSERVE: 2}, [], [f"{_RESTARTED} once, unprovoked, no fault was injected"]),
        ({}, [], [f"{_RESTARTED} 3 times, unprovoked, no fault was injected"]),
        ({_KSERVE: 2}, [_OWN], []),
        ({_KSERVE: 2}, [_AWAY, _OWN], []),
        ({_KSERVE: 2}, [_AWAY], [f"{_RESTARTED} once, perhaps provoked by: {_AWAY.description}"]),
        (
            {_KSERVE: 2},
            [_AWAY, _COMMIT, _AWAY],
            [f"{_RESTARTED} once, perhaps provoked by: {_AWAY.description}; {_COMMIT.description}"],
        ),
    ],
)
def test_a_restart_is_told_with_what_may_have_provoked_it(
    before: dict[Container, int], faults: list[Fault], told: list[str]
) -> None:
    assert list(restarts(before, {_KSERVE: 3}, faults)) == told


@pytest.mark.parametrize("mutated", [False, True], ids=["nothing is broken", "a mutant breaks something"])
def test_a_session_counts_before_and_after_each_scenario(
    api: ApiServer, cluster: Cluster, tmp_path: Path, *, mutated: bool
) -> None:
    populate(api)
    before = list(listeners)
    platform = fake_platform(cluster)
    run = SimpleNamespace(restarts=[])
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[PLATFORM], config.stash[RUN] = platform, cast("Any", run)
    item = cast(
        "Any", SimpleNamespace(name="a scenario", config=config, stash=pytest.Stash(), fixturenames=["platform"])
    )
    whole = plugin.pytest_runtest_protocol(item)
    next(whole)
    for hook, count in ((plugin.pytest_runtest_call, 0), (plugin.pytest_runtest_teardown, 1)):
        with_restarts(api, count)
        around = hook(item)
        next(around)
        if mutated and count == 0:
            # Not the scenario's own: a mutant's, or one of a verb of the library.
            with Breakage(platform, Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
                breakage.inject(ScaledTo(target=NGINX, replicas=0))
        assert next(around, "ended") == "ended"
    assert next(whole, "ended") == "ended"
    why = f"perhaps provoked by: {NGINX} is scaled to 0" if mutated else "unprovoked, no fault was injected"
    assert run.restarts == [f"a scenario: {_RESTARTED} once, {why}"]
    assert listeners == before

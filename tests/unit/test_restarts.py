"""Restarts of the platform's containers: counted by container, and told when nothing was broken beside them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from apiserver import ApiServer

from neuroscale.cluster.client import Cluster
from neuroscale.evidence.restarts import Container, restart_counts, unprovoked
from suite import restarts
from suite.session import BREAKAGE, PLATFORM, RUN

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


@pytest.mark.parametrize(
    ("before", "broken", "told"),
    [
        ({_KSERVE: 3}, set(), []),
        ({_KSERVE: 2}, {"default"}, ["container manager of pod kserve/kserve-controller-manager-1 restarted once"]),
        ({}, {None}, ["container manager of pod kserve/kserve-controller-manager-1 restarted 3 times"]),
        ({_KSERVE: 2}, {"kserve"}, []),
    ],
)
def test_a_restart_is_told_where_nothing_was_broken(
    before: dict[Container, int], broken: set[str | None], told: list[str]
) -> None:
    assert list(unprovoked(before, {_KSERVE: 3}, broken)) == told


@pytest.mark.parametrize(("broken", "told"), [("kserve", 0), ("argocd", 1)])
def test_a_session_counts_before_and_after_each_scenario(
    broken: str, told: int, api: ApiServer, cluster: Cluster
) -> None:
    run = SimpleNamespace(restarts=[])
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[PLATFORM], config.stash[RUN] = cast("Any", SimpleNamespace(cluster=cluster)), cast("Any", run)
    item = cast(
        "Any", SimpleNamespace(name="a scenario", config=config, stash=pytest.Stash(), fixturenames=["platform"])
    )
    effect = SimpleNamespace(fault=SimpleNamespace(target=SimpleNamespace(namespace=broken)))
    item.stash[BREAKAGE] = cast("Any", SimpleNamespace(effects=[effect]))
    for hook, count in ((restarts.pytest_runtest_call, 0), (restarts.pytest_runtest_teardown, 1)):
        with_restarts(api, count)
        around = hook(item)
        next(around)
        assert next(around, "ended") == "ended"
    assert len(run.restarts) == told

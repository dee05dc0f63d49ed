"""What Argo CD calls a Deployment and a model, by the scripts in its settings, run without libraries as it does."""

from __future__ import annotations

from typing import Any

import pytest
from lupa.lua51 import LuaRuntime
from rendered import places

from neuroscale.kubernetes.refs import Object

_SETTINGS = "bootstrap/argocd"
QUOTA = 'pods "m-2" is forbidden: exceeded quota: default-namespace-quota, requested: pods=1'
REFUSED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
GOES_ON = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}


def health(kind: str, obj: Object) -> tuple[str, str]:
    """Status and message."""
    (settings,) = (one for one in places()[_SETTINGS] if one["metadata"]["name"] == "argocd-cm")
    script = settings["data"][f"resource.customizations.health.{kind}"]
    lua = LuaRuntime(register_eval=False, unpack_returned_tuples=True)
    # What Argo CD 3.2.1 leaves a script that asks for nothing else: the base and the table library.
    lua.execute("string, io, debug, math, coroutine, require = nil")
    lua.execute("getmetatable('').__index = nil")
    lua.globals().obj = _table(lua, obj)
    found = lua.execute(script)
    return str(found["status"]), str(found["message"])


def _table(lua: LuaRuntime, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, one) for key, one in value.items()})
    return lua.table_from([_table(lua, one) for one in value]) if isinstance(value, list) else value


def deployment(wanted: int, counts: tuple[int, int, int], *conditions: Object, **more: Any) -> Object:
    """One of so many pods: in all, of the latest template, available."""
    names = ("replicas", "updatedReplicas", "availableReplicas")
    # What is zero is not in the status.
    counted = {name: count for name, count in zip(names, counts, strict=True) if count}
    status = {"observedGeneration": 2, **counted, "conditions": list(conditions)}
    return {"metadata": {"generation": 2}, "spec": {"replicas": wanted, **more}, "status": status}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (deployment(2, (2, 2, 2), GOES_ON), "Healthy"),
        (deployment(0, (0, 0, 0), GOES_ON), "Healthy"),
        (deployment(2, (1, 1, 1), GOES_ON, REFUSED), "Degraded"),
        (deployment(2, (2, 2, 2), GOES_ON, {**REFUSED, "status": "False"}), "Healthy"),
        (deployment(2, (2, 2, 0), LATE), "Degraded"),
        (deployment(2, (1, 1, 1), GOES_ON), "Progressing"),
        (deployment(2, (3, 2, 2), GOES_ON), "Progressing"),
        (deployment(2, (2, 2, 1), GOES_ON), "Progressing"),
        (deployment(2, (1, 1, 1), REFUSED, paused=True), "Suspended"),
        ({**deployment(2, (2, 2, 2)), "metadata": {"generation": 3}}, "Progressing"),
        ({"metadata": {"generation": 1}, "spec": {}}, "Progressing"),
    ],
)
def test_a_deployment_is_called(obj: Object, expected: str) -> None:
    status, message = health("apps_Deployment", obj)
    assert status == expected
    assert ("exceeded quota" in message) == (status == "Degraded" and LATE not in obj["status"]["conditions"])


def model(*conditions: tuple[str, str, str], transition: str = "UpToDate") -> Object:
    """One with conditions: type, status, reason."""
    found = [{"type": kind, "status": status, "reason": reason} for kind, status, reason in conditions]
    return {"status": {"conditions": found, "modelStatus": {"transitionStatus": transition}}}


_RUNS = ("Stopped", "False", "")


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({}, "Progressing"),
        ({"status": {}}, "Progressing"),
        (model(("Ready", "True", ""), _RUNS), "Healthy"),
        (model(("Ready", "Unknown", ""), _RUNS), "Progressing"),
        (model(("Ready", "False", "PredictorNotReady"), _RUNS, transition="InProgress"), "Progressing"),
        (model(("PredictorReady", "False", "RevisionFailed"), _RUNS), "Degraded"),
        (model(("PredictorReady", "False", "RevisionFailed"), _RUNS, transition="InProgress"), "Degraded"),
        (model(("Ready", "True", ""), _RUNS, transition="BlockedByFailedLoad"), "Degraded"),
        (model(("Ready", "False", "RevisionFailed"), ("Stopped", "True", "")), "Suspended"),
    ],
)
def test_a_model_is_called(obj: Object, expected: str) -> None:
    assert health("serving.kserve.io_InferenceService", obj)[0] == expected


def test_a_model_says_what_failed() -> None:
    obj = model(("PredictorReady", "False", "RevisionFailed"), _RUNS)
    obj["status"]["conditions"][0]["message"] = QUOTA
    assert health("serving.kserve.io_InferenceService", obj) == ("Degraded", f"PredictorReady: {QUOTA}")

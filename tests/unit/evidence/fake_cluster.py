"""A cluster of dictionaries, and the objects in it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from neuroscale.components import selected
from neuroscale.errors import ApiError
from neuroscale.evidence import collect
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Timeline, pending

CANARY = "C4n4ry/with+odd=chars'&\"quotes"
SINCE = datetime.now(UTC) - timedelta(seconds=20)
DEPLOYMENT = Ref("Deployment", "test-app", "default")
CONTROLLER = "argocd-application-controller"


class FakeCluster:
    """The four verbs that evidence needs, on plain dictionaries."""

    def __init__(self) -> None:
        self.objects: dict[Ref, Object] = {}
        self.lists: dict[tuple[str, str], list[Object]] = {}
        self.texts: dict[str, str] = {}
        self.refused: set[str] = set()
        self.before_each: Callable[[], None] = lambda: None

    def get(self, ref: Ref) -> Object | None:
        self.before_each()
        return self.objects.get(ref)

    def list(self, kind: str, namespace: str = "", *, api_version: str = "") -> list[Object]:
        self.before_each()
        if kind in self.refused:
            raise ApiError(f"{kind} is forbidden", status=403, reason="Forbidden")
        return self.lists.get((kind, namespace), [])

    def logs(self, pod: Ref, container: str, *, since_seconds: int, limit_bytes: int) -> str:
        self.before_each()
        assert abs(since_seconds - (datetime.now(UTC) - SINCE).total_seconds()) < 10
        return self.texts.get(f"{pod.name}/{container}", "")[:limit_bytes]


def deployment(replicas: int = 1, **extra: Any) -> Object:
    managed = [
        {
            "manager": "argocd-controller",
            "operation": "Apply",
            "time": "2026-11-20T10:00:00Z",
            "fieldsV1": {
                "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}}
            },
        },
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": "2026-11-20T10:05:00Z",
            "fieldsV1": {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:labels": {"f:by-hand": {}}}},
        },
    ]
    container = {"name": "web", "image": "nginx:1", "env": [{"name": "MODE", "value": "fast"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "test-app",
            "namespace": "default",
            "uid": "u1",
            "resourceVersion": str(replicas),
            "managedFields": managed,
        },
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}},
        "status": {
            "observedGeneration": replicas,
            "conditions": [{"type": "Available", "status": "True", "lastUpdateTime": str(replicas)}],
        },
        **extra,
    }


def pod(name: str, *, ready: str = "True", app: str = "", namespace: str = "default") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "ownerReferences": [{"kind": "StatefulSet", "name": app}] if app else [],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "main", "state": {"running": {}}}],
        },
    }


def event(message: str, at: datetime) -> Object:
    return {
        "metadata": {"creationTimestamp": at.isoformat()},
        "lastTimestamp": at.isoformat(),
        "type": "Warning",
        "reason": "BackOff",
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "test-app-1"},
        "message": message,
        "count": 3,
    }


def secret(value: str = CANARY) -> Object:
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "data": data}


def gather(cluster: FakeCluster, into: Path, **changed: Any) -> str:
    """Collect and return everything that was written, as one text."""
    timeline = Timeline('Deployment "default/test-app" has 1 replica')
    timeline.note(0.1, pending("3 replicas"))
    given_ = {
        "since": SINCE,
        "refs": [DEPLOYMENT],
        "timelines": [timeline],
        "error": "It should be so, but was not.",
        "command": "pytest -k drift",
        "versions": {"argocd": "v3.2.1"},
        "snapshots": {DEPLOYMENT: deployment()},
        "components": selected("a"),
        **changed,
    }
    folder = collect(Platform(cast("Any", cluster), cast("Any", None)), into, **given_)
    assert folder == into
    return "\n".join(
        f"=== {file.relative_to(into)}\n{file.read_text()}" for file in sorted(into.rglob("*")) if file.is_file()
    )

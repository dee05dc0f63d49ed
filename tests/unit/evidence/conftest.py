"""A cluster with something to tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fake_cluster import CONTROLLER, DEPLOYMENT, SINCE, FakeCluster, deployment, event, pod


@pytest.fixture
def cluster() -> FakeCluster:
    fake = FakeCluster()
    fake.objects[DEPLOYMENT] = deployment(replicas=3)
    fake.lists["Pod", "argocd"] = [
        pod(CONTROLLER + "-0", app=CONTROLLER, namespace="argocd"),
        pod("argocd-redis", namespace="argocd"),
    ]
    fake.lists["Pod", "default"] = [pod("test-app-1", ready="False"), pod("fine")]
    fake.lists["Event", "default"] = [
        event("old", SINCE - timedelta(minutes=5)),
        event("new", SINCE + timedelta(seconds=2)),
    ]
    fake.texts[CONTROLLER + "-0/main"] = "comparing app\n"
    fake.texts["test-app-1/main"] = "cannot bind\n"
    return fake

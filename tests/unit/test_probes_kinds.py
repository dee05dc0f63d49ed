"""Argo CD's kinds are served, or it is said which are not."""

from __future__ import annotations

import json

import pytest
from apiserver import ApiServer

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.probes.kinds import KindsServed

GROUP = "/apis/argoproj.io/v1alpha1"


def serving(**kinds: str) -> bytes:
    resources = [{"name": plural, "kind": kind, "namespaced": True} for plural, kind in kinds.items()]
    return json.dumps({"resources": resources}).encode()


def test_all_of_them_are_there(api: ApiServer, cluster: Cluster) -> None:
    kinds = {"applications": "Application", "applicationsets": "ApplicationSet", "appprojects": "AppProject"}
    api.answers[f"GET {GROUP}"] = (200, serving(**kinds), {})
    assert KindsServed().check(cluster).state == "met"


def test_those_that_are_not_are_named(api: ApiServer, cluster: Cluster) -> None:
    api.answers[f"GET {GROUP}"] = (200, serving(applications="Application"), {})
    verdict = KindsServed().check(cluster)
    assert (verdict.state, verdict.observed) == ("pending", "it does not know ApplicationSet, AppProject")


def test_an_api_server_that_fails_is_no_answer(api: ApiServer, cluster: Cluster) -> None:
    api.answers[f"GET {GROUP}"] = (500, b"etcd failed", {})
    with pytest.raises(ApiError, match="etcd failed"):
        KindsServed().check(cluster)

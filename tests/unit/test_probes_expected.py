"""What Git says should exist."""

from __future__ import annotations

from fake_git_server import fake_platform

from neuroscale.cluster.client import Cluster
from neuroscale.probes import expected
from neuroscale.probes.expected import application_names
from neuroscale.settings import ROOT, ROOT_APPLICATION

TWO = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: one}
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: no-application}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: no-application-either}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: two}
"""


def test_the_root_every_manifest_and_every_folder() -> None:
    assert application_names({"apps/two.yaml": TWO}, ["test-app"]) == {ROOT_APPLICATION, "one", "two", "test-app"}


def test_without_manifests_and_folders_only_the_root() -> None:
    assert application_names({}, []) == {ROOT_APPLICATION}
    assert application_names({"empty.yaml": "# nothing yet\n"}, []) == {ROOT_APPLICATION}


def test_this_checkout_describes_at_least_root_child_and_workload() -> None:
    manifests = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "infrastructure/apps").glob("*.yaml")}
    folders = [entry.name for entry in (ROOT / "apps").iterdir() if entry.is_dir()]
    assert application_names(manifests, folders) >= {
        ROOT_APPLICATION,
        "neuroscale-default-namespace-resources",
        "test-app",
    }


def test_it_is_read_from_main(cluster: Cluster) -> None:
    git_server = fake_platform(cluster).git_server
    git_server.commit(
        {"infrastructure/apps/two.yaml": TWO, "apps/newcomer/config.yaml": "a: 1\n", "apps/README.md": ""}, "a"
    )
    assert expected.applications(git_server) == {ROOT_APPLICATION, "one", "two", "newcomer"}
    git_server.commit({"apps/newcomer/config.yaml": None}, "b")
    assert expected.applications(git_server) == {ROOT_APPLICATION, "one", "two"}


LIMITS = """
apiVersion: v1
kind: LimitRange
spec:
  limits:
    - {type: Pod, max: {cpu: "2"}}
    - {type: Container, max: {cpu: "1"}}
---
apiVersion: v1
kind: ResourceQuota
spec: {hard: {pods: "5"}}
"""


def test_quota_and_limits_are_told_apart(cluster: Cluster) -> None:
    git_server = fake_platform(cluster).git_server
    assert expected.quota(git_server) == expected.container_limits(git_server) == {}
    git_server.commit({"infrastructure/namespaces/default/limits.yaml": LIMITS}, "a")
    assert expected.quota(git_server) == {"pods": "5"}
    assert expected.container_limits(git_server) == {"type": "Container", "max": {"cpu": "1"}}

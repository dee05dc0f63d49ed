"""The gate over pull requests in the cluster: what judges a stranger's manifests has nothing to steal and no rights."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from rendered import places

from neuroscale.components import pull_requests as component
from neuroscale.git_server_api import BRANCH, OWNER, PROTECTION, REPOSITORY, SERVICE_URL
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object
from neuroscale.probes import pull_requests
from neuroscale.pull_request_checks.watch import PATIENCE
from neuroscale.settings import GATE_REPORTER, GATE_STATUS, GATE_WATCHER, ROOT
from neuroscale.supply.pins import pins

JOB_FOLDER, WATCH_FOLDER = "infrastructure/pull-requests/job", "infrastructure/pull-requests/watch"


def only(place: str, kind: str) -> Object:
    (found,) = [obj for obj in places()[place] if obj["kind"] == kind]
    return found


def job() -> Object:
    return only(JOB_FOLDER, "Job")


def watcher() -> Object:
    return only(WATCH_FOLDER, "Deployment")


def application_set() -> Object:
    (found,) = [
        obj
        for obj in places()["infrastructure/apps"]
        if obj["kind"] == "ApplicationSet" and obj["metadata"]["name"] == pull_requests.APPLICATION
    ]
    return found


def pods() -> dict[str, Object]:
    return {"the Job": job()["spec"]["template"]["spec"], "who watches": watcher()["spec"]["template"]["spec"]}


def containers() -> dict[str, Object]:
    """Name -> container, of both."""
    return {
        container["name"]: container
        for pod in pods().values()
        for key in ("initContainers", "containers")
        for container in pod.get(key, [])
    }


def secrets(value: Any) -> Iterator[str]:
    """Name of each Secret that something takes, in whatever way."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("secretKeyRef", "secretRef"):
                yield one["name"]
            elif key == "secret":
                yield one.get("secretName") or one["name"]
            else:
                yield from secrets(one)
    elif isinstance(value, list):
        for one in value:
            yield from secrets(one)


def environment(container: Object) -> dict[str, Object]:
    return {one["name"]: one for one in container.get("env", [])}


def test_nothing_else_belongs_to_it() -> None:
    """No account, no Role, no binding, no Secret in Git."""
    kinds = {obj["kind"] for place in (JOB_FOLDER, WATCH_FOLDER) for obj in places()[place]}
    assert kinds == {"Job", "Deployment"}
    assert {"judge", "report", "watch"} == set(containers())


@pytest.mark.parametrize("whose", ["the Job", "who watches"])
def test_a_pod_has_no_account_in_the_cluster_and_nothing_of_its_node(whose: str) -> None:
    pod = pods()[whose]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert "serviceAccountName" not in pod
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["runAsGroup"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    # Neither a path of the node, nor a token that is projected, nor a ConfigMap: folders that begin empty.
    assert [set(volume) for volume in pod.get("volumes", [])] == [{"name", "emptyDir"}] * len(pod.get("volumes", []))


@pytest.mark.parametrize("name", ["judge", "report", "watch"])
def test_a_container_is_confined_and_bounded(name: str) -> None:
    container = containers()[name]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["image"] == pins().images["pull-request-gate"]
    assert container["args"] == [name]
    assert not {"command", "ports", "envFrom", "lifecycle"} & set(container)
    for what in ("cpu", "memory"):
        asked, most = (quantity(container["resources"][bound][what]) for bound in ("requests", "limits"))
        assert 0 < asked <= most <= quantity({"cpu": "2", "memory": "1Gi"}[what])


def test_what_renders_a_strangers_manifests_gets_no_token() -> None:
    assert list(secrets(containers()["judge"])) == []
    assert set(environment(containers()["judge"])) == {"NUMBER", "SHA"}
    assert list(secrets(job()["spec"]["template"]["spec"]["volumes"])) == []


@pytest.mark.parametrize(("name", "user"), [("report", GATE_REPORTER), ("watch", GATE_WATCHER)])
def test_who_speaks_has_the_token_of_one_user(name: str, user: str) -> None:
    """As the component has made it; two users, so that the token of one is not the other's word."""
    container = containers()[name]
    assert list(secrets(container)) == [user] == [pull_requests.token(user).name]
    assert environment(container)["TOKEN"]["valueFrom"] == {"secretKeyRef": {"name": user, "key": "TOKEN"}}
    assert user in component.SCOPES


def test_the_verdict_is_written_by_who_judges_and_read_by_who_reports() -> None:
    """Once it has judged: the one is over before the other begins, and there is nothing else to write to."""
    pod = job()["spec"]["template"]["spec"]
    (judge,), (report,) = pod["initContainers"], pod["containers"]
    assert (judge["name"], report["name"]) == ("judge", "report")
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in judge["volumeMounts"]} == {
        "/tmp": False, "/verdict": False,
    }  # fmt: skip
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in report["volumeMounts"]} == {"/verdict": True}
    limits = {volume["name"]: quantity(volume["emptyDir"]["sizeLimit"]) for volume in pod["volumes"]}
    assert set(limits) == {"tmp", "verdict"}
    assert max(limits.values()) <= quantity("512Mi")


def test_a_job_ends_whatever_it_is_given() -> None:
    """Its pods are not started again by the kubelet, which would hide that they fail, and not for ever."""
    spec = job()["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["backoffLimit"] <= 3
    assert PATIENCE.total_seconds() < spec["activeDeadlineSeconds"] <= 300
    assert "ttlSecondsAfterFinished" not in spec, "Argo CD would make it again, and it would judge again"


def test_a_job_is_told_which_commit_by_annotations_that_the_application_set_completes() -> None:
    annotations = application_set()["spec"]["template"]["spec"]["source"]["kustomize"]["commonAnnotations"]
    assert annotations == {"neuroscale.io/pull-request": "{{ .number }}", "neuroscale.io/sha": "{{ .head_sha }}"}
    for name in ("judge", "report"):
        read = {
            key: one["valueFrom"]["fieldRef"]["fieldPath"]
            for key, one in environment(containers()[name]).items()
            if key != "TOKEN"
        }
        assert read == {
            "NUMBER": "metadata.annotations['neuroscale.io/pull-request']",
            "SHA": "metadata.annotations['neuroscale.io/sha']",
        }


def test_the_job_is_mains_whatever_a_pull_request_makes_of_it() -> None:
    source = application_set()["spec"]["template"]["spec"]["source"]
    assert (source["targetRevision"], source["path"]) == (BRANCH, JOB_FOLDER)
    assert set(source) == {"repoURL", "targetRevision", "path", "kustomize"}
    assert set(source["kustomize"]) == {"nameSuffix", "commonAnnotations"}


def test_each_commit_has_a_job_and_an_application_of_its_own() -> None:
    """A push to the branch is another name; and what a name can hold is no more than 63 characters."""
    template = application_set()["spec"]["template"]
    suffix = "-{{ .number }}-{{ .head_short_sha_7 }}"
    assert template["spec"]["source"]["kustomize"]["nameSuffix"] == suffix
    assert template["metadata"]["name"] == f"neuroscale-pull{suffix}"
    longest = suffix.replace("{{ .number }}", "9" * 9).replace("{{ .head_short_sha_7 }}", "f" * 7)
    assert len(f"neuroscale-pull{longest}") <= 63
    assert "resources-finalizer.argocd.argoproj.io" in template["metadata"]["finalizers"], "or Jobs would stay"


def test_open_pull_requests_of_our_repository_into_main_are_judged_and_no_others() -> None:
    spec = application_set()["spec"]
    (generator,) = spec["generators"]
    asked = generator["pullRequest"]
    assert asked["gitea"] == {"api": SERVICE_URL, "owner": OWNER, "repo": REPOSITORY}
    assert asked["filters"] == [{"targetBranchMatch": f"^{BRANCH}$"}]
    assert asked["requeueAfterSeconds"] < PATIENCE.total_seconds() / 2
    # A field that Argo CD does not know would become an empty text, and with it the Job one of no commit.
    assert (spec["goTemplate"], spec["goTemplateOptions"]) == (True, ["missingkey=error"])


def test_a_jobs_application_may_do_nothing_but_that() -> None:
    projects = {obj["metadata"]["name"]: obj["spec"] for obj in places()["bootstrap"] if obj["kind"] == "AppProject"}
    rules = projects[application_set()["spec"]["template"]["spec"]["project"]]
    assert rules["clusterResourceWhitelist"] == []
    assert rules["namespaceResourceWhitelist"] == [{"group": "batch", "kind": "Job"}]
    assert [to["namespace"] for to in rules["destinations"]] == [pull_requests.NAMESPACE]
    assert application_set()["spec"]["template"]["spec"]["destination"]["namespace"] == pull_requests.NAMESPACE


def test_one_watches_at_a_time() -> None:
    """Two would contradict each other while one is on its way out."""
    spec = watcher()["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert (watcher()["metadata"]["name"], watcher()["metadata"]["namespace"]) == (
        pull_requests.WATCH.name,
        pull_requests.NAMESPACE,
    )


def test_main_asks_for_the_status_and_the_approval_of_who_reports_and_of_nobody_else() -> None:
    assert PROTECTION["status_check_contexts"] == [GATE_STATUS]
    assert PROTECTION["approvals_whitelist_username"] == [GATE_REPORTER]
    assert PROTECTION["required_approvals"] == 1
    asked = ("enable_status_check", "enable_approvals_whitelist", "dismiss_stale_approvals", "ignore_stale_approvals",
             "block_admin_merge_override", "enable_push_whitelist")  # fmt: skip
    assert {key: PROTECTION[key] for key in asked} == dict.fromkeys(asked, True)
    assert not {GATE_REPORTER, GATE_WATCHER} & set(PROTECTION["push_whitelist_usernames"])


def test_a_token_is_for_as_little_as_its_user_does() -> None:
    """Who judges has none; who watches sets statuses; who reports comments as well."""
    assert component.SCOPES == {
        GATE_REPORTER: ("write:issue", "write:repository"), GATE_WATCHER: ("write:repository",)
    }  # fmt: skip


def test_the_image_has_each_package_that_its_program_imports() -> None:
    """One that is missing shows when the first pull request is judged, and then for each."""
    modules = "neuroscale.pull_request_checks.judge", "neuroscale.pull_request_checks.__main__"
    program = f"import sys; before = {{*sys.modules}}; import {', '.join(modules)}; print(*{{*sys.modules}} - before)"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    imported = {name.partition(".")[0] for name in said.split()}
    listed = (ROOT / "infrastructure/images/pull-request-gate/requirements.txt").read_text(encoding="utf-8")
    has = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", listed, re.MULTILINE)}
    needs = {top: {*map(canonicalize_name, of)} for top, of in packages_distributions().items() if top in imported}
    assert {"typer", "yaml", "httpx"} <= set(needs)
    assert {top: of for top, of in needs.items() if not of & has and of != {"neuroscale"}} == {}

"""A small world to break: a workload, its page, a node; and one example of every fault."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any, get_args

from apiserver import ApiServer
from fake_portal import hooks_of, kept
from repository import git

from neuroscale.chaos.faults import (
    ApplicationEdited,
    Committed,
    ContainerAdded,
    CpuTaken,
    CreatedByProgram,
    Fault,
    FieldsEdited,
    FormSubmitted,
    Frozen,
    FunctionPatched,
    MemberAdded,
    NodeDrained,
    NodeKilled,
    ObjectCreated,
    ObjectDeleted,
    ProtectionChanged,
    PullRequestMerged,
    PullRequestProposed,
    PushHookSwitchedOff,
    ScaledTo,
    SecretEdited,
)
from neuroscale.gate import schema
from neuroscale.git_server_api import PROTECTION
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.settings import ARGOCD

NGINX = Ref("Deployment", "nginx-test", "default")
PAGE = Ref("ConfigMap", "nginx-page", "default")
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}/applications"

#: A branch with an open pull request.
PROPOSED = "proposed"

FAULTS: dict[str, Fault] = {
    "object-deleted": ObjectDeleted(target=PAGE),
    "object-created": ObjectCreated(
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "stray", "namespace": "default"},
            "data": {"made": "by hand"},
        }
    ),
    "created-by-program": CreatedByProgram(
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "made-by-program", "namespace": "default"},
        },
        program=(sys.executable, str(Path(__file__).with_name("creating_program.py"))),
        python_path="",
        by="a program",
    ),
    "fields-edited": FieldsEdited(
        target=NGINX, patch={"spec": {"replicas": 3, "paused": True}, "metadata": {"labels": {"app": None}}}
    ),
    "application-edited": ApplicationEdited(
        target=Ref("Application", "nginx-test", ARGOCD), patch={"spec": {"syncPolicy": {"automated": None}}}
    ),
    "secret-edited": SecretEdited(target=PAGE, patch={"data": {"index.html": "change-me"}}, reader=NGINX),
    "scaled-to": ScaledTo(target=NGINX, replicas=0),
    "container-added": ContainerAdded(target=NGINX, container={"name": "sidecar", "image": "no-such:0.0.1"}),
    "cpu-taken": CpuTaken(
        target=Ref("Pod", "filler", "default"), priority_class="neuroscale-filler", image="pause", short_of=NGINX
    ),
    "committed": Committed(message="Break it", files={"first.txt": "two\n", "second/new.txt": "new\n"}),
    "frozen": Frozen(),
    "node-drained": NodeDrained(node="node-1"),
    "node-killed": NodeKilled(node="node-1"),
    "form-submitted": FormSubmitted(values={"name": "iris-9", "owner": "ml-platform"}),
    "pull-request-merged": PullRequestMerged(branch=PROPOSED, files=["second/proposed.txt"]),
    "pull-request-proposed": PullRequestProposed(
        branch="another", title="Add it", files={"second/another.txt": "new\n"}
    ),
    "member-added": MemberAdded(user="somebody", role="writer"),
    "protection-changed": ProtectionChanged(changed={"block_admin_merge_override": False}),
    "push-hook-switched-off": PushHookSwitchedOff(),
    "rewired": FunctionPatched(wire="neuroscale.gate.schema:check", replacement="suite.mutants.gate:ignore_schemas"),
}


def kinds_of_fault() -> set[str]:
    """The discriminators of the union."""
    return {fault.model_fields["kind"].default for fault in get_args(get_args(Fault)[0])}


def populate(api: ApiServer) -> None:
    """Put the world into the API server."""
    api.put(f"{DEPLOYMENTS}/nginx-test", deployment())
    api.put(f"{PODS}/nginx-test-7d5b", pod("nginx-test-7d5b", "100m"))
    page = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nginx-page", "namespace": "default"}}
    api.put(f"{CONFIG_MAPS}/nginx-page", {**page, "data": {"index.html": "<p>hello"}})
    api.put(f"{APPLICATIONS}/nginx-test", application())
    for name in ("node-0", "node-1"):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}}
        api.put(f"/api/v1/nodes/{name}", {**node, "status": {"allocatable": {"cpu": "2"}}})


def deployment(replicas: int = 1, image: str = "nginx:1.27.5", **status: Any) -> Object:
    """A Deployment as the API server sends it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "nginx-test", "namespace": "default", "uid": "uid-1", "labels": {"app": "nginx-test"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "nginx-test"}},
            "template": {"metadata": {"labels": {"app": "nginx-test"}}, "spec": pod("x", "100m", image)["spec"]},
        },
        "status": status,
    }


def application() -> Object:
    """An Application that is synced by itself."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "nginx-test", "namespace": ARGOCD, "annotations": {"made": "by hand"}},
        "spec": {"syncPolicy": {"automated": {"selfHeal": True}}},
    }


def pod(name: str, cpu: str, image: str = "nginx:1.27.5") -> Object:
    """A pod that runs."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {"containers": [{"name": "nginx", "image": image, "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": "Running"},
    }


def docker(folder: Path, repository: Path) -> str:
    """Put a Docker client into a folder, whose nodes have one process, and return what ``PATH`` is to be."""
    state = shlex.quote(str(repository / "processes.json"))
    client = folder / "docker"
    folder.mkdir()
    client.write_text(
        f"""#!/bin/sh
case "$1 $7" in
  "exec STOP") echo '{{"state": "T"}}' >{state} ;;
  "exec CONT" | start*) rm -f {state} ;;
  kill*) echo '{{"state": "killed"}}' >{state} ;;
  inspect*) if [ -f {state} ]; then echo false; else echo true; fi ;;
esac
[ "$1" = exec ] || exit 0
if [ -f {state} ]; then echo T; else echo S; fi
""",
        encoding="utf-8",
    )
    client.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def picture(api: ApiServer, repository: Path) -> dict[str, Any]:
    """What people would call the state of the world: everything but what a re-creation may change."""
    objects = {}
    for path, obj in api.objects.items():
        meta = {key: value for key, value in obj["metadata"].items() if key not in ("uid", "resourceVersion")}
        objects[path] = {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}
    # Of a commit its tree: what it holds, and not when it was made.
    listed = git("-C", str(repository), "for-each-ref", "--format=%(refname) %(tree)").splitlines()
    trees = dict(line.split() for line in listed)
    main, branches = trees["refs/heads/main"], sorted(trees)
    gate = schema.check.__qualname__
    return {
        "objects": objects, "main": main, "branches": branches, "hooks": hooks_of(repository), "gate": gate,
        "members": kept(repository, "members"), "protection": kept(repository, "protection") or PROTECTION,
        "processes": kept(repository, "processes"),
    }  # fmt: skip

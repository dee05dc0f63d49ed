"""Mutants of what runs beside what was promised, and what takes the place of the check's own eyes."""

from __future__ import annotations

from dataclasses import replace

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, FunctionPatched, ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.processes import Seen, read_nodes
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.probes.serving import APPLICATION
from neuroscale.settings import GIT_SERVER
from suite.mutants.mutant import Mutant

_UNPRIVILEGED = "Every container runs unprivileged, the injected ones too"
_FETCHES = "What fetches a model runs unprivileged for as long as it runs"
_RESTRICTED = "A model is served where Pod Security is restricted"
_READ = "the processes on the nodes are read"
_FOUND = "they are those of the containers that the API server says are running, both ways"
_SIDECAR = "queue"
_FETCHER = Ref("ClusterStorageContainer", "default", api_version="serving.kserve.io/v1alpha1")


def no_pods(cluster: Cluster) -> list[Object]:
    """There seem to be none."""
    return []


def no_processes(cluster: Cluster) -> Seen:
    """Nothing seems to run."""
    return Seen((), {})


def no_sidecars(cluster: Cluster) -> Seen:
    """Injected sidecars are passed over."""
    seen = read_nodes(cluster)
    return replace(seen, processes=tuple(one for one in seen.processes if one.name != _SIDECAR))


def _eyes(wire: str, replacement: str) -> FunctionPatched:
    return FunctionPatched(
        wire=f"neuroscale.guardrails.running:{wire}", replacement=f"suite.mutants.running:{replacement}"
    )


_ROOTS = ObjectCreated(
    ready=True,
    manifest={
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root-after-admission", "namespace": GIT_SERVER},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "idle",
                    "image": "docker.io/kserve/sklearnserver:v0.20.0",
                    "command": ["/usr/bin/python3.11", "-c", "import signal; signal.pause()"],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "100m", "memory": "64Mi"},
                    },
                    "securityContext": {"runAsUser": 0},
                }
            ],
        },
    },
)

MILESTONE = "f"
MUTANTS = (
    Mutant(
        "root-after-admission",
        "Where no policy looks, something was let in that runs as root",
        scenario=_UNPRIVILEGED,
        before=_READ,
        faults=(_ROOTS,),
        red_step="none of the tenants' and of the platform's is root's or has a capability added",
        reason=r"root-after-admission: idle: python3\S* runs as root",
    ),
    Mutant(
        "zero-pods",
        "The check sees neither pods nor processes, and nothing is wrong with any of them",
        scenario=_UNPRIVILEGED,
        before=_READ,
        faults=(_eyes("list_pods", "no_pods"), _eyes("read_nodes", "no_processes")),
        red_step=_FOUND,
        reason=r"no container runs in argocd; no container runs in default",
    ),
    Mutant(
        "sidecar-not-looked-at",
        "The check passes over what Knative injects",
        scenario=_UNPRIVILEGED,
        before=_READ,
        faults=(_eyes("read_nodes", "no_sidecars"),),
        red_step=_FOUND,
        reason=r"queue-proxy is called running, but no process of it was seen",
    ),
    Mutant(
        "fetcher-with-a-capability",
        "What fetches models may open raw sockets, to which no policy objects",
        scenario=_FETCHES,
        before="a model is created whose store never answers",
        faults=(
            *disable_automated_sync(APPLICATION),
            FieldsEdited(
                target=_FETCHER,
                patch={"spec": {"container": {"securityContext": {"capabilities": {"add": ["NET_RAW"]}}}}},
            ),
        ),
        red_step="its storage-initializer is seen to run, neither as root nor with any capability",
        reason=r"storage-initializer: \S+ could have capabilities 0x2000",
        hold=2,
    ),
    Mutant(
        "fetcher-as-upstream",
        "What fetches models says nothing of its privileges, as upstream has it",
        scenario=_RESTRICTED,
        before="a model is created where Pod Security is restricted",
        faults=(
            *disable_automated_sync(APPLICATION),
            FieldsEdited(target=_FETCHER, patch={"spec": {"container": {"securityContext": None}}}),
        ),
        red_step="the model there answers the reference rows",
        reason=r'violates PodSecurity "restricted',
        hold=2,
    ),
)

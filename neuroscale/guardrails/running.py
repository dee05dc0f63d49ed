"""What runs, beside what was promised: every container of the tenants and of the platform, as the kernel tells of it.

The API server says what was asked for; admission says that it was asked well. Neither has looked at a process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.processes import Process, Seen, read_nodes
from neuroscale.guardrails.admission import assert_met
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import APPS_NAMESPACE

_LABELS = ("owner", "cost-center")
#: What a container runtime leaves to a container that says nothing; more than that was added.
_OF_THE_RUNTIME = 0xA80425FB
#: The one that Pod Security's level "restricted" lets a container add: to bind a port below 1024.
_BINDS_PORTS = 1 << 10
_PAGE = 4096
#: Seconds within which the API server and the nodes must have said the same once: pods come and go.
_AGREE_WITHIN = 60.0


@dataclass(frozen=True)
class Container:
    """A container that the API server says is running.

    Attributes:
        spec: What its pod says of it.
        processes: What the kernel says of it.
        memory: Bytes that the kernel lets it have; ``None`` without a limit.
    """

    pod: Object
    spec: Object
    processes: tuple[Process, ...]
    memory: int | None

    @property
    def namespace(self) -> str:
        """Of its pod."""
        return str(self.pod["metadata"]["namespace"])

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod['metadata']['name']}: {self.spec['name']}"


@dataclass(frozen=True)
class Running:
    """What ran at one moment.

    Attributes:
        containers: Those that the API server says are running, of all namespaces.
        strangers: Processes of containers that the API server does not know, in words.
    """

    containers: tuple[Container, ...]
    strangers: tuple[str, ...] = ()


def list_pods(cluster: Cluster) -> list[Object]:
    """Every pod that there is."""
    return cluster.list("Pod")


def look(platform: Platform) -> Running:
    """Read the processes on the nodes between two looks at the API server that say the same.

    What differs until the end is handed back, and is for :func:`evaluate_found` to judge.

    Raises:
        HostError: A node is no container on this machine.
        ConditionTimeout: Pods come and go all the time.
    """
    looks = list[Running]()

    def evaluate() -> Verdict:
        before = list_pods(platform.cluster)
        seen = read_nodes(platform.cluster)
        if _ids(before) != _ids(list_pods(platform.cluster)):
            return pending("containers came or went while the processes were read")
        looks.append(match(before, seen))
        agreed = not looks[-1].strangers and all(one.processes for one in looks[-1].containers)
        # A container that has just ended is still called running: only what is so twice is so.
        return met(f"{len(looks[-1].containers)} containers") if agreed or len(looks) > 1 else pending("not yet alike")

    eventually(
        ProbeFunction("nothing comes or goes while the processes are read", evaluate, area="guardrails"),
        platform.cluster,
        within=_AGREE_WITHIN,
    )
    return looks[-1]


def look_once(platform: Platform) -> Running:
    """The processes as of now, and what the API server says right after; they need not agree.

    Raises:
        HostError: A node is no container on this machine.
    """
    seen = read_nodes(platform.cluster)
    return match(list_pods(platform.cluster), seen)


def match(pods: Collection[Object], seen: Seen) -> Running:
    """Each running container with its processes, and what is left over."""
    containers = tuple(
        Container(
            pod, spec, tuple(process for process in seen.processes if process.container == id_), seen.limits.get(id_)
        )
        for pod in pods
        for spec, id_ in _running(pod)
    )
    known = {id_ for pod in pods for _, id_ in _running(pod)}
    named = {pod["metadata"]["uid"]: f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods}
    strangers = sorted(
        f"{process.name} in container {process.container[:12]} of {named.get(process.pod, f'pod {process.pod}')}"
        for process in seen.processes
        if process.container not in known
    )
    return Running(containers, tuple(strangers))


def _ids(pods: Collection[Object]) -> set[str]:
    return {id_ for pod in pods for _, id_ in _running(pod)}


def _running(pod: Object) -> Iterator[tuple[Object, str]]:
    """Each container that runs, whoever put it there, and its ID on the node."""
    status = pod.get("status") or {}
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        specs = {spec["name"]: spec for spec in pod["spec"].get(kind) or []}
        statuses = f"{kind.removesuffix('s')}Statuses"
        for one in status.get(statuses) or []:
            if "running" in (one.get("state") or {}):
                yield specs[one["name"]], one["containerID"].rpartition("/")[2]


# --- judgements


def evaluate_found(running: Running, peopled: Collection[str]) -> Verdict:
    """The same containers on both sides, and some in each namespace where there must be some."""
    inhabited = {one.namespace for one in running.containers}
    unseen = [str(one) for one in running.containers if not one.processes]
    wrong = [
        *(f"no container runs in {name}" for name in sorted({*peopled} - inhabited)),
        *(f"{one} is called running, but no process of it was seen" for one in unseen),
        *(f"the API server does not know {one}" for one in running.strangers),
    ]
    if wrong:
        return unrecoverable("; ".join(wrong))
    return met(f"{len(running.containers)} containers in {len(inhabited)} namespaces, on both sides")


def evaluate_unprivileged(running: Running, platforms: Collection[str]) -> Verdict:
    """No process is root's, has a capability, or could have one that was added; a tenant's could have none at all.

    Args:
        running: What ran.
        platforms: Namespaces of the platform's own.
    """
    chosen = [one for one in running.containers if one.namespace in {APPS_NAMESPACE, *platforms}]
    wrong = [
        f"{one}: {what}" for one in chosen for what in dict.fromkeys(_privileges(one, one.namespace not in platforms))
    ]
    processes = sum(len(one.processes) for one in chosen)
    if wrong or not processes:
        return unrecoverable("; ".join(wrong) or "there was no process to look at")
    return met(f"{processes} processes of {len(chosen)} containers: none is root's, none has a capability")


def _privileges(container: Container, is_tenants: bool) -> Iterator[str]:  # noqa: FBT001 - whose rules hold
    allowed = _BINDS_PORTS if is_tenants else _OF_THE_RUNTIME
    for one in container.processes:
        if 0 in one.users:
            yield f"{one.name} runs as root"
        if one.capabilities:
            yield f"{one.name} has capabilities {one.capabilities:#x}"
        if added := one.bounding & ~allowed:
            yield f"{one.name} could have capabilities {added:#x}"
        if is_tenants and one.may_gain:
            yield f"{one.name} may gain privileges"


def evaluate_bounded(running: Running) -> Verdict:
    """Each of the tenants' containers says whose it is, and is held to what it may have, by the kernel as well."""
    chosen = [one for one in running.containers if one.namespace == APPS_NAMESPACE]
    wrong = [f"{one}: {what}" for one in chosen for what in _unbounded(one)]
    if wrong or not chosen:
        return unrecoverable("; ".join(wrong) or f"no container runs in {APPS_NAMESPACE}")
    return met(f"{len(chosen)} containers of {APPS_NAMESPACE} are labelled and bounded")


def _unbounded(container: Container) -> Iterator[str]:
    labels = container.pod["metadata"].get("labels") or {}
    yield from (f"it has no label {name}" for name in _LABELS if not labels.get(name))
    limits = (container.spec.get("resources") or {}).get("limits") or {}
    yield from (f"it has no limit of {what}" for what in ("cpu", "memory") if what not in limits)
    if "memory" in limits:
        # The kernel counts in pages.
        promised = int(quantity(limits["memory"])) // _PAGE * _PAGE
        if container.memory != promised:
            yield f"the kernel lets it have {container.memory or 'any number of'} bytes, and not {promised}"


# --- what is demanded


def assert_found(running: Running, peopled: Sequence[str], platform: Platform) -> None:
    """The API server and the nodes know the same containers.

    Args:
        running: What ran.
        peopled: Namespaces in which something must run.
        platform: Where.

    Raises:
        ConditionTimeout: One knows a container that the other does not, or there is none where one must be.
    """
    assert_met("the nodes run what the API server says", evaluate_found(running, peopled), platform)


def assert_unprivileged(running: Running, platforms: Collection[str], platform: Platform) -> None:
    """Nothing runs as root or with a capability.

    Raises:
        ConditionTimeout: Something does.
    """
    assert_met("nothing runs as root or with a capability", evaluate_unprivileged(running, platforms), platform)


def assert_bounded(running: Running, platform: Platform) -> None:
    """The tenants' containers have labels and limits.

    Raises:
        ConditionTimeout: One has not.
    """
    assert_met("each of the tenants' containers is labelled and bounded", evaluate_bounded(running), platform)

"""What a node tells of its processes, beside what the API server says; and what of it is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from neuroscale.cluster import processes
from neuroscale.cluster.processes import Process, Seen, parse
from neuroscale.errors import PreconditionFailed
from neuroscale.guardrails import restricted
from neuroscale.guardrails.admission import AdmissionResponse
from neuroscale.guardrails.running import (
    Container,
    Running,
    evaluate_bounded,
    evaluate_found,
    evaluate_unprivileged,
    match,
)
from neuroscale.kubernetes.refs import Object

NODE, SANDBOX, SERVER, SIDECAR = "4a" * 32, "5b" * 32, "6c" * 32, "7d" * 32
POD = "bcfff769-8c7d-4635-acf5-7e541b45edfb"
DEFAULT, NOTHING = 0xA80425FB, 0
MEBI = 1 << 20
OF_A_CONTAINER = f"docker/{NODE}/kubepods/burstable/pod{POD}"


def section(cgroup: str, name: str = "nginx", user: int = 101, bounding: int = NOTHING, gains: int = 0) -> str:
    """What the kernel says of one process."""
    return (
        f"process /proc/7\n{cgroup}\nName:\t{name}\nUid:\t{user}\t{user}\t{user}\t{user}\nCapInh:\t0000000000000000\n"
        f"CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t{bounding:016x}\nCapAmb:\t0000000000000000\n"
        f"NoNewPrivs:\t{1 - gains}\n"
    )


SAID = (
    section(f"0::/docker/{NODE}", "k3s", 0, DEFAULT)
    + section(f"9:name=systemd:/{OF_A_CONTAINER}/{SERVER}\n8:memory:/{OF_A_CONTAINER}/{SERVER}")
    + section(f"0::/{OF_A_CONTAINER}/{SANDBOX}", "pause", 65535, DEFAULT)
    + section(
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice/"
        f"cri-containerd-{SIDECAR}.scope",
        "queue",
        65532,
    )
    + "process /proc/8\n"
    + f"process /proc/9\n0::/{OF_A_CONTAINER}/{SERVER}\nName:\tgone\n"
    + f"limit /sys/fs/cgroup/memory/kubepods/burstable/pod{POD}/{SERVER}/memory.limit_in_bytes\n{256 * MEBI}\n"
    + f"limit /sys/fs/cgroup/memory/kubepods/burstable/pod{POD}/{SIDECAR}/memory.limit_in_bytes\n9223372036854771712\n"
    + f"limit /sys/fs/cgroup/kubepods/burstable/pod{POD}/{SANDBOX}/memory.max\nmax\n"
    + f"sandbox {SANDBOX}\n"
)


def pod(namespace: str = "default", **status: Any) -> Object:
    """A pod with a server and a sidecar, both of them running."""
    limits = {"limits": {"cpu": "1", "memory": "256Mi"}}
    running: Object = {"running": {}}
    return {
        "metadata": {
            "name": "m-1", "namespace": namespace, "uid": POD, "labels": {"owner": "o", "cost-center": "c"},
        },
        "spec": {
            "initContainers": [{"name": "fetch", "resources": limits}],
            "containers": [{"name": "server", "resources": limits}, {"name": "sidecar", "resources": limits}],
        },
        "status": {
            "initContainerStatuses": [{"name": "fetch", "state": {"terminated": {}}, "containerID": "containerd://f"}],
            "containerStatuses": [
                {"name": "server", "state": running, "containerID": f"containerd://{SERVER}"},
                {"name": "sidecar", "state": running, "containerID": f"containerd://{SIDECAR}"},
            ],
            **status,
        },
    }  # fmt: skip


def test_a_node_tells_of_the_containers_processes_alone() -> None:
    seen = parse(SAID)
    assert [(one.name, one.container, one.pod, one.users[0], one.bounding) for one in seen.processes] == [
        ("nginx", SERVER, POD, 101, 0),
        ("queue", SIDECAR, POD, 65532, 0),
    ]
    assert seen.limits == {SERVER: 256 * MEBI}
    assert not seen.processes[0].may_gain


def test_every_node_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    class FakeEngine:
        def call(self, verb: str, node: str, *_: str, within: float) -> str:
            asked.append(node)
            return SAID

    class TwoNodes:
        def list(self, kind: str) -> list[Object]:
            return [{"metadata": {"name": f"{kind}-{number}"}} for number in (1, 2)]

    monkeypatch.setattr(processes, "Engine", FakeEngine)
    nodes: Any = TwoNodes()
    assert len(processes.read_nodes(nodes).processes) == 4
    assert asked == ["Node-1", "Node-2"]


def test_containers_are_compared_both_ways() -> None:
    seen = parse(SAID)
    both = match([pod()], seen)
    assert [str(one) for one in both.containers] == ["default/m-1: server", "default/m-1: sidecar"]
    assert evaluate_found(both, ["default"])
    blind = match([pod()], replace(seen, processes=seen.processes[:1]))
    assert evaluate_found(blind, []).observed == (
        "default/m-1: sidecar is called running, but no process of it was seen"
    )
    unknown = match([pod(containerStatuses=[])], seen)
    assert "does not know nginx in container 6c6c6c6c6c6c of default/m-1" in evaluate_found(unknown, []).observed
    assert evaluate_found(match([], seen), []).observed.count(f"of pod {POD}") == 2


def test_nothing_to_look_at_is_no_success() -> None:
    nothing = Running(())
    assert evaluate_found(nothing, ["default", "argocd"]).observed == (
        "no container runs in argocd; no container runs in default"
    )
    assert evaluate_unprivileged(nothing, ["argocd"]).state == "unrecoverable"
    assert evaluate_bounded(nothing).observed == "no container runs in default"


def one_container(namespace: str, **process: Any) -> Running:
    """One container with one process."""
    harmless = Process("p", SERVER, POD, (101, 101, 101, 101), 0, 0, may_gain=False)
    found = pod(namespace)
    return Running((Container(found, found["spec"]["containers"][0], (replace(harmless, **process),), 256 * MEBI),))


@pytest.mark.parametrize(
    ("namespace", "process", "words"),
    [
        ("default", {}, ""),
        ("default", {"users": (101, 0, 101, 101)}, "p runs as root"),
        ("argocd", {"users": (0, 0, 0, 0)}, "p runs as root"),
        ("default", {"capabilities": 0x400}, "p has capabilities 0x400"),
        ("default", {"bounding": 0x400}, ""),
        ("default", {"bounding": 0x2000}, "p could have capabilities 0x2000"),
        ("default", {"may_gain": True}, "p may gain privileges"),
        ("argocd", {"bounding": DEFAULT, "may_gain": True}, ""),
        ("argocd", {"bounding": DEFAULT | 1 << 12}, "p could have capabilities 0x1000"),
    ],
)
def test_a_process_is_harmless_or_says_why_not(namespace: str, process: dict[str, Any], words: str) -> None:
    verdict = evaluate_unprivileged(one_container(namespace, **process), ["argocd"])
    assert verdict.state == ("unrecoverable" if words else "met")
    assert words in verdict.observed


def test_the_clusters_own_are_nobodys_here() -> None:
    assert not evaluate_unprivileged(one_container("kube-system", users=(0, 0, 0, 0)), ["argocd"])


def test_a_tenants_container_is_labelled_and_bounded() -> None:
    good = one_container("default")
    assert evaluate_bounded(good)
    container = good.containers[0]
    wider = Running((replace(container, memory=None),))
    assert "the kernel lets it have any number of bytes, and not 268435456" in evaluate_bounded(wider).observed
    bare = pod()
    bare["metadata"]["labels"] = {"owner": "o"}
    bare["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    words = evaluate_bounded(Running((replace(container, pod=bare, spec=bare["spec"]["containers"][0]),))).observed
    assert words == "default/m-1: server: it has no label cost-center; default/m-1: server: it has no limit of memory"


def test_upstreams_fetcher_says_nothing_of_its_privileges() -> None:
    found = pod()
    found["spec"]["nodeName"] = "n"
    found["spec"]["initContainers"] = [{"name": restricted.FETCHER, "securityContext": {"runAsNonRoot": True}}]
    made = restricted.as_upstream(found)
    assert made["spec"]["initContainers"] == [{"name": restricted.FETCHER}]
    assert "nodeName" not in made["spec"]
    assert found["spec"]["initContainers"][0]["securityContext"], "the pod itself is left alone"
    with pytest.raises(PreconditionFailed):
        restricted.as_upstream(made)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ('violates PodSecurity "restricted:latest": ... (container "storage-initializer" must set ...)', "met"),
        ('violates PodSecurity "restricted:latest": ... (container "other" must set ...)', "unrecoverable"),
        ("exceeded quota", "unrecoverable"),
        ("", "unrecoverable"),
    ],
)
def test_a_refusal_is_pod_securitys_and_for_the_fetcher(said: str, state: str) -> None:
    assert restricted.evaluate_refused(AdmissionResponse("rejected otherwise", frozenset(), said)).state == state


def test_half_a_look_is_none() -> None:
    assert parse("") == Seen((), {})

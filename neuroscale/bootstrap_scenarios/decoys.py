"""What is somebody else's, beside a cluster and in it, under names that are near to the cluster's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from neuroscale.bootstrap_scenarios.own_cluster import NEXT, UP, Ended, OwnCluster, assert_well
from neuroscale.errors import ConditionTimeout, HostError, PreconditionFailed
from neuroscale.host.engine import Engine
from neuroscale.kubernetes.objects import namespace
from neuroscale.kubernetes.refs import Ref

_NAMESPACE = "somebody-elses"
_SETTINGS = Ref("ConfigMap", "settings", _NAMESPACE)
_KUBECONFIG = "kubeconfig of somebody else"
_KINDS = ("container", "volume", "network")


@dataclass(frozen=True)
class Decoys:
    """What is somebody else's, and how it was.

    Attributes:
        own: The cluster beside it.
        kubeconfig: A file with a context that leads elsewhere.
        before: What it is -> how it was, whole.
    """

    own: OwnCluster
    kubeconfig: Path
    before: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """Of whoever has that kubeconfig."""
        return {"KUBECONFIG": str(self.kubeconfig)}

    def bootstrap(self) -> Ended:
        """Bootstrap the cluster again.

        Raises:
            ConditionTimeout: It does not end well.
        """
        ended = self.own.run(*UP, env=self.environment)
        assert_well(ended)
        return ended

    def take_down(self) -> Ended:
        """Delete the cluster.

        Raises:
            ConditionTimeout: It does not end well.
        """
        ended = self.own.run("down", env=self.environment)
        assert_well(ended)
        return ended


def place(own: OwnCluster) -> Decoys:
    """Put everything there: what is beside the cluster before it is made, the rest into it.

    Raises:
        PreconditionFailed: Docker has no image that a container could be made of.
        FaultHadNoEffect: The cluster cannot be made.
    """
    engine, name = Engine(), _name(own)
    own.delete()
    remove(own)
    images = engine.call("image", "ls", "--quiet").split()
    if not images:
        raise PreconditionFailed(f"Docker should have an image, but has none. Next: {NEXT}")
    labelled = ("--label", f"k3d.cluster={name}", "--label", "app=k3d")
    engine.call("volume", "create", *labelled, name)
    engine.call("network", "create", *labelled, name)
    engine.call("container", "create", "--name", name, *labelled, images[0], "true")
    kubeconfig = own.folder / "kubeconfig-of-somebody-else"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig()), encoding="utf-8")
    own.make_anew(env={"KUBECONFIG": str(kubeconfig)})
    cluster = own.platform.cluster
    cluster.create(namespace(_NAMESPACE))
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _SETTINGS.name, "namespace": _NAMESPACE},
            "data": {"whose": "somebody else's"},
        }
    )
    return Decoys(own, kubeconfig, {**_beside(own, kubeconfig), **_inside(own)})


def remove(own: OwnCluster) -> None:
    """Take away what is beside the cluster; what is not there is gone already."""
    for kind in _KINDS:
        with suppress(HostError):
            # An image may ask for volumes.
            Engine().call(kind, "rm", *(["--volumes"] if kind == "container" else []), _name(own))


def assert_untouched(decoys: Decoys, *, with_cluster: bool = True) -> None:
    """Each is as it was.

    Args:
        decoys: They.
        with_cluster: Whether the cluster is there, and with it what was put into it.

    Raises:
        ConditionTimeout: One is not.
    """
    now = _beside(decoys.own, decoys.kubeconfig) | (_inside(decoys.own) if with_cluster else {})
    if touched := changed({key: decoys.before[key] for key in now}, now):
        raise ConditionTimeout(
            f"What is somebody else's should be as it was, but is not: {'; '.join(touched)}. Next: {NEXT}"
        )


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is no longer as it was, in words."""
    return [f"the {what} is {'changed' if now[what] else 'gone'}" for what in before if now[what] != before[what]]


def _name(own: OwnCluster) -> str:
    """Near to what k3d calls the cluster's own."""
    return f"k3d-{own.name}-somebody-elses"


def _beside(own: OwnCluster, kubeconfig: Path) -> dict[str, str]:
    found = {kind: _inspected(kind, _name(own)) for kind in _KINDS}
    found[_KUBECONFIG] = kubeconfig.read_text(encoding="utf-8") if kubeconfig.exists() else ""
    usual = Path("~/.kube/config").expanduser()
    found["kubeconfig of this user"] = usual.read_text(encoding="utf-8") if usual.exists() else "none"
    return found


def _inspected(kind: str, name: str) -> str:
    try:
        return Engine().call(kind, "inspect", name)
    except HostError:
        return ""


def _inside(own: OwnCluster) -> dict[str, str]:
    refs = (Ref("Namespace", _NAMESPACE), _SETTINGS)
    there = {ref: own.platform.cluster.get(ref) for ref in refs}
    return {str(ref): json.dumps(obj, sort_keys=True) if obj else "" for ref, obj in there.items()}


def _kubeconfig() -> dict[str, object]:
    elsewhere = "somebody-elses"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": elsewhere, "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": elsewhere, "user": {}}],
        "contexts": [{"name": elsewhere, "context": {"cluster": elsewhere, "user": elsewhere}}],
        "current-context": elsewhere,
    }

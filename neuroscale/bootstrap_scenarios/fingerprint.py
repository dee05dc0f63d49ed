"""What a bootstrap has made, in the cluster, at the Git server, in Docker and in the folder of what is remembered.

What differs between two undisturbed bootstraps, such as passwords and addresses, is known by looking at two of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neuroscale.bootstrap_scenarios.own_cluster import NEXT, OwnCluster
from neuroscale.cluster.client import Cluster
from neuroscale.errors import HostError, PreconditionFailed
from neuroscale.git_server_api import API, BRANCH
from neuroscale.host import direct
from neuroscale.host.engine import Engine
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import Verdict, met, pending, wait_until
from neuroscale.settings import state_dir

#: Thing -> path of a value in it -> the value. A thing is an object, a file in Git, a container, a file remembered.
Fingerprint = Mapping[str, Mapping[str, str]]

#: Made by controllers in their own time, under names that nobody chose, or a sign of life.
_FLEETING = frozenset(
    {
        "ControllerRevision", "Endpoints", "EndpointSlice", "Event", "IPAddress", "Lease", "Pod", "ReplicaSet",
        "NodeMetrics", "PodMetrics",
    }
)  # fmt: skip
#: Of an object's metadata: what counts it, and not what it says.
_COUNTED = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"})
#: What was made settles for a moment.
_SETTLES_WITHIN = 30.0
_SHOWN = 6
#: Of each of them something is known.
_SORTS = ("Application", "Deployment", "Secret", "in Git ", "container ", "network ", "remembered ")


@dataclass(frozen=True)
class Undisturbed:
    """What two bootstraps of nothing but their own have made, each from nothing."""

    one: Fingerprint
    other: Fingerprint


def take(own: OwnCluster) -> Fingerprint:
    """What is there now.

    Raises:
        NeuroscaleError: Something cannot be asked.
    """
    platform = own.platform
    found = dict(_in_cluster(platform.cluster))
    found |= _at_git_server(platform.git_server.url)
    found |= _in_docker(own.name)
    folder = state_dir(own.name)
    return found | {f"remembered {path.name}": {} for path in folder.iterdir()}


def _in_cluster(cluster: Cluster) -> Iterator[tuple[str, Mapping[str, str]]]:
    for version, kind in _listed(cluster):
        for obj in cluster.list(kind, api_version=version):
            metadata = obj["metadata"]
            content = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
            content["metadata"] = {key: value for key, value in metadata.items() if key not in _COUNTED}
            values = dict(leaves(content))
            if kind == "Secret":
                values = {path: hashlib.sha256(value.encode()).hexdigest()[:8] for path, value in values.items()}
            yield f"{kind} {metadata.get('namespace', '')}/{metadata['name']}", values


def _listed(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Every kind that can be listed, in the version that the API server prefers."""
    groups = cluster.read("/apis")["groups"]
    versions = {"v1": "/api/v1"} | {
        group["preferredVersion"]["groupVersion"]: f"/apis/{group['preferredVersion']['groupVersion']}"
        for group in groups
    }
    for version, path in versions.items():
        for resource in cluster.read(path)["resources"]:
            if "list" in resource["verbs"] and "/" not in resource["name"] and resource["kind"] not in _FLEETING:
                yield version, resource["kind"]


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path -> value of all that has no parts; an empty collection is a value as well."""
    parts: Mapping[str, object] = {}
    if isinstance(value, dict):
        parts = {str(key): one for key, one in value.items()}
    elif isinstance(value, list):
        parts = {str(number): one for number, one in enumerate(value)}
    if not parts:
        yield path, json.dumps(value, sort_keys=True)
    for key, one in parts.items():
        yield from leaves(one, f"{path}/{key}")


def _at_git_server(url: str) -> Fingerprint:
    tree = _asked(f"{url}{API}/git/trees/{BRANCH}?recursive=true&per_page=9999")
    commits = _asked(f"{url}{API}/commits?sha={BRANCH}&limit=50")
    files = {f"in Git {entry['path']}": {"content": str(entry["sha"])} for entry in tree["tree"]}
    return files | {"in Git": {"commits": str(len(commits))}}


def _asked(url: str) -> Object:
    answer = direct.ask(url, seconds=10)
    if not answer.is_success:
        raise HostError(f"{url} should say what is there, but answered {answer.status_code}. Next: {NEXT}")
    said: Object = answer.json()
    return said


def _in_docker(name: str) -> Fingerprint:
    engine, labelled = Engine(), f"label=k3d.cluster={name}"
    containers = engine.call("ps", "--all", "--filter", labelled, "--format", "{{.Names}} {{.State}}").splitlines()
    found: dict[str, Mapping[str, str]] = {f"container {one}": {} for one in containers}
    # By name: k3d 5.9 does not write on a network whose it is.
    its_own = {f"k3d-{name}", f"k3d-{name}-images"}
    for kind in ("volume", "network"):
        there = its_own.intersection(engine.call(kind, "ls", "--format", "{{.Name}}").split())
        found |= {f"{kind} {one}": {} for one in there}
    return found


def differences(undisturbed: Undisturbed, now: Fingerprint) -> list[str]:
    """Where something is otherwise than two undisturbed bootstraps agree, in words."""
    one, other = undisturbed.one, undisturbed.other
    found = [f"{thing} is missing" for thing in one.keys() & other.keys() - now.keys()]
    found += [f"{thing} is there besides" for thing in now.keys() - one.keys() - other.keys()]
    for thing in one.keys() & other.keys() & now.keys():
        agreed = {path for path in one[thing].keys() & other[thing].keys() if one[thing][path] == other[thing][path]}
        found += [
            f"{thing}{path} is {now[thing].get(path, 'missing')} and not {one[thing][path]}"
            for path in agreed
            if now[thing].get(path) != one[thing][path]
        ]
        known = one[thing].keys() | other[thing].keys()
        found += [f"{thing}{path} is there besides" for path in now[thing].keys() - known]
    return sorted(found)


def evaluate_likeness(undisturbed: Undisturbed, now: Fingerprint) -> Verdict:
    """All is as two undisturbed bootstraps agree."""
    found = differences(undisturbed, now)
    if not found:
        return met(f"{len(now)} things are alike")
    return pending(f"{len(found)} differences: {'; '.join(found[:_SHOWN])}")


def assert_known(undisturbed: Undisturbed) -> None:
    """Two undisturbed bootstraps agree on something of each sort, and differ by nothing but values.

    Raises:
        PreconditionFailed: They do not, so that nothing can be compared with them.
    """
    one, other = undisturbed.one, undisturbed.other
    unlike = sorted(one.keys() ^ other.keys())
    missing = [sort for sort in _SORTS if not any(thing.startswith(sort) for thing in one)]
    if unlike or missing:
        raise PreconditionFailed(
            f"Two undisturbed bootstraps should make the same, but only one made {unlike[:_SHOWN]}, and nothing is "
            f"known of: {missing}. Next: {NEXT}"
        )


def assert_as_undisturbed(own: OwnCluster, undisturbed: Undisturbed) -> None:
    """What is there is what an undisturbed bootstrap makes.

    Raises:
        ConditionTimeout: It is not, and does not become so.
    """
    wait_until(
        lambda: evaluate_likeness(undisturbed, take(own)),
        "the cluster is as an undisturbed bootstrap makes it",
        NEXT,
        within=_SETTLES_WITHIN,
        every=1,
    )


def take_undisturbed(own: OwnCluster) -> Undisturbed:
    """Of two bootstraps, the latter of which stays.

    Raises:
        FaultHadNoEffect: One of them failed.
    """
    found = []
    for _ in range(2):
        own.make_anew()
        found.append(take(own))
    return Undisturbed(*found)

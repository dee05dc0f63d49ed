"""Fourth stage: the policies that the tree installs, simulated by the Kyverno CLI on all that the tree makes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.gate.appproject import applications
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.scopes import cluster_scoped, concerns
from neuroscale.guardrails.oracle import POLICIES, speaks_of
from neuroscale.host import programs
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ARGOCD

Outcome = Literal["pass", "fail", "skip", "warn", "error"]
#: Group, kind, namespace, name.
Key = tuple[str, str, str, str]
_DEFINITION = "CustomResourceDefinition"
_POLICY = "ValidatingPolicy"
#: Who makes what is in Git. Without a user a policy may take the request for a scan of what exists already.
_USER = {
    "apiVersion": "cli.kyverno.io/v1alpha1",
    "kind": "UserInfo",
    "userInfo": {"username": f"system:serviceaccount:{ARGOCD}:argocd-application-controller"},
}
_WITHIN = 120
_SHOWN = 400


@dataclass(frozen=True)
class Result:
    """What one policy says of one object."""

    policy: str
    outcome: Outcome
    subject: Key
    message: str


def key_of(obj: Object) -> Key:
    """How the CLI names an object: it puts what has no namespace into ``default``."""
    meta = obj["metadata"]
    return obj["apiVersion"].rpartition("/")[0], obj["kind"], meta.get("namespace") or "default", meta["name"]


def policies(places: Places) -> list[Object]:
    """The policies that a tree installs."""
    return [obj for objects in places.values() for obj in objects if obj["kind"] == _POLICY]


def placed(places: Places) -> dict[str, list[Object]]:
    """The same objects, each in the namespace that it will be made in."""
    scoped = cluster_scoped(places)
    destinations = {
        app["spec"]["source"]["path"]: app["spec"]["destination"]["namespace"] for app in applications(places)
    }
    return {
        place: [_in(obj, destinations.get(place, "default")) if obj["kind"] not in scoped else obj for obj in objects]
        for place, objects in places.items()
    }


def _in(obj: Object, namespace: str) -> Object:
    return {**obj, "metadata": {"namespace": namespace, **obj["metadata"]}}


@dataclass(frozen=True)
class Prepared:
    """What the CLI is given beside the objects.

    Attributes:
        policies: File with the policies.
        options: Who asks, in which namespaces, and the form of the report.
        environment: Names the kinds that a tree defines. No home, no proxy: the CLI needs neither, and shall find no
            cluster.
    """

    policies: Path
    options: tuple[str, ...]
    environment: Mapping[str, str]


def prepare(folder: Path, everything: list[Object]) -> Prepared:
    """Lay down what the CLI needs to judge as admission would.

    Args:
        folder: Where.
        everything: All objects of a tree, each in its namespace.
    """
    write(folder / "policies.yaml", [obj for obj in everything if obj["kind"] == _POLICY])
    write(folder / "values.yaml", [_values(everything)])
    write(folder / "user.yaml", [_USER])
    kinds = _kinds(obj for obj in everything if obj["kind"] == _DEFINITION)
    (folder / "kinds.json").write_text(json.dumps(kinds), encoding="utf-8")
    asked = ("--userinfo", f"{folder}/user.yaml", "--values-file", f"{folder}/values.yaml")
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "NEUROSCALE_KINDS": f"{folder}/kinds.json"}
    return Prepared(folder / "policies.yaml", (*asked, "--policy-report", "--output-format", "json"), environment)


def write(file: Path, documents: Iterable[Object]) -> None:
    """As JSON, which is YAML without doubts: 1e3 unquoted is text to one reader and a number to another."""
    file.write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")


def simulate(cli: Path, places: Places) -> list[Result]:
    """What the policies of a tree say of its objects, as they would be judged when Argo CD makes them.

    Args:
        cli: The Kyverno CLI.
        places: The objects, each in its namespace, policies and CRDs among them.

    Raises:
        Inconclusive: The CLI failed, or contradicts itself.
    """
    everything = [obj for objects in places.values() for obj in objects]
    rules = policies(places)
    # The CLI compiles every policy anew for every object, whether it is about it or not.
    objects = [obj for obj in everything if any(concerns(rule, obj) for rule in rules)]
    if not objects:
        return []
    done = _apply(cli, everything, objects)
    results, talk = parse(done.stdout)
    rejected = any(result.outcome in {"fail", "error"} for result in results)
    if talk or bool(done.returncode) != rejected:
        said = " ".join((talk or done.stderr or "nothing").split())
        raise Inconclusive(
            f"The Kyverno CLI should judge {len(objects)} objects, but ended with exit code {done.returncode} after "
            f"{len(results)} results and said: {said:.{_SHOWN}}. Next: neuroscale supply status --verify"
        )
    return results


def _apply(cli: Path, everything: list[Object], objects: list[Object]) -> programs.Ended:
    """Let the CLI judge these objects by the policies that are among everything."""
    with TemporaryDirectory(prefix="neuroscale-gate-") as name:
        folder = Path(name)
        prepared = prepare(folder, everything)
        write(folder / "objects.yaml", objects)
        command = [str(cli), "apply", str(prepared.policies), "--resource", f"{folder}/objects.yaml"]
        return run([*command, *prepared.options], prepared.environment)


def check(places: Places, results: Iterable[Result]) -> list[Finding]:
    """What is rejected, and what no policy looked at although it should have.

    Args:
        places: The objects that were judged, each in its namespace.
        results: What was said of them.
    """
    results = list(results)
    installed = {policy["metadata"]["name"]: policy for policy in policies(places)}
    found = _refused(places, results)
    for name in POLICIES:
        if name in installed:
            found += [*_toothless(installed[name]), *_passed_over(name, places, results)]
        else:
            found.append(Finding("policy", name, "the tree", "the policy should be in this tree, but is not"))
    return found


def _refused(places: Places, results: Iterable[Result]) -> list[Finding]:
    where = {key_of(obj): named(place, obj) for place, objects in places.items() for obj in objects}
    return [
        Finding(
            "policy",
            result.policy,
            where.get(result.subject, " ".join(result.subject)),
            result.message or f"policy {result.outcome}",
        )
        for result in results
        if result.outcome not in {"pass", "skip"}
    ]


def _passed_over(name: str, places: Places, results: Iterable[Result]) -> list[Finding]:
    """Objects that a policy is about, and did not judge."""
    judged = {result.subject for result in results if result.policy == name and result.outcome in {"pass", "fail"}}
    return [
        Finding("policy", name, named(place, obj), "the policy should judge it, but passed it over")
        for place, objects in places.items()
        for obj in objects
        if speaks_of(name, obj) and key_of(obj) not in judged
    ]


def _toothless(policy: Object) -> list[Finding]:
    """A policy that rejects here and lets through there."""
    name, spec = policy["metadata"]["name"], policy["spec"]
    actions, failing = spec.get("validationActions", ["Deny"]), spec.get("failurePolicy", "Fail")
    if actions == ["Deny"] and failing == "Fail":
        return []
    said = f"it should deny, also when it cannot judge, but has actions {actions} and failure policy {failing}"
    return [Finding("policy", name, "the tree", said)]


def evaluated(results: Iterable[Result]) -> Mapping[str, int]:
    """Policy -> how many objects it judged, whatever it said."""
    return Counter(result.policy for result in results if result.outcome in {"pass", "fail"})


def run(command: list[str], environment: Mapping[str, str]) -> programs.Ended:
    """Run the CLI to its end, with this environment and no other.

    Raises:
        Inconclusive: It cannot be started, or does not end.
    """
    try:
        return programs.run(command, within=_WITHIN, env=environment)
    except ProgramFailed as error:
        raise Inconclusive(
            f"The Kyverno CLI should judge, but {error}. Next: neuroscale supply status --verify"
        ) from error


def parse(text: str) -> tuple[list[Result], str]:
    """Results, and whatever else the CLI said: it reports policies that it left out in words."""
    results, talk = [], []
    for line in text.splitlines():
        if line.startswith("{"):
            report = json.loads(line)
            results += [_result(entry, subject) for entry in report["results"] for subject in entry["resources"]]
        elif line.strip("- "):
            talk.append(line)
    return results, "\n".join(talk)


def _result(entry: Object, subject: Object) -> Result:
    group = subject.get("apiVersion", "").rpartition("/")[0]
    key = (group, subject["kind"], subject.get("namespace") or "default", subject["name"])
    return Result(entry["policy"], entry["result"], key, entry.get("message", ""))


def _values(objects: list[Object]) -> Object:
    """The namespaces that objects are in: no Namespace is fetched from anywhere, and a policy may ask for one."""
    given = {obj["metadata"]["name"]: obj["metadata"] for obj in objects if obj["kind"] == "Namespace"}
    names = {obj["metadata"]["namespace"] for obj in objects if "namespace" in obj["metadata"]} | {"default", *given}
    return {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Values",
        "namespaces": [
            {
                "metadata": {
                    "name": name,
                    "labels": {**given.get(name, {}).get("labels", {}), "kubernetes.io/metadata.name": name},
                }
            }
            for name in sorted(names)
        ],
    }


def _kinds(definitions: Iterable[Object]) -> list[Object]:
    """Kinds as the API server's discovery lists them."""
    groups: dict[str, dict[str, list[Object]]] = {}
    for definition in definitions:
        spec = definition["spec"]
        for version in spec["versions"]:
            listed = {
                "name": spec["names"]["plural"],
                "singularName": spec["names"].get("singular", spec["names"]["kind"].lower()),
                "namespaced": spec["scope"] == "Namespaced",
                "kind": spec["names"]["kind"],
                "verbs": ["create"],
            }
            groups.setdefault(spec["group"], {}).setdefault(version["name"], []).append(listed)
    return [
        {
            "Group": {
                "name": group,
                "versions": [{"groupVersion": f"{group}/{version}", "version": version} for version in versions],
                "preferredVersion": {
                    "groupVersion": f"{group}/{next(iter(versions))}",
                    "version": next(iter(versions)),
                },
            },
            "VersionedResources": versions,
        }
        for group, versions in groups.items()
    ]

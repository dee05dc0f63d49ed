"""The Kyverno CLI: what somebody without the gate judges with, and the second reader of the policies in its tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.gate.findings import Places
from neuroscale.gate.policy import POLICY, USER, Outcome, labels_of_namespaces, policies
from neuroscale.gate.scopes import concerns
from neuroscale.host import programs
from neuroscale.kubernetes.refs import Object

#: Group, kind, namespace, name.
Key = tuple[str, str, str, str]
_DEFINITION = "CustomResourceDefinition"
#: Who makes what is in Git. Without a user a policy may take the request for a scan of what exists already.
_USER = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "UserInfo", "userInfo": {"username": USER}}
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
    write(folder / "policies.yaml", [obj for obj in everything if obj["kind"] == POLICY])
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
    return {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Values",
        "namespaces": [
            {"metadata": {"name": name, "labels": labels}} for name, labels in labels_of_namespaces(objects).items()
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

"""Fourth stage: the policies that the tree installs, evaluated by the API server's own packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from neuroscale.errors import Inconclusive
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.schema import kubernetes
from neuroscale.gate.scopes import concerns
from neuroscale.guardrails.oracle import POLICIES, speaks_of
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ARGOCD

Outcome = Literal["pass", "fail", "skip", "warn", "error"]
POLICY = "ValidatingPolicy"
#: Who makes what is in Git. Without a user a policy may take the request for a scan of what exists already.
USER = f"system:serviceaccount:{ARGOCD}:argocd-application-controller"
_DEFINITION = "CustomResourceDefinition"


@dataclass(frozen=True)
class Result:
    """What one policy says of one object.

    Attributes:
        policy: Its name.
        outcome: Whether the object passes.
        place: Where the object is.
        number: Which one of its place it is: two may have one name.
        message: Why it does not pass.
    """

    policy: str
    outcome: Outcome
    place: str
    number: int
    message: str


def policies(places: Places) -> list[Object]:
    """The policies that a tree installs."""
    return [obj for objects in places.values() for obj in objects if obj["kind"] == POLICY]


def simulate(engine: Engine, places: Places) -> list[Result]:
    """What the policies of a tree say of its objects, as they would be judged when Argo CD makes them.

    Args:
        engine: Judges.
        places: The objects, each in its namespace, policies and CRDs among them.

    Raises:
        Inconclusive: There is no answer, or one about something else.
    """
    rules = policies(places)
    asked = [
        (place, number, obj)
        for place, objects in places.items()
        for number, obj in enumerate(objects)
        if any(concerns(rule, obj) for rule in rules)
    ]
    if not asked:
        return []
    everything = [obj for objects in places.values() for obj in objects]
    said = ask(engine, _request(rules, everything, [obj for _, _, obj in asked]))
    try:
        return [_result(one, *asked[one["object"]][:2]) for one in said["results"]]
    except (KeyError, TypeError, IndexError) as error:
        raise Inconclusive(
            f"The gate's engine should judge {len(asked)} objects, but answers {said!r:.200}. "
            f"Next: neuroscale supply status --verify"
        ) from error


def _result(said: Mapping[str, Any], place: str, number: int) -> Result:
    return Result(said["policy"], said["outcome"], place, number, said["message"])


def ask(engine: Engine, request: Mapping[str, Any]) -> Any:
    """Let the engine judge.

    Raises:
        Inconclusive: It does not answer.
    """
    return engine.ask("judge", request)


def _request(rules: list[Object], everything: list[Object], objects: list[Object]) -> Mapping[str, Any]:
    specs = [obj["spec"] for obj in everything if obj["kind"] == _DEFINITION]
    return {
        "kubeVersion": kubernetes(),
        "username": USER,
        "policies": rules,
        "namespaces": labels_of_namespaces(everything),
        "kinds": [
            {"group": spec["group"], "kind": spec["names"]["kind"], "resource": spec["names"]["plural"]}
            for spec in specs
        ],
        "objects": objects,
    }


def labels_of_namespaces(objects: list[Object]) -> dict[str, dict[str, str]]:
    """Each namespace that there is or that objects are in, with the labels that it has."""
    given = {obj["metadata"]["name"]: obj["metadata"] for obj in objects if obj["kind"] == "Namespace"}
    names = {obj["metadata"]["namespace"] for obj in objects if "namespace" in obj["metadata"]} | {"default", *given}
    return {
        name: {**(given.get(name, {}).get("labels") or {}), "kubernetes.io/metadata.name": name}
        for name in sorted(names)
    }


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
    return [
        Finding(
            "policy",
            result.policy,
            named(result.place, places[result.place][result.number]),
            result.message or f"policy {result.outcome}",
        )
        for result in results
        if result.outcome not in {"pass", "skip"}
    ]


def _passed_over(name: str, places: Places, results: Iterable[Result]) -> list[Finding]:
    """Objects that a policy is about, and did not judge."""
    judged = {
        (result.place, result.number)
        for result in results
        if result.policy == name and result.outcome in {"pass", "fail", "error"}
    }
    return [
        Finding("policy", name, named(place, obj), "the policy should judge it, but passed it over")
        for place, objects in places.items()
        for number, obj in enumerate(objects)
        if speaks_of(name, obj) and (place, number) not in judged
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

"""Second stage, its end: what the API server's own code has against objects that fit the schemas of their kinds.

Names that stand twice, a volume that nobody has, a probe that asks nothing, lists that are maps, rules in CEL: all that
is looked at when an object is created, after defaults and before admission. The code is Kubernetes', in the engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from neuroscale.errors import Inconclusive
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Tree, named
from neuroscale.gate.schema import INVALID, kubernetes
from neuroscale.gate.webhook_rules import rewritten
from neuroscale.kubernetes.refs import Object

_DEFINITION = "CustomResourceDefinition"
#: Of one object that is shown: one mistake is often several for the API server.
_MOST = 3
#: Characters of one of them: it may repeat a value of any length.
_LONGEST = 300


def fit(engine: Engine, tree: Tree) -> tuple[Tree, list[Finding]]:
    """A tree without the objects that the API server would not create, and what it has against them.

    Raises:
        Inconclusive: The engine failed.
    """
    asked = [(place, obj) for place, objects in tree.places.items() for obj in objects]
    fitting: dict[str, list[Object]] = {place: [] for place in tree.places}
    found: list[Finding] = []
    for (place, obj), against in zip(asked, findings(engine, asked, [obj for _, obj in asked]), strict=True):
        found += against
        if not against:
            fitting[place].append(obj)
    return replace(tree, places=fitting), found


def findings(engine: Engine, asked: Sequence[tuple[str, Object]], everything: Iterable[Object]) -> list[list[Finding]]:
    """The complaints about objects of which each is given with its folder, as findings.

    Raises:
        Inconclusive: See :func:`complaints`.
    """
    said = complaints(engine, [obj for _, obj in asked], everything)
    return [
        [Finding("schema", INVALID, named(place, obj), one) for one in against]
        for (place, obj), against in zip(asked, said, strict=True)
    ]


def complaints(engine: Engine, objects: Sequence[Object], everything: Iterable[Object]) -> list[list[str]]:
    """Of each object what the API server has against it, the first few things.

    Args:
        engine: Validates.
        objects: That fit the schemas of their kinds.
        everything: All that there is: definitions are taken from it.

    Raises:
        Inconclusive: There is no answer, or one about something else.
    """
    # A definition that fits its schema is taken for one, as in the stage before.
    numbers = [number for number, obj in enumerate(objects) if obj["kind"] != _DEFINITION]
    kinds = {(obj["apiVersion"].rpartition("/")[0], obj["kind"]) for obj in objects}
    definitions = [obj for obj in everything if obj["kind"] == _DEFINITION and _kind_of(obj) in kinds]
    if not numbers:
        return [[] for _ in objects]
    request = {
        "kubeVersion": kubernetes(),
        "definitions": definitions,
        "objects": [rewritten(objects[number]) for number in numbers],
    }
    said, number_of = ask(engine, request), dict(enumerate(numbers))
    found: dict[int, list[str]] = defaultdict(list)
    try:
        for one in said["results"]:
            # What is invalid for no reason that is told would pass for valid.
            first, *more = one["messages"]
            found[number_of[one["object"]]] = [f"{message:.{_LONGEST}}" for message in (first, *more)[:_MOST]]
    except (KeyError, TypeError, ValueError) as error:
        raise Inconclusive(
            f"The gate's engine should validate {len(numbers)} objects, but answers {said!r:.200}. "
            "Next: neuroscale supply status --verify"
        ) from error
    return [found[number] for number in range(len(objects))]


def ask(engine: Engine, request: Mapping[str, Any]) -> Any:
    """Let the engine validate.

    Raises:
        Inconclusive: It does not answer.
    """
    return engine.ask("validate", request)


def _kind_of(definition: Object) -> tuple[str, str]:
    spec = definition["spec"]
    return spec["group"], spec["names"]["kind"]

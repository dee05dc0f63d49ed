"""The corpus, judged by the gate's own stages: no bad one passes, no good one fails, each for the reason it states."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate import api_validation, appproject, pipeline, policy, resources, schema
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.placement import placed
from neuroscale.gate.render import BY_HAND, Checkout, render_several
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

_SHOWN = 5
#: What says which folders are deployed.
_DEPLOYING = {"Application", "ApplicationSet"}


@dataclass(frozen=True)
class Judged:
    """Specimens, and by the name of each what the first stage that rejects it finds."""

    chosen: tuple[Specimen, ...]
    found: dict[str, list[Finding]]


def evaluate_corpus(tools: Tools, repository: Path = ROOT) -> Judged:
    """All specimens, each beside what a checkout makes.

    Raises:
        Inconclusive: A tool failed, the checkout does not render, or one side of the corpus is empty.
    """
    chosen = tuple(specimens())
    if len({one.is_good for one in chosen}) < 2:
        raise Inconclusive("The corpus should hold good and bad ones, but does not. Next: git status corpus")
    tree, findings = pipeline.rendered(tools, repository)
    if findings:
        raise Inconclusive(f"{repository} should render, but: {findings[0]}. Next: neuroscale gate")
    return Judged(chosen, verdicts(tools, tree, chosen))


def verdicts(tools: Tools, tree: Tree, chosen: Sequence[Specimen]) -> dict[str, list[Finding]]:
    """Specimen, by its name, -> what the first stage that rejects it finds.

    Args:
        tools: They render all at once, and judge at once all that come as far as the policies.
        tree: What is beside them, the policies included.
        chosen: The specimens.

    Raises:
        Inconclusive: A tool failed.
    """
    schemas, found, left = schema.Schemas.of(tree.places), dict[str, list[Finding]](), dict[str, Tree]()
    rendered = [
        (one, place, beside(tree, place, alone), findings)
        for one, place, (alone, findings) in rendered_alone(tools.renderer, tree, chosen)
    ]
    for one, place, both, findings in rendered:
        found[one.name] = findings or schema.check({place: both.places[place]}, schemas)[1]
    fitting = [(one.name, place, both) for one, place, both, _ in rendered if not found[one.name]]
    found |= _invalid(tools.judge, tree, fitting)
    for one, place, both, _ in rendered:
        found[one.name] = found[one.name] or _by_projects(one, place, both)
        if not found[one.name]:
            left[one.name] = both
    # Folders may have the same name; what they make may not.
    together = placed(tree)
    together |= {f"corpus/{name}": placed(both)[_place_of(name, chosen)] for name, both in left.items()}
    by_place: dict[str, list[Finding]] = defaultdict(list)
    for finding in policy.check(together, policy.simulate(tools.judge, together)):
        by_place[finding.where.partition(":")[0]].append(finding)
    for name, both in left.items():
        found[name] = by_place[f"corpus/{name}"] or resources.check(placed(both))
    return found


def rendered_alone(
    engine: Engine, tree: Tree, chosen: Sequence[Specimen]
) -> Iterator[tuple[Specimen, str, tuple[Tree, list[Finding]]]]:
    """Each specimen, its place, and what Argo CD makes of it where nothing else is but what deploys it.

    Raises:
        Inconclusive: There is no answer.
    """
    with TemporaryDirectory(prefix="neuroscale-corpus-") as name:
        checkouts = [_checkout(one, Path(name) / str(number), tree) for number, one in enumerate(chosen)]
        answers = render_several(engine, checkouts)
    yield from zip(chosen, (one.only for one in checkouts), answers, strict=True)


def _checkout(one: Specimen, root: Path, tree: Tree) -> Checkout:
    deploying = [obj for objects in tree.places.values() for obj in objects if obj["kind"] in _DEPLOYING]
    (root / BY_HAND).mkdir(parents=True)
    (root / BY_HAND / "applications.yaml").write_text("\n---\n".join(map(json.dumps, deploying)), encoding="utf-8")
    place = str(one.put(root / "apps").relative_to(root))
    return Checkout(root, (BY_HAND, *([place] if one.deployed != "apps" else [])), place)


def beside(tree: Tree, place: str, alone: Tree) -> Tree:
    """A tree with one place more, and with what deploys it."""
    places = {**tree.places, place: alone.places.get(place, [])}
    return replace(tree, places=places, applications=_with(tree, alone), idle=alone.idle)


def _with(tree: Tree, alone: Tree) -> tuple[Object, ...]:
    """The Applications of both."""
    known = {app["metadata"]["name"] for app in tree.applications}
    return (*tree.applications, *(app for app in alone.applications if app["metadata"]["name"] not in known))


def _place_of(name: str, chosen: Sequence[Specimen]) -> str:
    (one,) = (one for one in chosen if one.name == name)
    return f"apps/{one.folder or one.name}"


def no_good_one_is_refused(judged: Judged) -> None:
    """No false fail.

    Raises:
        ConditionTimeout: At least one.
    """
    _raise("no good specimen should be rejected", judged, (one for one in judged.chosen if one.is_good))


def each_bad_one_is_refused_as_it_says(judged: Judged) -> None:
    """No false pass, and none that is rejected for another reason than its own.

    Raises:
        ConditionTimeout: At least one.
    """
    _raise("each bad specimen should be rejected as it says", judged, (one for one in judged.chosen if not one.is_good))


def mistake(one: Specimen, found: Iterable[Finding]) -> str:
    """How a verdict differs from what a specimen says of itself; empty: it does not."""
    found = list(found)
    expected = set() if one.is_good else {(one.stage, one.rule)}
    details = {finding.description.partition(":")[0] for finding in found}
    if {(finding.stage, finding.rule) for finding in found} == expected and (not one.detail or details == {one.detail}):
        return ""
    wanted = "pass" if one.is_good else f"be rejected: {' '.join(filter(None, (one.stage, one.rule, one.detail)))}"
    return f"{one.name} should {wanted}, but {'nothing' if not found else found[0]} was found"


def _invalid(engine: Engine, tree: Tree, fitting: list[tuple[str, str, Tree]]) -> dict[str, list[Finding]]:
    """Specimen, by its name, -> what the API server has against its objects, all of which fit their schemas."""
    asked = [(name, place, obj) for name, place, both in fitting for obj in both.places[place]]
    everything = (obj for objects in tree.places.values() for obj in objects)
    said = api_validation.findings(engine, [(place, obj) for _, place, obj in asked], everything)
    found: dict[str, list[Finding]] = {name: [] for name, _, _ in fitting}
    for (name, _, _), against in zip(asked, said, strict=True):
        found[name] += against
    return found


def _by_projects(specimen: Specimen, place: str, both: Tree) -> list[Finding]:
    if specimen.deployed != "apps":
        return []
    return [one for one in appproject.check(both) if one.where.partition(":")[0] == place]


def _raise(description: str, judged: Judged, chosen: Iterator[Specimen]) -> None:
    wrong = [said for one in chosen if (said := mistake(one, judged.found[one.name]))]
    if wrong:
        more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ConditionTimeout(
            f"Of {len(judged.chosen)} specimens {description}, but {len(wrong)} are not what they say: "
            f"{'; '.join(wrong[:_SHOWN])}{more}. Next: pytest -m gate -k specimen"
        )

"""The corpus, judged by the gate's own stages: no bad one passes, no good one fails, each for the reason it states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate import appproject, pipeline, policy, resources, schema
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.render import render_folder
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

_SHOWN = 5


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


def verdicts(tools: Tools, tree: Places, chosen: Iterable[Specimen]) -> dict[str, list[Finding]]:
    """Specimen, by its name, -> what the first stage that rejects it finds.

    Args:
        tools: The CLI judges all that come as far as the policies at once: it takes its time to start.
        tree: What is beside them, the policies included.
        chosen: The specimens.

    Raises:
        Inconclusive: A tool failed.
    """
    schemas, found, left = schema.Schemas.of(tree), dict[str, list[Finding]](), dict[str, tuple[str, list[Object]]]()
    for one in chosen:
        place, objects, found[one.name] = _before_policies(one, tools, tree, schemas)
        if not found[one.name]:
            left[one.name] = (place, objects)
    # Folders may have the same name; what they make may not.
    together = policy.placed({**tree, **{f"corpus/{name}": objects for name, (_, objects) in left.items()}})
    by_place: dict[str, list[Finding]] = defaultdict(list)
    for finding in policy.check(together, policy.simulate(tools.kyverno, together)):
        by_place[finding.where.partition(":")[0]].append(finding)
    for name, (place, objects) in left.items():
        found[name] = by_place[f"corpus/{name}"] or resources.check(policy.placed({**tree, place: objects}))
    return found


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


def _before_policies(
    specimen: Specimen, tools: Tools, tree: Places, schemas: schema.Schemas
) -> tuple[str, list[Object], list[Finding]]:
    with TemporaryDirectory(prefix="neuroscale-specimen-") as name:
        laid = specimen.put(Path(name) / "apps")
        place = f"apps/{laid.name}"
        objects, findings = render_folder(laid, place, tools.chart)
    findings = findings or schema.check({place: objects}, schemas)[1]
    if not findings and specimen.deployed == "apps":
        findings = [one for one in appproject.check({**tree, place: objects}) if one.where.partition(":")[0] == place]
    return place, objects, findings


def _raise(description: str, judged: Judged, chosen: Iterator[Specimen]) -> None:
    wrong = [said for one in chosen if (said := mistake(one, judged.found[one.name]))]
    if wrong:
        more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ConditionTimeout(
            f"Of {len(judged.chosen)} specimens {description}, but {len(wrong)} are not what they say: "
            f"{'; '.join(wrong[:_SHOWN])}{more}. Next: pytest -m gate -k specimen"
        )

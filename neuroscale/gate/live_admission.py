"""What the gate and the oracle say of each object of the corpus beside what the live API server answers to it.

Whatever the corpus makes is submitted in a dry run, also what people judge elsewhere than in a policy. What admission
must say of that follows from a rule: it takes no object that does not fit its kind, and knows neither AppProjects nor
what everything together asks for.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ConditionTimeout, Inconclusive
from neuroscale.gate import api_validation, pipeline, policy
from neuroscale.gate.corpus_check import beside, rendered_alone
from neuroscale.gate.findings import Tree
from neuroscale.gate.placement import placed
from neuroscale.gate.schema import INVALID, WEBHOOK, Schemas
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.admission import AdmissionResponse, Outcome, answer_to
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.guardrails.oracle import evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE

#: The stages whose word admission has as well, and the one behind which there is no object.
_OF_ADMISSION, _RENDER, _GOOD = frozenset({"schema", "policy"}), "render", "good"
_SHOWN = 8


@dataclass(frozen=True)
class Judgement:
    """One object of a specimen, and what the three say of it.

    Attributes:
        obj: In the namespace that it was submitted to.
        invalid: Rules by which the gate says that it does not fit its kind.
        gate: Policies by which the gate's engine rejects it.
        oracle: Those by which it must be rejected.
        live: What the API server answered.
    """

    specimen: Specimen
    obj: Object
    invalid: frozenset[str]
    gate: frozenset[str]
    oracle: frozenset[str]
    live: AdmissionResponse

    @property
    def stage(self) -> str:
        """Of the specimen, or that it is good."""
        return self.specimen.stage or _GOOD


# --- all are asked


def judge_corpus(tools: Tools, repository: Path, platform: Platform, recorder: Recorder) -> list[Judgement]:
    """Each object that the gate makes of the corpus, by the gate, the oracle and the API server.

    Raises:
        Inconclusive: A tool of the gate failed, or the checkout does not render.
    """
    tree, findings = pipeline.rendered(tools, repository)
    if findings:
        raise Inconclusive(f"{repository} should render, but: {findings[0]}. Next: neuroscale gate")
    there = {obj["metadata"]["name"] for obj in platform.cluster.list("Namespace")}
    # No project is asked here, and what no Application would deploy can be applied all the same.
    chosen = [replace(one, deployed="by hand") if one.stage == "appproject" else one for one in specimens()]
    schemas, made, invalid = Schemas.of(tree.places), list[tuple[Specimen, Object]](), list[frozenset[str]]()
    for one, place, (alone, _) in rendered_alone(tools.renderer, tree, chosen):
        for obj in placed(beside(tree, place, alone))[place]:
            made.append((one, _where_there_is_room(obj, there)))
            invalid.append(frozenset(found.rule for found in schemas.findings(place, obj)))
    invalid = _validated(tools, tree, [obj for _, obj in made], invalid)
    judged = _by_policies(tools, placed(tree), [obj for _, obj in made], invalid)
    at, start = datetime.now(UTC), time.monotonic()
    judgements = [
        Judgement(one, obj, rules, rejecting, _by_oracle(obj, rules), _submitted(platform.cluster, obj))
        for (one, obj), rules, rejecting in zip(made, invalid, judged, strict=True)
    ]
    recorder.figure(
        claim="admission-agrees",
        fault=f"{len(judgements)} objects of the corpus are submitted in a dry run",
        subject="corpus",
        series="objects of the corpus, submitted",
        at=at,
        seconds=round(time.monotonic() - start, 3),
        facts={"objects": len(judgements), **_by_stage(judgements)},
    )
    return judgements


def _where_there_is_room(obj: Object, namespaces: Collection[str]) -> Object:
    """The same object in a namespace that exists: what a dry run makes is not there for the next object."""
    namespace = obj["metadata"].get("namespace", "")
    if not namespace or namespace in namespaces:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "namespace": APPS_NAMESPACE}}


def _validated(tools: Tools, tree: Tree, objects: list[Object], invalid: list[frozenset[str]]) -> list[frozenset[str]]:
    """The same, with what only the API server's own code has against what fits its schema."""
    asked = [number for number, rules in enumerate(invalid) if _asks_policies(rules)]
    everything = (obj for there in tree.places.values() for obj in there)
    said = api_validation.complaints(tools.judge, [objects[number] for number in asked], everything)
    more = {number for number, against in zip(asked, said, strict=True) if against}
    return [rules | {INVALID} if number in more else rules for number, rules in enumerate(invalid)]


def _by_policies(
    tools: Tools, tree: dict[str, list[Object]], objects: list[Object], invalid: list[frozenset[str]]
) -> list[frozenset[str]]:
    """For each object the policies by which the gate's engine rejects it; of what is invalid none is asked."""
    places = {f"corpus/{n}": [obj] for n, obj in enumerate(objects) if _asks_policies(invalid[n])}
    found: list[set[str]] = [set() for _ in objects]
    for result in policy.simulate(tools.judge, {**tree, **places}):
        if result.place in places and result.outcome not in {"pass", "skip"}:
            found[int(result.place.rpartition("/")[2])].add(result.policy)
    return list(map(frozenset, found))


def _by_oracle(obj: Object, invalid: frozenset[str]) -> frozenset[str]:
    return frozenset(evaluate(obj)) if _asks_policies(invalid) else frozenset()


def _asks_policies(invalid: Collection[str]) -> bool:
    """Whether policies are asked about an object: before webhooks, after the API server's own rules."""
    return set(invalid) <= {WEBHOOK}


def _submitted(cluster: Cluster, obj: Object) -> AdmissionResponse:
    try:
        cluster.create(obj, dry_run=True, strict=True)
    except ApiError as error:
        return answer_to(error)
    return answer_to(None)


# --- what they say is judged


def expected_outcome(invalid: Collection[str], policies: Collection[str]) -> Outcome:
    """What admission must answer.

    Args:
        invalid: Rules of the gate's schemas that an object does not keep.
        policies: Those that it violates.
    """
    if not _asks_policies(invalid):
        return "rejected otherwise"
    if policies:
        return "rejected by policy"
    return "rejected otherwise" if invalid else "admitted"


def disagreement(one: Judgement) -> str:
    """What the three do not say alike of an object; empty: nothing."""
    live, wanted = one.live, expected_outcome(one.invalid, one.oracle)
    named = f"{one.specimen.name}, {one.obj['kind']} {one.obj['metadata']['name']}"
    if one.gate != one.oracle:
        return f"{named}: the gate rejects it by {_list(one.gate)}, the oracle by {_list(one.oracle)}"
    if live.outcome != wanted:
        return f"{named} should be {wanted} ({_list(one.invalid | one.oracle)}), but is {live.outcome}: {live.said}"
    if strangers := {denial.policy for denial in live.denials} - one.oracle:
        return f"{named}: rejected by {_list(strangers)}, the oracle says {_list(one.oracle)}"
    if wanted == "rejected otherwise" and not live.invalid:
        return f"{named} should be invalid ({_list(one.invalid)}), but is rejected for something else: {live.said}"
    return ""


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def assert_agreement(judgements: Collection[Judgement]) -> None:
    """All three say the same of each object.

    Raises:
        ConditionTimeout: Not of one, or there is none.
    """
    wrong = [said for one in judgements if (said := disagreement(one))]
    _raise(
        f"Admission, the gate and the oracle should agree on {len(judgements)} objects", wrong, enough=bool(judgements)
    )


def assert_as_the_corpus_says(judgements: Collection[Judgement]) -> None:
    """Each manifest that renders was submitted; those of stages that admission shares were rejected, and no others.

    Raises:
        ConditionTimeout: Of one stage more or fewer were.
    """
    wanted = Counter(one.stage or _GOOD for one in specimens() if one.stage != _RENDER)
    submitted = _by_stage(judgements)
    rejected = _by_stage(one for one in judgements if one.live.outcome != "admitted")
    wrong = [f"nothing of stage {stage} should be submitted" for stage in submitted if stage not in wanted]
    wrong += [
        f"stage {stage}: {submitted[stage]} submitted and {rejected[stage]} rejected, for {count} and {refused}"
        for stage, count in sorted(wanted.items())
        if (submitted[stage], rejected[stage]) != (count, refused := count if stage in _OF_ADMISSION else 0)
    ]
    _raise(f"{wanted.total()} manifests of the corpus should be submitted", wrong, enough=bool(wanted))


def _by_stage(judgements: Iterable[Judgement]) -> Counter[str]:
    """How many manifests of each."""
    return Counter(stage for _, stage in {(one.specimen.name, one.stage) for one in judgements})


def _raise(said: str, wrong: list[str], *, enough: bool) -> None:
    if not enough:
        wrong = ["there is nothing to compare"]
    if wrong:
        more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ConditionTimeout(
            f"{said}, but {len(wrong)} are wrong: {'; '.join(wrong[:_SHOWN])}{more}. Next: pytest -m agreement"
        )

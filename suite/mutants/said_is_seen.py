"""Mutants of what the gate says of a change: each leaves something out of the figures in its comment."""

from __future__ import annotations

from suite.mutants.gate_job import judging_otherwise
from suite.mutants.mutant import Mutant

_SAID_IS_SEEN = "Pods ask for exactly what the gate's comment said"
_PROPOSED = "workloads of these shapes are proposed:"
_EXACTLY = "their pods ask for that, exactly"
_NEEDS = "import neuroscale.delta.needs as needs"
_DEPLOYMENT, _MODEL = r"Deployment default/priced-\w+-", r"InferenceService default/priced-\w+-"


def _mutant(slug: str, title: str, change: str, reason: str) -> Mutant:
    return Mutant(
        slug,
        title,
        scenario=_SAID_IS_SEEN,
        before=_PROPOSED,
        faults=judging_otherwise(title, change),
        red_step=_EXACTLY,
        reason=reason,
    )


MILESTONE = "c"
MUTANTS = (
    _mutant(
        "delta-ignores-replicas",
        "The comment's figures are those of one pod",
        "import neuroscale.delta.workloads as workloads; workloads._replicas = lambda *_: (1, 1)",
        rf"{_DEPLOYMENT}1: requests\.cpu: said 20m, seen 40m",
    ),
    _mutant(
        "delta-without-init-containers",
        "The comment's figures leave init containers out",
        f"{_NEEDS}; whole = needs.total; needs.total = lambda main, starting: whole(main, [])",
        rf"{_DEPLOYMENT}2: requests\.cpu: said 20m, seen 60m; .*requests\.memory: said 48Mi, seen 96Mi",
    ),
    _mutant(
        "delta-takes-a-sidecar-for-an-init-container",
        "The comment's figures have a native sidecar end before the containers begin",
        f"{_NEEDS}; of = needs.needs_of; needs.needs_of = lambda one: of(dict(one, restartPolicy=None))",
        rf"{_DEPLOYMENT}3: requests\.cpu: said 30m, seen 50m; .*requests\.memory: said 48Mi, seen 88Mi",
    ),
    _mutant(
        "delta-without-knatives-sidecar",
        "The comment's figures leave the queue-proxy out",
        "import neuroscale.delta.models as models; models.in_knative = lambda spec, *_: spec",
        rf"{_MODEL}4: requests\.cpu: said 60m, seen 85m",
    ),
    _mutant(
        "delta-without-the-storage-initializer",
        "The comment's figures leave out what fetches a model",
        "import neuroscale.delta.models as models; models.fetching = lambda *_: ([], [])",
        rf"{_MODEL}4: limits\.cpu: said 800m, seen 1\b",
    ),
    _mutant(
        "delta-without-the-limit-range",
        "The comment's figures leave out what the namespace gives to containers that say nothing",
        f"{_NEEDS}; needs.admitted = lambda one, ranges: one",
        rf"{_MODEL}4: requests\.memory: said 160Mi, seen 288Mi",
    ),
    _mutant(
        "delta-without-the-older-form",
        "The comment's figures pass models of the older form over",
        "import neuroscale.delta.workloads as workloads; of_model = workloads.of_model; "
        "workloads.of_model = lambda obj, around: of_model(obj, around) if 'model' in obj['spec']['predictor'] else []",
        rf"{_MODEL}5: the comment does not name it",
    ),
)

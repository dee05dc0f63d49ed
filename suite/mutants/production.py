"""Mutants of the production profile: what is judged, and who judges, broken in the suite's process."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path

from neuroscale.bootstrap.profile import PRODUCTION, production_tree, promote
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.chaos.faults import FunctionPatched
from neuroscale.gate.findings import Tree
from neuroscale.gate.production.checkers import Checkers, checkov
from neuroscale.gate.production.rules import judge
from neuroscale.gate.production.suppressions import Suppression, read
from neuroscale.gate.production.verdicts import Judged, Verdict, subjects
from neuroscale.kubernetes.refs import Object
from suite.mutants.mutant import Mutant

_GATE = "The production profile passes the gate and leaves the trial as it is"
_JUDGED = "Checkers and rules judge all of the production profile"
_RED = "Each rule of the production profile has been seen red"
_RENDERS, _JUDGE = "the gate renders the production profile", "the checkers and our rules judge the production profile"
_EVERY_WORKLOAD = "each of them has judged every workload"
_SUPPRESSED = "what is wrong there is suppressed for a reason and for a while"
_PORTAL = "infrastructure/backstage/chart"
_COST_CENTER = re.compile(r", cost-center: [a-z-]+(?=})")


# --- what is judged


def guest_left_on(tree: Tree) -> list[Judged]:
    """The portal lets guests in, as in the trial."""
    return _with(tree, "ConfigMap", "backstage-config", _let_guests_in)


def floating_tag(tree: Tree) -> list[Judged]:
    """The portal's image is whatever is the latest."""
    return _with(tree, "Deployment", "neuroscale-backstage", _take_the_latest)


def single_replica(tree: Tree) -> list[Judged]:
    """There is one portal."""
    return _with(tree, "Deployment", "neuroscale-backstage", lambda obj: obj["spec"].update(replicas=1))


@contextmanager
def promote_the_trial(
    manifests: Mapping[str, Path], milestones: Collection[str], root: Path | None = None
) -> Iterator[Path]:
    """What is for production is in the trial's kustomization."""
    with gitops_tree(manifests, milestones, root) as tree:
        promote(tree, tree / PRODUCTION)
        yield tree


@contextmanager
def labels_left_out(
    manifests: Mapping[str, Path], milestones: Collection[str], root: Path | None = None
) -> Iterator[Path]:
    """In production the models have no cost center."""
    with production_tree(manifests, milestones, root) as tree:
        for file in (tree / "apps").rglob("*.yaml"):
            file.write_text(_COST_CENTER.sub("", file.read_text(encoding="utf-8")), encoding="utf-8")
        yield tree


# --- who judges


def skip_the_chart(checkers: Checkers, stream: str, places: Mapping[tuple[str, str, str], str]) -> list[Verdict]:
    """A checker that cannot read a chart says nothing of it, and that all is well."""
    return [one for one in checkov(checkers, stream, places) if not one.where.startswith(f"{_PORTAL}:")]


def let_everything_pass(objects: Sequence[Judged]) -> list[Verdict]:
    """Rules that look, and keep to themselves what they saw."""
    return [replace(one, good=True, said="") for one in judge(objects)]


def suppress_for_ever() -> list[Suppression]:
    """Nobody has looked again."""
    return [one.model_copy(update={"until": date(2026, 1, 1)}) for one in read()]


def _with(tree: Tree, kind: str, name: str, change: Callable[[Object], None]) -> list[Judged]:
    changed = []
    for one in subjects(tree):
        obj = one.obj
        if (obj["kind"], obj["metadata"]["name"]) == (kind, name):
            obj = deepcopy(obj)
            change(obj)
        changed.append(replace(one, obj=obj))
    return changed


def _let_guests_in(obj: Object) -> None:
    text = obj["data"]["app-config.yaml"]
    obj["data"]["app-config.yaml"] = text.replace("providers:", "providers:\n    guest: {}", 1)


def _take_the_latest(obj: Object) -> None:
    container = obj["spec"]["template"]["spec"]["containers"][0]
    container["image"] = container["image"].rpartition(":")[0] + ":latest"


def _patched(wire: str, replacement: str) -> tuple[FunctionPatched]:
    return (
        FunctionPatched(
            wire=f"neuroscale.gate.production.{wire}", replacement=f"suite.mutants.production:{replacement}"
        ),
    )


def _profile(slug: str, title: str, reason: str) -> Mutant:
    return Mutant(
        f"production-{slug}",
        title,
        scenario=_JUDGED,
        before=_JUDGE,
        faults=_patched("judgement:subjects", slug.replace("-", "_")),
        red_step=_SUPPRESSED,
        reason=reason,
    )


#: Whoever tries the gate's mutants tries these as well.
MILESTONE = "d"
MUTANTS = (
    Mutant(
        "production-in-the-trial",
        "The trial takes what is for production",
        scenario=_GATE,
        before=_RENDERS,
        faults=_patched("judgement:gitops_tree", "promote_the_trial"),
        red_step="the trial renders as if there were no production profile",
        reason=r"should not know of production, but renders .*bootstrap/argocd",
    ),
    Mutant(
        "production-models-without-cost-center",
        "The models of production have no cost center",
        scenario=_GATE,
        before=_RENDERS,
        faults=_patched("judgement:production_tree", "labels_left_out"),
        red_step="it has nothing to reject there",
        reason=r"should pass the gate, but policy: apps/[^;]*cost-center",
    ),
    _profile(
        "guest-left-on",
        "The portal lets guests in in production",
        r"ConfigMap backstage/backstage-config: nobody should get in without an account",
    ),
    _profile(
        "floating-tag",
        "An image of production is the latest",
        r"Deployment backstage/neuroscale-backstage: its images should be the same tomorrow, but .*:latest may not be",
    ),
    _profile(
        "single-replica",
        "The portal runs once in production",
        r"Deployment backstage/neuroscale-backstage: it should run at least twice, but has 1 replica",
    ),
    Mutant(
        "production-checker-skips-a-chart",
        "A checker passes the portal's chart over",
        scenario=_JUDGED,
        before=_JUDGE,
        faults=_patched("checkers:checkov", "skip_the_chart"),
        red_step=_EVERY_WORKLOAD,
        reason=r"checkov passed over infrastructure/backstage/chart: Deployment backstage/neuroscale-backstage",
    ),
    Mutant(
        "production-suppressions-for-ever",
        "The last day of each suppression has passed",
        scenario=_JUDGED,
        before=_JUDGE,
        faults=_patched("suppressions:read", "suppress_for_ever"),
        red_step=_SUPPRESSED,
        reason=r"should be needed and not have ended, but neuroscale replicas at .* ended on 2026-01-01",
    ),
    Mutant(
        "production-rules-blind",
        "Our rules let everything pass",
        scenario=_RED,
        before="the checkers and our rules have judged the planted objects",
        faults=_patched("rules:judge", "let_everything_pass"),
        red_step="each rule that judged it has rejected a planted object",
        reason=r"should reject a planted object, but neuroscale argocd-sign-in",
    ),
)

"""The whole of it: the profile and the planted objects, judged by everybody, and what is asserted of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from neuroscale.bootstrap.profile import PRODUCTION, production_tree
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.errors import ConditionTimeout
from neuroscale.gate import judgement as gate
from neuroscale.gate.findings import Tree
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.production import checkers as kept
from neuroscale.gate.production import rules, suppressions
from neuroscale.gate.production.checkers import CHECKOV, KUBE_SCORE, Checkers
from neuroscale.gate.production.rules import OURS
from neuroscale.gate.production.suppressions import Suppression
from neuroscale.gate.production.verdicts import Judged, Verdict, subjects
from neuroscale.gate.render import render
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT

PLANTED = Path(PRODUCTION, "planted.yaml")
_NEXT = "Next: pytest -m production"
_SHOWN = 5


@dataclass(frozen=True)
class Opinion:
    """What everybody says of some objects.

    Attributes:
        subjects: The objects.
        verdicts: Each rule about each object that it concerns.
    """

    subjects: tuple[Judged, ...]
    verdicts: tuple[Verdict, ...]

    def rules(self, *, red: bool = False) -> set[tuple[str, str]]:
        """Checker and rule of each that judged something, or that rejected something."""
        return {(one.checker, one.rule) for one in self.verdicts if not (red and one.good)}

    def __str__(self) -> str:
        pairs = Counter(one.checker for one in self.verdicts)
        said = ", ".join(f"{checker} {count}" for checker, count in sorted(pairs.items()))
        return f"{len(self.verdicts)} pairs of a rule and an object ({said or 'none'}) on {len(self.subjects)} objects"


def rendered(tools: Tools, root: Path = ROOT) -> GateResult:
    """The profile as Argo CD makes it, and what each stage of the gate says of it.

    Raises:
        Inconclusive: There is no answer.
    """
    result = GateResult()
    with production_tree(tools.manifests, MILESTONES, root) as tree:
        result.tree, result.findings = render(tools.renderer, tree)
    gate.judge(tools.judge, result)
    return result


def assert_admitted(result: GateResult) -> None:
    """The gate has nothing to say against it.

    Raises:
        ConditionTimeout: It has.
    """
    if result.findings:
        raise ConditionTimeout(
            f"Production should pass the gate, but {_few(result.findings)}. Next: {PRODUCTION}/README.md"
        )


@contextmanager
def _without_production(tools: Tools, root: Path) -> Iterator[Path]:
    with gitops_tree(tools.manifests, MILESTONES, root) as tree:
        for folder in sorted(tree.rglob(PRODUCTION)):
            for file in sorted(folder.rglob("*"), reverse=True):
                file.unlink()
            folder.rmdir()
        yield tree


def assert_trial_unchanged(tools: Tools, root: Path = ROOT) -> None:
    """The trial's profile is the same whether or not there is anything for production beside it.

    Raises:
        ConditionTimeout: It is not.
    """
    with gitops_tree(tools.manifests, MILESTONES, root) as tree:
        here, _ = render(tools.renderer, tree)
    with _without_production(tools, root) as tree:
        alone, _ = render(tools.renderer, tree)
    if changed := sorted(place for place in {*here.places, *alone.places} if _differs(here, alone, place)):
        raise ConditionTimeout(
            f"The trial should not know of production, but renders {', '.join(changed)} otherwise. {_NEXT}"
        )


def _differs(one: Tree, other: Tree, place: str) -> bool:
    return one.places.get(place) != other.places.get(place)


def opinion(checkers: Checkers, objects: Sequence[Judged]) -> Opinion:
    """Let everybody judge.

    Raises:
        Inconclusive: A checker gave no answer.
    """
    return Opinion(tuple(objects), (*rules.judge(objects), *kept.judge(checkers, objects)))


def of_profile(checkers: Checkers, result: GateResult) -> Opinion:
    """What everybody says of the profile."""
    return opinion(checkers, subjects(result.tree))


def of_planted(checkers: Checkers, root: Path = ROOT) -> Opinion:
    """What everybody says of objects that no rule may let pass."""
    planted = yaml.safe_load_all((root / PLANTED).read_text(encoding="utf-8"))
    return opinion(checkers, [Judged(f"{PLANTED}: {one['kind']} {one['metadata']['name']}", one) for one in planted])


def assert_each_judged(given: Opinion) -> None:
    """Every checker has judged every workload, and every rule of ours something.

    Raises:
        ConditionTimeout: One passed something over.
    """
    missing = [
        f"{checker} passed over {one.where}"
        for checker in (OURS, KUBE_SCORE, CHECKOV)
        for one in given.subjects
        if one.is_workload and not any((v.checker, v.where) == (checker, one.where) for v in given.verdicts)
    ]
    missing += [f"{rule.name} judged nothing" for rule in rules.RULES if (OURS, rule.name) not in given.rules()]
    if missing or not given.verdicts:
        raise ConditionTimeout(
            f"Each checker should judge each workload, but {_few(missing) or 'there is nothing'}: {given}. {_NEXT}"
        )


def assert_nothing_wrong(given: Opinion, put_up_with: Sequence[Suppression]) -> None:
    """Whatever is wrong is put up with, for a reason and for a while.

    Raises:
        ConditionTimeout: Something is not.
    """
    if wrong := suppressions.unsuppressed(given.verdicts, put_up_with):
        raise ConditionTimeout(f"Production should be as its rules ask, but {_few(wrong)}. {_NEXT}")


def assert_suppressions_hold(given: Opinion, put_up_with: Sequence[Suppression], today: date) -> None:
    """None has ended, and each is needed.

    Raises:
        ConditionTimeout: One has, or is not.
    """
    if complaints := suppressions.outdated(put_up_with, given.verdicts, today):
        raise ConditionTimeout(
            f"Each suppression should be needed and not have ended, but {_few(complaints)}. Next: {suppressions.FILE}"
        )


def assert_each_seen_red(profile: Opinion, planted: Opinion) -> None:
    """Each rule that judged the profile rejects a planted object.

    Raises:
        ConditionTimeout: One lets all of them pass.
    """
    if blind := sorted(profile.rules() - planted.rules(red=True)):
        named = [f"{checker} {rule}" for checker, rule in blind]
        raise ConditionTimeout(f"Each rule should reject a planted object, but {_few(named)} does not. {_NEXT}")


def _few(some: Sequence[object]) -> str:
    more = f", and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
    return "; ".join(map(str, some[:_SHOWN])) + more

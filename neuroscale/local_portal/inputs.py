"""Many forms, good and bad, beside the rules: nothing wrong is taken, nothing right refused, and the reason is told."""

from __future__ import annotations

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from neuroscale.backstage_client import Backstage, Refusal
from neuroscale.errors import ConditionTimeout
from neuroscale.golden_path.form import evaluate_proposal
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.form_rules import broken_fields, completed
from neuroscale.local_portal.generated_forms import Form, any_form, each_hostile, good, trap_names
from neuroscale.local_portal.process import NEXT
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.submissions import Handed, submit
from neuroscale.settings import ROOT

_TEMPLATE = Path("backstage", "templates", "model-endpoint")
_AT_ONCE = 4
_SHOWN = 3
#: As many of either kind as there must be at least, or the forms would prove little.
_SHARE = 0.1


@dataclass(frozen=True)
class Tried:
    """Forms, and what the portal said of each.

    Attributes:
        seed: From which they are made again.
        answers: What is proposed, a refusal, or ``None`` where a form was taken of which nothing more is known.
        before: Branches that the Git server had before.
    """

    seed: int
    forms: tuple[Form, ...]
    answers: tuple[Mapping[str, str] | Refusal | None, ...]
    before: frozenset[str]


def template_files(root: Path = ROOT) -> tuple[Object, dict[str, bytes]]:
    """The template of a checkout, and the files beside it."""
    folder = root / _TEMPLATE
    files = sorted(file for file in (folder / "skeleton").rglob("*") if file.is_file())
    contents = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    return dict(yaml.safe_load((folder / "template.yaml").read_text(encoding="utf-8"))), contents


def try_forms(portal: LocalPortal, count: int) -> Tried:
    """Try generated forms without a trace."""
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)  # noqa: S311 - test data
    forms = tuple(any_form(chance) for _ in range(count))
    template, files = template_files()
    before = frozenset(portal.git_server.branches())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = tuple(pool.map(lambda form: portal.backstage.dry_run(template, form, files), forms))
    return Tried(seed, forms, answers, before)


def refusal(backstage: Backstage, form: Form) -> Refusal | None:
    """What the portal has against a form that is handed in for good."""
    return backstage.refusal(form)


def try_hostile(portal: LocalPortal) -> Tried:
    """Hand in forms for good that each hold a hostile value."""
    forms = tuple(form for _, form in each_hostile())
    before = frozenset(portal.git_server.branches())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = tuple(pool.map(lambda form: refusal(portal.backstage, form), forms))
    return Tried(0, forms, answers, before)


def submit_many(portal: LocalPortal, count: int) -> Handed:
    """Hand in forms without a mistake for good; among their names are those that YAML takes for something else."""
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)  # noqa: S311 - test data
    names = [*trap_names(), *(f"many-{seed}-{index}" for index in range(count))][:count]
    return submit(portal, [good(chance, name) for name in names])


def assert_as_the_rules_say(tried: Tried) -> None:
    """Accepted is what has no mistake, refused what has one; and there was enough of both.

    Raises:
        ConditionTimeout: A form was taken that should not, or refused that should not.
    """
    good_ = sum(1 for form in tried.forms if not broken_fields(form))
    if not len(tried.forms) * _SHARE < good_ < len(tried.forms) * (1 - _SHARE):
        raise ConditionTimeout(f"Forms of both kinds should be tried, but {good_} of {len(tried.forms)} are good")
    _raise_first(
        tried,
        [
            f"{form} should be {'refused for ' + str(sorted(broken)) if broken else 'taken'}, but {_said(answer)}"
            for form, answer in zip(tried.forms, tried.answers, strict=True)
            if bool(broken := broken_fields(form)) != isinstance(answer, Refusal)
        ],
    )


def assert_reasons(tried: Tried) -> None:
    """Each refusal names the fields that are wrong, and no other.

    Raises:
        ConditionTimeout: One does not.
    """
    refused = [(f, answer) for f, answer in zip(tried.forms, tried.answers, strict=True) if isinstance(answer, Refusal)]
    _raise_first(
        tried,
        [
            f"{form} should be refused for {sorted(broken)}, but is for {sorted(answer.fields)}: {answer.said}"
            for form, answer in refused
            if (broken := broken_fields(form)) != answer.fields
        ],
    )


def assert_rendered(tried: Tried) -> None:
    """What was taken would become exactly the files that were asked for.

    Raises:
        ConditionTimeout: One form would not.
    """
    taken = [(f, answer) for f, answer in zip(tried.forms, tried.answers, strict=True) if isinstance(answer, Mapping)]
    if not taken:
        raise ConditionTimeout(f"Some forms should be taken, but none of {len(tried.forms)} was. Next: {NEXT}")
    verdicts = [(form, evaluate_proposal(files, completed(form))) for form, files in taken]
    wrong = [f"{form} should render, but {verdict.observed}" for form, verdict in verdicts if not verdict]
    _raise_first(tried, wrong)


def assert_each_refused(tried: Tried) -> None:
    """None was taken.

    Raises:
        ConditionTimeout: One was.
    """
    taken = [str(f) for f, answer in zip(tried.forms, tried.answers, strict=True) if not isinstance(answer, Refusal)]
    _raise_first(tried, [f"{form[:300]} should be refused, but was taken" for form in taken])


def assert_no_trace(tried: Tried, portal: LocalPortal) -> None:
    """The Git server has the branches and pull requests that it had.

    Raises:
        ConditionTimeout: It has another.
    """
    there = portal.git_server.branches()
    strange = [pull.branch for pull in portal.git_server.pull_requests() if pull.branch not in tried.before]
    if there != tried.before or strange:
        raise ConditionTimeout(
            f"Nothing should be left of {len(tried.forms)} forms, but the branches {sorted(there ^ tried.before)} "
            f"and the pull requests of {strange} are new. Next: {NEXT}"
        )


def _raise_first(tried: Tried, wrong: list[str]) -> None:
    if wrong:
        first = "; ".join(wrong[:_SHOWN])
        raise ConditionTimeout(
            f"{len(wrong)} of {len(tried.forms)} forms (seed {tried.seed}) are not answered as they should: {first}. "
            f"Next: {NEXT}"
        )


def _said(answer: Mapping[str, str] | Refusal | None) -> str:
    return f"is refused: {answer.said}" if isinstance(answer, Refusal) else "is taken"

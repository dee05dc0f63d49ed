"""Waking a model that has no pod: every request that arrives meanwhile is answered, late but right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from neuroscale.platform import Platform
from neuroscale.record import Sample
from neuroscale.serving.asking import endpoint
from neuroscale.serving.models import SERVED, TELLING, golden
from neuroscale.serving.predict import Answer, ask, judge_classes
from neuroscale.serving.question import demand
from neuroscale.serving.versions import MODEL
from neuroscale.waiting import Verdict, hopeless, met

#: Seconds that a request may wait for the first pod.
_PATIENCE = 60.0


def wake(
    count: int, platform: Platform, scenario: str, keep: Callable[[Sample], None], name: str = MODEL
) -> list[Answer]:
    """Send so many requests at once to a model without pods; keep how long each of them took.

    Raises:
        NotReady: The model has no URL.
    """
    where = endpoint(platform, name)
    at = datetime.now(UTC)
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(ask, where, golden().inputs[TELLING], patience=_PATIENCE) for _ in range(count)]
        answers = [one.result() for one in asked]
    for answer in answers:
        right = bool(judge_classes(answer, golden().outputs[SERVED][TELLING]))
        keep(
            Sample(
                scenario=scenario,
                claim="cold-start",
                fault=f"{count} requests at once to a model without a pod",
                subject=name,
                series="request that woke the model",
                at=at,
                phases={"right answer": round(answer.seconds, 3) if right else None},
                seconds=round(answer.seconds, 3),
                censored=not right,
            )
        )
    return answers


def demand_all_answered(answers: Sequence[Answer], platform: Platform) -> None:
    """Every one of them got a right answer.

    Raises:
        NotMet: At least one did not.
    """
    demand("every request that wakes the model is answered", judge_all(answers), platform)


def judge_all(answers: Sequence[Answer]) -> Verdict:
    """All right, and at least one."""
    verdicts = [judge_classes(answer, golden().outputs[SERVED][TELLING]) for answer in answers]
    bad = [verdict.observed for verdict in verdicts if not verdict]
    if not answers or bad:
        return hopeless(f"{len(bad)} of {len(answers)} were not: {'; '.join(bad[:3])}")
    slowest = max(answer.seconds for answer in answers)
    return met(f"{len(answers)} answered, the slowest after {slowest:.1f} s")

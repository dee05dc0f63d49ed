"""Waking a model that has no pod: every request that arrives meanwhile is answered, late but right."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from neuroscale.inference_client import InferenceResponse, ask, evaluate_classes
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, met, unrecoverable
from neuroscale.probes.probe_function import assert_met
from neuroscale.results import Recorder
from neuroscale.serving.inference_requests import endpoint
from neuroscale.serving.model_rollouts import MODEL

#: Seconds that a request may wait for the first pod.
_PATIENCE = 60.0


def wake(count: int, platform: Platform, recorder: Recorder, name: str = MODEL) -> list[InferenceResponse]:
    """Send so many requests at once to a model without pods; keep how long each of them took.

    Raises:
        PreconditionFailed: The model has no URL.
    """
    where = endpoint(platform, name)
    at = datetime.now(UTC)
    with ThreadPoolExecutor(count) as pool:
        asked = [
            pool.submit(ask, where, expected_predictions().inputs[TELLING], patience=_PATIENCE) for _ in range(count)
        ]
        answers = [one.result() for one in asked]
    for answer in answers:
        right = bool(evaluate_classes(answer, expected_predictions().outputs[SERVED][TELLING]))
        took = round(answer.seconds, 3)
        recorder.recovery(
            claim="cold-start",
            fault=f"{count} requests at once to a model without a pod",
            subject=name,
            series="request that woke the model",
            at=at,
            phases={"right answer": took if right else None},
            seconds=took if right else None,
            within=took,
        )
    return answers


def assert_all_answered(answers: Sequence[InferenceResponse], platform: Platform) -> None:
    """Every one of them got a right answer.

    Raises:
        ConditionTimeout: At least one did not.
    """
    assert_met("every request that wakes the model is answered", evaluate_all(answers), platform)


def evaluate_all(answers: Sequence[InferenceResponse]) -> Verdict:
    """All right, and at least one."""
    verdicts = [evaluate_classes(answer, expected_predictions().outputs[SERVED][TELLING]) for answer in answers]
    bad = [verdict.observed for verdict in verdicts if not verdict]
    if not answers or bad:
        return unrecoverable(f"{len(bad)} of {len(answers)} were not: {'; '.join(bad[:3])}")
    slowest = max(answer.seconds for answer in answers)
    return met(f"{len(answers)} answered, the slowest after {duration(slowest)}")

"""What the policies cost: the same object submitted where Kyverno is asked and where it is not, in turn."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from neuroscale.errors import PreconditionFailed
from neuroscale.guardrails.admission import assert_met, objects_of, specimen, submit
from neuroscale.platform import Platform
from neuroscale.polling import duration, met, unrecoverable
from neuroscale.quantile import quantile
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE, GIT_SERVER

#: A namespace of the platform's: the policies do not match there, and no webhook is called.
_UNGUARDED = GIT_SERVER
WITH, WITHOUT = "with Kyverno", "without Kyverno"


def measure(count: int, platform: Platform, recorder: Recorder) -> dict[str, list[float]]:
    """Seconds that each of so many pairs took, in a dry run; both distributions are kept.

    Raises:
        PreconditionFailed: One was rejected, so that it says nothing of what admission costs.
    """
    obj = objects_of(specimen("deployment", good=True))[0]
    seconds: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    at = datetime.now(UTC)
    for _ in range(count):
        for where, namespace in ((WITH, APPS_NAMESPACE), (WITHOUT, _UNGUARDED)):
            start = time.monotonic()
            answer = submit(platform.cluster, obj, namespace)
            seconds[where].append(time.monotonic() - start)
            if answer.outcome != "admitted":
                raise PreconditionFailed(f"What complies should be admitted {where}, but: {answer.said}")
    for where, taken in seconds.items():
        recorder.figure(
            claim="admission-median",
            fault=f"{count} Deployments are submitted",
            subject="admission",
            series=f"{where}, median",
            at=at,
            seconds=round(_percentile(taken, 0.5), 4),
            facts={"p99 seconds": round(_percentile(taken, 0.99), 4)},
        )
    return seconds


def assert_median(seconds: dict[str, list[float]], at_most: float, platform: Platform) -> None:
    """Half of those with Kyverno take no longer than this.

    Raises:
        ConditionTimeout: They do.
    """
    found = {where: _percentile(taken, 0.5) for where, taken in seconds.items()}
    seen = ", ".join(f"{where} {duration(value)}" for where, value in found.items())
    verdict = met(seen) if found[WITH] <= at_most else unrecoverable(seen)
    assert_met(f"half of the requests {WITH} take at most {duration(at_most)}", verdict, platform)


def _percentile(seconds: list[float], share: float) -> float:
    found = quantile(sorted(seconds), share)
    if found is None:
        raise PreconditionFailed("At least one request should have been timed, but none was")
    return found

"""Scenarios that were green lately with nothing broken beneath them: their mutants need no control of their own.

A control says that a scenario is green without the mutant, under the same limits. A run of the same commit on the same
cluster has said so already, and how long each step took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from neuroscale.results import RunFolder
from suite import commits

#: The machine is another one later: what runs beside is not the same.
_FRESH = timedelta(hours=12)


@dataclass(frozen=True)
class Control:
    """One that was green.

    Attributes:
        run: In which run, by its name.
        seconds: Step -> how long it took.
    """

    run: str
    seconds: Mapping[str, float]


def known(cluster: str) -> dict[str, Control]:
    """Scenario, by its name in a run -> what its latest try said, where that was green.

    Args:
        cluster: Nonce of the present one; empty: there is none, and only what ran without one counts.
    """
    found, now, commit = dict[str, Control](), datetime.now(UTC), commits.whole_commit()
    if not commit:
        return found
    for folder in RunFolder.all():
        try:
            run = folder.run
        except (ValidationError, OSError):  # what cannot be read is no control
            continue
        if run.commit != commit or run.cluster not in {"", cluster} or now - run.started_at > _FRESH:
            continue
        for result in run.results:
            found.pop(result.scenario, None)
            # Those of runs of before steps were on record say nothing of them.
            if result.verdict == "passed" and result.steps:
                found[result.scenario] = Control(run.name, result.steps)
    return found

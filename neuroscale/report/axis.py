"""Round numbers for an axis of seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from neuroscale.results import Sample
from neuroscale.slos import Slo


def ticks(limit: float, at_most: int = 8) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, from 0 to ``limit``, no more than ``at_most`` + 1 of them."""
    if limit <= 0:
        return [0.0]
    rough = limit / at_most
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [round(step * index, 10) for index in range(int(limit / step + 1e-9) + 1)]


def axis_limit(samples: Sequence[Sample], claim: Slo | None) -> float:
    """Where an axis ends, in seconds.

    It fits every recovery that was seen. A censored sample does not stretch it (its bar leaves the picture and says
    its number), and the SLO only if it is near enough to leave the phases visible.
    """
    recovered = [sample.seconds for sample in samples if not sample.censored]
    longest = max(recovered or [sample.seconds for sample in samples])
    limit = max(longest, 0.001) * 1.12
    return max(limit, claim.at_most * 1.05) if claim and claim.at_most <= 2 * limit else limit

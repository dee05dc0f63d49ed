"""The law by which a time grows with a number, and how sure of it one can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from neuroscale.polling import Verdict, duration, met, pending, unrecoverable

#: How many there were, and the seconds that they took.
Point = tuple[int, float]
#: Fewer make no law: two are always on a line.
_POINTS = 4


@dataclass(frozen=True)
class Growth:
    """A law ``seconds = c * count ** exponent``, fitted by least squares to the logarithms.

    Attributes:
        low: Of the exponent, the lower end of its 95 % confidence interval.
        high: The upper end.
    """

    exponent: float
    low: float
    high: float


def fit(points: Sequence[Point]) -> Growth:
    """The law that fits best."""
    # Half a second to import, and few scenarios need it.
    from scipy import stats  # noqa: PLC0415

    line = stats.linregress([log(count) for count, _ in points], [log(seconds) for _, seconds in points])
    around = float(stats.t.ppf(0.975, len(points) - 2)) * float(line.stderr)
    return Growth(float(line.slope), float(line.slope) - around, float(line.slope) + around)


def evaluate_growth(points: Sequence[Point], at_most: float) -> Verdict:
    """The upper end of the exponent's interval is no larger; what is too little to tell is no proof."""
    if len({count for count, _ in points}) < _POINTS:
        return unrecoverable(f"{len(points)} points are too few for a law")
    law = fit(points)
    seen = f"{law.exponent:.2f}, 95 % confidence {law.low:.2f} to {law.high:.2f}: " + ", ".join(
        f"{count} in {duration(seconds)}" for count, seconds in points
    )
    return met(seen) if law.high <= at_most else pending(seen)

"""The one quantile: nearest-rank, so that each figure in a report *is* a measured one and no mean of two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def quantile(ranked: Sequence[T], share: float) -> T | None:
    """The nearest-rank quantile.

    Args:
        ranked: What was measured, in ascending order.
        share: 0 is the minimum, 0.5 the median, 1 the maximum.

    Returns:
        One of ``ranked``; ``None`` when there is none.
    """
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else None

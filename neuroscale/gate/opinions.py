"""The delta against a second implementation of it, and deltas that are wrong on purpose against the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuroscale.errors import ConditionTimeout

_NEXT = "Next: make delta-pairs"


@dataclass(frozen=True)
class SecondOpinion:
    """A second implementation and what it is asked about. Whoever runs the suite brings it: the library has one delta.

    Attributes:
        differences: Of so many generated pairs of trees: how many were priced, and where the two differ first.
        wrong: Deltas with one mistake each -> whether the second implementation finds it.
    """

    differences: Callable[[int], tuple[int, str]]
    wrong: Mapping[str, Callable[[], bool]]


def are_the_same(opinion: SecondOpinion, pairs: int) -> None:
    """Both say the same figures of each pair.

    Raises:
        ConditionTimeout: They differ, or fewer pairs were tried.
    """
    tried, first = opinion.differences(pairs)
    if first or tried < pairs:
        raise ConditionTimeout(
            f"Two implementations should price {pairs} pairs of trees alike, but after {tried} pairs they differ in "
            f"{first or 'none, and no more were tried'}. {_NEXT}"
        )


def each_mistake_is_found(opinion: SecondOpinion, at_least: int) -> None:
    """The second implementation says something else than each delta that is wrong, of which there are enough.

    Raises:
        ConditionTimeout: It agrees with one, or there are fewer.
    """
    missed = [name for name, found in opinion.wrong.items() if not found()]
    if missed or len(opinion.wrong) < at_least:
        raise ConditionTimeout(
            f"At least {at_least} wrong deltas should be found, but of {len(opinion.wrong)} {len(missed)} were not: "
            f"{', '.join(missed[:3]) or 'there are too few'}. {_NEXT}"
        )

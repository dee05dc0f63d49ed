"""The known ways around guardrails of this kind, by their number in the reference platform's catalogue, section 5.2."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.guardrails.admission import assert_met, evaluate_all, for_admission
from neuroscale.guardrails.corpus import Specimen
from neuroscale.platform import Platform

#: In words -> number.
WAYS = {
    "a kind that no rule spoke of": 2,
    "a label that excused its bearer": 3,
    "a container that only prepares": 4,
    "a tag that moves, or is none": 5,
    "user 0 behind a promise not to be root": 6,
    "a model in a container of one's own": 7,
    "pods without the labels of their workload": 8,
    "a label that names nobody": 9,
}


@dataclass(frozen=True)
class Attempts:
    """The specimens that go one way."""

    way: str
    chosen: tuple[Specimen, ...]


def attempts(way: str) -> Attempts:
    """Those of the corpus."""
    return Attempts(way, tuple(one for one in for_admission() if one.bypass == WAYS[way]))


def assert_closed(attempts: Attempts, platform: Platform) -> None:
    """Each is refused by the policy and rule that its page names.

    Raises:
        ConditionTimeout: One is not, or there is none.
    """
    assert_met(f"{attempts.way} leads nowhere", evaluate_all(attempts.chosen, platform.cluster), platform)

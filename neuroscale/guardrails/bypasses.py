"""The known bypasses of guardrails of this kind, by their number in the reference platform's catalogue, section 5.2."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.guardrails.admission import assert_met, evaluate_all, for_admission
from neuroscale.guardrails.corpus import Specimen
from neuroscale.platform import Platform

#: In words -> number.
BYPASSES = {
    "a kind that no rule covered": 2,
    "a label that exempted its object": 3,
    "an init container": 4,
    "a floating or missing image tag": 5,
    "user 0 despite runAsNonRoot": 6,
    "a model in a custom container": 7,
    "pods without the labels of their workload": 8,
    "a label with an unregistered owner": 9,
}


@dataclass(frozen=True)
class Attempts:
    """The specimens that try one bypass."""

    bypass: str
    chosen: tuple[Specimen, ...]


def attempts(bypass: str) -> Attempts:
    """Those of the corpus."""
    return Attempts(bypass, tuple(one for one in for_admission() if one.bypass == BYPASSES[bypass]))


def assert_closed(attempts: Attempts, platform: Platform) -> None:
    """Each is rejected by the policy and rule that its page names.

    Raises:
        ConditionTimeout: One is not, or there is none.
    """
    assert_met(f"the bypass is closed: {attempts.bypass}", evaluate_all(attempts.chosen, platform.cluster), platform)

"""Admission beside the oracle, on workloads that nobody wrote. What they disagree about is shrunk and printed.

``pytest -m milestone_d``
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from workloads import flawed

from neuroscale.gate import api_rules
from neuroscale.gate.live_admission import expected_outcome
from neuroscale.guardrails.admission import submit
from neuroscale.guardrails.oracle import RESOURCES, evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform

pytestmark = [pytest.mark.milestone_d, pytest.mark.gitops, pytest.mark.guardrails]
_EXAMPLES = 310


@pytest.fixture(scope="module")
def counted(platform: Platform) -> Iterator[list[Object]]:
    """Every object that was submitted; in the end there must have been enough."""
    assert_steady_state("d", platform)
    seen: list[Object] = []
    yield seen
    assert len(seen) >= 300, f"only {len(seen)} objects were submitted"


@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=flawed())
def test_admission_and_the_oracle_agree(
    made: tuple[Object, set[str]], platform: Platform, counted: list[Object]
) -> None:
    """On whether an object is rejected, and on a policy that must reject it."""
    obj, broken = made
    # A bare pod is completed from the LimitRange, or rejected by it, before any policy is asked.
    assume(not (obj["kind"] == "Pod" and RESOURCES in broken))
    named = copy.deepcopy(obj)
    named["metadata"] |= {"name": "generated", "namespace": "default"}
    answer = submit(platform.cluster, named)
    counted.append(named)
    # Who has the last word of an image that nobody can read: the API server, or a policy. Knative's webhook, which
    # reads references as well, is not asked in dry runs (decision 0035).
    invalid = ["invalid"] * bool(api_rules.complaints(named))
    wanted = expected_outcome(invalid, broken)
    said = {denial.policy for denial in answer.denials}
    manifest = yaml.safe_dump(named)
    assert set(evaluate(named)) == broken, f"the oracle contradicts the generator:\n{manifest}"
    assert answer.outcome == wanted, f"{answer.said}\n{manifest}"
    assert wanted != "rejected otherwise" or answer.invalid, f"{answer.said}\n{manifest}"
    assert said <= broken, f"rejected by {said}, the oracle says {broken}:\n{manifest}"

"""What the checks of the reference are judged by exists: a probe of the steady state, or a scenario that is run."""

from __future__ import annotations

import re

import ground
import pytest
import specification
from apiserver import ApiServer
from fake_git_server import fake_platform

from neuroscale.cluster.client import Cluster
from neuroscale.milestones import MILESTONES, probes_of
from neuroscale.settings import GITOPS_FOLDERS, ROOT
from suite.catalogue import FEATURES
from suite.smoke import API_REACHABLE, CHECKS, arguments


def test_the_reference_has_twenty_two_checks() -> None:
    assert len(CHECKS) == 22
    assert len({check.name for check in CHECKS}) == 22
    for check in CHECKS:
        assert len(list(filter(None, [check.probe, check.scenario, check.program]))) == 1, check.name


def test_each_probe_is_one_of_the_milestones_steady_state(api: ApiServer, cluster: Cluster) -> None:
    ground.put_ground(api)
    ground.put_way_in(api)
    files = [path for folder in GITOPS_FOLDERS for path in (ROOT / folder).rglob("*.yaml")]
    tree = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    platform = fake_platform(cluster, tree)
    asked = {letter: [probe.description for probe in probes_of(letter, platform)] for letter in MILESTONES}
    asked[""] = [API_REACHABLE]
    probed = [check for check in CHECKS if check.probe]
    found = {
        check.name: sum(bool(re.search(check.probe, description)) for description in asked[check.milestone])
        for check in probed
    }
    assert {name: count for name, count in found.items() if count != 1} == {}


def test_each_scenario_is_a_smoke_test_of_the_milestone() -> None:
    runs = {
        f"{template.name} [{', '.join(values.values())}]" if values else template.name: tags
        for template in specification.templates(FEATURES)
        for values, tags in specification.rows(template)
    }
    for check in (check for check in CHECKS if check.scenario):
        (tags,) = (
            tags
            for name, tags in runs.items()
            if name == check.scenario or (check.scenario.endswith(", ") and name.startswith(check.scenario))
        )
        assert {"smoke", f"milestone_{check.milestone}"} <= tags, check.name
        assert ("drift" in tags) == (check.skipped_by == "--skip-drift"), check.name


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        ([], ["-m", "smoke and (milestone_a or milestone_d)"]),
        (["--skip-drift"], ["-m", "smoke and (milestone_a or milestone_d) and not drift"]),
        (
            ["--skip-policy-block"],
            ["-m", "smoke and (milestone_a or milestone_d)", "-k", "not a_rule_rejects_a_violation"],
        ),
    ],
)
def test_what_is_left_out_is_not_selected(options: list[str], selected: list[str]) -> None:
    assert arguments(["a", "d"], options) == selected

"""A component is declared once: one that nobody has heard of is picked up by everything that is derived."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from neuroscale.components import COMPONENTS, GROUND, PORTS, demands, selected
from neuroscale.settings import ROOT

#: All files of the commit that adds the component, but for what it may deploy in ``bootstrap/projects.yaml``.
MADE_UP = {
    "neuroscale/components/portal.py": """
from neuroscale.cluster.ports import Port
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes.workloads import AllAvailable
from neuroscale.supply.contract import Demand

PORTAL = Ref("Deployment", "portal", "portal")


def steady_state(platform):
    yield AllAvailable("the portal", (PORTAL,), area="portal")


COMPONENT = Component(
    name="portal",
    milestone="e",
    title="a portal that shows what runs",
    namespaces=("portal",),
    workloads=(PORTAL,),
    applications=("neuroscale-portal",),
    folders=("infrastructure/apps/portal.yaml", "infrastructure/portal"),
    demand=Demand(pulled=("portal",)),
    ports=(Port("portal", "portal", 7107, 30717),),
    steady_state=steady_state,
    stages=(Stage("portal", lambda *_: None, steady_state, after=("repository",)),),
    evidence=Evidence(kinds=(("apps/v1", "Deployment"),), logs=(PORTAL,)),
)
""",
    "infrastructure/apps/portal.yaml": """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: neuroscale-portal, namespace: argocd}
""",
    "infrastructure/portal/deployment.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: portal, namespace: portal}
""",
}
#: Run in the changed checkout: what is derived, as JSON.
ASKED = """
import json
from types import SimpleNamespace
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.bootstrap.stages import stages
from neuroscale.components import COMPONENTS, PLATFORM_NAMESPACES, PORTS, demands, endpoints, selected
from neuroscale.milestones import MILESTONES, parse_milestones, probes_of
from neuroscale.supply.registry import upstream_registries
from neuroscale.supply.source import targets
from neuroscale.errors import SupplyError
from suite.markers import markers, table

def files(milestones):
    with gitops_tree({}, milestones) as tree:
        return sorted(str(file.relative_to(tree)) for file in tree.rglob("*portal*"))

try:
    targets(demands("e"))
    refused = ""
except SupplyError as error:
    refused = str(error)
print(json.dumps({
    "milestones": MILESTONES,
    "named": parse_milestones("portal"),
    "steady state": [probe.description for probe in probes_of("e", SimpleNamespace())],
    "stages": [stage.name for stage in stages("ae")],
    "without": files("abd"),
    "with": files("abde"),
    "namespace": "portal" in PLATFORM_NAMESPACES,
    "endpoints": endpoints({"forge": 1, "portal": 2}),
    "ports": [port.name for port in PORTS],
    "source": refused,
    "evidence": [ref.name for one in selected("e") for ref in one.evidence.logs][-1],
    "markers": [name for name in markers() if name in ("milestone_e", "portal")],
    "table": "| `@milestone_e` | a portal that shows what runs |" in table(),
}))
"""


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of this checkout derives once the component is in it."""
    checkout = tmp_path_factory.mktemp("checkout")
    for folder in (
        "neuroscale",
        "suite",
        "features",
        "apps",
        "backstage/catalog",
        "backstage/templates",
        "bootstrap",
        "infrastructure",
    ):
        shutil.copytree(ROOT / folder, checkout / folder)
    for name, text in MADE_UP.items():
        file = checkout / name
        assert not file.exists(), "the commit edits nothing that is there"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", ASKED]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("milestones", ["a", "b", "c", "d", "e", "f"]),
        ("named", ["e"]),
        ("steady state", ["all 1 workloads of the portal have all containers ready"]),
        (
            "stages",
            ["cluster DNS", "Git server", "Argo CD", "Argo CD's kinds", "repository", "push hook", "GitOps", "portal"],
        ),
        ("without", []),
        ("with", ["infrastructure/apps/portal.yaml", "infrastructure/portal"]),
        ("namespace", True),
        ("endpoints", {"Git server": "http://127.0.0.1:1", "portal": "http://127.0.0.1:2"}),
        ("ports", ["forge", "argocd", "gateway", "backstage", "portal", "opencost"]),
        ("evidence", "portal"),
        ("markers", ["milestone_e", "portal"]),
        ("table", True),
    ],
)
def test_a_component_that_is_new_is_in_everything_that_is_derived(
    what: str, expected: object, derived: dict[str, Any]
) -> None:
    assert derived[what] == expected


def test_the_source_supply_does_not_offer_what_has_no_recipe(derived: dict[str, Any]) -> None:
    assert "portal has none: only a registry has it. Next: --supply registry" in derived["source"]


def test_every_other_component_stands_on_the_first() -> None:
    assert GROUND == "a"
    assert [one.name for one in selected("")] == ["gitops"]
    assert demands("") == demands("a")
    assert len({one.name for one in COMPONENTS}) == len(COMPONENTS)


def test_each_component_is_of_one_piece() -> None:
    for one in COMPONENTS:
        assert {ref.namespace for ref in one.workloads} == set(one.namespaces), one.name
    assert {port.name for port in PORTS} == {port.name for one in COMPONENTS for port in one.ports}

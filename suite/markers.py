"""The markers: what components, incidents and features declare, and the few that are words of this suite.

``python -m suite.markers`` writes the table in ``features/README.md``; a test fails when it is out of date.
"""

from __future__ import annotations

import re

from neuroscale.components import COMPONENTS
from neuroscale.incidents import EVERY_INCIDENT
from neuroscale.settings import ShapeName
from suite.catalogue import FEATURES

DOCUMENT = FEATURES / "README.md"
#: The tag of scenarios about a cluster of another shape, and that shape.
THREE_NODES = "three_nodes"
THREE_NODES_SHAPE: ShapeName = "three-nodes"
_TABLE = re.compile(r"^\| tag \|.*?(?=^[^|]|\Z)", flags=re.MULTILINE | re.DOTALL)
#: What is nobody's but the suite's.
_WORDS = {
    "milestone_e": "the price is said before the merge, and it is the right one",
    "smoke": "the shortest run that cannot go green on a broken platform",
    "drift": "somebody changes the cluster by hand",
    "commit": "somebody changes the repository",
    "prediction": "a model is asked",
    "version": "a model is replaced by another version of it",
    "outage": "a component is down; what still works",
    "scale": "hundreds of app folders",
    "sleeping": "models that have no pod until somebody asks: scale to zero from the beginning",
    "hundreds": "those of them with 300 models, for which half an hour is needed",
    "long": "looks back on 20 min, which it waits for",
    "certificate": "the certificate of the webhooks is lost",
    "incident": "a past or feared outage, replayed",
    "gate": "the CI gate with its real tools; needs no cluster",
    "render": "what the gate renders beside what the live Argo CD renders",
    "agreement": "what the gate and the oracle say beside what admission answers in a dry run",
    "production": "the production profile, rendered and judged; needs no cluster",
    "portal": "the portal, its database and the Git server as processes; needs no cluster",
    "browser": "a real browser of this machine is driven; needs Chromium",
    "death": "a part of that portal dies on the way of a form; needs no cluster",
    "cluster_death": "a pod of the portal, or the gate's Job, dies on the way of a form, on the cluster",
    "bootstrap": "a cluster of its own is bootstrapped: repeated, undone, killed on its way; needs no other cluster",
    "bootstrap_death": "those of them in which a bootstrap is killed",
    THREE_NODES: "a cluster with three nodes and networks of its own, such as NEUROSCALE_CLUSTER=neuroscale-three",
    "timed": "many samples beside a limit, for which nothing else may be at work on the machine",
    "safety": "the suite's own promises, on the real cluster",
}


def markers() -> dict[str, str]:
    """Name of each marker that ``pytest -m`` takes, besides pytest's own -> what it selects."""
    milestones = {f"milestone_{one.milestone}": one.title for one in COMPONENTS}
    components = {one.name: f"needs the components of {one.name}" for one in COMPONENTS}
    declared = {**milestones, **components}
    # A word gives way to a component that takes it over.
    return {**declared, **_WORDS, **declared, **_incidents()}


def _incidents() -> dict[str, str]:
    return {f"incident_{incident.number}": incident.title for incident in EVERY_INCIDENT.values()}


def table() -> str:
    """The tag table in Markdown."""
    rows = [f"| `@{name}` | {meaning} |" for name, meaning in markers().items()]
    return "\n".join(["| tag | what it selects |", "|---|---|", *rows, ""])


def main() -> None:
    """Write the table where it was."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(_TABLE.sub(lambda _: table(), text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main()

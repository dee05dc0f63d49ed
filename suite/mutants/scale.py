"""Mutants of many app folders."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectDeleted
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.git_server_api import BRANCH
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo
from neuroscale.settings import APPLICATION_SET, ARGOCD, ROOT_APPLICATION
from suite.mutants.mutant import Mutant

_DEPLOYED = "App folders are deployed in a time that grows no faster than their number"
_ADDED = (
    "app folders are added up to 4, 5, 6, 10, 30, 100, 300, 301, 302 and 303 in all, "
    "each time once those before are deployed"
)
#: As infrastructure/apps has it, but for ten folders of three hundred.
_NARROWED = {
    "repoURL": IN_CLUSTER_URL,
    "revision": BRANCH,
    "requeueAfterSeconds": 5,
    "directories": [
        {"path": "apps/*"},
        {"path": "apps/neuroscale-*", "exclude": True},
        {"path": "apps/many-002*", "exclude": True},
    ],
}

MILESTONE = "f"
MUTANTS = (
    Mutant(
        "generator-narrowed",
        "The ApplicationSet leaves out the folders 20 to 29",
        scenario=_DEPLOYED,
        before=_ADDED,
        faults=(
            disable_automated_sync(ROOT_APPLICATION)[0],
            FieldsEdited(
                target=Ref("ApplicationSet", APPLICATION_SET, ARGOCD),
                patch={"spec": {"generators": [{"git": _NARROWED}]}},
            ),
        ),
        red_step=_ADDED,
        reason=r"each of the 20 Applications .* is Synced and Healthy.*many-002\d: it does not exist",
    ),
    Mutant(
        "application-deleted",
        "The Application of a folder is deleted, and the ApplicationSet makes another one",
        scenario="Nothing is deleted when what Argo CD relies on does not answer",
        before="each Application is the one that it was before",
        faults=(ObjectDeleted(target=argo.application("many-0042")),),
        red_step="each Application is the one that it was before",
        reason=r"1 of \d+: many-0042 is (gone|another one)",
    ),
)

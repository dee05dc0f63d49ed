"""Mutants of milestone C."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed, FieldsEdited, ScaledTo
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo, backstage
from neuroscale.settings import ROOT
from suite.mutants.generator import without
from suite.mutants.mutant import Mutant

_SKELETON = "backstage/templates/model-endpoint/skeleton"
_SERVICE = f"{_SKELETON}/inference-service.yaml"
_TEMPLATE = (ROOT / _SERVICE).read_text(encoding="utf-8")
_PORTAL_SYNC_OFF = disable_automated_sync(backstage.APPLICATION)
_SERVED = "A model is asked for in the portal, merged, and served"
_CATALOGUED = "A merged model is in the catalog until it is removed"
_TAKEN = "A name that is taken is refused, and what was first stays as it is"
_ASKS = "a developer asks for a model in the portal"
_EXACT = "a pull request adds exactly the files of that model"
_MERGES = "the pull request is merged"
_ANSWERS = "the model answers correctly through the gateway within the SLO"
_IN_CATALOG = "the catalog of the portal has the model and its owner"
_SAYS_TAKEN = "the portal says that the name is taken, and by which pull request"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "portal-away",
        "The portal is scaled to 0: its Service is there, and nobody behind it",
        scenario=_SERVED,
        before=_ASKS,
        faults=(*_PORTAL_SYNC_OFF, ScaledTo(target=backstage.BACKSTAGE, replicas=0)),
        red_step=_ASKS,
        reason=r"The portal at \S+ should",
    ),
    Mutant(
        "portal-without-database",
        "PostgreSQL is scaled to 0: the portal runs, and can keep nothing",
        scenario=_SERVED,
        before=_ASKS,
        faults=(*_PORTAL_SYNC_OFF, ScaledTo(target=backstage.POSTGRESQL, replicas=0)),
        red_step=_ASKS,
        reason=r"The portal at \S+ should",
    ),
    Mutant(
        "second-file-in-the-pull-request",
        "The template brings a file that nobody asked for",
        scenario=_SERVED,
        before=_ASKS,
        faults=(Committed(message="Add a page to the skeleton", files={f"{_SKELETON}/README.md": "A model.\n"}),),
        red_step=_EXACT,
        reason=r"it changes apps/golden-\w+/README\.md as well",
    ),
    Mutant(
        "skeleton-without-cost-center",
        "The template leaves the model's cost center out",
        scenario=_SERVED,
        before=_ASKS,
        faults=(
            Committed(
                message="Take the cost center out of the skeleton",
                files={_SERVICE: _TEMPLATE.replace(", cost-center: ${{ values.costCenter }}", "")},
            ),
        ),
        red_step=_EXACT,
        reason=r"inference-service\.yaml holds .* and not .*cost-center",
    ),
    Mutant(
        "merged-folder-not-discovered",
        "The ApplicationSet passes the folder over",
        scenario=_SERVED,
        before=_MERGES,
        faults=without("apps/golden-*"),
        red_step=_ANSWERS,
        reason=r'Application "golden-\w+" is Synced to .*it does not exist',
    ),
    Mutant(
        "merge-never-compared",
        "Argo CD's controller is away when the pull request is merged",
        scenario=_SERVED,
        before=_MERGES,
        faults=(ScaledTo(target=argo.CONTROLLER, replicas=0),),
        red_step=_ANSWERS,
        reason=r'Application "golden-\w+" is Synced to ',
    ),
    Mutant(
        "catalog-without-models",
        "The catalog looks for models where there are none",
        scenario=_CATALOGUED,
        before="a model was asked for in the portal and merged",
        faults=(
            Committed(
                message="Look for models elsewhere",
                files={
                    "backstage/catalog/models.yaml": (ROOT / "backstage/catalog/models.yaml")
                    .read_text(encoding="utf-8")
                    .replace("../../apps/", "../../models/")
                },
            ),
        ),
        red_step=_IN_CATALOG,
        reason=r"it is not there",
        hold=70,
    ),
    Mutant(
        "portal-token-a-placeholder",
        "The portal's token is a placeholder: it is well, and can do nothing at the Git server",
        scenario=_TAKEN,
        before="another developer asks for a model of the same name",
        faults=(
            *_PORTAL_SYNC_OFF,
            FieldsEdited(
                target=Ref("Secret", "backstage", backstage.NAMESPACE), patch={"data": {"GITEA_TOKEN": "Y2hhbmdlLW1l"}}
            ),
            FieldsEdited(
                target=backstage.BACKSTAGE,
                patch={"spec": {"template": {"metadata": {"annotations": {"restarted": "with another token"}}}}},
            ),
        ),
        in_place=lambda _: backstage.workloads_ready(),
        red_step=_SAYS_TAKEN,
        reason=r"it failed without naming #\d+: .*401",
    ),
)

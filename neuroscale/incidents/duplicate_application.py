"""F1: somebody makes an Application by hand for a folder that the ApplicationSet has one for."""

from neuroscale.chaos.faults import Committed
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.incidents.incident import Incident
from neuroscale.probes.reference_app import TEST_APP
from neuroscale.probes.symptom_probes import SharedResource

_SECOND = f"{TEST_APP}-by-hand"
#: As the reference platform's template wrote one for each model, also after the ApplicationSet had come. Without a
#: finalizer, so that it takes nothing along when it goes.
MANIFEST = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {_SECOND}
  namespace: argocd
spec:
  project: neuroscale-models
  source:
    repoURL: {IN_CLUSTER_URL}
    targetRevision: main
    path: apps/{TEST_APP}
  destination:
    server: https://kubernetes.default.svc
    namespace: default
  syncPolicy:
    automated: {{prune: true, selfHeal: true}}
"""

INCIDENT = Incident(
    number="f1",
    slug="duplicate_application",
    title="A folder has a second Application, made by hand: each takes the objects away from the other",
    milestone="a",
    faults=(
        Committed(
            message="Add an Application for a folder that has one",
            files={f"infrastructure/apps/{_SECOND}.yaml": MANIFEST},
        ),
    ),
    sees="Argo CD warns of objects that belong to two Applications",
    symptom=(SharedResource((TEST_APP, _SECOND)),),
    shows_within=120,
    remedy="remove the file of the second Application, in Git; here: revert the commit",
    recovers_within=180,
    slo="git-pick-up",
)

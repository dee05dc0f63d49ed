"""D2: a label looks right, and is not the one that the policy asks for."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.model_store import SERVED, storage_uri
from neuroscale.probes import argo, guardrails
from neuroscale.probes.knative_resources import inference_service

#: A folder, its Application and its model bear the same name.
_NAME = "camel-case"
_MANIFEST = f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {_NAME}
  labels: {{owner: platform-team, costCenter: cc-platform}}
spec:
  predictor:
    minReplicas: 1
    model:
      modelFormat: {{name: sklearn}}
      storageUri: {storage_uri(SERVED)}
      resources:
        requests: {{cpu: 100m, memory: 128Mi}}
        limits: {{cpu: "1", memory: 512Mi}}
"""

INCIDENT = Incident(
    number="d2",
    slug="camel_case_label",
    title="A model's label is spelt costCenter: Git has it, and the cluster never gets it",
    # Only this steady state notices an Application that is left over.
    milestone="a",
    faults=(
        Committed(
            message=f"Add the model {_NAME}, and spell a label as the template's form does",
            files={f"apps/{_NAME}/inference-service.yaml": _MANIFEST},
        ),
    ),
    sees="the Application shows the denial and the model does not exist",
    symptom=(
        argo.shows_error(
            _NAME,
            ("SyncError", "OperationFailed", "SyncFailed"),
            guardrails.denial("require-standard-labels-inferenceservice", "check-owner-and-cost-center-on-isvc"),
        ),
        argo.Gone(inference_service(_NAME)),
    ),
    shows_within=90,
    remedy="revert the commit, or spell the label cost-center, in Git, and end the operation that is retried",
    recovers_within=180,
    slo="rejected-commit-recovery",
    # Its folder is gone then, and an Application is not deleted while its sync is retried.
    retrying=_NAME,
)

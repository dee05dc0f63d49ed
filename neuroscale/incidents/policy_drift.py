"""D5: the API server completes a policy, and to Argo CD what was completed is drift, for ever."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, guardrails
from neuroscale.probes.symptom_probes import SyncsAgain

_FOLDER = "infrastructure/kyverno"
_FILE = "policy-of-the-old-kind.yaml"
#: It speaks of an object that nobody makes. What is left out is what matters: ``skipBackgroundRequests`` and
#: ``allowExistingViolations``, which the CRD fills in. They lie inside a list, which Argo CD
#: compares as a whole; what is filled in elsewhere it passes over.
POLICY = """\
apiVersion: kyverno.io/v1
kind: Policy
metadata:
  name: policy-of-the-old-kind
  namespace: default
spec:
  background: false
  webhookConfiguration: {failurePolicy: Ignore}
  rules:
    - name: nobody-is-called-nobody
      match:
        any:
          - resources: {kinds: [ConfigMap], names: [nobody]}
      validate:
        failureAction: Audit
        message: nobody is called nobody
        deny: {}
"""

INCIDENT = Incident(
    number="d5",
    slug="policy_drift",
    title="A policy leaves its defaults out: the cluster fills them in, and Argo CD never agrees",
    milestone="d",
    faults=(
        Committed(
            message="Add a policy, and leave its defaults out",
            files={f"{_FOLDER}/{_FILE}": POLICY},
            lines={f"{_FOLDER}/kustomization.yaml": ("resources:", f"  - {_FILE}")},
        ),
    ),
    sees="Argo CD syncs the guardrails again and again",
    symptom=(
        SyncsAgain(guardrails.APPLICATION, 3),
        argo.ApplicationProbe(guardrails.APPLICATION, "is OutOfSync", argo.evaluate_out_of_sync),
    ),
    shows_within=120,
    remedy="write the defaults out, in Git; here: revert the commit",
    recovers_within=120,
    slo="guardrail-recovery",
)

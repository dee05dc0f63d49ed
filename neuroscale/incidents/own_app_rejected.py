"""F5: the platform's own test application breaks the platform's own rule."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, guardrails
from neuroscale.probes.reference_app import MANIFEST, NGINX, TEST_APP
from neuroscale.probes.workloads import Available

#: As the reference platform had it: the official image, which begins as root to take port 80.
OLD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-test
  labels: {app: nginx-test, owner: platform-team, cost-center: cc-platform}
spec:
  replicas: 1
  selector:
    matchLabels: {app: nginx-test}
  template:
    metadata:
      labels: {app: nginx-test, owner: platform-team, cost-center: cc-platform}
    spec:
      containers:
        - name: nginx
          image: docker.io/library/nginx:1.27.5
          ports: [{name: http, containerPort: 80}]
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {cpu: 250m, memory: 256Mi}
"""

INCIDENT = Incident(
    number="f5",
    slug="own_app_rejected",
    title="The platform's own test application runs as root, and the platform rejects it",
    milestone="d",
    faults=(Committed(message="Let the test application use the official image", files={MANIFEST: OLD}),),
    sees="the sync is rejected by a policy and the old version keeps running",
    symptom=(
        argo.shows_error(
            TEST_APP,
            ("SyncError", "OperationFailed", "SyncFailed"),
            guardrails.denial("disallow-root-containers", "check-runAsNonRoot-on-deployment"),
        ),
        # What ran goes on: an update that is rejected changes nothing.
        Available(NGINX),
    ),
    shows_within=90,
    remedy="use the unprivileged image, which listens on port 8080, in Git; here: revert the commit",
    recovers_within=180,
    slo="rejected-commit-recovery",
)

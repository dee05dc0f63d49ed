"""F13: a CronJob's image is gone from its registry, and every ten minutes another pod waits for it."""

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes.workloads import ImageNotPulled
from neuroscale.settings import ARGOCD

CLEANUP = Ref("CronJob", "cleanup-admission-reports", ARGOCD, "batch/v1")

_POD = {
    "restartPolicy": "Never",
    # A registry that there cannot be.
    "containers": [{"name": "cleanup", "image": "registry.invalid/kubectl:1.28.5", "command": ["kubectl", "version"]}],
}

INCIDENT = Incident(
    number="f13",
    slug="job_image_not_pulled",
    title="A CronJob's image is gone from its registry: its pods wait for it, and no Application says so",
    milestone="a",
    faults=(
        ObjectCreated(
            manifest={
                "apiVersion": CLEANUP.api_version,
                "kind": CLEANUP.kind,
                "metadata": {"name": CLEANUP.name, "namespace": CLEANUP.namespace},
                "spec": {
                    "schedule": "* * * * *",
                    "concurrencyPolicy": "Forbid",
                    "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": _POD}}},
                },
            }
        ),
    ),
    sees="a pod of the CronJob waits for an image that cannot be pulled",
    symptom=(ImageNotPulled(ARGOCD, CLEANUP.name),),
    shows_within=120,
    remedy="give the CronJob an image that there is, or remove it; here: remove it",
    recovers_within=120,
    slo="guardrail-recovery",
)

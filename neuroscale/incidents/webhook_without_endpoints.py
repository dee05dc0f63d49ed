"""B3: a sidecar that cannot be pulled keeps KServe's controller unready, and with it the webhook it serves."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ContainerAdded, FieldsEdited
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from neuroscale.probes.symptom_probes import ImageMissing, NoEndpoint, WouldBeRejected

_SIDECAR = "kube-rbac-proxy"

INCIDENT = Incident(
    number="b3",
    slug="webhook_without_endpoints",
    title="A sidecar's image is gone: KServe's webhook has no endpoints, and no model can be changed",
    milestone="b",
    faults=(
        *disable_automated_sync(serving.APPLICATION),
        FieldsEdited(
            target=serving.KSERVE_CONTROLLER, patch={"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
        ),
        ContainerAdded(
            target=serving.KSERVE_CONTROLLER,
            container={"name": _SIDECAR, "image": "gcr.io/kubebuilder/kube-rbac-proxy:v0.13.1"},
        ),
    ),
    sees="KServe's webhook has no endpoint and every change to a model is rejected",
    symptom=(
        ImageMissing(serving.KSERVE_CONTROLLER, _SIDECAR),
        NoEndpoint(Ref("Service", "kserve-webhook-server-service", "kserve")),
        WouldBeRejected(MANIFEST, "failed calling webhook"),
    ),
    shows_within=90,
    remedy="take the sidecar out of the Deployment, in Git",
    recovers_within=120,
    slo="webhook-endpoint-recovery",
)

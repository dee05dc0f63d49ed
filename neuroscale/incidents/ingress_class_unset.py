"""B9: Knative was never told which ingress to use, so what it makes is nobody's business."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST, NEW_MODEL
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from neuroscale.probes.knative_resources import knative_service
from neuroscale.probes.symptom_probes import Shows

INCIDENT = Incident(
    number="b9",
    slug="ingress_class_unset",
    title="Knative was never told of Kourier: routes wait for an ingress that nobody makes",
    milestone="b",
    faults=(
        *disable_automated_sync(serving.APPLICATION),
        FieldsEdited(
            target=Ref("ConfigMap", "config-network", "knative-serving"), patch={"data": {"ingress-class": None}}
        ),
        ObjectCreated(manifest=MANIFEST),
    ),
    sees="a new model waits for an ingress and is not Ready",
    symptom=(
        Shows(knative_service(NEW_MODEL.name), "RoutesReady", ("Unknown",), "IngressNotConfigured"),
        Shows(NEW_MODEL, "Ready", ("Unknown", "False")),
    ),
    shows_within=60,
    remedy="set ingress-class in the ConfigMap config-network, in Git",
    recovers_within=120,
    slo="serving-recovery",
)

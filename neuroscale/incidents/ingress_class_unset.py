"""B9: Knative was never told which ingress to use, so what it makes is nobody's business."""

from neuroscale.chaos.fault import FieldsEdited, ObjectCreated
from neuroscale.cluster.refs import Ref
from neuroscale.incidents.model import Incident
from neuroscale.incidents.new_model import MANIFEST, NEW_MODEL
from neuroscale.probes import serving
from neuroscale.probes.generated import knative_service
from neuroscale.probes.symptoms import Shows
from neuroscale.serving.handsoff import hands_off

INCIDENT = Incident(
    number="b9",
    slug="ingress_class_unset",
    title="Knative was never told of Kourier: routes wait for an ingress that nobody makes",
    milestone="b",
    faults=(
        *hands_off(serving.APPLICATION),
        FieldsEdited(
            target=Ref("ConfigMap", "config-network", "knative-serving"), patch={"data": {"ingress-class": None}}
        ),
        ObjectCreated(manifest=MANIFEST),
    ),
    symptom=(
        Shows(knative_service(NEW_MODEL.name), "RoutesReady", ("Unknown",), "IngressNotConfigured"),
        Shows(NEW_MODEL, "Ready", ("Unknown", "False")),
    ),
    shows_within=60,
    remedy="set ingress-class in the ConfigMap config-network, in Git",
    recovers_within=120,
    claim="serving-recovery",
)

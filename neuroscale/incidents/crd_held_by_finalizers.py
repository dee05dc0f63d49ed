"""D3, held: the CRD is deleted while KServe's controller is down, and the models' finalizers keep both there."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ObjectDeleted, ScaledTo
from neuroscale.incidents.incident import Incident
from neuroscale.probes import serving
from neuroscale.probes.symptom_probes import Shows

INCIDENT = Incident(
    number="d3b",
    slug="crd_held_by_finalizers",
    title="The CRD is deleted while KServe's controller is down: it waits, and the models serve on",
    milestone="b",
    faults=(
        *disable_automated_sync(serving.APPLICATION),
        ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=0),
        ObjectDeleted(target=serving.CRD, held=True),
    ),
    sees="the CRD stays Terminating",
    symptom=(Shows(serving.CRD, "Terminating", ("True",)),),
    shows_within=60,
    remedy="start KServe's controller: it lets go, the CRD goes, and Argo CD restores both",
    recovers_within=240,
    slo="crd-recovery",
)

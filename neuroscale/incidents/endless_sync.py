"""B5: a controller and Argo CD write the same field, each its own value, for ever."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ApplicationEdited
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, serving
from neuroscale.probes.symptom_probes import SyncsAgain

INCIDENT = Incident(
    number="b5",
    slug="endless_sync",
    title="Nothing is ignored: Argo CD and Knative's webhook rewrite one another's rules without end",
    milestone="b",
    faults=(
        disable_automated_sync(serving.APPLICATION)[0],
        ApplicationEdited(target=argo.application(serving.APPLICATION), patch={"spec": {"ignoreDifferences": None}}),
    ),
    sees="Argo CD syncs the serving stack again and again",
    symptom=(SyncsAgain(serving.APPLICATION, 3),),
    shows_within=90,
    remedy="put the ignoreDifferences of the two webhook configurations back, in Git",
    recovers_within=120,
    slo="serving-recovery",
)

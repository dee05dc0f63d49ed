"""B5: a controller and Argo CD write the same field, each its own value, for ever."""

from neuroscale.chaos.fault import ApplicationEdited
from neuroscale.incidents.model import Incident
from neuroscale.probes import argo, serving
from neuroscale.probes.symptoms import SyncsAgain
from neuroscale.serving.handsoff import hands_off

INCIDENT = Incident(
    number="b5",
    slug="endless_sync",
    title="Nothing is ignored: Argo CD and Knative's webhook rewrite one another's rules without end",
    milestone="b",
    faults=(
        hands_off(serving.APPLICATION)[0],
        ApplicationEdited(target=argo.application(serving.APPLICATION), patch={"spec": {"ignoreDifferences": None}}),
    ),
    symptom=(SyncsAgain(serving.APPLICATION, 3),),
    shows_within=90,
    remedy="put the ignoreDifferences of the two webhook configurations back, in Git",
    recovers_within=120,
    claim="serving-recovery",
)

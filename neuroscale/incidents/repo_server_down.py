"""A1: nothing can be compared, so nothing is corrected, and what Argo CD last knew is not what is."""

from neuroscale.chaos.faults import ScaledTo
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo
from neuroscale.probes.reference_app import CHILD, TEST_APP
from neuroscale.settings import ROOT_APPLICATION

INCIDENT = Incident(
    number="a1",
    slug="repo_server_down",
    title="The repo-server is down: every Application is Unknown",
    milestone="a",
    faults=(ScaledTo(target=argo.REPO_SERVER, replicas=0),),
    sees="every Application is Unknown and cannot be compared",
    symptom=tuple(argo.uncomparable(name) for name in (ROOT_APPLICATION, CHILD, TEST_APP)),
    shows_within=90,
    remedy="scale the repo-server up again",
    recovers_within=180,
    slo="repo-server-recovery",
)

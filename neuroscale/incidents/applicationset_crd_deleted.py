"""F8: the ApplicationSet CRD is missing, and with it each Application that an ApplicationSet has made."""

from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.incidents.incident import Incident
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo
from neuroscale.probes.reference_app import NGINX, TEST_APP
from neuroscale.settings import ROOT_APPLICATION

CRD = Ref("CustomResourceDefinition", "applicationsets.argoproj.io")

INCIDENT = Incident(
    number="f8",
    slug="applicationset_crd_deleted",
    title="The ApplicationSet CRD is gone, and with it each app folder's Application and what it deployed",
    milestone="a",
    # The bootstrap brings it, and Argo CD does not look after itself.
    faults=(ObjectDeleted(target=CRD, by_hand=True),),
    sees="the CRD is gone, the test application with it, and the root Application cannot sync",
    symptom=(
        argo.Gone(CRD),
        argo.Gone(argo.application(TEST_APP)),
        argo.Gone(NGINX),
        argo.shows_error(
            ROOT_APPLICATION, ("ComparisonError", "SyncError", "OperationFailed", "SyncFailed"), "ApplicationSet"
        ),
    ),
    shows_within=120,
    remedy="run the bootstrap again: it restores the CRD, and Argo CD all that followed it",
    recovers_within=240,
    slo="crd-recovery",
)

"""B4: the models' URLs lie in a domain that belongs to somebody else."""

from neuroscale.chaos.fault import FieldsEdited
from neuroscale.cluster.refs import Ref
from neuroscale.incidents.model import Incident
from neuroscale.probes import serving
from neuroscale.probes.symptoms import LeadsTo, NotFound
from neuroscale.serving.handsoff import hands_off
from neuroscale.serving.versions import MODEL

INCIDENT = Incident(
    number="b4",
    slug="domain_of_somebody_else",
    title="The domain is example.com: whoever follows a model's URL leaves the cluster",
    milestone="b",
    faults=(
        *hands_off(serving.APPLICATION),
        FieldsEdited(
            target=Ref("ConfigMap", "config-domain", "knative-serving"),
            patch={"data": {serving.DOMAIN: None, "example.com": ""}},
        ),
    ),
    symptom=(
        LeadsTo(MODEL, "example.com"),
        NotFound(MODEL, f"{MODEL}-predictor.default.{serving.DOMAIN}"),
    ),
    shows_within=60,
    remedy="name a domain of our own in the ConfigMap config-domain, in Git",
    recovers_within=120,
    claim="serving-recovery",
)

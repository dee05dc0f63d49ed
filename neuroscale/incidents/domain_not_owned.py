"""B4: the models' URLs lie in a domain that belongs to somebody else."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited
from neuroscale.incidents.incident import Incident
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from neuroscale.probes.symptom_probes import LeadsTo, NotFound
from neuroscale.serving.model_rollouts import MODEL

INCIDENT = Incident(
    number="b4",
    slug="domain_not_owned",
    title="The domain is example.com: whoever follows a model's URL leaves the cluster",
    milestone="b",
    faults=(
        *disable_automated_sync(serving.APPLICATION),
        FieldsEdited(
            target=Ref("ConfigMap", "config-domain", "knative-serving"),
            patch={"data": {serving.DOMAIN: None, "example.com": ""}},
        ),
    ),
    sees="the models' URLs lie in another domain and the old ones are not found",
    symptom=(
        LeadsTo(MODEL, "example.com"),
        NotFound(MODEL, f"{MODEL}-predictor.default.{serving.DOMAIN}"),
    ),
    shows_within=60,
    remedy="name a domain of our own in the ConfigMap config-domain, in Git",
    recovers_within=120,
    slo="serving-recovery",
)

"""F7: five models fit, the sixth is rejected."""

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST
from neuroscale.probes.knative_resources import inference_service
from neuroscale.probes.symptom_probes import Shows, WouldBeRejected

#: Beside the two that Git describes.
_MORE = ("third-model", "fourth-model", "fifth-model")

INCIDENT = Incident(
    number="f7",
    slug="model_over_quota",
    title="The namespace is full of models: the sixth is rejected",
    milestone="b",
    # Stopped: nothing is made from them, so that no pod is counted, neither now nor on its way out.
    faults=tuple(
        ObjectCreated(
            manifest={
                **MANIFEST,
                "metadata": {
                    **MANIFEST["metadata"],
                    "name": name,
                    "annotations": {"serving.kserve.io/stop": "true"},
                },
            }
        )
        for name in _MORE
    ),
    sees="the next model is rejected for exceeding the quota",
    symptom=(
        # The fifth is not only taken, KServe has looked at it.
        Shows(inference_service(_MORE[-1]), "Stopped", ("True",)),
        WouldBeRejected(
            MANIFEST,
            "exceeded quota: default-namespace-quota, requested: count/inferenceservices.serving.kserve.io=1",
        ),
    ),
    shows_within=60,
    remedy="remove a model that nobody asks, or raise the quota, in Git",
    recovers_within=120,
    slo="guardrail-recovery",
)

"""Mutants of what serving relies on: its load balancer, its certificates, and that nobody else answers for it."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.model_store import SERVED, storage_uri
from neuroscale.probes import serving
from neuroscale.settings import APPS_NAMESPACE
from suite.mutants.mutant import Mutant
from suite.mutants.strangers import EVERY_OTHER, ROUTED, SOME_WRONG, stranger
from suite.mutants.webhooks import webhook_about_to_expire

_AUTOMATED_SYNC_OFF = disable_automated_sync(serving.APPLICATION)
_EACH = (
    *_AUTOMATED_SYNC_OFF,
    stranger("stranger"),
    FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"selector": {"app": "stranger"}}}),
)
_FORGOTTEN = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {
        "name": "forgotten",
        "namespace": APPS_NAMESPACE,
        "labels": {"owner": "ml-platform", "cost-center": "cc-ml"},
    },
    "spec": {
        "predictor": {
            "minReplicas": 0,
            "model": {
                "modelFormat": {"name": "sklearn"},
                "storageUri": storage_uri(SERVED),
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"cpu": "100m", "memory": "128Mi"},
                },
            },
        }
    },
}
_WELL = "Serving is well, and so is everything that it relies on"
_HOLDS = "it holds in every respect"

MILESTONE = "b"
MUTANTS = (
    Mutant(
        "gateway-without-load-balancer",
        "The gateway's Service is no longer of type LoadBalancer: k3s takes its load balancer away",
        scenario=_WELL,
        before=_HOLDS,
        faults=(*_AUTOMATED_SYNC_OFF, FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"type": "ClusterIP"}})),
        red_step=_HOLDS,
        reason=r"it has no address, and is of type ClusterIP",
        hold=5,
    ),
    Mutant(
        "webhook-certificate-about-to-expire",
        "A webhook's certificate is valid for one more day, and nobody has renewed it",
        scenario=_WELL,
        before=_HOLDS,
        faults=webhook_about_to_expire("kserve", "kserve-webhook-server-service"),
        red_step=_HOLDS,
        reason=r"about-to-expire\.experiment\S+ its certificate expires in (1\d|2[0-4])\.\d h",
    ),
    Mutant(
        "model-without-a-folder",
        "A model runs on that Git no longer has",
        scenario=_WELL,
        before=_HOLDS,
        faults=(ObjectCreated(manifest=_FORGOTTEN),),
        red_step=_HOLDS,
        reason=r"not described by Git: forgotten",
    ),
    # --- a stranger answers
    Mutant(
        "stranger-behind-the-gateway",
        "A stranger is behind the gateway's Service: all looks well, and every other request fails",
        scenario=_WELL,
        before=_HOLDS,
        faults=EVERY_OTHER,
        red_step=_HOLDS,
        reason=r"1 of 2 endpoints are not the gateway's: stranger",
        hold=ROUTED,
    ),
    Mutant(
        "stranger-answers-every-other-request",
        "Every other request is answered by a stranger behind the gateway's Service",
        scenario="The gateway routes requests to the model",
        example="the reference rows",
        before="a prediction for the reference rows is requested 20 times by protocol v1",
        faults=EVERY_OTHER,
        red_step="each of the 20 predictions is 1, 1",
        reason=SOME_WRONG,
        hold=ROUTED,
    ),
    Mutant(
        "stranger-among-the-models",
        "Every other request to any model is answered by a stranger",
        scenario="Every model that Git describes is served",
        before="each predicts what it was trained to predict, 20 times in a row",
        faults=EVERY_OTHER,
        red_step="each predicts what it was trained to predict, 20 times in a row",
        reason=SOME_WRONG,
        hold=ROUTED,
    ),
    Mutant(
        "stranger-rejects-bad-input",
        "A stranger answers in the gateway's place: its 404 page is no rejection",
        scenario="Invalid input is rejected with a reason",
        example="no rows",
        before="the model is sent no rows 20 times",
        faults=_EACH,
        red_step="the model server rejects all 20 and says what is wrong with no rows",
        reason=r"not rejected by KServe's model server, but by nginx",
        hold=ROUTED,
    ),
    Mutant(
        "stranger-says-not-found",
        "A stranger answers in the gateway's place: its 404 page is not the gateway's",
        scenario="An unknown host is not found",
        before="an unknown host is requested from the gateway 20 times",
        faults=_EACH,
        red_step="the gateway itself answers all 20 that there is no such host",
        reason=r"not the gateway's own 404, but that of nginx",
        hold=ROUTED,
    ),
)

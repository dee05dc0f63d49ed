"""Mutants of milestone B."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectDeleted, ScaledTo
from neuroscale.incidents.istio_virtual_host_enabled import ISTIO
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.kubernetes.refs import Ref
from neuroscale.model_store import ABSENT, storage_uri
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import inference_service, knative_service
from neuroscale.serving.crd_deletion import MARK
from neuroscale.serving.model_rollouts import MODEL
from suite.mutants.models import WRONG_VALUES, drained, taken_over
from suite.mutants.mutant import Mutant
from suite.mutants.sync_windows import SYNC_FORBIDDEN

_NO_ARGO = ScaledTo(target=argo.CONTROLLER, replicas=0)
_NO_KSERVE = ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=0)
_AUTOMATED_SYNC_OFF = disable_automated_sync(serving.APPLICATION)
_OTHER_MODEL = "sklearn-iris"
_RUNTIME = Ref("ClusterServingRuntime", "kserve-sklearn-server", None, "serving.kserve.io/v1alpha1")
_NOWHERE = (*_AUTOMATED_SYNC_OFF, FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"selector": {"app": "nobody"}}}))
#: Opens the port at once, and becomes the model server eight seconds later.
_LIAR = {
    "name": "kserve-container",
    "image": "docker.io/kserve/sklearnserver:v0.20.0",
    "command": ["/usr/bin/python3.11", "-c"],
    "args": [
        (
            "import os, sys, threading; from http.server import BaseHTTPRequestHandler, HTTPServer; "
            "server = HTTPServer(('', 8080), BaseHTTPRequestHandler); threading.Timer(8, server.shutdown).start(); "
            "server.serve_forever(); server.server_close(); "
            "os.execv(sys.executable, [sys.executable, '/usr/local/bin/sklearnserver', *sys.argv[1:]])"
        ),
        "--model_name={{.Name}}",
        "--model_dir=/mnt/models",
        "--http_port=8080",
    ],
    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    "securityContext": {"runAsNonRoot": True},  # else its pods would not be admitted
}
_UNANSWERED = r"no prediction|no client error|no answer|failed"

_COMPLETE = "Every component of the serving stack is ready"
_SERVED = "Every model that Git describes is served"
_COMPARED = "the models that Git describes"
_READY, _WHOLE = (
    "each is Ready, with every condition met",
    ("the Knative resources of each are owned, ready and at the latest revision"),
)
_LEADS = "The gateway routes requests to the model"
_NEW = "A new model answers as soon as it is Ready"
_CREATES = "an operator creates a model by hand"
_ANSWERS_IN_TIME = "it is Ready and answers within the SLO"
_SLEEPING = "A model that is scaled to zero answers its first requests"
_GOOD, _BAD = "A good version takes over", "A bad version never receives traffic"
_REVERTS = "the model serves the good version within the pick-up SLO"
_LOST = "Every model is restored after the CRD is deleted"
_LEFT_OUT = "the InferenceService CRD, {} Argo CD's tracking ID, is removed from what Git describes"
_KEPT = "The CRD is kept when it is removed from Git"

MILESTONE = "b"
MUTANTS = (
    # --- what Git describes is served
    Mutant(
        "serving-workload-scaled-away",
        "The activator is scaled to 0: no pod is there to be not ready",
        scenario=_COMPLETE,
        before="the workloads of the serving stack",
        faults=(*_AUTOMATED_SYNC_OFF, ScaledTo(target=serving.ACTIVATOR, replicas=0)),
        red_step="each of them has all its containers ready",
        reason=r"knative-serving/activator.*scaled to 0",
    ),
    Mutant(
        "one-model-missing",
        "One of two models is gone, the other one is Ready",
        scenario=_SERVED,
        before=_COMPARED,
        faults=(_NO_ARGO, ObjectDeleted(target=inference_service(_OTHER_MODEL))),
        red_step=_READY,
        reason=rf"1 of 2 are not: {_OTHER_MODEL}: it does not exist",
    ),
    Mutant(
        "runtime-never-ready",
        "The runtime's image cannot be had: the old pods run on, the new ones never will",
        scenario=_SERVED,
        before=_COMPARED,
        faults=(
            _NO_ARGO,
            FieldsEdited(
                target=_RUNTIME,
                patch={
                    "spec": {
                        "containers": [{"name": "kserve-container", "image": "docker.io/kserve/no-such-server:v0.0.0"}]
                    }
                },
            ),
        ),
        red_step=_READY,
        reason=r"Ready=(Unknown|False)",
        hold=10,
    ),
    Mutant(
        "domain-not-owned",
        "The models' domain is example.com: their URLs lead out of the cluster",
        scenario=_SERVED,
        before=_COMPARED,
        faults=(
            *_AUTOMATED_SYNC_OFF,
            FieldsEdited(
                target=Ref("ConfigMap", "config-domain", "knative-serving"),
                patch={"data": {serving.DOMAIN: None, "example.com": ""}},
            ),
        ),
        red_step=_READY,
        reason=r"example\.com.*leads out of the cluster",
        hold=15,
    ),
    Mutant(
        "newest-revision-not-ready",
        "A newer revision that never gets ready: KServe is dead and still says Ready, the old revision serves",
        scenario=_SERVED,
        before=_COMPARED,
        faults=(
            _NO_ARGO,
            _NO_KSERVE,
            FieldsEdited(
                target=knative_service(MODEL),
                patch={
                    "spec": {
                        "template": {
                            "metadata": {
                                "annotations": {
                                    "internal.serving.kserve.io/storage-initializer-sourceuri": storage_uri(ABSENT)
                                }
                            }
                        }
                    }
                },
            ),
        ),
        red_step=_WHOLE,
        reason=rf"{MODEL}.*(latest created|asked for is|not Ready)",
        hold=10,
    ),
    Mutant(
        "ingress-class-wrong",
        "Knative is told of another ingress class: no controller handles new ingresses",
        scenario=_SERVED,
        before=_COMPARED,
        faults=(
            *_AUTOMATED_SYNC_OFF,
            FieldsEdited(
                target=Ref("ConfigMap", "config-network", "knative-serving"),
                patch={"data": {"ingress-class": "istio.ingress.networking.knative.dev"}},
            ),
        ),
        red_step=_WHOLE,
        reason=r"the ingress is for class istio",
        hold=15,
    ),
    # --- predictions
    Mutant(
        "wrong-values",
        "The model calls every species by another one's name",
        scenario=_LEADS,
        example="the reference rows",
        before="a prediction for the reference rows is requested 20 times by protocol v1",
        faults=WRONG_VALUES,
        red_step="each of the 20 predictions is 1, 1",
        reason=r"\[2, 2\] instead of \[1, 1\]",
        in_place=taken_over,
    ),
    Mutant(
        "gateway-selects-nothing",
        "The gateway's Service selects no pod",
        scenario="The gateway routes the open inference protocol as well",
        example="the other pair",
        before="a prediction for the other pair is requested 20 times by protocol v2",
        faults=_NOWHERE,
        red_step="each of the 20 predictions is 0, 2",
        reason=_UNANSWERED,
        hold=5,
    ),
    Mutant(
        "wrong-values-in-a-batch",
        "The model calls every species by another one's name",
        scenario="A batch is answered row by row",
        example="v2",
        before="a prediction for every flower is requested 20 times by protocol v2",
        faults=WRONG_VALUES,
        red_step="all 20 predictions for every flower are those of the trained model",
        reason=r"\[1, .*150 in all\] instead of \[0, ",
        in_place=taken_over,
    ),
    Mutant(
        "no-answer-is-no-404",
        "No answer at all is no 404",
        scenario="An unknown host is not found",
        before="an unknown host is requested from the gateway 20 times",
        faults=_NOWHERE,
        red_step="the gateway itself answers all 20 that there is no such host",
        reason=r"not 404, but no answer",
        hold=5,
    ),
    Mutant(
        "no-answer-is-no-rejection",
        "No answer at all is no rejection",
        scenario="Invalid input is rejected with a reason",
        example="rows of three numbers",
        before="the model is sent rows of three numbers 20 times",
        faults=_NOWHERE,
        red_step="the model server rejects all 20 and says what is wrong with rows of three numbers",
        reason=r"no client error, but no answer",
        hold=5,
    ),
    Mutant(
        "webhook-without-endpoints",
        "KServe's controller is down, and with it the webhook that every new model must pass",
        scenario=_NEW,
        before=_CREATES,
        faults=(*_AUTOMATED_SYNC_OFF, _NO_KSERVE),
        red_step=_CREATES,
        reason=r"failed calling webhook.*(no endpoints available|connection refused)",
    ),
    Mutant(
        "istio-virtual-host-enabled",
        "KServe counts on Istio's virtual hosts: the model is Ready at a URL that Kourier does not know",
        scenario=_NEW,
        before=_CREATES,
        faults=(*_AUTOMATED_SYNC_OFF, ISTIO),
        red_step=_ANSWERS_IN_TIME,
        reason=r"not yet: first right answer.*404",
    ),
    Mutant(
        "ready-before-model-loaded",
        "The pod is ready before the model is loaded: requests are answered 501",
        scenario=_NEW,
        before=_CREATES,
        faults=(_NO_ARGO, FieldsEdited(target=_RUNTIME, patch={"spec": {"containers": [_LIAR]}})),
        red_step="it was not Ready before it could answer",
        reason=r"after Ready \d+ failed, first: 501",
        # The pods of an earlier mutant's model must be gone. While they drain, the quota has no room for Knative's dry
        # run, KServe cannot finish, and calls the model Ready late, when the lie is over.
        in_place=drained,
    ),
    Mutant(
        "scale-from-zero-without-activator",
        "The activator is down when a sleeping model is asked",
        scenario=_SLEEPING,
        before="5 requests arrive at once",
        faults=(*_AUTOMATED_SYNC_OFF, ScaledTo(target=serving.ACTIVATOR, replicas=0)),
        red_step="each of them is answered",
        reason=r"5 of 5 were not",
        in_place=drained,
    ),
    Mutant(
        "wrong-values-one-by-one",
        "The model answers fast, and wrongly",
        scenario="An idle model answers within milliseconds",
        before="200 requests are sent to the model one after the other",
        faults=WRONG_VALUES,
        red_step="the median latency is at most 10 ms and the 99th percentile at most 50 ms",
        reason=r"200 of 200 answers are wrong",
        in_place=taken_over,
    ),
    Mutant(
        "wrong-values-under-load",
        "The model answers a load, and wrongly",
        scenario="The gateway adds little overhead",
        before="the same load is sent through the gateway and directly to the pod",
        faults=WRONG_VALUES,
        red_step="every prediction is correct",
        reason=r"only 0 answers|\d+ through the gateway",
        in_place=taken_over,
    ),
    # --- versions
    Mutant(
        "new-version-not-noticed",
        "The repo-server is down: the commit of a new version is not noticed",
        scenario=_GOOD,
        before="a commit gives the model version 2.0.0",
        faults=(ScaledTo(target=argo.REPO_SERVER, replicas=0),),
        red_step="the model serves it within the pick-up SLO",
        reason=r"compared with commit",
    ),
    Mutant(
        "requests-fail-during-rollout",
        "The gateway's Service selects nothing for a moment after the change",
        scenario=_GOOD,
        before="no request failed, whichever version answered it",
        faults=_NOWHERE,
        red_step="no request failed, whichever version answered it",
        reason=r"\d+ of \d+ requests failed",
        hold=3,
    ),
    Mutant(
        "bad-version-not-reported",
        "KServe's controller is down: what is wrong with the bad version is not reported",
        scenario=_BAD,
        example="does not exist",
        before="the model reports within the pick-up SLO that it cannot be loaded",
        faults=(*_AUTOMATED_SYNC_OFF, _NO_KSERVE),
        red_step="the model reports within the pick-up SLO that it cannot be loaded",
        reason=r"cannot be loaded",
    ),
    Mutant(
        "requests-fail-after-bad-version",
        "Requests fail after the bad version was committed",
        scenario=_BAD,
        example="is damaged",
        before="every request was answered by the old version",
        faults=_NOWHERE,
        red_step="every request was answered by the old version",
        reason=r"\d+ of \d+ requests failed",
        hold=3,
    ),
    Mutant(
        "version-revert-not-synced",
        "KServe's controller is down when the bad version is reverted",
        scenario=_BAD,
        example="does not exist",
        before="that commit is reverted in Git",
        faults=(*_AUTOMATED_SYNC_OFF, _NO_KSERVE),
        red_step=_REVERTS,
        reason=r"serves version 1\.0\.0",
    ),
    # --- the CRD is lost
    Mutant(
        "crd-not-restored",
        "Argo CD's controller is down when the CRD is deleted",
        scenario=_LOST,
        before="the InferenceService CRD is deleted",
        faults=(_NO_ARGO,),
        red_step="every model answers again within the SLO of the runbook",
        reason=r"the CRD is back.*there is none",
    ),
    Mutant(
        "pruning-not-skipped",
        "A sync window is closed: Argo CD sees what Git no longer describes, and may not act on it",
        scenario=_KEPT,
        example="skips pruning",
        before=_LEFT_OUT.format("with"),
        faults=(SYNC_FORBIDDEN,),
        red_step="Argo CD skips pruning it, and the CRD stays",
        reason=r"requiresPruning.*the latest sync as nothing",
    ),
    Mutant(
        "crd-prunable",
        "The CRD has Argo CD's tracking ID and lacks Prune=false: what Git leaves out is pruned",
        scenario=_KEPT,
        example="does not list",
        before="Argo CD does not list it, and the CRD stays",
        faults=(
            FieldsEdited(
                target=serving.CRD,
                patch={"metadata": {"annotations": {**MARK, "argocd.argoproj.io/sync-options": None}}},
            ),
        ),
        red_step="Argo CD does not list it, and the CRD stays",
        reason=r"the CRD was deleted",
        in_place=lambda _: argo.Gone(serving.CRD),
    ),
    # --- the certificate is lost
    Mutant(
        "certificate-not-renewed",
        "What renews the certificate is scaled to 0",
        scenario="A lost certificate is renewed",
        before="the certificate of KServe's webhooks is lost",
        faults=(*_AUTOMATED_SYNC_OFF, ScaledTo(target=serving.WEBHOOK_CERTS, replicas=0)),
        red_step="a new one is issued, and new models are accepted within the SLO",
        reason=r"the Secret does not exist",
    ),
)

"""Mutants of the incidents of milestone B: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.faults import FieldsEdited, ObjectDeleted, ScaledTo
from neuroscale.incidents import by_slug
from neuroscale.incidents.gateway_ports_taken import SECOND
from neuroscale.incidents.new_model import NEW_MODEL
from neuroscale.incidents.progress_deadline_exceeded import FILLER
from neuroscale.incidents.redirected_to_https import POD
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import INGRESS_CLASS
from neuroscale.probes.symptom_probes import Shows
from suite.mutants.mutant import Mutant, injection_step, symptom_step
from suite.mutants.sync_windows import SYNC_FORBIDDEN

_NO_ARGO = ScaledTo(target=argo.CONTROLLER, replicas=0)
_NO_KSERVE = ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=0)
_RUNNING = "An incident of serving leaves running models answering"
_STOPPED = "An incident of serving stops running models"

MILESTONE = "b"
MUTANTS = (
    Mutant(
        "no-symptom-b1",
        "The new model is gone before anybody looks at it",
        scenario=_RUNNING,
        example=by_slug("b1").slug,
        before=symptom_step(by_slug("b1")),
        faults=(ObjectDeleted(target=NEW_MODEL),),
        red_step=symptom_step(by_slug("b1")),
        reason=r"VirtualServiceCRDNotFound is about.*events: none",
    ),
    Mutant(
        "no-symptom-b2",
        # Closed before it happens: Argo CD is faster than any mutant that would come afterwards.
        "A sync window is closed: Argo CD may not apply the CRD, so nothing fails",
        scenario=_RUNNING,
        example=by_slug("b2").slug,
        before=injection_step(by_slug("b2")),
        faults=(SYNC_FORBIDDEN,),
        red_step=symptom_step(by_slug("b2")),
        reason=r"no SyncError or OperationFailed or SyncFailed with 'Too long'",
    ),
    Mutant(
        "no-symptom-b3",
        "KServe's controller is scaled away: no pod waits for a missing image",
        scenario=_RUNNING,
        example=by_slug("b3").slug,
        before=symptom_step(by_slug("b3")),
        faults=(_NO_KSERVE,),
        red_step=symptom_step(by_slug("b3")),
        reason=r"waits for its image.*containers: none",
        hold=5,
    ),
    Mutant(
        "no-symptom-b4",
        "The platform's own domain is set again",
        scenario=_STOPPED,
        example=by_slug("b4").slug,
        before=symptom_step(by_slug("b4")),
        faults=(
            FieldsEdited(
                target=Ref("ConfigMap", "config-domain", "knative-serving"),
                patch={"data": {serving.DOMAIN: "", "example.com": None}},
            ),
        ),
        red_step=symptom_step(by_slug("b4")),
        reason=r"lies below example\.com.*its URL is http://\S+\.models\.neuroscale\.internal",
        hold=10,
    ),
    Mutant(
        "no-symptom-b5",
        "Argo CD's controller is down: nothing is rewritten",
        scenario=_RUNNING,
        example=by_slug("b5").slug,
        before=symptom_step(by_slug("b5")),
        faults=(_NO_ARGO,),
        red_step=symptom_step(by_slug("b5")),
        reason=r"healed 3 times.*attempts",
    ),
    Mutant(
        "no-symptom-b7",
        "The CRD is in the render again, and Argo CD restores it",
        scenario=_STOPPED,
        example=by_slug("b7").slug,
        before=symptom_step(by_slug("b7")),
        faults=(
            FieldsEdited(target=argo.application(serving.APPLICATION), patch={"spec": {"source": {"kustomize": None}}}),
        ),
        red_step=symptom_step(by_slug("b7")),
        reason=r"is gone.*it exists",
        hold=40,
    ),
    Mutant(
        "no-symptom-b9",
        "Knative's ingress class is set to Kourier",
        scenario=_RUNNING,
        example=by_slug("b9").slug,
        before=symptom_step(by_slug("b9")),
        faults=(
            FieldsEdited(
                target=Ref("ConfigMap", "config-network", "knative-serving"),
                patch={"data": {"ingress-class": INGRESS_CLASS}},
            ),
        ),
        red_step=symptom_step(by_slug("b9")),
        reason=r"shows RoutesReady Unknown",
        in_place=lambda _: Shows(NEW_MODEL, "Ready", ("True",)),
    ),
    Mutant(
        "no-symptom-b10",
        "There is room on the node again, in time for the new model",
        scenario=_RUNNING,
        example=by_slug("b10").slug,
        before=symptom_step(by_slug("b10")),
        faults=(ObjectDeleted(target=FILLER, at_once=True),),
        red_step=symptom_step(by_slug("b10")),
        reason=r"shows Ready False for ProgressDeadlineExceeded.*Ready=True",
        in_place=lambda _: Shows(NEW_MODEL, "Ready", ("True",)),
    ),
    Mutant(
        "no-symptom-d3",
        "Argo CD is at work again, and restores the CRD",
        scenario=_STOPPED,
        example=by_slug("d3").slug,
        before=symptom_step(by_slug("d3")),
        faults=(
            FieldsEdited(
                target=argo.application(serving.APPLICATION),
                patch={"spec": {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}},
            ),
        ),
        red_step=symptom_step(by_slug("d3")),
        reason=r"is gone.*it exists",
        in_place=lambda _: argo.Exists(serving.CRD),
    ),
    Mutant(
        "no-symptom-d3b",
        "KServe's controller is back and lets go: nothing waits",
        scenario=_RUNNING,
        example=by_slug("d3b").slug,
        before=symptom_step(by_slug("d3b")),
        faults=(ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=1),),
        red_step=symptom_step(by_slug("d3b")),
        reason=r"shows Terminating True.*it does not exist",
        in_place=lambda _: argo.Gone(serving.CRD),
    ),
    Mutant(
        "no-symptom-e3",
        "The other Service is gone before anybody looks: the gateway has its ports again",
        scenario=_STOPPED,
        example=by_slug("e3").slug,
        before=symptom_step(by_slug("e3")),
        faults=(ObjectDeleted(target=SECOND),),
        red_step=symptom_step(by_slug("e3")),
        reason=r"waits for ports that somebody else has.*none of \d+ pods of its load balancer waits for ports",
        hold=30,
    ),
    Mutant(
        "no-symptom-c7",
        "The other gateway's pod is gone before anybody looks: its ports answer nobody",
        scenario=_STOPPED,
        example=by_slug("c7").slug,
        before=symptom_step(by_slug("c7")),
        faults=(ObjectDeleted(target=POD),),
        red_step=symptom_step(by_slug("c7")),
        reason=r"is redirected to HTTPS by somebody who is not the gateway.*None of somebody, Location not set",
    ),
)

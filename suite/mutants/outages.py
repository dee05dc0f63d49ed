"""Mutants of milestone B, one for each component that an outage takes down."""

from __future__ import annotations

from neuroscale.chaos.faults import FieldsEdited, ScaledTo
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.probes import serving
from neuroscale.serving import outages
from suite.mutants.mutant import Mutant

_DOWN = "A component goes down"
_ACTS = "a new model is created and a running model is scaled"
#: Slug and component of the rows that say no to a new model: it answers when the component is there again.
_BACK = (
    ("outage-kserve-controller-back", "the KServe controller"),
    ("outage-knative-controller-back", "the Knative controller"),
    ("outage-autoscaler-back", "the autoscaler"),
    ("outage-knative-webhook-back", "the Knative webhook"),
    ("outage-gateway-controller-back", "the gateway's controller"),
)
#: Seconds until a controller that is started again has its lease, and webhooks are answered.
_LEASED = 40.0

MILESTONE = "b"
MUTANTS = (
    *(
        Mutant(
            slug,
            f"During its outage {component} is started again: a new model answers",
            scenario=_DOWN,
            example=f"{component}, ",
            before=_ACTS,
            faults=(ScaledTo(target=outages.COMPONENTS[component], replicas=1),),
            red_step="the new model answers: no",
            reason=r"yes: it answers",
            hold=_LEASED,
        )
        for slug, component in _BACK
    ),
    Mutant(
        "outage-gateway-back",
        "During its outage the gateway is started again: running models answer",
        scenario=_DOWN,
        example="the gateway, ",
        before="running models answer: no",
        faults=(ScaledTo(target=serving.GATEWAY, replicas=1),),
        red_step="running models answer: no",
        reason=r"in part: \d+ of \d+ requests failed",
        hold=15,
    ),
    Mutant(
        "outage-new-model-activator",
        "While the activator is down, KServe's controller and its webhook are as well: no new model comes up",
        scenario=_DOWN,
        example="the activator, ",
        before=_ACTS,
        faults=(ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=0),),
        red_step="the new model answers: yes",
        reason=r"no: .*failed calling webhook",
        hold=5,
    ),
    Mutant(
        "outage-predictions-argo-cd",
        "While Argo CD is down, the gateway's Service selects nothing as well",
        scenario=_DOWN,
        example="Argo CD",
        before="running models answer: yes",
        faults=(FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"selector": {"app": "nobody"}}}),),
        red_step="running models answer: yes",
        reason=r"(no|in part): \d+ of \d+ requests failed",
    ),
)

"""Mutants of a cluster with three nodes. They are tried on one: NEUROSCALE_CLUSTER=neuroscale-three."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed, FieldsEdited
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.probes import serving
from suite.mutants.mutant import Mutant

_SAME = "the Git server serves each of these files as it is, and no other"
_NONE_FAILED = "no request has failed"
_AGAIN = "each request is answered again within 60 s"
_NOWHERE = (
    *disable_automated_sync(serving.APPLICATION),
    FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"selector": {"app": "nobody"}}}),
)
#: Seconds until a request has been sent that nobody answers.
_ASKED = 5.0

MILESTONE = "f"
MUTANTS = (
    Mutant(
        "manifest-for-this-cluster",
        "The Git server serves a file that a cluster with one node is not given",
        scenario="Only nodes and networks differ",
        before=_SAME,
        faults=(Committed(message="Add it", files={"infrastructure/kyverno/three-nodes.yaml": "# for three nodes\n"}),),
        red_step=_SAME,
        reason=r"1 of \d+ files differ: infrastructure/kyverno/three-nodes\.yaml",
    ),
    Mutant(
        "drain-loses-requests",
        "The gateway's Service leads nowhere for a while",
        scenario="No request fails while each node but the control plane's is drained",
        before=_NONE_FAILED,
        faults=_NOWHERE,
        red_step=_NONE_FAILED,
        reason=r"[1-9]\d* of \d+ requests failed",
        hold=_ASKED,
    ),
    Mutant(
        "node-takes-the-gateway-along",
        "When a node was killed, the gateway's Service leads nowhere",
        scenario="Requests are answered again after a node was killed",
        before=_AGAIN,
        faults=_NOWHERE,
        red_step=_AGAIN,
        reason=r"[1-9]\d* of \d+ requests failed, the last one after",
    ),
)

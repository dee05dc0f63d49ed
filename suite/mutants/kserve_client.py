"""Mutants of the scenarios that use the official KServe client, in milestone B."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ScaledTo
from neuroscale.incidents.istio_virtual_host_enabled import ISTIO
from neuroscale.probes import serving
from suite.mutants.models import WRONG_VALUES, taken_over
from suite.mutants.mutant import Mutant
from suite.mutants.strangers import EVERY_OTHER, ROUTED

MILESTONE = "b"
_AUTOMATED_SYNC_OFF = disable_automated_sync(serving.APPLICATION)
_NO_KSERVE = ScaledTo(target=serving.KSERVE_CONTROLLER, replicas=0)
_ASKED = "The REST client gets the model's predictions"
_CREATED = "A model is created, awaited and deleted with the KServe client"
_CREATES = "a data scientist creates a model with the KServe client and waits for it"

MUTANTS = (
    Mutant(
        "client-gets-other-predictions",
        "The model is replaced by one that answers otherwise",
        scenario=_ASKED,
        example="every flower",
        before="a data scientist asks for every flower with the KServe client 20 times by protocol v2",
        faults=WRONG_VALUES,
        red_step="the client gets exactly the trained predictions for every flower, all 20 times",
        reason=r"answer to every flower.*20 of 20 answers in a row are wrong, first no\. 1: \[\d.* instead of \[",
        in_place=taken_over,
    ),
    Mutant(
        "stranger-answers-the-client",
        "Every other request of the client is answered by a stranger behind the gateway's Service",
        scenario=_ASKED,
        example="the reference rows",
        before="a data scientist asks for the reference rows with the KServe client 20 times by protocol v1",
        faults=EVERY_OTHER,
        red_step="the client gets exactly the trained predictions for the reference rows, all 20 times",
        # Between the comma's sides the client puts what an answer in JSON says; the stranger's page says nothing.
        reason=r"\d+ of 20 answers in a row are wrong.*no prediction, but HTTPStatusError: , '40[45] ",
        hold=ROUTED,
    ),
    Mutant(
        "client-cannot-create",
        "KServe's webhook has no endpoint: the client's model is rejected",
        scenario=_CREATED,
        before=_CREATES,
        faults=(*_AUTOMATED_SYNC_OFF, _NO_KSERVE),
        red_step=_CREATES,
        reason=r"should be created by the KServe client, but: .*failed calling webhook",
    ),
    Mutant(
        "client-waits-for-false-ready",
        "KServe counts on Istio's virtual hosts: the client sees Ready, and the URL leads nowhere",
        scenario=_CREATED,
        before=_CREATES,
        faults=(*_AUTOMATED_SYNC_OFF, ISTIO),
        red_step="the client sees it become Ready, and it answers",
        reason=r"404",
    ),
    Mutant(
        "client-delete-blocked",
        "A finalizer is never removed: the model that the client deleted stays",
        scenario=_CREATED,
        before="the data scientist deletes the model with the KServe client",
        faults=(*_AUTOMATED_SYNC_OFF, _NO_KSERVE),
        red_step="the model is gone from the cluster",
        reason=r"is gone",
    ),
)

"""What is promised in seconds. Reports put the measured distribution beside each.

A figure is kept for one of :data:`SLOS` or of :data:`MEASURED_ONLY`; any other name is a typing mistake and rejected.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slo:
    """A service level objective: a promise that measurements are held to.

    Attributes:
        at_most: Seconds.
        source: Who made it; a figure of the reference platform is its documents' claim, adopted as an SLO.
    """

    slug: str
    text: str
    at_most: float
    source: str


SLOS = {
    slo.slug: slo
    for slo in (
        Slo("drift-heal", "Drift in the cluster is healed within about 20 s", 20, "reference platform, milestone A"),
        Slo("git-pick-up", "A commit reaches the cluster within 3 min", 180, "reference platform, README"),
        Slo("push-noticed", "Argo CD is told of a push within 1 s, median", 1, "this platform, milestone A"),
        Slo(
            "repo-server-recovery",
            "All Applications are compared again within 3 min of the repo-server's return",
            180,
            "reference platform, runbook of incident A1",
        ),
        Slo(
            "webhook-recovery",
            "A blocked Application recovers once the stale webhook is deleted",
            180,
            "reference platform, incident A2; the document names no figure, 3 min is the poll interval",
        ),
        Slo(
            "pending-recovery",
            "A healed pod stays Pending for 45 s when the node is full",
            45,
            "reference platform, incident A3",
        ),
        Slo("model-answers", "A new model gives its first right answer within 20 s", 20, "this platform, milestone B"),
        Slo(
            "ready-means-answering",
            "A model that is called Ready answers within 0.5 s",
            0.5,
            "this platform, milestone B; the reference platform has seen models Ready and 404",
        ),
        Slo("prediction-median", "An idle model answers within 10 ms, median", 0.01, "this platform, milestone B"),
        Slo("prediction-p99", "An idle model answers within 50 ms, p99", 0.05, "this platform, milestone B"),
        Slo("nodes-drained", "No request fails while nodes are drained", 0, "this platform, milestone F"),
        Slo("node-killed", "Each request is answered again 60 s after a node died", 60, "this platform, milestone F"),
        Slo("unbroken", "No request fails while a model is changed: no outage at all", 0, "this platform, milestone B"),
        Slo(
            "cold-start",
            "A model without a pod answers the requests that wake it within 1 min",
            60,
            "this platform, milestone B",
        ),
        Slo(
            "serving-recovery",
            "An incident of serving is over within 2 min of its remedy",
            120,
            "reference platform, incident B1: Ready 2 min after the fix; the others name no figure",
        ),
        Slo(
            "webhook-endpoint-recovery",
            "KServe's webhook has an endpoint again within 45 s of the fix",
            45,
            "reference platform, incident B3",
        ),
        Slo(
            "certificate-recovery",
            "New models are accepted again within 2 min of the loss of the certificate of KServe's webhooks",
            120,
            "this platform; the kubelet may take a minute and a half to bring a changed Secret to a pod",
        ),
        Slo(
            "crd-recovery",
            "After the InferenceService CRD was deleted, all endpoints are back within 4 min",
            240,
            "reference platform, incident D3",
        ),
        Slo(
            "none-slips-in",
            "While Kyverno is away what complies is rejected for at most 3 min",
            180,
            "reference platform, incident D1: recovered by itself within 3 min",
        ),
        Slo(
            "form-to-pull-request",
            "A form of the portal is a pull request within 3 s",
            3,
            "this platform, milestone C",
        ),
        Slo(
            "form-in-browser",
            "A form that is handed in in a browser shows the link to its pull request within 5 s",
            5,
            "this platform, milestone C",
        ),
        Slo(
            "merge-to-prediction",
            "A merged model gives its first right answer within 30 s",
            30,
            "this platform, milestone C, without an image to pull",
        ),
        Slo(
            "portal-recovery",
            "An incident of the portal is over within 2 min of its remedy",
            120,
            "this platform, milestone C; the reference platform names hours until its fixes, and no recovery time",
        ),
        Slo("admission-median", "Admission takes at most 100 ms, median", 0.1, "this platform, milestone D"),
        Slo(
            "policy-engine-recovery",
            "The policy engine serves again within 3 min of the fix",
            180,
            "reference platform, incident D1: Kyverno ready after 2 to 3 min, self-recovered within 3",
        ),
        Slo(
            "rejected-commit-recovery",
            "After a commit that the guardrails reject is reverted, all is as before within 3 min",
            180,
            "this platform, milestone D; the reference platform names no figure for incidents D2 and F5",
        ),
        Slo(
            "guardrail-recovery",
            "An incident of guardrails, quotas or limits is over within 2 min of its remedy",
            120,
            "this platform, milestone D; of D5, F2, F6 and F7 the reference platform names only 26 min until D5's fix",
        ),
        Slo(
            "quota-refusal-shown",
            "A pod that the quota refuses shows on its Application within 1 min",
            60,
            "this platform, milestone F; upstream has had it open since 2019 (knative/serving#4416)",
        ),
        Slo(
            "sleeper-wakes",
            "One of many models that sleep answers the request that wakes it within 15 s",
            15,
            "this platform, milestone F",
        ),
    )
}

#: What is measured to be known, and promised by nobody: name -> what it is.
MEASURED_ONLY = {
    "admission-agrees": "How long the API server answers for every object of the corpus",
    "validation-agrees": "How long the API server answers for objects with one change each",
    "render": "How long the live Argo CD renders what the gate renders",
    "merge-to-prediction-polled": "From a merge to the first right answer while Argo CD is told of no push",
    "incident-match": "How long it takes to say which known incident a sick platform looks like",
    "verdict": "From a pull request to the gate's verdict on it",
    "outage": "The longest time without a right answer while a component is down",
    "folders-deployed": "From a push of app folders until the Application of each is Synced and Healthy",
    "showback-error": "By how many seconds of a window its showback is off",
    "models-ready": "From the creation of models that sleep until all of them are Ready",
    "load": "What many at once wait for an answer, through the gateway and at the model server's own port",
}

"""What mutants do to models, and how it is seen that they did."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.chaos.faults import FieldsEdited, ScaledTo
from neuroscale.cluster.client import Cluster
from neuroscale.inference_client import gateway_url
from neuroscale.model_store import SWAPPED, storage_uri
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, met, pending
from neuroscale.probes import argo
from neuroscale.probes.knative_resources import inference_service
from neuroscale.probes.serving import Serves
from neuroscale.serving.model_rollouts import MODEL

#: The model calls every species by another one's name, and nobody puts it right.
WRONG_VALUES = (
    ScaledTo(target=argo.CONTROLLER, replicas=0),
    FieldsEdited(
        target=inference_service(MODEL),
        patch={"spec": {"predictor": {"model": {"storageUri": storage_uri(SWAPPED)}}}},
    ),
)


def taken_over(platform: Platform) -> Probe:
    """The model with the wrong values is the one that answers."""
    return Serves(MODEL, gateway_url(platform.cluster), SWAPPED)


def drained(_: Platform) -> Probe:
    """No pod goes on answering, or holds room in the quota, on its way out: Knative's activator does for a minute."""
    return _NoneTerminating()


@dataclass(frozen=True)
class _NoneTerminating:
    area: str = "serving"

    @property
    def description(self) -> str:
        return "no pod is on its way out"

    def check(self, cluster: Cluster) -> Verdict:
        pods = cluster.list("Pod")
        going = [pod["metadata"]["name"] for pod in pods if pod["metadata"].get("deletionTimestamp")]
        return pending(", ".join(going)) if going else met("none is")

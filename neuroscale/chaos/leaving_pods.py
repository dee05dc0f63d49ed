"""Models' pods on their way out: what removed models leave behind for half a minute."""

from __future__ import annotations

from neuroscale.chaos.objects import delete_if_present
from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Ref
from neuroscale.polling import Verdict
from neuroscale.probes.knative_resources import MODEL_LABEL, evaluate_quiet
from neuroscale.settings import APPS_NAMESPACE


def end_leaving_pods(cluster: Cluster, labels: str = "") -> None:
    """Give models' pods that are on their way out no more time.

    *Measured* with Knative 1.21: for 30 s a pod's proxy makes sure that no request comes any more, whether or not there
    was one. Whatever is deleted in the foreground is held for as long, and the pod counts against the quota.

    Args:
        cluster: Where they are.
        labels: Selects some of them.
    """
    for pod in cluster.list("Pod", APPS_NAMESPACE, labels=labels):
        if MODEL_LABEL in pod["metadata"].get("labels", {}) and pod["metadata"].get("deletionTimestamp"):
            delete_if_present(cluster, Ref.to(pod), uid=pod["metadata"]["uid"], at_once=True)


def quieten(cluster: Cluster) -> Verdict:
    """Whether no model's pod is on its way out, or will be; those that are get no more time."""
    end_leaving_pods(cluster)
    return evaluate_quiet(cluster)

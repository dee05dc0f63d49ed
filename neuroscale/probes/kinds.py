"""Kinds that the API server serves once their CRDs are established."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.settings import ARGOCD


@dataclass(frozen=True)
class KindsServed:
    """The API server serves Argo CD's kinds: on a busy machine that takes some seconds after their CRDs are made."""

    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the API server serves Argo CD's kinds"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask for one object of each."""
        missing = [kind for kind in ("Application", "ApplicationSet", "AppProject") if not _served(kind, cluster)]
        return pending(f"it does not know {', '.join(missing)}") if missing else met("it does")


def _served(kind: str, cluster: Cluster) -> bool:
    try:
        cluster.get(Ref(kind, "any", ARGOCD))
    except ApiError as error:
        if error.reason == "NoSuchKind":
            return False
        raise
    return True

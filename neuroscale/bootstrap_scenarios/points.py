"""The boundaries of a bootstrap's work at which it is killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neuroscale.bootstrap_scenarios.own_cluster import NAME
from neuroscale.git_server_api import API
from neuroscale.local_portal.doors import Moment
from neuroscale.settings import ARGOCD, GIT_SERVER, ROOT_APPLICATION


@dataclass(frozen=True)
class Deed:
    """Right before the command line does something.

    Attributes:
        pattern: The deed, as a regular expression.
        times: Which of those that match.
    """

    pattern: str
    times: int = 1


def _docker(*said: str, answered: bool = False) -> Moment:
    """A request of k3d to Docker, the last of several."""
    return Moment(tuple(f"^{one}[ ?&]".encode() for one in said), answered)


def _api(path: str, method: str = "PATCH") -> str:
    return f"^api {method} {path}$"


_VERSION = r"/v[0-9.]+"
_CREATE = f"POST {_VERSION}/containers/create"
_HELPER = rf"{_CREATE}\?name=k3d-{NAME}-tools"
_NODE = rf"{_CREATE}\?name=k3d-{NAME}-server-0"
#: k3d brings files into the node right before it starts it; by then its helper runs.
_FILES = f"PUT {_VERSION}/containers/[^/ ]+/archive"
_START = f"POST {_VERSION}/containers/[^/ ]+/start"
_ARGO = f"/namespaces/{ARGOCD}"
_FORGE = f"/namespaces/{GIT_SERVER}"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_APPS = "/apis/apps/v1"

#: When, in the words of features -> where that is.
POINTS: Mapping[str, Deed | Moment] = {
    # --- the cluster
    "before it has written the marker": Deed("^file marker.yaml$"),
    "before it remembers the cluster": Deed("^file state.json$"),
    "before the cluster is created": Deed("^program k3d cluster create"),
    "before the network is created": _docker(f"POST {_VERSION}/networks/create"),
    "after the network was created": _docker(f"POST {_VERSION}/networks/create", answered=True),
    "after the volume was created": _docker(f"POST {_VERSION}/volumes/create", answered=True),
    "after the helper was created": _docker(_HELPER, answered=True),
    "before the node is created": _docker(_NODE),
    "after the node was created": _docker(_NODE, answered=True),
    "before the node is started": _docker(_NODE, _FILES, _START),
    "after the node was started": _docker(_NODE, _FILES, _START, answered=True),
    "while the node comes up": _docker(_NODE, _FILES, _START, f"GET {_VERSION}/containers/[^/ ]+/logs"),
    "before a program is run in the node": _docker(_NODE, _FILES, _START, f"POST {_VERSION}/containers/[^/ ]+/exec"),
    "before it asks for the kubeconfig": Deed("^program k3d kubeconfig get"),
    "before it has written the kubeconfig": Deed("^file kubeconfig$"),
    "before the node unpacks images": Deed("^program docker exec --detach"),
    "before it remembers that the cluster is made": Deed("^file state.json$", 2),
    # --- the Git server and Argo CD
    "before the Git server has its namespace": Deed(_api(f"/api/v1{_FORGE}")),
    "before the Git server's password is made": Deed(_api(f"/api/v1{_FORGE}/secrets", "POST")),
    "before the Git server is applied": Deed(_api(f"{_APPS}{_FORGE}/deployments/gitea")),
    "before Argo CD has its namespace": Deed(_api(f"/api/v1{_ARGO}")),
    "before the password of Redis is made": Deed(_api(f"/api/v1{_ARGO}/secrets", "POST")),
    "before the first of Argo CD's CRDs is applied": Deed(_api(f"{_CRDS}/applications.argoproj.io")),
    "before the last of Argo CD's CRDs is applied": Deed(_api(f"{_CRDS}/appprojects.argoproj.io")),
    "before Argo CD's settings are applied": Deed(_api(f"/api/v1{_ARGO}/configmaps/argocd-cm")),
    "before Argo CD's server is applied": Deed(_api(f"{_APPS}{_ARGO}/deployments/argocd-server")),
    "before Argo CD's controller is applied": Deed(_api(f"{_APPS}{_ARGO}/statefulsets/argocd-application-controller")),
    # --- the repository
    "before the organisation is made": Deed("^forge POST /api/v1/orgs$"),
    "before the repository is made": Deed("^forge POST /api/v1/orgs/.+/repos$"),
    "before Argo CD knows what signs pushes": Deed(_api(f"/api/v1{_ARGO}/secrets/argocd-secret"), 2),
    "before the push hook is made": Deed(f"^forge POST {API}/hooks$"),
    "before the tree is committed": Deed("^program git commit"),
    "before the tree is pushed": Deed("^program git push"),
    "before the first project is applied": Deed("^api PATCH .*/appprojects/neuroscale-platform$"),
    "before the root Application is applied": Deed(f"^api PATCH .*/applications/{ROOT_APPLICATION}$"),
    "before it remembers that all is well": Deed("^file state.json$", 4),
}

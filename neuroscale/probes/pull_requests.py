"""What stands between a pull request and ``main``: who judges it, who watches, and the rule at the Git server."""

from __future__ import annotations

from neuroscale.git_server import GitServer
from neuroscale.git_server_api import BRANCH, PROTECTION
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.probes.workloads import AllAvailable

NAMESPACE = "pull-requests"
APPLICATION = "neuroscale-pull-requests"
AREA = "pull_requests"
WATCH = Ref("Deployment", "gate-watch", NAMESPACE)
WORKLOADS = (WATCH,)


def token(user: str) -> Ref:
    """Where a user's token is."""
    return Ref("Secret", user, NAMESPACE)


def workloads_ready() -> AllAvailable:
    """Whoever watches runs, and was answered by the Git server a moment ago."""
    return AllAvailable("the pull-request gate", WORKLOADS, area=AREA)


def main_protected(git_server: GitServer) -> ProbeFunction:
    """Nothing gets into ``main`` by a pull request without the gate's word, whoever merges it."""
    description = "main takes no pull request without the gate's word"
    return ProbeFunction(description, lambda: evaluate_protected(git_server.protection()), AREA)


def evaluate_protected(rule: Object | None) -> Verdict:
    """The rule is as the bootstrap made it."""
    if rule is None:
        return pending(f"{BRANCH} is not protected")
    otherwise = [f"{key} is {rule.get(key)!r}" for key, value in PROTECTION.items() if rule.get(key) != value]
    return (
        pending("; ".join(otherwise)) if otherwise else met("its status and its approval are asked for, of everybody")
    )

"""A node whose API server keeps an audit log from its start: the policy, and how a creation is told of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from neuroscale.kubernetes.refs import Object

if TYPE_CHECKING:  # a process that is seen at work would wait for all that builds images
    from neuroscale.supply.contract import Demand, Provisions, Supply

#: Whom k3d's kubeconfig names; the node's own programs have other names.
USER = "system:admin"
LOG_IN_NODE = "/var/log/neuroscale-audit.log"
#: The variable in which the command line is told of the policy's file.
POLICY_FILE = "NEUROSCALE_OWN_AUDIT_POLICY"
_POLICY_IN_NODE = "/etc/neuroscale-audit.yaml"
_POLICY: Object = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": [USER]}, {"level": "None"}],
}


def policy_file(folder: Path) -> Path:
    """Where the policy is, of a cluster with that folder."""
    return folder / "audit-policy.yaml"


def write_policy(folder: Path) -> None:
    """Put the policy there."""
    policy_file(folder).write_text(yaml.safe_dump(_POLICY), encoding="utf-8")


@dataclass(frozen=True)
class AuditedSupply:
    """A supply whose nodes keep the log.

    Attributes:
        supply: The one that it is made of.
        policy: The file with the policy.
    """

    supply: Supply
    policy: Path

    @property
    def name(self) -> str:
        """The supply's."""
        return self.supply.name

    @property
    def reason(self) -> str:
        """The supply's."""
        return self.supply.reason

    def provide(self, demands: Collection[Demand]) -> Provisions:
        """What the supply provides, and two arguments besides."""
        return with_audit_log(self.supply.provide(demands), self.policy)


def with_audit_log(provisions: Provisions, policy: Path) -> Provisions:
    """The same, for a node that keeps the log."""
    asked = (f"audit-log-path={LOG_IN_NODE}", f"audit-policy-file={_POLICY_IN_NODE}")
    return replace(
        provisions,
        node_args=(*provisions.node_args, *(f"--kube-apiserver-arg={one}" for one in asked)),
        k3d_args=(*provisions.k3d_args, "--volume", f"{policy}:{_POLICY_IN_NODE}:ro@server:0"),
    )


def audited(choose: Callable[..., Supply], policy: Path) -> Callable[..., AuditedSupply]:
    """What chooses a supply, for such nodes."""

    def chosen(*arguments: object, **more: object) -> AuditedSupply:
        return AuditedSupply(choose(*arguments, **more), policy)

    return chosen

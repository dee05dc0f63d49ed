"""What the stages know of kinds without asking an API server."""

from __future__ import annotations

from neuroscale.gate.findings import Places
from neuroscale.kubernetes.refs import Object

#: Kubernetes' own kinds without a namespace: https://kubernetes.io/docs/reference/kubernetes-api/
_CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)


def cluster_scoped(places: Places) -> frozenset[str]:
    """Kinds without a namespace: Kubernetes' own, and those that a tree defines."""
    definitions = (obj for objects in places.values() for obj in objects if obj["kind"] == "CustomResourceDefinition")
    specs = (one.get("spec") for one in definitions)
    # This is asked before schemas are: a definition may be anything.
    whole = (spec.get("names") for spec in specs if isinstance(spec, dict) and spec.get("scope") == "Cluster")
    kinds = (names.get("kind") for names in whole if isinstance(names, dict))
    return _CLUSTER_SCOPED | {kind for kind in kinds if isinstance(kind, str)}


def plural(kind: str) -> str:
    """As Kubernetes itself guesses a resource from a kind."""
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def concerns(policy: Object, obj: Object) -> bool:
    """Whether a policy's match constraints name an object's kind; the rest of them is the policy engine's to judge."""
    group, resource = obj["apiVersion"].rpartition("/")[0], plural(obj["kind"])
    rules = (policy["spec"].get("matchConstraints") or {}).get("resourceRules") or []
    return any(
        {"*", group} & set(rule.get("apiGroups", [])) and {"*", "*/*", resource} & set(rule.get("resources", []))
        for rule in rules
    )

"""What we ask of production beyond what checkers of other people know: rules on one object, beside all the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from neuroscale.gate.production.verdicts import Judged, Verdict
from neuroscale.guardrails.oracle import is_pinned, pods
from neuroscale.kubernetes.refs import Object

OURS = "neuroscale"
#: Of a workload that stands for as long as the platform does.
_STANDING = {"Deployment", "StatefulSet"}
_FROM_ENVIRONMENT = re.compile(r"\$\{[A-Z_]+\}")
_FLAGS = ("dangerouslyAllowOutsideDevelopment", "dangerouslyDisableDefaultAuthPolicy")
_PORTAL_CONFIG = "app-config.yaml"


@dataclass(frozen=True)
class Rule:
    """One thing that production must have.

    Attributes:
        name: As suppressions name it.
        concerns: Whether it has anything to say of an object.
        complaint: What is wrong with the object, beside all objects of the profile; empty: nothing.
    """

    name: str
    concerns: Callable[[Object], bool]
    complaint: Callable[[Object, Sequence[Object]], str]


def judge(subjects: Sequence[Judged], rules: Iterable[Rule] | None = None) -> list[Verdict]:
    """Each rule about each object that it concerns."""
    objects = [one.obj for one in subjects]
    verdicts = []
    for rule in RULES if rules is None else rules:
        for one in subjects:
            if rule.concerns(one.obj):
                said = rule.complaint(one.obj, objects)
                verdicts.append(Verdict(OURS, rule.name, one.where, not said, said))
    return verdicts


# --- workloads


def _stands(obj: Object) -> bool:
    return obj["kind"] in _STANDING


def _makes_pods(obj: Object) -> bool:
    return bool(pods(obj))


def _replicas(obj: Object, _: Sequence[Object]) -> str:
    count = obj["spec"].get("replicas", 1)
    return "" if count >= 2 else f"it should run at least twice, but has {count} replica"


def _budget(obj: Object, beside: Sequence[Object]) -> str:
    budgets = [one for one in beside if one["kind"] == "PodDisruptionBudget" and _same_namespace(one, obj)]
    own = [one for one in budgets if _selects(one["spec"].get("selector"), _pod_labels(obj))]
    return "" if len(own) == 1 else f"it should have one PodDisruptionBudget, but has {len(own)}"


def _spread(obj: Object, _: Sequence[Object]) -> str:
    spec = obj["spec"]["template"]["spec"]
    wanted = [
        one
        for one in spec.get("topologySpreadConstraints") or []
        if one["topologyKey"] == "kubernetes.io/hostname" and _selects(one.get("labelSelector"), _pod_labels(obj))
    ]
    return "" if wanted else "its pods should be spread over nodes, but no topologySpreadConstraint selects them"


def _images(obj: Object, _: Sequence[Object]) -> str:
    every = [container.get("image") or "" for pod in pods(obj) for container in pod.containers()]
    floating = [image for image in every if not is_pinned(image)]
    return f"its images should be the same tomorrow, but {', '.join(floating)} may not be" if floating else ""


def _host_path(obj: Object, _: Sequence[Object]) -> str:
    volumes = [volume["name"] for pod in pods(obj) for volume in pod.spec.get("volumes") or [] if "hostPath" in volume]
    return f"it should outlive its node, but {', '.join(volumes)} is a folder of one" if volumes else ""


def _pod_labels(obj: Object) -> Object:
    labels: Object = (obj["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return labels


def _selects(selector: Object | None, labels: Object) -> bool:
    """By labels alone; a selector by expressions is none of ours, and selects nothing here."""
    wanted = (selector or {}).get("matchLabels") or {}
    return bool(wanted) and wanted.items() <= labels.items()


def _same_namespace(one: Object, other: Object) -> bool:
    return bool(one["metadata"].get("namespace") == other["metadata"].get("namespace"))


# --- doors


def _is(kind: str, name: str) -> Callable[[Object], bool]:
    return lambda obj: obj["kind"] == kind and obj["metadata"]["name"] == name


def _node_port(obj: Object, _: Sequence[Object]) -> str:
    kind = obj["spec"].get("type", "ClusterIP")
    return "it should be reached through a gateway, but is a port of every node" if kind == "NodePort" else ""


def configures_portal(obj: Object) -> bool:
    """Whether an object has the portal's settings."""
    return obj["kind"] == "ConfigMap" and _PORTAL_CONFIG in (obj.get("data") or {})


def portal_providers(obj: Object) -> tuple[str, dict[str, Any]]:
    """The portal's settings as a ConfigMap has them, and who may sign in by them, by what Backstage calls them."""
    text = obj["data"][_PORTAL_CONFIG]
    auth = (yaml.safe_load(text) or {}).get("auth") or {}
    return text, auth.get("providers") or {}


def _no_guest(obj: Object, _: Sequence[Object]) -> str:
    text, providers = portal_providers(obj)
    found = [*(flag for flag in _FLAGS if flag in text), *(name for name in providers if name == "guest")]
    return f"nobody should get in without an account, but it has {', '.join(found)}" if found else ""


def _portal_sign_in(obj: Object, _: Sequence[Object]) -> str:
    providers = portal_providers(obj)[1]
    oidc = (providers.get("oidc") or {}).get("production") or {}
    wrong = [key for key in ("metadataUrl", "clientId", "clientSecret") if not _from_environment(oidc.get(key))]
    return f"people should sign in by OIDC from a Secret, but {', '.join(wrong)} is not from one" if wrong else ""


def _from_environment(value: object) -> bool:
    return isinstance(value, str) and _FROM_ENVIRONMENT.fullmatch(value) is not None


def _argocd_admin(obj: Object, _: Sequence[Object]) -> str:
    said = (obj.get("data") or {}).get("admin.enabled")
    return "" if said == "false" else f"nobody should have a password, but admin.enabled is {said!r}"


def _argocd_sign_in(obj: Object, _: Sequence[Object]) -> str:
    data = obj.get("data") or {}
    oidc = yaml.safe_load(data.get("oidc.config") or "") or {}
    wrong = [key for key in ("issuer", "clientID", "clientSecret") if not re.match(r"\$[\w-]+:", oidc.get(key) or "")]
    if not (data.get("url") or "").startswith("https://"):
        wrong.append("url")
    return (
        f"people should sign in by OIDC from a Secret, but {', '.join(wrong)} is not as it should be" if wrong else ""
    )


def _gateway_certificate(obj: Object, _: Sequence[Object]) -> str:
    data = obj.get("data") or {}
    missing = [key for key in ("certs-secret-name", "certs-secret-namespace") if not data.get(key)]
    return f"the gateway should have a certificate, but {', '.join(missing)} is not set" if missing else ""


def _gateway_redirect(obj: Object, _: Sequence[Object]) -> str:
    data = obj.get("data") or {}
    said = data.get("http-protocol"), data.get("default-external-scheme")
    return "" if said == ("Redirected", "https") else f"models should be asked by TLS alone, but the gateway has {said}"


RULES = (
    Rule("replicas", _stands, _replicas),
    Rule("disruption-budget", _stands, _budget),
    Rule("topology-spread", _stands, _spread),
    Rule("pinned-images", _makes_pods, _images),
    Rule("no-host-path", _makes_pods, _host_path),
    Rule("no-node-port", lambda obj: obj["kind"] == "Service", _node_port),
    Rule("portal-without-guest", configures_portal, _no_guest),
    Rule("portal-sign-in", configures_portal, _portal_sign_in),
    Rule("argocd-without-password", _is("ConfigMap", "argocd-cm"), _argocd_admin),
    Rule("argocd-sign-in", _is("ConfigMap", "argocd-cm"), _argocd_sign_in),
    Rule("gateway-certificate", _is("ConfigMap", "config-kourier"), _gateway_certificate),
    Rule("gateway-redirect", _is("ConfigMap", "config-network"), _gateway_redirect),
)

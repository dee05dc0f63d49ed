"""The part of Kyverno's objects that this platform uses, as a strict schema: a misspelt key must not pass.

Written from the API of Kyverno 1.17: https://kyverno.io/docs/policy-types/validating-policy/
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import kubernetes_validate
from pydantic import AfterValidator, BaseModel, ConfigDict

from neuroscale.kubernetes.refs import Object


def _spec(value: Object) -> Object:
    """But for what it does about a violation, a policy is what Kubernetes' own is, whose schema then holds for it."""
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    shared = {key: part for key, part in value.items() if key != "validationActions"}
    kubernetes_validate.validate({**kind, "metadata": {"name": "x"}, "spec": shared}, "1.31", strict=True)
    if value.get("validationActions") != ["Deny"]:
        raise ValueError("a policy should deny")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Meta(_Strict):
    """What our manifests say of an object; the API server adds the rest."""

    name: str
    annotations: dict[str, str] = {}


class ValidatingPolicy(_Strict):
    """A policy."""

    apiVersion: Literal["policies.kyverno.io/v1beta1"]  # noqa: N815 - the API's spelling
    kind: Literal["ValidatingPolicy"]
    metadata: Meta
    spec: Annotated[dict[str, Any], AfterValidator(_spec)]


MODELS: dict[str, type[ValidatingPolicy]] = {"ValidatingPolicy": ValidatingPolicy}

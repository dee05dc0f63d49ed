"""The part of KServe's objects that this platform uses, as a strict schema: a misspelt key must not pass.

Written from the API of KServe 0.20: https://kserve.github.io/website/docs/reference/crd-api
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import kubernetes_validate
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from neuroscale.kubernetes.refs import Object


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


def _container(value: Object) -> Object:
    """KServe takes over Kubernetes' containers, so the schema of a Pod holds for them."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [value]}}
    kubernetes_validate.validate(pod, "1.31", strict=True)
    return value


def _resources(value: Object) -> Object:
    _container({"name": "x", "resources": value})
    return value


Container = Annotated[dict[str, Any], AfterValidator(_container)]
Resources = Annotated[dict[str, Any], AfterValidator(_resources)]


class Meta(_Strict):
    """What our manifests say of an object; the API server adds the rest."""

    name: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ModelFormat(_Strict):
    """What wrote a model file."""

    name: str
    version: str = ""


class Model(_Strict):
    """The model that a predictor serves."""

    model_format: ModelFormat
    storage_uri: str = Field(pattern=r"^https?://.+/.+$")
    runtime: str = ""
    resources: Resources


class Predictor(_Strict):
    """What answers, and how many of it."""

    min_replicas: int = Field(ge=0)
    model: Model


class InferenceServiceSpec(_Strict):
    """A predictor alone; transformers and explainers are not used here."""

    predictor: Predictor


class InferenceService(_Strict):
    """A model that is to be served."""

    api_version: Literal["serving.kserve.io/v1beta1"]
    kind: Literal["InferenceService"]
    metadata: Meta
    spec: InferenceServiceSpec


class SupportedFormat(ModelFormat):
    """What a runtime can serve."""

    auto_select: bool
    priority: int = Field(ge=1)


class RuntimeSpec(_Strict):
    """The containers that a model is served with."""

    annotations: dict[str, str] = {}
    supported_model_formats: list[SupportedFormat] = Field(min_length=1)
    protocol_versions: list[Literal["v1", "v2"]] = Field(min_length=1)
    containers: list[Container] = Field(min_length=1)


class ClusterServingRuntime(_Strict):
    """A server for models of some formats, in all namespaces."""

    api_version: Literal["serving.kserve.io/v1alpha1"]
    kind: Literal["ClusterServingRuntime"]
    metadata: Meta
    spec: RuntimeSpec


class UriFormat(_Strict):
    """Addresses that a storage container is for: one of the two."""

    prefix: str = ""
    regex: str = ""


class StorageSpec(_Strict):
    """What fetches a model file."""

    container: Container
    supported_uri_formats: list[UriFormat] = []
    supports_multi_model_download: bool = False
    workload_type: Literal["initContainer", "localModelDownloadJob"] = "initContainer"


class ClusterStorageContainer(_Strict):
    """A container that fetches model files."""

    api_version: Literal["serving.kserve.io/v1alpha1"]
    kind: Literal["ClusterStorageContainer"]
    metadata: Meta
    spec: StorageSpec


MODELS: dict[str, type[InferenceService | ClusterServingRuntime | ClusterStorageContainer]] = {
    "InferenceService": InferenceService,
    "ClusterServingRuntime": ClusterServingRuntime,
    "ClusterStorageContainer": ClusterStorageContainer,
}

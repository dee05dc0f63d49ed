"""What of a tree decides about other objects' pods: LimitRanges, serving runtimes, configuration, autoscalers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from neuroscale.delta.needs import Range, range_of
from neuroscale.kubernetes.refs import Object

_KSERVE, _KNATIVE = "kserve", "knative-serving"
_SETTINGS = "inferenceservice-config"


@dataclass(frozen=True)
class Surroundings:
    """What is around a workload.

    Attributes:
        ranges: Namespace -> what its LimitRanges add to containers.
        runtimes: ClusterServingRuntimes and ServingRuntimes, by name.
        storage: ClusterStorageContainers, by name.
        kserve: Section of KServe's configuration -> its settings.
        knative: ConfigMap of Knative's -> its settings.
        scalers: Namespace, kind and name of a workload -> the HorizontalPodAutoscaler that scales it.
        overheads: RuntimeClass -> what a pod of it costs beside its containers.
        pod_level: Whether the API server knows resources of a whole pod.
    """

    ranges: Mapping[str, tuple[Range, ...]] = field(default_factory=dict)
    runtimes: tuple[Object, ...] = ()
    storage: tuple[Object, ...] = ()
    kserve: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    knative: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scalers: Mapping[tuple[str, str, str], Object] = field(default_factory=dict)
    overheads: Mapping[str, Object] = field(default_factory=dict)
    pod_level: bool = field(kw_only=True)

    @classmethod
    def of(cls, objects: Iterable[Object], *, pod_level: bool) -> Surroundings:
        """What is in a tree whose objects know their namespaces."""
        kinds = defaultdict[str, list[Object]](list)
        for obj in sorted(objects, key=_name):
            kinds[obj["kind"]].append(obj)
        ranges = defaultdict[str, tuple[Range, ...]](tuple)
        for one in kinds["LimitRange"]:
            ranges[_namespace(one)] += (range_of(one),)
        return cls(
            dict(ranges),
            (*kinds["ServingRuntime"], *kinds["ClusterServingRuntime"]),
            tuple(kinds["ClusterStorageContainer"]),
            _kserve(kinds["ConfigMap"]),
            {_name(one): one.get("data") or {} for one in kinds["ConfigMap"] if _namespace(one) == _KNATIVE},
            {_target(one): one for one in kinds["HorizontalPodAutoscaler"]},
            {_name(one): one for one in kinds["RuntimeClass"]},
            pod_level=pod_level,
        )

    def kserve_setting(self, section: str, name: str, default: Any = None) -> Any:
        """One of KServe's settings; the default for one that is not there, or empty."""
        return self.kserve.get(section, {}).get(name) or default

    def knative_setting(self, config: str, name: str) -> str | None:
        """One of Knative's settings, if it is there."""
        value = self.knative.get(config, {}).get(name)
        return None if value in (None, "") else str(value)


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace") or "")


def _target(scaler: Object) -> tuple[str, str, str]:
    target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
    return _namespace(scaler), str(target.get("kind")), str(target.get("name"))


def _kserve(config_maps: Iterable[Object]) -> dict[str, Mapping[str, Any]]:
    """The sections of KServe's ConfigMap: JSON in text. What is none is as good as not there."""
    found = dict[str, Mapping[str, Any]]()
    for one in config_maps:
        if (_namespace(one), _name(one)) == (_KSERVE, _SETTINGS):
            for section, text in (one.get("data") or {}).items():
                try:
                    value = json.loads(text)
                except (TypeError, ValueError):
                    continue
                if isinstance(value, dict):
                    found[section] = value
    return found

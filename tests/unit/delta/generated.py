"""Pairs of trees with every shape of workload there is, each with what is around it: chosen by hypothesis."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

Object = dict[str, Any]
Tree = dict[str, list[Object]]
CPU = ("10m", "0.3", "1", "1500m", "2", "333m", "1e-1", "7u", ".5", "12345678n", 1, 0)
MEMORY = ("64Mi", "1Gi", "1G", "100M", "123456789", "1.5Ki", "3Ti", "5e8", "1Pi", "512k", "700m", "0")
OTHERS = {"nvidia.com/gpu": ("1", "2"), "ephemeral-storage": ("1Gi", "20G"), "hugepages-2Mi": ("4Mi",)}
NAMESPACES, PLACES, NAMES = ("one", "two"), ("apps/a", "apps/b", "infrastructure/c"), ("v", "w", "x", "y", "z")
OWNERS, PAYERS = ("ml-platform", "platform-team"), ("cc-demo", "cc-ml")
URIS = ("s3://a/b", "http://c/d", "pvc://claim/e", "oci://registry/f:1")
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob", "InferenceService", "Service")


class Trees:
    """Makes one pair."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def maybe(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def one(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def pair(self) -> tuple[Tree, Tree]:
        before: Tree = {place: [] for place in PLACES}
        for obj in self.surroundings():
            before["infrastructure/c"].append(obj)
        taken = set[tuple[str, str, str]]()
        for _ in range(self.random.randint(1, 4)):
            self.put(before, taken)
        after = copy.deepcopy(before)
        for _ in range(self.random.randint(0, 4)):
            self.change(after, taken)
        return before, after

    def put(self, tree: Tree, taken: set[tuple[str, str, str]]) -> None:
        obj = self.workload()
        meta = obj["metadata"]
        key = (obj["kind"], meta["namespace"], meta["name"])
        if key not in taken:
            taken.add(key)
            tree[self.one(PLACES)].append(obj)
            if self.maybe(0.2):
                tree["apps/b"].append(self.scaler(obj))

    def change(self, tree: Tree, taken: set[tuple[str, str, str]]) -> None:
        """One edit, as a commit makes it."""
        place = self.one([name for name in PLACES if tree[name]] or PLACES)
        if not tree[place] or self.maybe(0.2):
            self.put(tree, taken)
            return
        at = self.random.randrange(len(tree[place]))
        obj = tree[place][at]
        match self.random.randrange(6):
            case 0:
                del tree[place][at]
            case 1:
                tree[self.one(PLACES)].append(tree[place].pop(at))
            case 2 if obj["kind"] in KINDS:
                obj["metadata"]["name"] += "-new"
            case 3 if "labels" in obj["metadata"]:
                obj["metadata"]["labels"]["owner"] = self.one(OWNERS)
            case 4 if "replicas" in obj.get("spec", {}):
                obj["spec"]["replicas"] = self.random.randint(0, 6)
            case _:
                if obj["kind"] in KINDS:
                    fresh = self.workload(obj["kind"])
                    obj["spec"] = fresh["spec"]

    # --- what is around

    def surroundings(self) -> list[Object]:
        found = [self.limit_range(index) for index in range(self.random.randint(0, 2))]
        found += [self.runtime(index) for index in range(self.random.randint(0, 4))]
        if self.maybe():
            found.append(self.config("kserve", "inferenceservice-config", self.kserve()))
        for name, data in self.knative().items():
            if self.maybe():
                found.append(self.config("knative-serving", name, data))
        for index in range(self.random.randint(0, 2)):
            spec = {
                "container": {"name": "c", "resources": self.resources()},
                "supportedUriFormats": [{"prefix": self.one(("s3://", "http"))}],
            }
            found.append(self.obj("serving.kserve.io/v1alpha1", "ClusterStorageContainer", f"s{index}", spec))
        if self.maybe(0.3):
            one = self.obj("node.k8s.io/v1", "RuntimeClass", "sandbox", {})
            found.append({**one, "overhead": {"podFixed": {"cpu": self.one(CPU), "memory": self.one(MEMORY)}}})
        return found

    def limit_range(self, index: int) -> Object:
        entries = [{"type": "Pod", "max": {"cpu": "1"}}]
        for _ in range(self.random.randint(1, 2)):
            sorts = ("default", "defaultRequest", "max", "min")
            entries.append({"type": "Container", **{sort: self.amounts() for sort in sorts if self.maybe()}})
        return self.obj("v1", "LimitRange", f"r{index}", {"limits": entries}, self.one(NAMESPACES))

    def runtime(self, index: int) -> Object:
        formats = [
            {
                "name": self.one(("sklearn", "xgboost")),
                "autoSelect": self.maybe(0.8),
                **({"priority": self.random.randint(0, 2)} if self.maybe(0.8) else {}),
            }
            for _ in range(self.random.randint(1, 2))
        ]
        containers = [self.container("kserve-container" if self.maybe(0.8) else "another")]
        if self.maybe(0.3):
            containers.insert(self.random.randint(0, 1), self.container("transformer-container"))
        spec = {
            "supportedModelFormats": formats,
            "containers": containers,
            **({"disabled": True} if self.maybe(0.1) else {}),
        }
        if self.maybe():
            return self.obj("serving.kserve.io/v1alpha1", "ClusterServingRuntime", f"t{index}", spec)
        return self.obj("serving.kserve.io/v1alpha1", "ServingRuntime", f"t{index}", spec, self.one(NAMESPACES))

    def kserve(self) -> Object:
        def four() -> Object:
            choices = {"cpuRequest": CPU, "memoryRequest": MEMORY, "cpuLimit": CPU, "memoryLimit": MEMORY}
            return {key: str(self.one(values[:6])) for key, values in choices.items() if self.maybe()}

        sections: Object = {"inferenceService": {"resource": four()}, "agent": four(), "storageInitializer": four()}
        sections["deploy"] = {
            "defaultDeploymentMode": self.one(("Knative", "Serverless", "RawDeployment", "Standard", "ModelMesh"))
        }
        if self.maybe():
            sections["storageInitializer"]["enableModelcar"] = True
        return {name: json.dumps(section) for name, section in sections.items() if self.maybe(0.7)}

    def knative(self) -> Object:
        def some(choices: Object) -> Object:
            return {key: str(self.one(values)) for key, values in choices.items() if self.maybe()}

        cpu, memory = CPU[:6], MEMORY[:6]
        return {
            "config-deployment": some(
                {"queue-sidecar-cpu-request": cpu, "queue-sidecar-memory-limit": memory, "queue-sidecar-cpu-limit": cpu}
            ),
            "config-features": some({"queueproxy.resource-defaults": ("Enabled", "Disabled")}),
            "config-defaults": some({"revision-cpu-request": cpu, "revision-memory-limit": memory}),
            "config-autoscaler": some({"max-scale": ("0", "4")}),
        }

    def config(self, namespace: str, name: str, data: Object) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": namespace, "name": name},
            "data": data,
        }

    def scaler(self, obj: Object) -> Object:
        target = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": obj["metadata"]["name"]}
        least = self.random.randint(1, 3)
        spec = {
            "scaleTargetRef": target,
            "maxReplicas": least + self.random.randint(0, 3),
            **({"minReplicas": least} if self.maybe() else {}),
        }
        return self.obj(
            "autoscaling/v2", "HorizontalPodAutoscaler", obj["metadata"]["name"], spec, obj["metadata"]["namespace"]
        )

    # --- workloads

    def workload(self, kind: str = "") -> Object:
        kind = kind or self.one((*KINDS, "InferenceService", "Deployment", "other"))
        meta = {"name": self.one(NAMES), "namespace": self.one(NAMESPACES), "labels": self.labels()}
        version, spec = "apps/v1", self.pods()
        match kind:
            case "Pod":
                version, spec = "v1", self.pod()
            case "Job":
                version = "batch/v1"
            case "CronJob":
                version, spec = "batch/v1", {"schedule": "0 1 * * *", "jobTemplate": {"spec": spec}}
            case "InferenceService":
                version, spec = "serving.kserve.io/v1beta1", self.model()
                meta["annotations"] = self.notes()
            case "Service":
                version, spec = "serving.knative.dev/v1", {"template": self.template(self.notes())}
            case "other":
                return self.other(meta)
            case _ if kind != "DaemonSet" and self.maybe():
                spec["replicas"] = self.random.randint(0, 5)
        if kind == "StatefulSet" and self.maybe(0.3):
            spec["volumeClaimTemplates"] = [{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}]
        return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}

    def other(self, meta: Object) -> Object:
        """What has no price, or costs nothing."""
        kinds = {
            "PersistentVolumeClaim": ("v1", {"resources": {"requests": {"storage": "5Gi"}}}),
            "Rollout": ("argoproj.io/v1alpha1", self.pods()),
            "ScaledObject": ("keda.sh/v1alpha1", {"scaleTargetRef": {"name": "x"}}),
            "InferenceGraph": ("serving.kserve.io/v1alpha1", {"nodes": {}}),
            "Ingress": ("networking.k8s.io/v1", {"rules": []}),
        }
        kind = self.one(sorted(kinds))
        version, spec = kinds[kind]
        return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}

    def pods(self) -> Object:
        return {"template": self.template({})}

    def template(self, notes: Object) -> Object:
        return {"metadata": {"labels": self.labels(), "annotations": notes}, "spec": self.pod()}

    def pod(self) -> Object:
        spec: Object = {"containers": [self.container(f"c{index}") for index in range(self.random.randint(1, 3))]}
        if self.maybe(0.4):
            spec["initContainers"] = [self.starting(f"i{index}") for index in range(self.random.randint(1, 3))]
        if self.maybe(0.15):
            spec["resources"] = self.resources()
        if self.maybe(0.15):
            spec["runtimeClassName"] = self.one(("sandbox", "unknown"))
        return spec

    def starting(self, name: str) -> Object:
        return {**self.container(name), **({"restartPolicy": "Always"} if self.maybe(0.4) else {})}

    def container(self, name: str) -> Object:
        found: Object = {"name": name, "image": f"registry/{self.one('abcd')}:1.0.0"}
        if self.maybe(0.8):
            found["resources"] = self.resources()
        return found

    def resources(self) -> Object:
        return {side: self.amounts() for side in ("requests", "limits") if self.maybe(0.7)}

    def amounts(self) -> Object:
        found = {what: self.one(choices) for what, choices in (("cpu", CPU), ("memory", MEMORY)) if self.maybe(0.7)}
        if self.maybe(0.1):
            other = self.one(sorted(OTHERS))
            found[other] = self.one(OTHERS[other])
        return found

    def labels(self) -> Object:
        return {
            key: self.one(values) for key, values in (("owner", OWNERS), ("cost-center", PAYERS)) if self.maybe(0.8)
        }

    def notes(self) -> Object:
        choices = {
            "autoscaling.knative.dev/min-scale": ("0", "1", "2"),
            "autoscaling.knative.dev/max-scale": ("0", "3", "5"),
            "queue.sidecar.serving.knative.dev/cpu-resource-request": ("40m", "1"),
            "queue.sidecar.serving.knative.dev/memory-resource-limit": ("99Mi", "1G"),
            "serving.kserve.io/deploymentMode": ("Serverless", "RawDeployment", "ModelMesh"),
            "serving.kserve.io/stop": ("true", "false"),
        }
        return {key: self.one(values) for key, values in choices.items() if self.maybe(0.2)}

    def model(self) -> Object:
        found = {"predictor": self.component(legacy=True)}
        for name in ("transformer", "explainer"):
            if self.maybe(0.25):
                found[name] = self.component(legacy=False)
        return found

    def component(self, *, legacy: bool) -> Object:
        part: Object = {}
        for name in ("minReplicas", "maxReplicas"):
            if self.maybe():
                part[name] = self.random.randint(0, 4)
        shape = self.one(("model", "sklearn", "xgboost", "hand")) if legacy else "hand"
        if shape == "hand":
            server = self.container("kserve-container")
            if self.maybe(0.4):
                server["env"] = [{"name": "OTHER", "value": "x"}, {"name": "STORAGE_URI", "value": self.one(URIS)}]
            part["containers"] = [server, *([self.container("beside")] if self.maybe(0.3) else [])]
        else:
            part[shape] = self.served(shape)
            if self.maybe(0.2):
                part["containers"] = [self.container("transformer-container")]
        for name, value in (
            ("labels", self.labels()),
            ("annotations", self.notes()),
            ("logger", {"mode": "all"}),
            ("canaryTrafficPercent", 10),
        ):
            if self.maybe(0.15):
                part[name] = value
        if self.maybe(0.2):
            part["initContainers"] = [self.starting("i0")]
        return part

    def served(self, shape: str) -> Object:
        model: Object = {"modelFormat": {"name": self.one(("sklearn", "xgboost"))}} if shape == "model" else {}
        if self.maybe(0.8):
            model["storageUri"] = self.one(URIS)
        if self.maybe(0.7):
            model["resources"] = self.resources()
        if self.maybe(0.2):
            model["runtime"] = self.one(("t0", "t1", "t9"))
        return model

    @staticmethod
    def obj(version: str, kind: str, name: str, spec: Object, namespace: str = "") -> Object:
        meta = {"name": name, **({"namespace": namespace} if namespace else {})}
        return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}

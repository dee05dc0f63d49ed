"""A second implementation of the delta: fractions, one pass over plain dictionaries, after the documentation.

https://kubernetes.io/docs/concepts/workloads/pods/init-containers/, …/policy/limit-range/, KServe's and Knative's. It
shares nothing with what it judges, not even how a quantity is read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from typing import Any

Object = dict[str, Any]
POWERS = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
FRAMEWORKS = "sklearn xgboost onnx triton lightgbm"


def read(text: object) -> Fraction:
    number, suffix = re.fullmatch(r"([-+.\d]+(?:[eE][-+]?\d+)?)([a-zA-Z]*)", str(text)).groups()  # type: ignore[union-attr]
    if suffix.endswith("i"):
        return Fraction(number) * 2 ** (10 * "KMGTPE".index(suffix[0].upper()) + 10)
    return Fraction(number) * Fraction(1000) ** POWERS[suffix]


def bag(given: Any) -> dict[str, Fraction]:
    return {key: read(value) for key, value in (given or {}).items()}


class Cluster:
    """What a tree's objects are deployed into."""

    def __init__(
        self, tree: dict[str, list[Object]], nodes: int | None, prices: dict[str, str], pod_level: bool
    ) -> None:
        self.objects = [(place, obj) for place in sorted(tree) for obj in tree[place]]
        self.nodes, self.prices, self.pod_level = (
            nodes,
            {key: Fraction(value) for key, value in prices.items()},
            pod_level,
        )

    def kind(self, *names: str) -> list[Object]:
        return sorted((obj for _, obj in self.objects if obj["kind"] in names), key=lambda obj: obj["metadata"]["name"])

    def config(self, namespace: str, name: str) -> Object:
        for one in self.kind("ConfigMap"):
            if one["metadata"] == {"namespace": namespace, "name": name}:
                return one["data"]  # type: ignore[no-any-return]
        return {}

    def kserve(self, section: str) -> Object:
        return json.loads(self.config("kserve", "inferenceservice-config").get(section, "{}"))  # type: ignore[no-any-return]

    # --- one container, as the API server stores it

    def stored(
        self, container: Object, namespace: str, defaults: bool = True
    ) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        given = container.get("resources") or {}
        requests, limits = bag(given.get("requests")), bag(given.get("limits"))
        for key in limits:
            requests.setdefault(key, limits[key])
        for one in self.kind("LimitRange") if defaults else []:
            if one["metadata"]["namespace"] != namespace:
                continue
            to_limit: dict[str, Fraction] = {}
            to_request: dict[str, Fraction] = {}
            for entry in one["spec"]["limits"]:
                if entry["type"] != "Container":
                    continue
                default, requested = bag(entry.get("default")), bag(entry.get("defaultRequest"))
                for key, value in bag(entry.get("max")).items():
                    default.setdefault(key, value)
                for key, value in default.items():
                    requested.setdefault(key, value)
                for key, value in bag(entry.get("min")).items():
                    requested.setdefault(key, value)
                to_limit.update(default)
                to_request.update(requested)
            for key, value in to_limit.items():
                limits.setdefault(key, value)
            for key, value in to_request.items():
                requests.setdefault(key, value)
        return requests, limits

    # --- one pod, as the scheduler sees it

    def pod(self, spec: Object, namespace: str) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        found = []
        for side in (0, 1):
            answer = self.highest(spec, namespace, side, defaults=True)
            level = spec.get("resources") if self.pod_level else None
            if level:
                said = [
                    {k: v for k, v in bag(level.get(s)).items() if k in ("cpu", "memory")}
                    for s in ("requests", "limits")
                ]
                if side == 0 and said[1]:
                    for key, value in self.highest(spec, namespace, 0, defaults=False).items():
                        if key in ("cpu", "memory"):
                            said[0].setdefault(key, value)
                    for key, value in said[1].items():
                        said[0].setdefault(key, value)
                answer.update(said[side])
            for one in self.kind("RuntimeClass"):
                if one["metadata"]["name"] == spec.get("runtimeClassName"):
                    for key, value in bag(one.get("overhead", {}).get("podFixed")).items():
                        if side == 0 or key in answer:
                            answer[key] = answer.get(key, Fraction(0)) + value
            found.append(answer)
        return found[0], found[1]

    def highest(self, spec: Object, namespace: str, side: int, defaults: bool) -> dict[str, Fraction]:
        """Every moment of a pod's start, and the most of each resource in any of them."""
        moments: list[list[dict[str, Fraction]]] = []
        staying: list[dict[str, Fraction]] = []
        for one in spec.get("initContainers") or []:
            amounts = self.stored(one, namespace, defaults)[side]
            moments.append([*staying, amounts])
            if one.get("restartPolicy") == "Always":
                staying.append(amounts)
        moments.append(staying + [self.stored(one, namespace, defaults)[side] for one in spec.get("containers") or []])
        keys = {key for moment in moments for amounts in moment for key in amounts}
        return {
            key: max(sum((a.get(key, Fraction(0)) for a in moment), Fraction(0)) for moment in moments) for key in keys
        }

    # --- workloads

    def workloads(self) -> list[Object]:
        found = []
        for place, obj in self.objects:
            sorts = [one for one in self.sorts(obj) if one["priced"]]
            if sorts:
                meta = obj["metadata"]
                key = (obj["kind"], meta.get("namespace", ""), meta["name"])
                content = [text for one in sorts for text in one["content"]]
                found.append({"place": place, "key": key, "sorts": sorts, "content": content})
        return found

    def sorts(self, obj: Object) -> list[Object]:
        kind, meta, spec = obj["kind"], obj["metadata"], obj.get("spec") or {}
        namespace = meta.get("namespace", "")
        if kind == "InferenceService":
            return self.model(obj)
        if obj["apiVersion"] == "serving.knative.dev/v1":
            template = spec["template"]
            notes = template.get("metadata", {}).get("annotations", {})
            pod = self.knative(template["spec"], notes)
            least = int(notes.get("autoscaling.knative.dev/min-scale", 0))
            most = int(
                notes.get("autoscaling.knative.dev/max-scale", 0)
                or self.config("knative-serving", "config-autoscaler").get("max-scale", 0)
            )
            return [
                self.sort(
                    "", pod, namespace, meta, template.get("metadata", {}), least, max(least, most) if most else None
                )
            ]
        if kind == "Pod":
            return [self.sort("", spec, namespace, meta, {}, 1, 1)]
        if kind not in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}:
            return []
        template = spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]
        least = most = spec.get("replicas", 1)
        if kind == "DaemonSet":
            least = most = self.nodes
        for scaler in (
            self.kind("HorizontalPodAutoscaler") if kind in {"Deployment", "StatefulSet", "ReplicaSet"} else []
        ):
            target = scaler["spec"]["scaleTargetRef"]
            if (scaler["metadata"]["namespace"], target["kind"], target["name"]) == (
                namespace,
                kind,
                meta["name"],
            ) and least:
                least, most = scaler["spec"].get("minReplicas", 1), scaler["spec"]["maxReplicas"]
        priced = kind not in {"Job", "CronJob"} and least is not None
        return [
            {
                **self.sort("", template["spec"], namespace, meta, template.get("metadata", {}), least or 0, most or 0),
                "priced": priced,
            }
        ]

    def sort(  # noqa: PLR0917 - one sort of pods, whole
        self, part: str, spec: Object, namespace: str, meta: Object, template: Object, least: int, most: int | None
    ) -> Object:
        labels = {**meta.get("labels", {}), **template.get("labels", {})}
        requests, limits = self.pod(spec, namespace)
        pod = (
            {f"requests.{k}": v for k, v in requests.items()}
            | {f"limits.{k}": v for k, v in limits.items()}
            | {"pods": Fraction(1)}
        )
        images = sorted(
            one["image"] for sort in ("containers", "initContainers") for one in spec.get(sort) or [] if "image" in one
        )
        return {
            "owner": labels.get("owner", "(none)"),
            "payer": labels.get("cost-center", "(none)"),
            "pod": pod,
            "least": least,
            "most": most,
            "priced": True,
            "content": [part, *images],
            "spec": spec,
            "namespace": namespace,
        }

    def knative(self, spec: Object, notes: Object) -> Object:
        defaults, deployment = (
            self.config("knative-serving", "config-defaults"),
            self.config("knative-serving", "config-deployment"),
        )
        on = self.config("knative-serving", "config-features").get("queueproxy.resource-defaults") == "Enabled"
        always = {("cpu", "request"): "25m"}
        generous = {
            ("cpu", "request"): "25m",
            ("memory", "request"): "400Mi",
            ("cpu", "limit"): "1",
            ("memory", "limit"): "800Mi",
        }
        queue: Object = {"requests": {}, "limits": {}}
        filled = [json.loads(json.dumps(one)) for one in spec.get("containers") or []]
        for resource in ("cpu", "memory"):
            for side in ("request", "limit"):
                amount = (generous if on else always).get((resource, side))
                amount = deployment.get(f"queue-sidecar-{resource}-{side}", amount)
                amount = notes.get(f"queue.sidecar.serving.knative.dev/{resource}-resource-{side}", amount)
                if amount:
                    queue[f"{side}s"][resource] = amount
                for one in filled if f"revision-{resource}-{side}" in defaults else []:
                    resources = one.setdefault("resources", {})
                    resources.setdefault(f"{side}s", {}).setdefault(resource, defaults[f"revision-{resource}-{side}"])
        return {**spec, "containers": [*filled, {"resources": queue}]}

    def model(self, obj: Object) -> list[Object]:
        meta, spec, found = obj["metadata"], obj["spec"], list[Object]()
        mode = meta.get("annotations", {}).get("serving.kserve.io/deploymentMode") or self.kserve("deploy").get(
            "defaultDeploymentMode", "Knative"
        )
        if mode not in ("Knative", "Serverless", "RawDeployment", "Standard"):
            return []
        for name in ("predictor", "transformer", "explainer"):
            if name not in spec:
                continue
            part = spec[name]
            notes = {**meta.get("annotations", {}), **part.get("annotations", {})}
            pod, uri = self.component(name, part, meta["namespace"])
            if mode in ("Knative", "Serverless"):
                pod = self.knative(pod, notes)
                least, most = part.get("minReplicas", 1), part.get("maxReplicas", 0)
                most = most or int(self.config("knative-serving", "config-autoscaler").get("max-scale", 0))
                bounds: tuple[int, int | None] = (least, max(least, most) if most else None)
            else:
                least = max(1, part.get("minReplicas", 1))
                bounds = (least, max(least, part.get("maxReplicas", 0)))
            if notes.get("serving.kserve.io/stop") == "true":
                bounds = (0, 0)
            one = self.sort(name, pod, meta["namespace"], meta, part, *bounds)
            one["content"] += [uri] if uri else []
            found.append(one)
        return found

    def component(self, name: str, part: Object, namespace: str) -> tuple[Object, str | None]:
        key = next((one for one in ("model", *FRAMEWORKS.split()) if one in part), None)
        own = json.loads(json.dumps(part.get("containers") or []))
        said = self.kserve("inferenceService").get("resource", {})
        pod: Object = {"initContainers": list(part.get("initContainers") or [])}
        if "runtimeClassName" in part:
            pod["runtimeClassName"] = part["runtimeClassName"]
        if key is None:
            if own:
                self.fill(own[0], said)
            pod["containers"] = own
            uri = next(
                (v["value"] for v in (own[0].get("env") or [] if own else []) if v["name"] == "STORAGE_URI"), None
            )
        else:
            model = json.loads(json.dumps(part[key]))
            self.fill(model, said)
            runtime = (
                self.runtime(model, model.get("modelFormat", {}).get("name") if key == "model" else key, namespace)
                if name == "predictor"
                else None
            )
            theirs = json.loads(json.dumps(runtime["spec"]["containers"])) if runtime else [{}]
            names = [one.get("name") for one in theirs]
            at = names.index("kserve-container") if "kserve-container" in names else 0
            server = theirs.pop(at)
            pod["containers"] = [self.over(server, model)]
            for one in own:
                twin = next((other for other in theirs if other["name"] == one["name"]), None)
                if twin:
                    theirs[theirs.index(twin)] = self.over(twin, one)
                else:
                    theirs.append(one)
            pod["containers"] += theirs
            uri = model.get("storageUri")
        if "logger" in part:
            pod["containers"].append({"resources": self.figures(self.kserve("agent"))})
        if uri:
            self.fetch(pod, uri)
        return pod, uri

    def fill(self, container: Object, said: Object) -> None:
        for side, amounts in self.figures(said).items():
            mine = container.setdefault("resources", {}).setdefault(side, {})
            for key, value in amounts.items():
                mine.setdefault(key, value)

    @staticmethod
    def figures(said: Object) -> Object:
        return {
            f"{side.lower()}s": {r: said[f"{r}{side}"] for r in ("cpu", "memory") if f"{r}{side}" in said}
            for side in ("Request", "Limit")
        }

    @staticmethod
    def over(below: Object, above: Object) -> Object:
        resources = json.loads(json.dumps(below.get("resources") or {}))
        for side, amounts in (above.get("resources") or {}).items():
            resources.setdefault(side, {}).update(amounts)
        return {**below, **above, "resources": resources}

    def runtime(self, model: Object, wanted: str, namespace: str) -> Object | None:
        near = [one for one in self.kind("ServingRuntime") if one["metadata"]["namespace"] == namespace]
        for group in (near, self.kind("ClusterServingRuntime")):
            best: tuple[int, Object] | None = None
            for one in group:
                if "runtime" in model:
                    if one["metadata"]["name"] == model["runtime"]:
                        return one
                    continue
                for entry in one["spec"]["supportedModelFormats"]:
                    if entry["name"] == wanted and entry.get("autoSelect") and not one["spec"].get("disabled"):
                        priority = entry.get("priority", 0)
                        if best is None or priority > best[0]:
                            best = (priority, one)
            if best:
                return best[1]
        return None

    def fetch(self, pod: Object, uri: str) -> None:
        if uri.startswith("pvc://"):
            return
        settings = self.kserve("storageInitializer")
        if uri.startswith("oci://") and settings.get("enableModelcar"):
            amounts = {"cpu": settings.get("cpuModelcar", "10m"), "memory": settings.get("memoryModelcar", "15Mi")}
            both = {"resources": {"requests": amounts, "limits": amounts}}
            pod["containers"].append(both)
            pod["initContainers"].append(both)
            return
        resources = self.figures(
            {"cpuRequest": "100m", "memoryRequest": "100Mi", "cpuLimit": "1", "memoryLimit": "1Gi", **settings}
        )
        for one in self.kind("ClusterStorageContainer"):
            if any(uri.startswith(entry["prefix"]) for entry in one["spec"]["supportedUriFormats"]):
                for side, amounts in one["spec"]["container"].get("resources", {}).items():
                    resources[side].update(amounts)
                break
        pod["initContainers"].append({"resources": resources})

    # --- sums

    def sums(self, sorts: list[Object]) -> Object:
        """What ``neuroscale delta --format json`` says of a demand."""
        answer: Object = {"unbounded": sum(one["most"] is None for one in sorts)}
        for bound in ("least", "most"):
            amounts: Counter[str] = Counter()
            for one in sorts:
                count = one["least"] if one[bound] is None else one[bound]
                for key, value in one["pod"].items():
                    amounts[key] += value * count
            amounts["monthly"] = sum(
                (
                    730 * amounts[f"requests.{key}"] * price / (2**30 if key == "memory" else 1)
                    for key, price in self.prices.items()
                ),
                Fraction(0),
            )
            answer[bound] = {key: value for key, value in amounts.items() if value}
        return answer

    # --- what has no price

    def without_price(self) -> Counter[str]:
        """Object -> how many reasons there are for it."""
        found: Counter[str] = Counter()
        for _, obj in self.objects:
            name = f"{obj['kind']} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
            sorts, kind = self.sorts(obj), obj["kind"]
            by_kind = kind in {"Job", "CronJob", "PersistentVolumeClaim", "Rollout", "ScaledObject", "InferenceGraph"}
            other_mode = kind == "InferenceService" and not sorts and obj["spec"]
            if by_kind or other_mode or any(not one["priced"] for one in sorts):
                found[name] += 1
            else:
                for one in sorts:
                    found[name] += self.reasons(one)
                found[name] += len(obj.get("spec", {}).get("volumeClaimTemplates", [])) if sorts else 0
                if kind == "InferenceService":
                    found[name] += self.model_reasons(obj)
        return +found

    def reasons(self, one: Object) -> int:
        spec, count = one["spec"], 0
        count += sum(
            1
            for key, value in one["pod"].items()
            if key.startswith("requests.") and value and key[9:] not in self.prices
        )
        everyone = [*spec.get("containers", []), *(spec.get("initContainers") or [])]
        level = (spec.get("resources") or {}) if self.pod_level else {}
        for key in ("cpu", "memory"):
            whole = level.get("requests", {}).get(key, level.get("limits", {}).get(key, 0))
            if not read(whole):
                count += any(not self.stored(each, one["namespace"])[0].get(key) for each in everyone)
        known = {each["metadata"]["name"] for each in self.kind("RuntimeClass")}
        return count + (spec.get("runtimeClassName", "") not in {"", *known})

    def model_reasons(self, obj: Object) -> int:
        part = obj["spec"].get("predictor", {})
        count = sum("canaryTrafficPercent" in one for one in obj["spec"].values())
        key = next((one for one in ("model", *FRAMEWORKS.split()) if one in part), None)
        if key is None:
            return count
        wanted = part[key].get("modelFormat", {}).get("name") if key == "model" else key
        return count + (self.runtime(part[key], wanted, obj["metadata"]["namespace"]) is None)


# --- two of them


def opinion(before: Cluster, after: Cluster) -> Object:
    """The whole answer, in the form of ``--format json``, with fractions."""
    old, new = before.workloads(), after.workloads()
    changes = []
    for was, now in pairs(list(old), list(new)):
        sides = [
            before.sums(was["sorts"]) if was else before.sums([]),
            after.sums(now["sorts"]) if now else after.sums([]),
        ]
        row = difference(*sides)
        moved = was and now and (was["key"], was["place"], payers(was)) != (now["key"], now["place"], payers(now))
        if was is None or now is None or moved or any(row["difference"].values()):
            changes.append({"name": (now or was)["key"], "place": (now or was)["place"], **row})
    sorts = [[one for workload in side for one in workload["sorts"]] for side in (old, new)]
    found: Object = {"total": difference(before.sums(sorts[0]), after.sums(sorts[1])), "workloads": changes}
    for who in ("owner", "payer"):
        names = sorted({one[who] for side in sorts for one in side})
        rows = {
            name: difference(
                *(
                    where.sums([one for one in side if one[who] == name])
                    for where, side in zip((before, after), sorts, strict=True)
                )
            )
            for name in names
        }
        found[who] = {name: row for name, row in rows.items() if any(row["difference"].values())}
    found["unpriced"] = after.without_price()
    return found


def payers(workload: Object) -> object:
    return [list(dict.fromkeys(one[who] for one in workload["sorts"])) for who in ("owner", "payer")]


def difference(before: Object, after: Object) -> Object:
    answer: Object = {"unbounded": after["unbounded"] - before["unbounded"]}
    for bound in ("least", "most"):
        keys = {*before[bound], *after[bound]}
        amounts = {key: after[bound].get(key, 0) - before[bound].get(key, 0) for key in keys}
        answer[bound] = {key: value for key, value in amounts.items() if value}
    return {"before": before, "after": after, "difference": answer}


def pairs(old: list[Object], new: list[Object]) -> list[tuple[Object | None, Object | None]]:
    """Who is who: first whose name stays, then who runs the same under another name."""
    found: list[tuple[Object | None, Object | None]] = []
    rounds = (
        lambda a, b: a["key"] == b["key"] and a["place"] == b["place"],
        lambda a, b: a["key"] == b["key"],
        lambda a, b: alike(a, b) and a["place"] == b["place"],
        alike,
    )
    for same in rounds:
        for now in list(new):
            for was in old:
                if same(was, now):
                    found.append((was, now))
                    old.remove(was)
                    new.remove(now)
                    break
    return [*found, *((was, None) for was in old), *((None, now) for now in new)]


def alike(one: Object, other: Object) -> bool:
    return one["content"] == other["content"] and any(one["content"]) and one["key"][:2] == other["key"][:2]

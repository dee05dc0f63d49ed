"""Each shape of workload, with figures that were added up by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from neuroscale.delta.demand import Demand
from neuroscale.delta.workloads import Survey, survey
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices, Thresholds

MI = 1024**2
PRICES = Prices("USD", {"cpu": Decimal("0.03719"), "memory": Decimal("0.004673")}, Thresholds(Decimal(2), Decimal(4)))
FIGURES = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
OWNED = {"owner": "ml-platform", "cost-center": "cc-ml"}
RANGES = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "r", "namespace": "n"},
    "spec": {
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "500m", "memory": "512Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
            }
        ]
    },
}


def obj(kind: str, spec: Object, version: str = "apps/v1", **meta: Any) -> Object:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "a", "namespace": "n", "labels": OWNED, **meta},
        "spec": spec,
    }


def container(cpu: str = "100m", memory: str = "64Mi", **more: Any) -> Object:
    amounts = {"cpu": cpu, "memory": memory}
    return {"name": "c", "image": "i:1.0.0", "resources": {"requests": amounts, "limits": amounts}, **more}


def deployment(*containers: Object, starting: Any = (), **spec: Any) -> Object:
    pod = {"containers": [*containers], "initContainers": [*starting]}
    return obj("Deployment", {"template": {"metadata": {"labels": OWNED}, "spec": pod}, **spec})


def model(predictor: Object, **more: Any) -> Object:
    return obj("InferenceService", {"predictor": predictor, **more}, "serving.kserve.io/v1beta1")


def runtime(called: str = "s", kind: str = "ClusterServingRuntime", cpu: str = "1", **entry: Any) -> Object:
    formats = [{"name": "sklearn", "autoSelect": True, **entry}]
    spec = {
        "supportedModelFormats": formats,
        "containers": [{**container(cpu, "2Gi"), "name": "kserve-container"}],
    }
    return obj(kind, spec, "serving.kserve.io/v1alpha1", name=called)


def config(name: str, namespace: str = "knative-serving", **data: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def kserve(**sections: Object) -> Object:
    texts = {name: json.dumps(section) for name, section in sections.items()}
    return config("inferenceservice-config", "kserve", **texts)


def looked(*objects: Object, prices: Prices = PRICES, pod_level: bool = False) -> Survey:
    return survey({"apps/a": [*objects]}, prices, pod_level=pod_level)


def asked(*objects: Object, **named: Any) -> list[Decimal]:
    """Cores and MiB at least: requests, then limits."""
    demand = Demand.sum(one.demand for one in looked(*objects, **named).workloads)
    return [demand.least.get(what, Decimal(0)) / (MI if "memory" in what else 1) for what in FIGURES]


def pods(*objects: Object, **named: Any) -> tuple[int, int, int]:
    """At least, at most, and sorts without a bound."""
    demand = Demand.sum(one.demand for one in looked(*objects, **named).workloads)
    return int(demand.least.get("pods", 0)), int(demand.most.get("pods", 0)), demand.unbounded


# --- one pod

SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("starting", "cpu"),
    [([], "0.3"), ([container("200m")], "0.3"), ([container("2")], "2"), ([container("1", **SIDECAR)], "1.3"),
     ([container("1", **SIDECAR), container("2")], "3"), ([container("2"), container("1", **SIDECAR)], "2"),
     ([container("1", **SIDECAR), container("1", **SIDECAR)], "2.3"), ([container("3"), container("2")], "3")],
)  # fmt: skip
def test_a_pod_is_as_large_as_its_largest_moment(starting: list[Object], cpu: str) -> None:
    assert asked(deployment(container("100m"), container("200m"), starting=starting))[0] == Decimal(cpu)


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, ["0.1", 128, "0.5", 512]),
        ({"limits": {"cpu": "1"}}, [1, 128, 1, 512]),
        ({"requests": {"cpu": "50m", "memory": "1Gi"}}, ["0.05", 1024, "0.5", 512]),
        (None, ["0.1", 128, "0.5", 512]),
    ],
)
def test_a_range_completes_each_container(resources: Any, expected: list[Any]) -> None:
    one = {"name": "c", "resources": resources}
    wanted = [Decimal(amount) for amount in expected]
    assert asked(RANGES, deployment(one)) == wanted
    assert asked(RANGES, deployment(one, one)) == [2 * amount for amount in wanted]
    assert asked(RANGES, deployment(starting=[one])) == wanted


def test_a_range_is_its_namespaces() -> None:
    elsewhere = {**RANGES, "metadata": {"name": "r", "namespace": "m"}}
    assert asked(elsewhere, deployment({"name": "c"})) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [({"max": {"cpu": "2"}}, [2, 2]), ({"min": {"cpu": "10m"}}, ["0.01", 0]), ({"default": {"cpu": "1"}}, [1, 1]),
     ({"max": {"cpu": "2"}, "default": {"cpu": "1"}}, [1, 1]), ({"min": {"cpu": "1m"}, "max": {"cpu": "2"}}, [2, 2]),
     ({"defaultRequest": {"cpu": "3m"}, "max": {"cpu": "2"}}, ["0.003", 2])],
)  # fmt: skip
def test_what_a_range_does_not_say_follows_from_what_it_says(entry: Object, expected: list[Any]) -> None:
    ranges = {**RANGES, "spec": {"limits": [{"type": "Container", **entry}, {"type": "Pod", "max": {"cpu": "9"}}]}}
    found = asked(ranges, deployment({"name": "c"}))
    assert [found[0], found[2]] == [Decimal(amount) for amount in expected]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "2"}}, [2, 64, "0.1", 64]),
        ({"limits": {"cpu": "2", "nvidia.com/gpu": "1"}}, ["0.1", 64, 2, 64]),
        ({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}, ["0.1", 1024, "0.1", 2048]),
    ],
)
def test_a_whole_pods_resources_count_where_the_api_server_knows_them(resources: Object, expected: list[Any]) -> None:
    one = deployment(container())
    one["spec"]["template"]["spec"]["resources"] = resources
    assert asked(one, pod_level=True) == [Decimal(amount) for amount in expected]
    assert asked(one) == [Decimal("0.1"), 64, Decimal("0.1"), 64]


def test_a_whole_pods_limit_is_its_request_where_no_container_says_one() -> None:
    one = deployment({"name": "c"})
    one["spec"]["template"]["spec"]["resources"] = {"limits": {"cpu": "2"}}
    assert asked(RANGES, one, pod_level=True) == [2, 128, 2, 512]


def test_a_sandbox_costs_beside_its_containers() -> None:
    sandbox = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "s"}}
    one = deployment({"name": "c", "resources": {"requests": {"cpu": "1"}}})
    one["spec"]["template"]["spec"]["runtimeClassName"] = "s"
    assert asked({**sandbox, "overhead": {"podFixed": {"cpu": "250m", "memory": "10Mi"}}}, one) == [
        Decimal("1.25"),
        10,
        0,
        0,
    ]
    assert [entry.reason for entry in looked(one).unpriced][-1] == "RuntimeClass s, which is not in the tree"


def test_an_amount_that_nobody_can_read_hides_no_other() -> None:
    """The gate's earlier stages reject it."""
    assert asked(deployment({"name": "c", "resources": {"requests": {"cpu": "two", "memory": "64Mi"}}})) == [
        0,
        64,
        0,
        0,
    ]


# --- how many


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [("Deployment", {}, 1), ("Deployment", {"replicas": 3}, 3), ("Deployment", {"replicas": 0}, 0),
     ("StatefulSet", {"replicas": 2}, 2), ("ReplicaSet", {"replicas": 2}, 2),
     ("ReplicationController", {"replicas": 2}, 2),
     ("DaemonSet", {"replicas": 9}, 4)],
)  # fmt: skip
def test_replicas(kind: str, spec: Object, expected: int) -> None:
    one = {**deployment(container(), **spec), "kind": kind}
    one["apiVersion"] = "v1" if kind == "ReplicationController" else "apps/v1"
    priced = Prices("USD", PRICES.hourly, PRICES.thresholds, nodes=4)
    assert pods(one, prices=priced) == (expected, expected, 0)
    assert asked(one, prices=priced)[0] == expected * Decimal("0.1")


@pytest.mark.parametrize(
    ("spec", "replicas", "expected"),
    [({"minReplicas": 2, "maxReplicas": 5}, 1, (2, 5, 0)), ({"maxReplicas": 5}, 3, (1, 5, 0)),
     ({"minReplicas": 2, "maxReplicas": 5}, 0, (0, 0, 0))],
)  # fmt: skip
def test_an_autoscaler_decides_in_between(spec: Object, replicas: int, expected: tuple[int, int, int]) -> None:
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}
    scaler = obj("HorizontalPodAutoscaler", {**target, **spec}, "autoscaling/v2", name="b")
    elsewhere = obj("HorizontalPodAutoscaler", {**target, "maxReplicas": 9}, "autoscaling/v2", namespace="m")
    assert pods(scaler, elsewhere, deployment(container(), replicas=replicas)) == expected
    assert pods(scaler, {**obj("Pod", {"containers": [container()]}, "v1")}) == (1, 1, 0)


@pytest.mark.parametrize(
    ("notes", "default", "expected"),
    [({}, "", (0, 0, 1)), ({"min-scale": "2"}, "", (2, 2, 1)), ({"minScale": "1", "maxScale": "3"}, "", (1, 3, 0)),
     ({"min-scale": "1"}, "4", (1, 4, 0)), ({"max-scale": "0"}, "4", (0, 0, 1)), ({"min-scale": "5"}, "4", (5, 5, 0))],
)  # fmt: skip
def test_knative_scales_between_its_annotations(notes: Object, default: str, expected: tuple[int, int, int]) -> None:
    annotations = {f"autoscaling.knative.dev/{key}": value for key, value in notes.items()}
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": [container()]}}
    around = config("config-autoscaler", **{"max-scale": default})
    assert pods(around, obj("Service", {"template": template}, "serving.knative.dev/v1")) == expected
    revision = obj("Revision", template["spec"], "serving.knative.dev/v1", annotations=annotations)
    assert pods(around, revision) == expected


@pytest.mark.parametrize(
    ("part", "mode", "expected"),
    [({}, "Knative", (1, 1, 1)), ({"minReplicas": 0}, "Serverless", (0, 0, 1)),
     ({"maxReplicas": 3}, "Knative", (1, 3, 0)),
     ({"minReplicas": 0}, "RawDeployment", (1, 1, 0)), ({"minReplicas": 2, "maxReplicas": 4}, "Standard", (2, 4, 0)),
     ({"annotations": {"serving.kserve.io/stop": "true"}}, "Knative", (0, 0, 0))],
)  # fmt: skip
def test_replicas_of_a_model(part: Object, mode: str, expected: tuple[int, int, int]) -> None:
    around = kserve(deploy={"defaultDeploymentMode": mode})
    assert pods(around, model({"containers": [container()], **part})) == expected


# --- models

BARE = {"storageUri": "pvc://a/b"}


@pytest.mark.parametrize(
    "part",
    [{"sklearn": BARE}, {"model": {"modelFormat": {"name": "sklearn"}, **BARE}}, {"model": {"runtime": "s", **BARE}},
     {"sklearn": {**BARE, "resources": {}}}, {"sklearn": {}}],
)  # fmt: skip
def test_a_model_in_any_form_takes_what_its_runtime_says(part: Object) -> None:
    """1 CPU and 2 GiB of the runtime, and queue-proxy's 25m (incident E2)."""
    assert asked(runtime(), model(part)) == [Decimal("1.025"), 2048, 1, 2048]


def test_a_models_own_figures_come_first_amount_by_amount() -> None:
    own = {"resources": {"requests": {"cpu": "300m"}, "limits": {"memory": "3Gi"}}}
    assert asked(runtime(), model({"sklearn": own})) == [Decimal("0.325"), 2048, 1, 3072]


@pytest.mark.parametrize(
    ("runtimes", "cpu"),
    [([runtime("a", cpu="2"), runtime("b", cpu="3", priority=2)], 3),
     ([runtime("b", cpu="3"), runtime("a", cpu="2")], 2),
     ([runtime("a", cpu="2", priority=9), runtime("b", "ServingRuntime", cpu="3")], 3),
     ([runtime("a", cpu="2", name="xgboost")], 0), ([runtime("a", cpu="2", autoSelect=False)], 0)],
)  # fmt: skip
def test_which_runtime_it_is(runtimes: list[Object], cpu: int) -> None:
    assert asked(*runtimes, model({"sklearn": {}}))[0] == cpu + Decimal("0.025")


def test_a_runtime_ranks_by_the_best_of_its_entries() -> None:
    """One without a priority has none, which is less than one."""
    several, other = runtime("b", cpu="3", priority=3), runtime("a", cpu="2", priority=2)
    several["spec"]["supportedModelFormats"].append({"name": "sklearn", "autoSelect": True, "priority": 1})
    assert asked(several, other, model({"sklearn": {}}))[0] == Decimal("3.025")
    plain = runtime("a", cpu="2")
    assert asked(plain, runtime("b", cpu="3", priority=1), model({"sklearn": {}}))[0] == Decimal("3.025")


def test_a_runtime_that_does_not_fit_is_none() -> None:
    fitting, other = runtime("a", cpu="2"), runtime("b", "ServingRuntime", cpu="3")
    other["metadata"]["namespace"] = "m"
    asks = {"sklearn": {"protocolVersion": "v2"}}
    assert asked(other, model({"sklearn": {}}))[0] == Decimal("0.025")
    fitting["spec"]["protocolVersions"] = ["v1"]
    assert asked(fitting, model(asks))[0] == Decimal("0.025")
    fitting["spec"]["protocolVersions"] = ["v1", "v2"]
    assert asked(fitting, model(asks))[0] == Decimal("2.025")
    fitting["spec"]["disabled"] = True
    assert asked(fitting, model(asks))[0] == Decimal("0.025")


def test_a_runtime_is_for_a_version_that_is_asked_for() -> None:
    newer = runtime("a", cpu="2", version="2")
    for version, cpu in (("1", 0), ("2", 2)):
        wanted = {"model": {"modelFormat": {"name": "sklearn", "version": version}}}
        assert asked(newer, model(wanted))[0] == cpu + Decimal("0.025")


def test_containers_beside_a_model_count_once() -> None:
    theirs = runtime()
    theirs["spec"]["containers"].insert(0, {**container("10m"), "name": "transformer-container"})
    theirs["spec"]["initContainers"] = [container("3")]
    own = [{**container("20m", "1Mi"), "name": "transformer-container"}, {**container("40m", "1Mi"), "name": "more"}]
    assert asked(theirs, model({"sklearn": {}, "containers": own}))[:2] == [3, 2050]
    theirs["spec"]["initContainers"] = []
    assert asked(theirs, model({"sklearn": {}, "containers": own}))[:2] == [Decimal("1.085"), 2050]


def test_each_component_has_pods_of_its_own() -> None:
    part = {"containers": [container("1")]}
    whole = model(part, transformer={**part, "minReplicas": 2}, explainer=part)
    assert pods(whole) == (4, 4, 3)
    assert asked(whole)[0] == 4 + 4 * Decimal("0.025")
    assert [share.part for share in looked(whole).workloads[0].shares] == ["predictor", "transformer", "explainer"]


def test_kserves_defaults_are_for_the_server() -> None:
    resource = {"cpuRequest": "200m", "memoryRequest": "32Mi", "cpuLimit": "1", "memoryLimit": "96Mi"}
    around = kserve(inferenceService={"resource": resource})
    assert asked(around, runtime(), model({"sklearn": {}})) == [Decimal("0.225"), 32, 1, 96]
    assert asked(around, model({"containers": [{"name": "c"}, {"name": "d"}]})) == [Decimal("0.225"), 32, 1, 96]


def test_a_section_that_nobody_can_read_hides_no_other() -> None:
    around = kserve(inferenceService={"resource": {"cpuRequest": "2"}})
    around["data"] = {"deploy": "{", "router": "[]", "agent": None, **around["data"]}
    assert asked(around, model({"containers": [{"name": "c"}]}))[0] == Decimal("2.025")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [("s3://a/b", ["0.1", 100, 1, 1024]), ("http://a/b", ["0.2", 64, 1, 512]), ("pvc://a/b", ["0.025", 0, 0, 0]),
     ("https://registry/a", ["0.3", 100, 1, 1024])],
)  # fmt: skip
def test_what_fetches_a_model_is_an_init_container(uri: str, expected: list[Any]) -> None:
    """Upstream's figures, but for an address that a ClusterStorageContainer is for."""
    figures = {"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
    entries = [([{"prefix": "http://"}], figures),
               ([{"regex": "https://(.+?)/a"}, {"regex": "("}], {"requests": {"cpu": "300m"}})]  # fmt: skip
    fetchers = [
        obj(
            "ClusterStorageContainer",
            {"container": {"name": "x", "resources": resources}, "supportedUriFormats": formats},
            "serving.kserve.io/v1alpha1",
            name=f"s{index}",
        )
        for index, (formats, resources) in enumerate(entries)
    ]
    by_hand = {"containers": [{"name": "kserve-container", "env": [{"name": "STORAGE_URI", "value": uri}]}]}
    wanted = [Decimal(amount) for amount in expected]
    assert asked(*fetchers, model({"sklearn": {"storageUri": uri}})) == wanted
    assert asked(*fetchers, model(by_hand)) == wanted
    off = [{**one, "disabled": True} for one in fetchers[:1]]
    later = [{**one, "spec": {**one["spec"], "workloadType": "localModelDownloadJob"}} for one in fetchers[:1]]
    for unfit in (off, later):
        assert asked(*unfit, model({"sklearn": {"storageUri": "http://a"}})) == [Decimal("0.1"), 100, 1, 1024]


def test_an_address_is_read_from_the_first_container() -> None:
    address = {"env": [{"name": "OTHER", "value": "s3://a"}, {"name": "STORAGE_URI", "value": "s3://a"}]}
    assert asked(model({"containers": [{"name": "mine", **address}, {"name": "c"}]}))[0] == Decimal("0.1")
    assert asked(model({"containers": [{"name": "c"}, {"name": "kserve-container", **address}]}))[0] == Decimal("0.025")
    assert asked(model({"containers": [{"name": "c", "env": address["env"][:1]}]}))[0] == Decimal("0.025")
    assert asked(model({"minReplicas": 1}))[0] == Decimal("0.025")


def test_a_model_that_is_an_image_stands_beside_the_server() -> None:
    settings = {"enableModelcar": True, "cpuModelcar": "30m"}
    uri = {"sklearn": {"storageUri": "oci://a/b:1.0.0"}}
    assert asked(kserve(storageInitializer=settings), model(uri)) == [Decimal("0.055"), 15, Decimal("0.03"), 15]
    assert asked(kserve(storageInitializer={"cpuRequest": "3"}), model(uri))[0] == 3


@pytest.mark.parametrize("field", ["logger", "batcher"])
def test_kserves_agent_is_beside_who_asks_for_it(field: str) -> None:
    around = kserve(agent={"cpuRequest": "50m", "memoryRequest": "10Mi", "cpuLimit": "1", "memoryLimit": "20Mi"})
    assert asked(around, model({"containers": [container()], field: {}})) == [Decimal("0.175"), 74, Decimal("1.1"), 84]


# --- Knative

QUEUE = "queue.sidecar.serving.knative.dev/"


@pytest.mark.parametrize(
    ("around", "notes", "expected"),
    [
        ([], {}, ["0.125", 64, "0.1", 64]),
        ([RANGES], {}, ["0.125", 192, "0.6", 576]),
        ([config("config-deployment", **{"queue-sidecar-cpu-limit": "200m"})], {}, ["0.125", 64, "0.3", 64]),
        ([config("config-features", **{"queueproxy.resource-defaults": "Enabled"})], {}, ["0.125", 464, "1.1", 864]),
        ([], {f"{QUEUE}cpu-resource-request": "1", f"{QUEUE}memory-resource-limit": "8Mi"}, ["1.1", 72, "0.1", 72]),
        ([config("config-deployment", "elsewhere", **{"queue-sidecar-cpu-limit": "9"})], {}, ["0.125", 64, "0.1", 64]),
    ],
)
def test_queue_proxy_is_in_each_pod_of_knatives(around: list[Object], notes: Object, expected: list[Any]) -> None:
    """25m CPU and no memory, unless Knative or the revision says otherwise; then the namespace's range."""
    one = model({"containers": [container()]})
    one["metadata"]["annotations"] = notes
    assert asked(*around, one) == [Decimal(amount) for amount in expected]
    raw = kserve(deploy={"defaultDeploymentMode": "RawDeployment"})
    assert asked(raw, *around, one) == [Decimal("0.1"), 64, Decimal("0.1"), 64]


def test_a_revision_has_defaults_of_its_own() -> None:
    data = {"revision-cpu-request": "300m", "revision-memory-limit": "1Gi"}
    template = {"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}}, "spec": {"containers": [{}]}}
    service = obj("Service", {"template": template}, "serving.knative.dev/v1")
    assert asked(config("config-defaults", **data), service) == [Decimal("0.325"), 1024, 0, 1024]


# --- what has no price


UNKNOWN = "an unknown kind that speaks of containers"


def reasons(*objects: Object, **named: Any) -> list[str]:
    return [one.reason for one in looked(*objects, **named).unpriced]


def test_what_runs_for_a_while_is_named_with_its_figures() -> None:
    template = deployment(container("1500m", "1Gi"))["spec"]
    job = obj("Job", {**template, "parallelism": 2}, "batch/v1")
    cron = obj("CronJob", {"schedule": "0 1 * * *", "jobTemplate": {"spec": template}}, "batch/v1")
    assert reasons(job, cron) == [
        "runs once, for a time that nobody says; while it does, 2 × cpu 1500m, memory 1Gi",
        "runs on schedule '0 1 * * *', for a time that nobody says; while it does, 1 × cpu 1500m, memory 1Gi",
    ]
    assert looked(job, cron).workloads == ()
    bare = {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}, "parallelism": 3}}
    (said,) = reasons(obj("CronJob", {"schedule": "x", "jobTemplate": bare}, "batch/v1"))
    assert said.endswith("3 × cpu 0, memory 0")


def test_a_pod_on_each_of_nobody_knows_how_many_nodes_is_named() -> None:
    daemon = {**deployment(container()), "kind": "DaemonSet"}
    assert reasons(daemon) == ["a pod on each node, and nobody says how many there are; each cpu 100m, memory 64Mi"]
    assert looked(daemon).workloads == ()


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (obj("PersistentVolumeClaim", {"resources": {"requests": {"storage": "5Gi"}}}, "v1"), ["storage of 5Gi"]),
        (obj("PersistentVolumeClaim", {}, "v1"), ["storage of a size that nobody says"]),
        (obj("Rollout", deployment(container())["spec"], "argoproj.io/v1"), [UNKNOWN]),
        (obj("Cache", {"deep": [{"resources": {"limits": {}}}]}, "x/v1"), [UNKNOWN]),
        (obj("Cache", {"resources": {"requests": {}}}, "x/v1"), [UNKNOWN]),
        (obj("Quota", {"resources": {"kinds": 3}}, "x/v1"), []),
        (obj("InferenceGraph", {}, "serving.kserve.io/v1alpha1"), ["its router is what KServe's configuration says"]),
        (obj("Ingress", {"rules": [{"containers": []}]}, "networking.k8s.io/v1"), []),
        (obj("CustomResourceDefinition", deployment(container())["spec"], "apiextensions.k8s.io/v1"), []),
        (runtime(), []),
        (config("a", b="c"), []),
    ],
)  # fmt: skip
def test_kinds_without_a_price(one: Object, expected: list[str]) -> None:
    assert reasons(one) == expected


def test_fields_without_a_price() -> None:
    one = {**deployment(container()), "kind": "StatefulSet"}
    one["spec"]["volumeClaimTemplates"] = [{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}]
    claim = {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}}
    pod = one["spec"]["template"]["spec"]
    pod["volumes"] = [{"ephemeral": claim}, {"emptyDir": {}}]
    pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "2"
    pod["containers"].append({"name": "free"})
    assert reasons(one) == [
        "2 nvidia.com/gpu for each pod",
        "containers without a request for cpu: 1 of each pod",
        "containers without a request for memory: 1 of each pod",
        "storage of 2Gi for each pod",
        "storage of 1Gi for each pod",
    ]
    priced = Prices("USD", {**PRICES.hourly, "nvidia.com/gpu": Decimal(3)}, PRICES.thresholds)
    assert "2 nvidia.com/gpu for each pod" not in reasons(one, prices=priced)
    assert priced.monthly({"requests.nvidia.com/gpu": Decimal(2)}) == 2 * 3 * 730


def test_fields_of_models_without_a_price() -> None:
    part = {"model": {"storage": {"key": "a"}}, "canaryTrafficPercent": 10, "workerSpec": {}}
    one = model(part)
    one["metadata"]["annotations"] = {f"{QUEUE}resource-percentage": "20"}
    found = reasons(one)
    assert found[:5] == [
        "its serving runtime is not in the tree: counted is what the model itself says",
        f"annotation {QUEUE}resource-percentage",
        "predictor.workerSpec: pods on several nodes",
        "predictor.canaryTrafficPercent: the version before it keeps its pods",
        "predictor: storage that is not a storageUri; what fetches the model",
    ]
    one["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "ModelMesh"}
    assert reasons(one) == ["deployment mode ModelMesh"]


def test_a_whole_pods_request_is_for_containers_that_say_none() -> None:
    one = deployment({"name": "c"})
    one["spec"]["template"]["spec"]["resources"] = {"requests": {"cpu": "1"}}
    assert reasons(one, pod_level=True) == ["containers without a request for memory: 1 of each pod"]
    assert len(reasons(one)) == 2


# --- whose it is


@pytest.mark.parametrize(
    ("own", "pods_own", "expected"),
    [(OWNED, {}, ("ml-platform", "cc-ml")), (OWNED, {"owner": "b"}, ("b", "cc-ml")), ({}, {}, ("(none)", "(none)"))],
)
def test_a_pods_labels_say_whose_it_is(own: Object, pods_own: Object, expected: tuple[str, str]) -> None:
    one = deployment(container())
    one["metadata"]["labels"], one["spec"]["template"]["metadata"]["labels"] = own, pods_own
    (found,) = looked(one).workloads
    assert (found.owners, found.cost_centers) == tuple((who,) for who in expected)
    part = {"containers": [container()], "labels": pods_own}
    (found,) = looked({**model(part), "metadata": {"name": "a", "labels": own}}).workloads
    assert (found.owners, found.cost_centers) == tuple((who,) for who in expected)

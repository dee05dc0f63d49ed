"""OpenCost and Prometheus: what the suite says of them is what their manifests say."""

from __future__ import annotations

import json

import yaml
from rendered import places

from neuroscale import prices
from neuroscale.components import PORTS
from neuroscale.gate import billing
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object
from neuroscale.metering.prometheus import KUBELET_JOB, OPENCOST_JOB, OWN_JOB, SCRAPE_SECONDS
from neuroscale.metering.window import RESOLUTION
from neuroscale.probes.cost import OPENCOST
from neuroscale.settings import ROOT

PLACE = "infrastructure/opencost"


def named(kind: str, name: str) -> Object:
    """The one object whose name, up to a hash, is this."""
    (found,) = (
        (one for one in places()[PLACE] if one["kind"] == kind and one["metadata"]["name"].rpartition("-")[0] == name)
        if kind == "ConfigMap"
        else (one for one in places()[PLACE] if (one["kind"], one["metadata"]["name"]) == (kind, name))
    )
    return found


def pod(name: str) -> Object:
    """What a Deployment's pods are made of."""
    spec: Object = named("Deployment", name)["spec"]["template"]["spec"]
    return spec


def environment() -> dict[str, str]:
    """Of OpenCost."""
    return {one["name"]: one["value"] for one in pod(OPENCOST.name)["containers"][0]["env"]}


def configuration() -> Object:
    """Of Prometheus."""
    content: Object = yaml.safe_load(named("ConfigMap", "prometheus")["data"]["prometheus.yml"])
    return content


def test_opencost_bills_by_the_price_file() -> None:
    objects = {PLACE: places()[PLACE]}
    assert len(billing.configurations(objects)) == 1
    assert billing.check(objects, prices.load(ROOT)) == []


def test_it_reads_that_file_and_goes_by_our_resolution() -> None:
    said, spec = environment(), pod(OPENCOST.name)
    (mount,) = spec["containers"][0]["volumeMounts"]
    assert said["CONFIG_PATH"].rstrip("/") == mount["mountPath"]
    (volume,) = spec["volumes"]
    assert volume["configMap"]["name"] == named("ConfigMap", "opencost-prices")["metadata"]["name"]
    assert list(named("ConfigMap", "opencost-prices")["data"]) == ["default.json"]
    assert said["ETL_RESOLUTION_SECONDS"] == str(RESOLUTION)


def test_it_tells_nothing_to_anybody_and_looks_up_no_cloud() -> None:
    said = environment()
    off = {name for name, value in said.items() if value == "false"}
    assert off >= {"CLOUD_COST_ENABLED", "ERROR_REPORTING_ENABLED", "PRODUCT_ANALYTICS_ENABLED"}
    assert json.loads(named("ConfigMap", "opencost-prices")["data"]["default.json"])["provider"] == "custom"
    assert not [name for name in said if "KEY" in name or "SECRET" in name or "TOKEN" in name]


def test_prometheus_scrapes_what_the_suite_looks_for_at_least_twice_a_step() -> None:
    content = configuration()
    assert {one["job_name"] for one in content["scrape_configs"]} == {KUBELET_JOB, OPENCOST_JOB, OWN_JOB}
    assert content["global"]["scrape_interval"] == f"{SCRAPE_SECONDS}s"
    assert RESOLUTION >= 2 * SCRAPE_SECONDS
    assert not any("scrape_interval" in one for one in content["scrape_configs"])


def test_both_name_each_other_and_services_that_there_are() -> None:
    services = {
        f"{one['metadata']['name']}.{one['metadata']['namespace']}.svc.cluster.local:{port['port']}"
        for one in places()[PLACE]
        if one["kind"] == "Service"
        for port in one["spec"]["ports"]
        if port["name"] == "http"
    }
    assert environment()["PROMETHEUS_SERVER_ENDPOINT"].removeprefix("http://") in services
    (job,) = (one for one in configuration()["scrape_configs"] if one["job_name"] == OPENCOST_JOB)
    assert set(job["static_configs"][0]["targets"]) <= services
    assert job["honor_labels"] is True
    assert environment()["KUBECOST_JOB_NAME"] == OPENCOST_JOB


def test_the_port_on_this_machine_leads_to_opencost() -> None:
    (port,) = (one for one in PORTS if one.name == "opencost")
    assert named("Service", "opencost")["spec"]["ports"][0]["nodePort"] == port.node


def test_neither_may_read_a_secret_or_write_anything() -> None:
    rules = [rule for one in places()[PLACE] if one["kind"] in ("ClusterRole", "Role") for rule in one["rules"]]
    assert len(rules) >= 7
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert not {"secrets", "*"} & {resource for rule in rules for resource in rule["resources"]}


def test_both_are_bounded_confined_and_somebodys() -> None:
    for name in (OPENCOST.name, "prometheus"):
        spec = pod(name)
        for meta in (named("Deployment", name)["metadata"], named("Deployment", name)["spec"]["template"]["metadata"]):
            assert {"owner", "cost-center"} <= set(meta["labels"])
        (container,) = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert all(quantity(requests[one]) <= quantity(limits[one]) for one in ("cpu", "memory"))
        assert all("sizeLimit" in one["emptyDir"] for one in spec["volumes"] if "emptyDir" in one)

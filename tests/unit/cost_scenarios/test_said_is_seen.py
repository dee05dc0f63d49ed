"""What was said is read from the forge, what is seen from the API server; nothing between them is close enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from apiserver import NONCE, ApiServer, merge
from fake_portal import FakePortal
from fixtures import captured, having

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.cost_scenarios import said_is_seen
from neuroscale.cost_scenarios.said import is_of, rows
from neuroscale.cost_scenarios.said_is_seen import Asked, evaluate_same
from neuroscale.cost_scenarios.seen import Pods
from neuroscale.cost_scenarios.shapes import SHAPES, workload
from neuroscale.delta.compare import compare
from neuroscale.delta.workloads import Survey, survey
from neuroscale.delta.written import Format, written
from neuroscale.errors import ConditionTimeout, Unrecoverable
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices, Thresholds
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import MARKER

API = "/api/v1/repos/neuroscale/platform"
TWO, LARGE, STAYS = [shape for shape in SHAPES if "Deployment" in shape]
PRICES = Prices("USD", {"cpu": Decimal(1)}, Thresholds(Decimal(9), Decimal(2**40)))


def comment(made: list[Object], sha: str = "c" * 40) -> str:
    """As the gate writes it."""
    placed = {f"apps/{one['metadata']['name']}": [merge(one, {"metadata": {"namespace": "default"}})] for one in made}
    found = compare(Survey(), survey(placed, PRICES, pod_level=True), PRICES)
    return written(replace(found, base="b" * 40, head=sha), Format.MARKDOWN)


def pods_of(made: Object, change: Object | None = None) -> list[Object]:
    """Of a Deployment, as they are made of it."""
    spec = made["spec"]
    one = captured("pod-running", {"metadata": {"labels": spec["template"]["metadata"]["labels"]}})
    one["spec"] = merge(spec["template"]["spec"], change or {})
    return [having(one, name=f"{made['metadata']['name']}-{at}") for at in range(spec["replicas"])]


# --- what is said


def test_a_row_is_read_as_the_gate_writes_it() -> None:
    made = merge(workload(TWO, "two"), {"spec": {"template": {"metadata": {"labels": {"owner": "ml_|*"}}}}})
    found = rows(comment([made]).replace("\n", "\r\n"))
    assert found == {
        "Deployment default/two": {
            "workload": "Deployment default/two",
            "folder": "apps/two",
            "what": "added",
            "owner": "ml_|*",
            "requests.cpu": "+40m",
            "requests.memory": "+64Mi",
            "limits.cpu": "+80m",
            "limits.memory": "+192Mi",
            "replicas": "– → 2",
            "USD a month": "+29.20",
        }
    }


@pytest.mark.parametrize("body", ["", "### Workloads", f"{MARKER}\n## Resource and cost delta\n\n| total | pods |\n"])
def test_where_no_workload_is_spoken_of_none_is_read(body: str) -> None:
    assert rows(body) == {}


def test_a_comment_is_of_the_commit_in_its_second_line() -> None:
    body = comment([], "d" * 40).rstrip("\n")
    assert [is_of(body, sha * 40) for sha in "cd"] == [False, True]
    assert not is_of(body.replace("<!-- head", "head"), "d" * 40)


# --- what is compared

MADE = {f"Deployment default/{name}": workload(shape, name) for shape, name in ((TWO, "two"), (STAYS, "stays"))}
SAID = rows(comment(list(MADE.values())))
SEEN = {name: pods_of(made) for name, made in MADE.items()}
WANTED = {name: len(pods) for name, pods in SEEN.items()}


def test_what_was_said_is_seen() -> None:
    verdict = evaluate_same(SAID, SEEN, WANTED)
    assert (verdict.state, verdict.observed) == ("met", "2 workloads, without a difference")


def _said(**cells: str) -> Mapping[str, Mapping[str, str]]:
    return {**SAID, "Deployment default/two": {**SAID["Deployment default/two"], **cells}}


def _seen(pods: list[Object]) -> Pods:
    return {**SEEN, "Deployment default/two": pods}


BYTE_MORE = {"containers": [{"resources": {"requests": {"cpu": "20m", "memory": 32 * 2**20 + 1}}}]}


@pytest.mark.parametrize(
    ("said", "seen", "words"),
    [
        ({}, SEEN, "Deployment default/two: the comment does not name it"),
        (SAID, {}, "Deployment default/stays: 0 pods, and not 1"),
        (SAID, _seen(SEEN["Deployment default/two"][:1]), "two: 1 pods, and not 2"),
        (SAID, _seen(SEEN["Deployment default/two"][:1]), "two: requests.cpu: said 40m, seen 20m"),
        (SAID, _seen(pods_of(workload(TWO, "two"), BYTE_MORE)), "requests.memory: said 64Mi, seen 67108866"),
        (_said(**{"requests.cpu": "+40.001m"}), SEEN, "requests.cpu: said 40.001m, seen 40m"),
        (_said(**{"limits.cpu": "-80m"}), SEEN, "limits.cpu: said -80m, seen 80m"),
        (_said(**{"limits.memory": "+1 to +5"}), SEEN, "limits.memory: said '+1 to +5', which is no figure"),
        (_said(what="changed"), SEEN, "two: said to be 'changed', and not added"),
        (_said(replicas="– → 1–2"), SEEN, "replicas: said '– → 1–2', seen '– → 2'"),
    ],
)
def test_a_difference_is_named(said: Mapping[str, Mapping[str, str]], seen: Pods, words: str) -> None:
    verdict = evaluate_same(said, seen, WANTED)
    assert verdict.state == "unrecoverable"
    assert words in verdict.observed


def test_nothing_is_not_the_same_as_nothing() -> None:
    assert evaluate_same({}, {}, {}).observed == "nothing was asked for"


# --- what is done


@pytest.fixture
def breakage(toy_platform: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Breakage]:
    monkeypatch.setattr(said_is_seen, "_RUNS_WITHIN", 0.2)
    toy_platform.git_server.commit({"apps/kept/a.yaml": "a: 1\n"}, "Have a model")
    with Breakage(toy_platform, Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
        yield breakage


@pytest.fixture
def asked(breakage: Breakage) -> Asked:
    return said_is_seen.propose([(TWO, 2), (LARGE, 1)], breakage)


def judge(asked: Asked, breakage: Breakage, portal: FakePortal, **said: Any) -> None:
    """As the gate does it, but for what its comment is said to be."""
    head = breakage.platform.git_server.branch_head(asked.branch)
    assert head is not None
    Statuses(portal.url, f"of {GATE_REPORTER}").set(head, CommitStatus("success", "9 objects rendered, nothing found"))
    body = comment(list(asked.workloads), head)
    one = {"id": 1, "user": {"login": GATE_REPORTER}, "body": body, **said}
    portal.answers[f"GET {API}/issues/2/comments"] = (200, [one])


def run(asked: Asked, commit: str, api: ApiServer) -> None:
    """As Argo CD and Kubernetes do it."""
    for made in asked.workloads:
        name = made["metadata"]["name"]
        where = {"metadata": {"namespace": "default"}}
        api.put(f"/apis/apps/v1/namespaces/default/deployments/{name}", merge(made, where))
        for one in pods_of(made):
            api.put(f"/api/v1/namespaces/default/pods/{one['metadata']['name']}", merge(one, where))
        # Made by hand, as it were: nobody here takes it away again.
        synced = {"metadata": {"name": name, "ownerReferences": None}, "status": {"history": [{"revision": commit}]}}
        path = f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}"
        api.put(path, captured("application-good", synced))


def test_what_is_proposed_is_a_workload_of_each_shape(asked: Asked, breakage: Breakage) -> None:
    files = breakage.platform.git_server.proposed(asked.branch)
    assert [yaml.safe_load(text or "") for text in files.values()] == asked.workloads
    names = [one["metadata"]["name"] for one in asked.workloads]
    assert list(files) == [f"apps/{name}/workload.yaml" for name in names]
    assert asked.pods == {f"Deployment default/{names[0]}": 2, f"Deployment default/{names[1]}": 1}


def test_what_the_gate_said_is_what_pods_ask_for(
    asked: Asked, breakage: Breakage, portal: FakePortal, api: ApiServer
) -> None:
    judge(asked, breakage, portal)
    merged = said_is_seen.merge_as_priced(asked, breakage)
    assert merged.commit == breakage.platform.git_server.head()
    with pytest.raises(ConditionTimeout, match="its Application does not exist"):
        said_is_seen.assert_said_is_seen(merged, breakage.platform)
    run(asked, merged.commit, api)
    said_is_seen.assert_said_is_seen(merged, breakage.platform)
    pods = next(path for path in api.objects if "/pods/priced" in path)
    api.objects[pods]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "21m"
    with pytest.raises(Unrecoverable, match=r"-1: requests\.cpu: said 40m, seen 41m"):
        said_is_seen.assert_said_is_seen(merged, breakage.platform)


@pytest.mark.parametrize(
    "said",
    [
        {"user": {"login": "passer-by"}},
        {"body": comment([workload(TWO, "two")], "e" * 40)},
        {"body": f"{MARKER}\nnothing to see\n"},
    ],
)
def test_what_nobody_has_priced_is_not_merged(
    said: dict[str, Any], asked: Asked, breakage: Breakage, portal: FakePortal
) -> None:
    judge(asked, breakage, portal, **said)
    with pytest.raises(ConditionTimeout, match="should have one comment of the gate"):
        said_is_seen.merge_as_priced(asked, breakage)
    assert [path for method, path, _ in portal.requests if path.endswith("/merge")] == []

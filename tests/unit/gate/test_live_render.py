"""What the gate makes of folders beside what a stand-in for Argo CD makes of them, and each mutant of that."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_engine
import pytest
import yaml
from apiserver import ApiServer
from fake_argocd import PASSWORD, TOKEN, FakeArgoCD, UnrenderableError
from fakes import APPLICATIONS
from repository import git
from small_tree import commit, write
from stages import TOY

from neuroscale.argocd_client import ArgoCD, ArgoCDError
from neuroscale.chaos.faults import FunctionPatched, ObjectCreated
from neuroscale.errors import ConditionTimeout, ExitCode, Inconclusive, NeuroscaleError, PreconditionFailed
from neuroscale.gate import live_render
from neuroscale.gate.json_difference import differences
from neuroscale.gate.live_render import Comparison
from neuroscale.guardrails.corpus import specimens
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.results import Recorder, Sample
from suite.mutants import Mutant
from suite.mutants.render import MUTANTS

DEPLOYED = ("neuroscale-infrastructure", "neuroscale-default-namespace-resources", "test-app")
#: Of stage "render": nothing comes of it; the gate alone says no; Kustomize says no.
UNRENDERED = {"empty-file", "broken-yaml", "kustomization-of-a-wrong-patch"}
#: With two objects, and with a Service.
NAMED = {"several-documents", "second-of-two", "nothing-to-judge"}


def made(folder: Path) -> list[Object]:
    """By the stand-in for Argo CD's renderer."""
    try:
        return list(fake_engine.flat(fake_engine.read(folder)))
    except (subprocess.CalledProcessError, yaml.YAMLError) as error:
        raise UnrenderableError(str(error)) from error


@pytest.fixture
def argo(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeArgoCD]:
    with FakeArgoCD() as server:
        server.render = made
        monkeypatch.setattr(live_render, "argocd", lambda cluster: ArgoCD(server.url, PASSWORD))
        yield server


@pytest.fixture
def platform(checkout: Path, repository: Path, toy_platform: Platform, api: ApiServer, argo: FakeArgoCD) -> Platform:
    """Argo CD has what ``main`` describes."""
    for app in fake_engine.render(checkout, ["bootstrap"])["applications"]:
        deploy(api, argo, app, made(checkout / app["spec"]["source"]["path"]))
    assert sorted(argo.applications) == sorted(DEPLOYED)
    git("-C", str(checkout), "remote", "add", "origin", str(repository))
    git("-C", str(checkout), "push", "--quiet", "--force", "origin", "HEAD:main")
    return toy_platform


def deploy(api: ApiServer, argo: FakeArgoCD, app: Object, objects: list[Object]) -> None:
    name = app["metadata"]["name"]
    meta = {"namespace": "argocd", **app["metadata"]}
    api.put(f"{APPLICATIONS}/{name}", {"apiVersion": "argoproj.io/v1alpha1", **app, "metadata": meta})
    argo.applications[name] = objects


def push(checkout: Path) -> None:
    commit(checkout)
    git("-C", str(checkout), "push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def kept() -> list[Sample]:
    return []


@pytest.fixture
def recorder(kept: list[Sample]) -> Recorder:
    return Recorder("a scenario", kept.append)


def judge(platform: Platform, recorder: Recorder) -> Comparison:
    comparison = live_render.render_main(TOY, platform, recorder)
    live_render.assert_same_sources(comparison)
    live_render.assert_equal(comparison)
    return comparison


def test_what_is_equal_passes_and_is_counted(
    platform: Platform, argo: FakeArgoCD, recorder: Recorder, kept: list[Sample], repository: Path
) -> None:
    comparison = judge(platform, recorder)
    assert argo.at == {git("-C", str(repository), "rev-parse", "main").strip()}
    assert set(argo.tokens) == {f"Bearer {TOKEN}"}
    assert comparison.objects == sum(map(len, argo.applications.values())) > len(DEPLOYED)
    (sample,) = kept
    assert sample.facts == {"Applications": len(DEPLOYED), "objects": comparison.objects}
    assert not platform.cluster.get(live_render._SETTINGS)


def test_a_field_that_differs_is_named_with_both_values(
    platform: Platform, argo: FakeArgoCD, recorder: Recorder
) -> None:
    (deployment,) = (obj for obj in argo.applications["test-app"] if obj["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "another:1.0"
    with pytest.raises(
        ConditionTimeout,
        match=r'test-app: apps/v1 Deployment .*nginx-test has at \.spec\.template\.spec\.containers\[0\]\.image "\S+" '
        r'in the gate, and "another:1\.0" in Argo CD\. Next',
    ):
        judge(platform, recorder)


def test_an_object_that_one_alone_has_is_named(platform: Platform, argo: FakeArgoCD, recorder: Recorder) -> None:
    argo.applications["test-app"] = [obj for obj in argo.applications["test-app"] if obj["kind"] != "Service"]
    argo.applications["neuroscale-infrastructure"] *= 2
    with pytest.raises(ConditionTimeout) as error:
        judge(platform, recorder)
    assert "test-app: v1 Service nginx-service is in the gate alone" in str(error.value)
    assert "Application argocd/neuroscale-default-namespace-resources is in Argo CD alone" in str(error.value)


@pytest.mark.parametrize("where", ["the gate", "Argo CD"])
def test_an_application_that_one_alone_has_is_named(
    where: str, platform: Platform, api: ApiServer, argo: FakeArgoCD, recorder: Recorder
) -> None:
    app = api.objects[f"{APPLICATIONS}/test-app"]
    if where == "the gate":
        api.remove(f"{APPLICATIONS}/test-app")
    else:
        deploy(api, argo, {**app, "metadata": {"name": "another"}}, [])
    name = "test-app" if where == "the gate" else "another"
    with pytest.raises(ConditionTimeout, match=rf"The 3 Applications .* but: {name} is in {where} alone\. Next"):
        judge(platform, recorder)


def test_applications_of_pull_requests_are_no_part_of_it(
    platform: Platform, api: ApiServer, argo: FakeArgoCD, recorder: Recorder, checkout: Path
) -> None:
    """Which are open no commit says."""
    spec = {"project": "pulls", "source": {"path": "apps/test-app"}}
    pulls: Object = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "pulls", "namespace": "argocd"},
        "spec": {"generators": [{"pullRequest": {}}], "template": {"metadata": {"name": "pull-0"}, "spec": spec}},
    }
    spec["source"] = api.objects[f"{APPLICATIONS}/test-app"]["spec"]["source"]
    write(checkout / "infrastructure/apps/pulls.yaml", pulls)
    argo.applications["neuroscale-infrastructure"] = made(checkout / "infrastructure/apps")
    push(checkout)
    deploy(api, argo, {"kind": "Application", "metadata": {"name": "pull-7"}, "spec": spec}, [])
    assert set(judge(platform, recorder).live) == set(DEPLOYED)


def test_what_either_leaves_out_by_design_is_no_difference(
    platform: Platform, argo: FakeArgoCD, recorder: Recorder, checkout: Path
) -> None:
    """Nulls, marks, the contents of Secrets, and hooks that Argo CD never runs."""
    meta = {"name": "known", "namespace": "default", "annotations": {}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": None, "stringData": {"key": "value"}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "secrets": None}
    write(checkout / "apps/test-app/more.yaml", secret, account)
    push(checkout)
    hook = {"helm.sh/hook": "test, test-failure"}
    tried = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried", "annotations": hook}, "spec": {}}
    argo.applications["test-app"] += [secret, account, tried]
    judge(platform, recorder)
    hook["helm.sh/hook"] = "test, post-delete"
    with pytest.raises(ConditionTimeout, match="Pod tried is in Argo CD alone"):
        judge(platform, recorder)


def test_what_argo_cd_does_not_render_is_told(platform: Platform, argo: FakeArgoCD, recorder: Recorder) -> None:
    argo.errors["test-app"] = "apps/test-app: app path does not exist"
    with pytest.raises(
        ConditionTimeout, match=r"test-app: Argo CD makes nothing of it: apps/test-app: app .* exist\. N"
    ):
        judge(platform, recorder)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/v1/session", (401, b'{"code": 16, "message": "Invalid username or password"}')),
        ("/api/v1/session", (500, b'{"code": 2}')),
        ("/api/v1/applications/test-app/manifests", (503, b"no healthy upstream")),
        ("/api/v1/applications/test-app/manifests", (500, b'{"code": 2, "message": "error getting server version"}')),
        ("/api/v1/applications/test-app/manifests", (500, b'{"code": 14, "message": "repo-server: no such host"}')),
    ],
)
def test_an_argo_cd_that_does_not_answer_is_no_verdict(
    path: str, answer: tuple[int, bytes], platform: Platform, argo: FakeArgoCD, recorder: Recorder
) -> None:
    argo.answers[path] = answer
    with pytest.raises(ArgoCDError, match=rf"should answer {path}, but said \d+: ") as error:
        judge(platform, recorder)
    assert error.value.exit_code == ExitCode.NOT_RUN
    assert not any(secret in str(error.value) for secret in (PASSWORD, TOKEN))


def test_an_argo_cd_that_is_away_is_no_verdict(
    platform: Platform, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_render, "argocd", lambda cluster: ArgoCD("http://127.0.0.1:1", PASSWORD))
    with pytest.raises(ArgoCDError, match=r"should answer POST /api/v1/session, but: ConnectError"):
        judge(platform, recorder)


def test_marks_of_another_kind_are_not_guessed_at(platform: Platform, api: ApiServer, recorder: Recorder) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}}
    method = {"application.resourceTrackingMethod": "label"}
    api.put("/api/v1/namespaces/argocd/configmaps/argocd-cm", {**settings, "data": method})
    with pytest.raises(PreconditionFailed, match="by annotation, as the platform has it, but does by label"):
        judge(platform, recorder)


def test_a_main_that_does_not_render_is_no_verdict(platform: Platform, recorder: Recorder, checkout: Path) -> None:
    (checkout / "apps/test-app/broken.yaml").write_text("{", encoding="utf-8")
    push(checkout)
    with pytest.raises(Inconclusive, match=r"main at [0-9a-f]{8} should render, but: render: apps/test-app"):
        judge(platform, recorder)


def test_nothing_is_no_pass() -> None:
    for verb in (live_render.assert_same_sources, live_render.assert_equal, live_render.assert_both_reject):
        with pytest.raises(ConditionTimeout, match="there is nothing to compare"):
            verb(Comparison({}, {}))


# --- the corpus


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few specimens that the stand-ins can render."""
    known = [one for one in specimens() if not one.needs and one.stage != "render"][::8]
    asked_for = [one for one in specimens() if one.name in UNRENDERED | NAMED and one not in known]
    monkeypatch.setattr(live_render, "specimens", lambda: [*known, *asked_for])


def judge_corpus(platform: Platform, recorder: Recorder) -> Comparison:
    comparison = live_render.render_corpus(TOY, platform, recorder)
    live_render.assert_equal(comparison)
    live_render.assert_both_reject(comparison)
    return comparison


@pytest.mark.usefixtures("few")
def test_the_corpus_is_compared_without_a_write(
    platform: Platform, api: ApiServer, recorder: Recorder, kept: list[Sample]
) -> None:
    writes = len(api.writes)
    comparison = judge_corpus(platform, recorder)
    assert len(api.writes) == writes
    assert comparison.gate["kustomization-of-a-wrong-patch"].error
    assert comparison.gate["empty-file"] == comparison.live["empty-file"]
    assert "broken-yaml" not in comparison.live
    assert kept[0].facts["manifests of the corpus"] == len(comparison.live) > len(NAMED)


@pytest.mark.usefixtures("few")
def test_a_specimen_that_the_gate_alone_rejects_without_saying_so_is_told(
    platform: Platform, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_render, "_STRICTER", set())
    with pytest.raises(ConditionTimeout) as error:
        live_render.assert_equal(live_render.render_corpus(TOY, platform, recorder))
    assert "broken-yaml: Argo CD makes nothing of it" in str(error.value)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "answer",
    [
        (503, b"away"),
        (200, b""),
        (200, b"\0\0\0\0\1x"),
        (200, b"\x80\0\0\0\x0fgrpc-status: 14"),
        (200, b"\x80\0\0\0\x3fgrpc-status: 2\r\ngrpc-message: error getting server version: EOF"),
    ],
)
def test_a_broken_answer_about_files_is_no_verdict(
    answer: tuple[int, bytes], platform: Platform, argo: FakeArgoCD, recorder: Recorder
) -> None:
    argo.answers["/application.ApplicationService/GetManifestsWithFiles"] = answer
    with pytest.raises(ArgoCDError, match=r"should answer /application\.\S+, but said (503|200|14|2): "):
        judge_corpus(platform, recorder)


def test_without_the_test_application_there_is_no_place_for_the_corpus(
    platform: Platform, api: ApiServer, recorder: Recorder
) -> None:
    api.remove(f"{APPLICATIONS}/test-app")
    with pytest.raises(PreconditionFailed, match="Application test-app should exist"):
        judge_corpus(platform, recorder)


# --- mutants


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.slug)
def test_each_mutant_is_caught_for_its_reason(
    mutant: Mutant, platform: Platform, api: ApiServer, argo: FakeArgoCD, recorder: Recorder
) -> None:
    (fault,) = mutant.faults
    if isinstance(fault, FunctionPatched):
        fault.inject(platform, {})
    else:
        assert isinstance(fault, ObjectCreated)
        deploy(api, argo, fault.manifest, argo.applications["test-app"])
    try:
        with pytest.raises(NeuroscaleError) as error:
            (judge if "Application" in mutant.scenario else judge_corpus)(platform, recorder)
    finally:
        if isinstance(fault, FunctionPatched):
            fault.revert(platform, {})
    assert re.search(mutant.reason, str(error.value)), str(error.value)


# --- values


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (1, True, "has at .a 1 in us, and true in them"),
        (1, 1.0, "has at .a 1 in us, and 1.0 in them"),
        ([1, {"b/c": 2}], [1, {"b/c": 3}], 'has at .a[1]["b/c"] 2 in us, and 3 in them'),
        ([1], [1, 2], "has at .a [1] in us, and [1, 2] in them"),
        ({}, None, "has at .a {} in us, and null in them"),
        ("x" * 99, "", f'has at .a "{"x" * 78}… in us, and "" in them'),
    ],
)
def test_values_are_told_exactly(one: Any, other: Any, told: str) -> None:
    kind = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "it", "namespace": "here"}}
    assert differences([{**kind, "a": one}], [{**kind, "a": other}], ("us", "them")) == [f"v1 Thing here/it {told}"]
    assert differences([{**kind, "a": one}], [{**kind, "a": one}], ("us", "them")) == []

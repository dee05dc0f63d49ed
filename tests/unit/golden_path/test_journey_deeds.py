"""The way of one form at the Git server and in the portal; what is measured on it is kept, also when it ends badly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apiserver import NONCE
from fake_portal import FakePortal

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.commit_statuses import CommitStatus, State, Statuses
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, NeuroscaleError, Unrecoverable
from neuroscale.golden_path import journey, proposals
from neuroscale.golden_path.journey import Submitted
from neuroscale.platform import Platform
from neuroscale.results import Recorder, Sample
from neuroscale.settings import GATE_REPORTER

API = "/api/v1/repos/neuroscale/platform"
Wait = Callable[[State, str], None]


@pytest.fixture
def breakage(toy_platform: Platform, tmp_path: Path) -> Iterator[Breakage]:
    toy_platform.git_server.commit({"apps/kept/a.yaml": "a: 1\n"}, "Have a model")
    with Breakage(toy_platform, Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
        yield breakage


@pytest.fixture
def kept() -> list[Sample]:
    return []


@pytest.fixture
def recorder(kept: list[Sample]) -> Recorder:
    return Recorder("scenario", kept.append)


@pytest.fixture
def submitted(breakage: Breakage, recorder: Recorder) -> Submitted:
    return journey.ask_for_model(breakage, recorder)


@pytest.fixture
def wait(submitted: Submitted, toy_platform: Platform, portal: FakePortal, recorder: Recorder) -> Wait:
    """Wait for the verdict, of which the gate has said this."""

    def wait(state: State, why: str) -> None:
        head = toy_platform.git_server.branch_head(submitted.fault.branch)
        assert head is not None
        Statuses(portal.url, f"of {GATE_REPORTER}").set(head, CommitStatus(state, why))
        journey.wait_for_verdict(submitted, toy_platform, recorder)

    return wait


def test_a_form_is_a_pull_request_and_how_long_that_took_is_kept(submitted: Submitted, kept: list[Sample]) -> None:
    (sample,) = kept
    assert (sample.claim, sample.subject) == ("form-to-pull-request", f"pull request of model-{submitted.name}")
    assert sample.phases == {"pull request": sample.seconds}
    assert not sample.censored


def test_a_form_that_is_refused_is_no_journey(breakage: Breakage, portal: FakePortal, kept: list[Sample]) -> None:
    portal.answers["POST /api/scaffolder/v2/tasks"] = (400, {"errors": [{"message": "no such owner"}]})
    with pytest.raises(NeuroscaleError, match=r"answered 400: .*no such owner"):
        journey.ask_for_model(breakage, Recorder("scenario", kept.append))
    assert kept == []


def test_another_file_than_was_asked_for_is_seen(submitted: Submitted, toy_platform: Platform) -> None:
    with pytest.raises(Unrecoverable, match=rf"without apps/{submitted.name}/catalog-info\.yaml"):
        journey.assert_exact(submitted, toy_platform)


def test_a_verdict_is_waited_for_and_kept(wait: Wait, kept: list[Sample]) -> None:
    wait("success", "2 objects rendered, nothing found")
    sample = kept[-1]
    assert (sample.claim, sample.censored) == ("verdict", False)
    assert sample.phases == {"verdict": sample.seconds}


@pytest.mark.parametrize(
    ("said", "why"),
    [("failure", r"apps/x: \[labels\]"), ("error", "no verdict came"), ("success", "another word")],
)
def test_another_verdict_is_none_and_is_kept_as_none(
    said: State, why: str, wait: Wait, kept: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "JUDGED_WITHIN", 0.1)
    with pytest.raises(ConditionTimeout, match=why):
        wait(said, why.replace("\\", ""))
    assert (kept[-1].claim, kept[-1].phases, kept[-1].censored) == ("verdict", {"verdict": None}, True)


def test_what_is_merged_is_on_main(submitted: Submitted, breakage: Breakage, portal: FakePortal) -> None:
    server = breakage.platform.git_server
    merged = journey.merge(submitted, breakage)
    assert (merged.commit, merged.submitted) == (server.head(), submitted)
    assert server.read(f"apps/{submitted.name}/model.yaml") is not None
    assert submitted.fault.branch not in portal.open.values()


def test_what_is_not_found_mergeable_is_not_merged(
    submitted: Submitted, breakage: Breakage, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "_MERGEABLE_WITHIN", 0.1)
    portal.mergeable = False
    with pytest.raises(ConditionTimeout, match="#2 is not found mergeable"):
        journey.merge(submitted, breakage)
    portal.open.clear()
    with pytest.raises(ConditionTimeout, match="no pull request is open"):
        journey.merge(submitted, breakage)
    assert [path for method, path, _ in portal.requests if path.endswith("/merge")] == []


def test_a_merge_that_moves_nothing_is_none(submitted: Submitted, breakage: Breakage, portal: FakePortal) -> None:
    portal.answers[f"POST {API}/pulls/2/merge"] = (200, None)
    with pytest.raises((FaultHadNoEffect, Unrecoverable), match="main is still at"):
        journey.merge(submitted, breakage)


def test_a_second_form_of_the_name_is_for_another_model_and_its_end_is_waited_for(
    submitted: Submitted, toy_platform: Platform, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the portal answers it; the fake one takes any form, so that this one is not the name's."""
    portal.answers["POST /api/scaffolder/v2/tasks"] = (201, {"id": "second"})
    portal.tasks["second"] = {"values": {}, "status": "failed", "error": "pull request #2 has another"}
    second = journey.ask_again(submitted, toy_platform)
    asked = [body["values"] for _, path, body in portal.requests if body and path == "/api/scaffolder/v2/tasks"]
    assert asked == [submitted.values, {**submitted.values, "costCenter": "cc-demo"}]
    assert submitted.values["costCenter"] != "cc-demo"
    journey.assert_taken(second, submitted, toy_platform)
    portal.tasks["second"]["error"] = "pull request #7 has another"
    with pytest.raises(ConditionTimeout, match="it failed without naming #2"):
        journey.assert_taken(journey.ask_again(submitted, toy_platform), submitted, toy_platform)


def test_a_model_leaves_main_with_all_its_files(submitted: Submitted, breakage: Breakage) -> None:
    server = breakage.platform.git_server
    merged = journey.merge(submitted, breakage)
    paths = [f"apps/{submitted.name}/{file}" for file in ("inference-service.yaml", "catalog-info.yaml")]
    server.commit(dict.fromkeys(paths, "a: 1\n"), "As the template would have it")
    journey.remove(merged, breakage.platform)
    assert [server.read(path) for path in paths] == [None, None]

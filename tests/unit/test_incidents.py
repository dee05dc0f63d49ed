"""The catalogue of incidents, and the order of a replay: faults, symptom, remedy, steady state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from apiserver import NONCE, ApiServer
from fake_git_server import fake_platform
from fakes import CONFIG_MAPS, DEPLOYMENTS, NGINX, PAGE, populate
from typer.testing import CliRunner

from neuroscale import incident_match, incidents, polling
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectDeleted, ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.cli import app, runs
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ClusterUnreachable, ConditionTimeout, ExitCode, NeuroscaleError, Unrecoverable, UsageError
from neuroscale.incidents import (
    INCIDENTS,
    Incident,
    apply_remedy,
    assert_described,
    by_slug,
    wait_for_recovery,
    wait_for_symptom,
)
from neuroscale.incidents import incident as incident_module
from neuroscale.kubernetes.refs import Object
from neuroscale.milestones import MILESTONES
from neuroscale.polling import Probe, Timeline, Verdict, met, pending, unrecoverable
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.results import Recorder, Sample
from neuroscale.settings import ROOT
from neuroscale.slos import SLOS

# --- the catalogue


def test_an_incident_is_found_by_slug_and_by_number() -> None:
    for incident in INCIDENTS.values():
        assert by_slug(incident.slug) is by_slug(incident.number) is by_slug(incident.number.upper()) is incident


def test_an_unknown_incident_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match=r"'a9' should be in the catalogue.*repo_server_down \(a1\), ") as caught:
        by_slug("a9")
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("incident", INCIDENTS.values(), ids=list(INCIDENTS))
def test_an_incident_is_complete(incident: Incident) -> None:
    assert incident.milestone in MILESTONES
    assert incident.slo in SLOS
    assert incident.faults
    assert incident.symptom
    assert incident.shows_within > 0
    assert incident.recovers_within > 0
    assert (ROOT / "docs" / "incidents" / f"{incident.number}_{incident.slug}.md").is_file()


# --- a replay


@dataclass
class Asked:
    """A probe that says what it answers to, and when it was asked."""

    description: str
    evaluate: Callable[[], Verdict]
    log: list[str]
    area: str = "gitops"

    def check(self, cluster: Cluster) -> Verdict:
        verdict = self.evaluate()
        self.log.append(f"{self.description}: {verdict.state}")
        return verdict


@dataclass
class Replay:
    """A toy incident in a toy world: the page is deleted by hand and the workload scaled away."""

    api: ApiServer
    breakage: Breakage
    log: list[str] = field(default_factory=list)
    kept: list[Sample] = field(default_factory=list)

    @property
    def incident(self) -> Incident:
        return Incident(
            number="t1",
            slug="toy",
            title="The toy is broken",
            milestone="a",
            faults=(ScaledTo(target=NGINX, replicas=0), ObjectDeleted(target=PAGE)),
            sees="the toy is gone",
            symptom=(Asked("symptom", self._symptom, self.log),),
            shows_within=0.5,
            remedy="scale it back",
            recovers_within=0.5,
            slo="repo-server-recovery",
        )

    @property
    def replicas(self) -> int:
        return int(self.api.objects[f"{DEPLOYMENTS}/nginx-test"]["spec"]["replicas"])

    def _symptom(self) -> Verdict:
        return met("scaled away") if self.replicas == 0 else pending("it runs")

    def steady(self) -> Verdict:
        return met("it runs") if self.replicas == 1 else pending("scaled away")


def resolve(incident: Incident, breakage: Breakage, recorder: Recorder) -> None:
    """The last two steps of an incident's scenario."""
    wait_for_recovery(apply_remedy(incident, breakage), breakage.platform, recorder)


# --- which one it looks like


def shown(incident: Incident, *verdicts: Verdict | NeuroscaleError, number: str) -> Incident:
    def answer(verdict: Verdict | NeuroscaleError) -> Verdict:
        if isinstance(verdict, NeuroscaleError):
            raise verdict
        return verdict

    probes = tuple(ProbeFunction("it shows", partial(answer, verdict)) for verdict in verdicts)
    return replace(incident, number=number, symptom=probes)


def test_what_shows_its_whole_symptom_is_named_the_hardest_to_look_like_first(cluster: Cluster) -> None:
    one = INCIDENTS["repo_server_down"]
    catalogue = [
        shown(one, met("x"), number="a1"),
        shown(one, met("x"), met("y"), number="a2"),
        shown(one, met("x"), pending("not so"), number="a3"),
        shown(one, met("x"), ClusterUnreachable("it does not answer"), number="a4"),
        replace(shown(one, met("x"), met("y"), met("z"), number="b1"), milestone="b"),
    ]
    found = incident_match.matching(catalogue, fake_platform(cluster), ["a"])
    assert [match.incident.number for match in found] == ["a2", "a1"]
    assert str(found[0]) == f"A2, {one.title} (x; y). Remedy: {one.remedy}"


@pytest.mark.parametrize(
    ("named", "series"), [(["a1", "b3"], "recognised"), (["b3", "a1"], "taken for another"), ([], "unknown")]
)
def test_a_replay_that_is_recognised_is_the_top_match(
    named: list[str], series: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, kept = INCIDENTS["repo_server_down"], list[Sample]()
    found = [incident_match.Match(replace(one, number=number), ("x",)) for number in named]
    monkeypatch.setattr(incident_match, "matching", lambda known, platform, milestones: found)
    incident_match.keep_match(one, [one], fake_platform(cluster), ["a"], Recorder("scenario", kept.append))
    assert (kept[0].series, kept[0].facts["happened"], kept[0].claim) == (series, "a1", incident_match.CLAIM)


@pytest.mark.parametrize("found", [True, False])
def test_the_command_names_the_incident_or_says_that_none_is_known(
    found: bool, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = INCIDENTS["repo_server_down"]
    monkeypatch.setattr(runs, "connect", lambda: fake_platform(cluster))
    matches = [incident_match.Match(one, ("no endpoint",))] if found else []
    monkeypatch.setattr(runs, "matching", lambda known, platform, milestones: matches)
    done = CliRunner().invoke(app, ["incident", "match"])
    assert done.exit_code == ExitCode.PASSED, done.output
    assert ("no endpoint" if found else "unknown: no known incident") in done.output


# --- a replay


def test_a_row_that_disagrees_with_the_incident_is_an_error() -> None:
    assert_described("remedy", "pull the plug", "pull the plug")
    with pytest.raises(UsageError, match=r"The remedy in the feature should be 'pull the plug'.*is 'wait'"):
        assert_described("remedy", "wait", "pull the plug")


def briefly(probe: Probe, cluster: Cluster, *, lasting: float) -> Timeline:
    """A wait that is a wait, in less time."""
    assert lasting >= 1
    return polling.consistently(probe, cluster, lasting=0.05, every=0.02)


@pytest.fixture
def replay(api: ApiServer, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    populate(api)
    api.before = lambda method, path: None if method == "GET" else toy.log.append(f"{method} {path.split('/')[-1]}")
    with Breakage(fake_platform(cluster), Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
        toy = Replay(api, breakage)
        steady = Asked("steady state", lambda: toy.steady(), toy.log)  # noqa: PLW0108 - tests replace it
        monkeypatch.setattr(incident_module, "probes_of", lambda milestone, platform: [steady])
        monkeypatch.setattr(incident_module, "eventually", partial(polling.eventually, every=0.02))
        monkeypatch.setattr(incident_module, "consistently", briefly)
        monkeypatch.setitem(INCIDENTS, "toy", toy.incident)
        yield toy


def test_the_symptom_is_asked_between_fault_and_remedy(replay: Replay) -> None:
    incident = incidents.begin("toy", replay.breakage)
    assert [effect.fault for effect in replay.breakage.effects] == list(incident.faults)
    assert replay.log == ["PATCH nginx-test", "DELETE nginx-page"]
    replay.log.clear()

    wait_for_symptom(incident, replay.breakage.platform)
    assert set(replay.log) == {"symptom: met"}
    assert len(replay.log) >= 2  # it came, and it stayed
    replay.log.clear()

    resolve(incident, replay.breakage, Recorder("scenario", replay.kept.append))
    assert replay.log[0] == "PATCH nginx-test"
    assert set(replay.log[1:]) == {"steady state: met"}
    assert len(replay.log) >= 3
    assert f"{CONFIG_MAPS}/nginx-page" not in replay.api.objects  # that is the platform's to put back


def test_a_symptom_that_does_not_last_is_none(replay: Replay) -> None:
    incident = incidents.begin("toy", replay.breakage)
    answers = iter([met("there")])
    flicker = Asked("symptom", lambda: next(answers, pending("gone again")), replay.log)
    with pytest.raises(ConditionTimeout, match="gone again"):
        wait_for_symptom(replace(incident, symptom=(flicker,)), replay.breakage.platform)


def test_a_symptom_may_flicker_before_it_lasts(replay: Replay) -> None:
    incident = incidents.begin("toy", replay.breakage)
    answers = iter([met("there"), met("there"), pending("gone again")])
    settles = Asked("symptom", lambda: next(answers, met("there for good")), replay.log)
    replay.log.clear()
    wait_for_symptom(replace(incident, symptom=(settles,)), replay.breakage.platform)
    assert replay.log[:3] == ["symptom: met", "symptom: met", "symptom: pending"]
    assert set(replay.log[3:]) == {"symptom: met"}
    assert len(replay.log[3:]) >= 4  # for a second, at each look


def test_all_symptoms_show(replay: Replay) -> None:
    incident = incidents.begin("toy", replay.breakage)
    absent = Asked("second symptom", lambda: pending("not to be seen"), replay.log)
    with pytest.raises(ConditionTimeout, match=r"second symptom.*not to be seen"):
        wait_for_symptom(replace(incident, symptom=(*incident.symptom, absent)), replay.breakage.platform)


def test_the_recovery_is_kept(replay: Replay) -> None:
    resolve(incidents.begin("toy", replay.breakage), replay.breakage, Recorder("scenario", replay.kept.append))
    (sample,) = replay.kept
    applied, steady = sample.phases["remedy applied"], sample.phases["steady state"]
    assert applied is not None
    assert steady is not None
    assert 0 < applied <= steady == sample.seconds < 5
    assert (sample.censored, sample.claim, sample.fault) == (False, "repo-server-recovery", "The toy is broken")


@pytest.mark.parametrize(
    ("answer", "error"), [(pending("still down"), ConditionTimeout), (unrecoverable("for good"), Unrecoverable)]
)
def test_a_recovery_that_does_not_come_is_kept_as_censored(
    answer: Verdict, error: type[ConditionTimeout], replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = incidents.begin("toy", replay.breakage)
    monkeypatch.setattr(replay, "steady", lambda: answer, raising=True)
    with pytest.raises(error, match=answer.observed):
        resolve(incident, replay.breakage, Recorder("scenario", replay.kept.append))
    (sample,) = replay.kept
    assert (sample.seconds, sample.censored, sample.phases["steady state"]) == (incident.recovers_within, True, None)
    assert replay.replicas == 1  # the remedy was applied all the same


def test_a_relapse_after_the_recovery_fails_and_the_figure_stays(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = incidents.begin("toy", replay.breakage)
    answers = iter([met("back")])
    monkeypatch.setattr(replay, "steady", lambda: next(answers, pending("down again")))
    with pytest.raises(ConditionTimeout, match="down again"):
        resolve(incident, replay.breakage, Recorder("scenario", replay.kept.append))
    assert [sample.censored for sample in replay.kept] == [False]


def test_the_steady_state_holds_all_at_once_or_not_at_all(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part is good, then bad again when the second part has become good."""
    incident = incidents.begin("toy", replay.breakage)
    first = iter([met("good"), pending("on its way down")])
    second = iter([pending("not yet"), met("good")])
    parts: list[Probe] = [
        Asked("first part", lambda: next(first, met("good")), replay.log),
        Asked("second part", lambda: next(second, met("good")), replay.log),
    ]
    replay.log.clear()
    monkeypatch.setattr(incident_module, "probes_of", lambda milestone, platform: parts)
    resolve(incident, replay.breakage, Recorder("scenario", replay.kept.append))
    looks = [line for line in replay.log if "part" in line]
    assert looks[:5] == [
        "first part: met", "second part: pending", "first part: pending", "first part: met", "second part: met",
    ]  # fmt: skip


STACK = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/stack"


def _stack(phase: str) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "stack", "namespace": "argocd"},
        "spec": {
            "source": {"path": "infrastructure/stack"},
            "syncPolicy": {"retry": {"limit": -1}, "syncOptions": ["ServerSideApply=true"]},
        },
        "status": {"operationState": {"phase": phase}},
    }


def _controller(replay: Replay) -> None:
    """Ends what is to end, as Argo CD's does."""

    def finish(method: str, path: str) -> None:
        state = replay.api.objects[STACK]["status"]["operationState"]
        if method == "GET" and path == STACK and state["phase"] == "Terminating":
            replay.log.append("terminated")
            replay.api.put(STACK, {**replay.api.objects[STACK], "status": {"operationState": {"phase": "Failed"}}})

    replay.api.before = finish


@pytest.fixture
def described(replay: Replay) -> Replay:
    """Git has the folder that the stack is made from."""
    replay.breakage.platform.git_server.commit(
        {"infrastructure/stack/a.yaml": "", "infrastructure/other/a.yaml": ""}, "Add it"
    )
    return replay


def test_what_is_retried_is_ended_and_begun_anew_by_the_options_of_now(described: Replay) -> None:
    described.api.put(STACK, _stack("Running"))
    _controller(described)
    incident = incidents.begin("toy", described.breakage)
    resolve(replace(incident, retrying="stack"), described.breakage, Recorder("scenario", described.kept.append))
    app = described.api.objects[STACK]
    assert app["status"]["operationState"]["phase"] == "Failed"
    assert app["operation"]["sync"] == {
        "prune": True,
        "autoHealAttemptsCount": 1,
        "syncOptions": ["ServerSideApply=true"],
    }
    assert app["operation"]["retry"] == {"limit": -1}
    assert described.log.index("terminated") < described.log.index("steady state: met")


def test_what_has_ended_by_itself_is_not_begun_anew(described: Replay) -> None:
    described.api.put(STACK, _stack("Succeeded"))
    incident = incidents.begin("toy", described.breakage)
    resolve(replace(incident, retrying="stack"), described.breakage, Recorder("scenario", described.kept.append))
    assert "operation" not in described.api.objects[STACK]


def test_what_git_no_longer_describes_is_ended_and_let_go(described: Replay) -> None:
    described.breakage.platform.git_server.commit({"infrastructure/stack/a.yaml": None}, "Remove it")
    described.api.put(STACK, _stack("Running"))
    _controller(described)
    incident = incidents.begin("toy", described.breakage)
    resolve(replace(incident, retrying="stack"), described.breakage, Recorder("scenario", described.kept.append))
    assert "terminated" in described.log
    assert "operation" not in described.api.objects[STACK]


def test_the_command_replays_incidents_of_the_gate_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("neuroscale.cli.runs.pytest", lambda *arguments: asked.append(arguments) or 0)
    runs = [CliRunner().invoke(app, ["incident", "run", name]) for name in ("D4", "kustomization_validated_as_object")]
    assert [done.exit_code for done in runs] == [0, 0]
    assert asked == [("-m", "incident_d4"), ("-m", "incident_d7")]
    listed = CliRunner().invoke(app, ["incident", "list"]).output
    assert "d4" in listed
    with pytest.raises(UsageError, match=r"is the gate's\. Next: pytest -m incident_d4"):
        by_slug("d4")


def test_a_cluster_that_hardly_answers_is_not_asked_for_each_incident(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed scenario would wait for as many timeouts as there are incidents."""
    clock = iter([0.0, 5.0, 21.0])
    monkeypatch.setattr(incident_match, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    one = INCIDENTS["repo_server_down"]
    catalogue = [shown(one, met("x"), number=f"a{number}") for number in range(9)]
    found = incident_match.matching(catalogue, fake_platform(cluster), ["a"])
    assert [match.incident.number for match in found] == ["a0"]

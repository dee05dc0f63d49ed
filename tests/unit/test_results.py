"""What a run leaves on disk is what the next one reads."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from neuroscale import results
from neuroscale.errors import HostError, UsageError
from neuroscale.results import Kill, Recorder, Run, RunFolder, Sample, ScenarioResult
from neuroscale.settings import reports_dir

AT = datetime(2026, 11, 22, 22, 4, 5, tzinfo=UTC)


def a_sample(seconds: float = 1.5, *, censored: bool = False) -> Sample:
    return Sample(
        scenario="s",
        claim="drift-heal",
        fault="f",
        subject="d",
        series="first drift",
        at=AT,
        phases={"OutOfSync": 0.2, "Ready": None},
        seconds=seconds,
        censored=censored,
        facts={"attempt": 1, "revision": "abc", "since last sync": None},
    )


def a_kill() -> Kill:
    return Kill(
        mutant="m", title="t", scenario="s", verdict="survived", expected_step="Then x", expected_reason="r", step="",
        reason="", seconds=1,
    )  # fmt: skip


def test_a_run_is_read_back() -> None:
    folder, _ = RunFolder.begin("conformance", "pytest")
    result = ScenarioResult(nodeid="n", feature="f", scenario="s", tags=["a"], verdict="not run", seconds=1, why="gate")
    run = Run(name=folder.path.name, kind="conformance", started_at=AT, results=[result], exit_code=3)
    folder.save_run(run)
    assert folder.run == run


def test_a_run_is_on_record_from_its_first_moment_and_says_what_it_knows() -> None:
    folder, run = RunFolder.begin("conformance", "pytest -m milestone_a")
    assert (folder.run, folder.run.outcome) == (run, "nothing was run")
    assert '"outcome": "nothing was run"' in (folder.path / "run.json").read_text()
    run.seconds = 1.5
    assert run.outcome == "it has not ended"
    for code, outcome in ((0, "passed"), (3, "not run"), (130, "interrupted"), (99, "")):
        run.exit_code = code
        assert run.outcome == outcome


def test_runs_begun_in_one_second_have_a_folder_each(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Stopped:
            return cls(2026, 11, 22, 22, 4, 5, tzinfo=tz)

    monkeypatch.setattr(results, "datetime", Stopped)
    begun = [RunFolder.begin("conformance", f"pytest {number}") for number in range(11)]
    assert [folder.run.command for folder in RunFolder.all()] == [f"pytest {number}" for number in range(11)]
    assert [folder.run for folder, _ in begun] == [run for _, run in begun]


@pytest.mark.parametrize(("error", "code"), [(None, 0), (KeyboardInterrupt(), 130), (HostError("no"), 3)])
def test_a_run_says_how_it_ended_also_by_an_error(error: BaseException | None, code: int) -> None:
    folder, run = RunFolder.begin("bench", "neuroscale bench")
    with pytest.raises(type(error)) if error else nullcontext(), folder.concluding(run):
        if error:
            raise error
    assert folder.run.exit_code == code


def test_samples_are_kept_in_order_and_none_is_dropped() -> None:
    folder = RunFolder.begin("conformance", "pytest")[0]
    assert folder.samples == []
    samples = [a_sample(1), a_sample(60, censored=True), a_sample(2)]
    for sample in samples:
        folder.add_sample(sample)
    assert RunFolder(folder.path).samples == samples


@pytest.mark.parametrize(("seconds", "kept", "censored"), [(1.5, 1.5, False), (0.0, 0.0, False), (None, 60, True)])
def test_a_recovery_that_did_not_come_is_kept_as_censored(seconds: float | None, kept: float, censored: bool) -> None:
    samples: list[Sample] = []
    Recorder("s", samples.append).recovery(
        claim="drift-heal",
        fault="f",
        subject="d",
        series="first drift",
        at=AT,
        phases={"OutOfSync": 0.2, "Ready": None},
        seconds=seconds,
        within=60,
        facts={"attempt": 1, "revision": "abc", "since last sync": None},
    )
    assert samples == [a_sample(kept, censored=censored)]


def test_a_figure_has_no_phases() -> None:
    samples: list[Sample] = []
    Recorder("s", samples.append).figure(claim="outage", fault="f", subject="d", series="x", at=AT, seconds=2.0)
    assert (samples[0].seconds, samples[0].phases, samples[0].censored, samples[0].facts) == (2.0, {}, False, {})


@pytest.mark.parametrize("claim", ["drift-heel", ""])
def test_a_figure_for_an_slo_that_does_not_exist_is_refused(claim: str) -> None:
    folder = RunFolder.begin("conformance", "pytest")[0]
    with pytest.raises(UsageError, match=r"an SLO that exists.*Next: drift-heal, git-pick-up"):
        folder.add_sample(a_sample().model_copy(update={"claim": claim}))
    assert folder.samples == []


def test_kills_are_read_back() -> None:
    folder = RunFolder.begin("conformance", "pytest")[0]
    assert folder.kills == []
    folder.save_kills([a_kill()])
    assert folder.kills == [a_kill()]


def test_each_visit_of_a_browser_has_a_folder() -> None:
    folder, _ = RunFolder.begin("conformance", "pytest")
    for _ in range(2):
        folder.add_visit("a_form", "GET /\n", {"sign-in": b"one", "the form, filled in": b"two"})
    files = sorted(file for file in (folder.path / "pages" / "a_form").rglob("*") if file.is_file())
    assert [str(file.relative_to(folder.path / "pages")) for file in files] == [
        f"a_form/{visit}/{name}"
        for visit in (1, 2)
        for name in ("01-sign-in.jpg", "02-the-form-filled-in.jpg", "requests.txt")
    ]
    assert [file.read_bytes() for file in files[:3]] == [b"one", b"two", b"GET /\n"]


def test_runs_are_listed_oldest_first_and_only_those_that_said_what_they_are() -> None:
    for days in (2, 0, 1):
        path = reports_dir() / f"{AT - timedelta(days=days):%Y-%m-%dT%H-%M-%S}"
        path.mkdir(parents=True)
        RunFolder(path).save_run(Run(name=path.name, kind="bench", started_at=AT))
    (reports_dir() / "2026-11-25T00-00-00").mkdir()
    assert [folder.path.name[:10] for folder in RunFolder.all()] == ["2026-11-20", "2026-11-21", "2026-11-22"]


def test_a_write_leaves_no_draft() -> None:
    folder = RunFolder.begin("conformance", "pytest")[0]
    folder.add_sample(a_sample())
    assert sorted(file.name for file in folder.path.iterdir()) == ["recovery.json", "run.json"]


def test_only_the_three_verdicts_exist() -> None:
    with pytest.raises(ValueError, match="verdict"):
        ScenarioResult(nodeid="n", feature="f", scenario="s", tags=[], verdict="skipped", seconds=0)  # type: ignore[arg-type]

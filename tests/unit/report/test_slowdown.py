"""Whether a run's recoveries are slower than those of earlier runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from report_runs import BASE, sample
from typer.testing import CliRunner

from neuroscale.cli import app
from neuroscale.errors import ExitCode, PreconditionFailed, UsageError
from neuroscale.results import Run, RunFolder, RunKind, Sample

MACHINE = "2 processors of x86_64, 24 GiB"


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEUROSCALE_REPORTS", str(tmp_path))
    return tmp_path


def keep(reports: Path, day: int, *samples: Sample, kind: RunKind = "conformance", machine: str = MACHINE) -> None:
    at = BASE + timedelta(days=day)
    folder = RunFolder(reports / f"{at:%Y-%m-%dT%H-%M-%S}")
    folder.path.mkdir()
    folder.save_run(Run(name=folder.path.name, kind=kind, started_at=at, machine=machine))
    for one in samples:
        folder.add_sample(one)


def said() -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["trend"])
    if isinstance(ended.exception, PreconditionFailed):
        return ExitCode.NOT_RUN, str(ended.exception)
    return ended.exit_code, " ".join(ended.output.split())


@pytest.mark.parametrize(
    ("now", "slower"),
    [
        (sample(4), False),
        (sample(5.9), False),
        (sample(6.1), True),
        (sample(6.1, censored=True), True),
    ],
    ids=["as before", "within two seconds", "by half and two seconds", "not at all"],
)
def test_a_series_is_slower_by_half_and_two_seconds(now: Sample, slower: bool, reports: Path) -> None:
    for day, seconds in enumerate((3, 4, 60)):
        keep(reports, day, sample(seconds), sample(seconds), sample(99, censored=True))
    keep(reports, 5, now)
    code, text = said()
    assert code == (ExitCode.FAILED if slower else ExitCode.PASSED), text
    assert ("1 of 1 series are slower than before" if slower else "1 series are as before") in text


def test_half_as_much_again_counts_where_it_is_longer(reports: Path) -> None:
    for day in range(3):
        keep(reports, day, sample(40), sample(1, series="second drift"))
    keep(reports, 5, sample(59), sample(1, series="second drift"))
    assert said()[0] == ExitCode.PASSED
    keep(reports, 6, sample(61), sample(1, series="second drift"))
    code, text = said()
    assert code == ExitCode.FAILED
    assert "1 of 2 series are slower than before" in text


def test_what_cannot_be_compared_is_no_pass(reports: Path) -> None:
    keep(reports, 0, sample(3))
    keep(reports, 1, sample(3))
    keep(reports, 2, sample(3), machine="64 processors of arm64, 256 GiB")
    keep(reports, 3, sample(3), kind="kill matrix")
    keep(reports, 4, sample(3, series="second drift"))
    keep(reports, 5, sample(99))
    code, text = said()
    assert code == ExitCode.NOT_RUN
    assert "At least 3 earlier runs on such a machine should have measured" in text


def test_what_never_recovered_before_is_not_slower_now(reports: Path) -> None:
    for day in range(3):
        keep(reports, day, sample(9, censored=True))
    keep(reports, 5, sample(9, censored=True))
    code, text = said()
    assert code == ExitCode.PASSED
    assert "never recovered" in text


def test_a_damaged_run_is_said_to_be_one(reports: Path) -> None:
    for day in range(4):
        keep(reports, day, sample(3))
    (max(reports.iterdir()) / "run.json").write_text("{", encoding="utf-8")
    ended = CliRunner().invoke(app, ["trend"])
    assert isinstance(ended.exception, UsageError)
    assert "should be readable, but is damaged" in str(ended.exception)

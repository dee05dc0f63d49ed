"""The page of benchmarks says what its data say, and nothing is lost when a new run is taken over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from neuroscale.results import Measurement, Run, RunFolder
from suite import benchmarks_page
from suite.bench import _PLATFORMS
from suite.benchmarks_page import DATA, PAGE, Document, Figure, Group, load, render, take_over

ON = date(2026, 11, 28)


def figure(**changes: object) -> Figure:
    known = {
        "slug": "x",
        "what": "X",
        "least": 2.0,
        "most": 4.0,
        "unit": "s",
        "command": "`x`",
        "recorded": "2026-11-20",
    }
    return Figure.model_validate(known | changes)


def document(*figures: Figure) -> Document:
    return Document(environment="Here.", groups=[Group(title="All", figures=list(figures))])


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(load()), "Out of date. Next: make docs"


def test_slugs_are_distinct_and_ranges_are_ranges() -> None:
    figures = load().figures
    assert len({one.slug for one in figures}) == len(figures) > 50
    assert [one.slug for one in figures if one.least > one.most] == []


def test_every_platform_of_the_benchmark_has_its_figures() -> None:
    known = {one.bench for one in load().figures}
    assert {f"warm caches, no cluster: {platform.name} healthy" for platform in _PLATFORMS} <= known
    assert {f"{p.name} up: pytest -m '{marker}'" for p in _PLATFORMS for marker in p.suites} <= known


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "–"),
        ({"limit": 4}, "kept"),
        ({"limit": 3.9}, "**exceeded**"),
        ({"limit": 0, "least": 0, "most": 0}, "kept"),
    ],
)
def test_the_worst_sample_decides(changes: dict[str, object], verdict: str) -> None:
    assert figure(**changes).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, "2 s to 4 s"),
        ({"least": 4.0, "runs": 1}, "4 s (1 sample)"),
        ({"most": 61, "runs": 3, "median": 2.345}, "2 s to 1 min 01 s, median 2.35 s (3 samples)"),
        ({"unit": "GB"}, "2 GB to 4 GB"),
    ],
)
def test_values_in_words(changes: dict[str, object], value: str) -> None:
    assert figure(**changes).value == value


def test_history_is_a_section_of_its_own() -> None:
    page = render(document(figure(history=[{"recorded": "2026-11-01", "text": "9 s"}])))
    table, history = page.split("## History")
    assert "9 s" not in table
    assert "- until 2026-11-01: 9 s" in history


def test_a_run_replaces_what_it_measured_and_the_former_value_stays() -> None:
    known, red, other = figure(bench="a"), figure(slug="red", bench="b"), figure(slug="y")
    measured = [
        Measurement(name="a", at_most=5, samples=[3, 1]),
        Measurement(name="b", at_most=5, samples=[]),
        Measurement(name="c", at_most=5, samples=[1]),
    ]
    assert take_over(document(known, red, other), measured, ON) == ["c"]
    assert (known.least, known.most, known.runs, known.limit, known.recorded) == (1, 3, 2, 5, ON)
    assert [(past.recorded, past.text) for past in known.history] == [(date(2026, 11, 20), "2 s to 4 s")]
    assert (red.most, red.history, other.history) == (4, [], [])


def test_the_command_takes_over_a_run_and_writes_both_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, page = tmp_path / DATA.name, tmp_path / PAGE.name
    data.write_text(document(figure(bench="a")).model_dump_json(), encoding="utf-8")
    (tmp_path / "run").mkdir()
    run = RunFolder(tmp_path / "run")
    run.save_run(Run(name="r", kind="bench", started_at=datetime(2026, 11, 28, tzinfo=UTC)))
    run.save_measurements(
        [Measurement(name="a", at_most=5, samples=[3]), Measurement(name="z", at_most=1, samples=[1])]
    )
    monkeypatch.setattr(benchmarks_page, "DATA", data)
    monkeypatch.setattr(benchmarks_page, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["benchmarks_page", "--from", str(run.path)])
    benchmarks_page.main()
    written = load(data)
    assert (written.figures[0].most, written.figures[0].recorded) == (3, ON)
    assert page.read_text(encoding="utf-8") == render(written)
    assert "'z'" in capsys.readouterr().err


def test_what_a_figure_is_about_is_counted_then_and_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks_page, "there_are", lambda: {"mutants of b": 48})
    old = figure(bench="b", counts="mutants of b", counted=36)
    assert "| X. 36 mutants then, 48 now |" in render(document(old))
    take_over(document(old), [Measurement(name="b", samples=[3.0], unit="s", at_most=9)], ON)
    assert "| X. 48 mutants |" in render(document(old))


def test_each_count_is_one_that_there_is() -> None:
    counted = {one.counts for one in load().figures if one.counts}
    assert {"scenarios of b", "mutants of d"} <= counted <= set(benchmarks_page.there_are())

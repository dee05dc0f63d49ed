"""The report: figures, pictures, the trend, and the page that shows them."""

from __future__ import annotations

import html
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from report_runs import BASE, HEALS, KILLS, RESULTS, make_run, sample

from neuroscale.report.axis import axis_limit, ticks
from neuroscale.report.figures import rows
from neuroscale.report.page import overview
from neuroscale.report.timelines import LEFT, PLOT, pictures
from neuroscale.report.trend import history, trends
from neuroscale.results import Run, RunFolder
from neuroscale.slos import SLOS

# --- figures


def test_every_number_is_a_sample_and_percentiles_are_nearest_rank() -> None:
    row = next(row for row in rows([sample(seconds) for seconds in HEALS]) if row.ranked)
    picked = [row.quantile(share) for share in (0, 0.5, 0.9, 1)]
    assert [one.sample.seconds for one in picked if one] == [0.47, 0.61, 1.4, 1.9]
    assert [one.number for one in picked if one] == [2, 3, 10, 6]


def test_a_censored_sample_is_never_dropped_and_never_flatters() -> None:
    # It stopped being looked at after 5 s, which is less than the SLO and less than the other sample.
    row = next(row for row in rows([sample(9), sample(5, censored=True)]) if row.ranked)
    assert row.censored == 1
    assert row.answer == "not kept"
    assert row.within == 1
    assert [one.text for one in row.ranked] == ["9 s", "> 5 s"]


@pytest.mark.parametrize(("seconds", "answer"), [(20.0, "kept"), (20.001, "not kept")])
def test_a_claim_is_kept_only_if_each_sample_keeps_it(seconds: float, answer: str) -> None:
    row = next(row for row in rows([sample(1), sample(seconds)]) if row.ranked)
    assert row.answer == answer


def test_what_was_not_measured_and_what_nobody_claims_are_said() -> None:
    found = rows([sample(3, claim="no-longer-claimed")])
    assert {row.slug for row in found} == {*SLOS, "no-longer-claimed"}
    assert {row.answer for row in found if not row.ranked} == {"not measured"}
    assert [row.answer for row in found if row.ranked] == ["no SLO"]


# --- pictures


@pytest.mark.parametrize("limit", [0.003, 0.61, 1, 2.128, 20, 21, 134.4, 7200])
def test_ticks_are_round_and_few_and_within(limit: float) -> None:
    found = ticks(limit)
    assert found[0] == 0
    assert 2 <= len(found) <= 9
    assert found[-1] <= limit
    assert re.match(r"^[125]\.?0*(e.*)?$", f"{found[1]:e}".split("e")[0])


def test_the_axis_shows_the_phases_rather_than_a_far_claim_or_a_censored_sample() -> None:
    claim = SLOS["drift-heal"]
    assert axis_limit([sample(1), sample(120, censored=True)], claim) == pytest.approx(1.12)
    assert axis_limit([sample(12)], claim) == pytest.approx(21)
    assert axis_limit([sample(120, censored=True)], None) == pytest.approx(134.4)


def test_a_bar_is_split_at_the_phases_and_its_parts_meet() -> None:
    (picture,) = pictures(rows([sample(10)]))
    segments = picture.bars[0].segments
    assert [segment.phase for segment in segments] == ["OutOfSync", "operation started", "recreated", "Ready"]
    assert segments[0].x == LEFT
    for before, after in pairwise(segments):
        assert before.x + before.width == pytest.approx(after.x)
    assert picture.bars[0].end == pytest.approx(LEFT + PLOT * 10 / picture.limit)


def test_a_censored_bar_ends_at_the_edge_and_phases_not_seen_are_not_drawn() -> None:
    (picture,) = pictures(rows([sample(1), sample(120, censored=True)]))
    censored = picture.bars[1]
    assert [segment.phase for segment in censored.segments] == ["OutOfSync", "not recovered"]
    assert censored.segments[-1].colour == "rest"
    assert censored.end == LEFT + PLOT


def test_a_phase_has_one_colour_in_all_pictures() -> None:
    drawn = pictures(rows([sample(1), sample(4, "repeated drift"), sample(40, claim="git-pick-up")]))
    assert len(drawn) == 3
    assert len({picture.legend["Ready"] for picture in drawn}) == 1


# --- trend


def test_the_trend_ends_with_this_run_and_leaves_out_broken_platforms(folder: RunFolder, reports: Path) -> None:
    make_run(reports, "2026-11-21T00-00-00", 50)
    mutants = RunFolder(reports / "2026-11-19T23-00-00")
    shutil.copytree(folder.path, mutants.path)
    mutants.save_run(mutants.run.model_copy(update={"kind": "kill matrix", "name": mutants.path.name}))
    past = history(folder)
    assert [run.name for run in past.runs][-2:] == ["2026-11-19T23-00-00", "2026-11-20T22-04-05"]
    first = next(course for course in trends(past.runs) if course.series == "first drift")
    assert [point.run.name for point in first.points] == [
        "2026-11-18T22-04-05",
        "2026-11-19T22-04-05",
        "2026-11-20T22-04-05",
    ]
    assert all(point.high <= point.p90 <= point.p50 <= point.low for point in first.points)


def test_one_run_is_no_trend_and_a_damaged_earlier_run_is_named(folder: RunFolder, reports: Path) -> None:
    (reports / "2026-11-19T22-04-05" / "run.json").write_text("{", encoding="utf-8")
    past = history(folder)
    assert past.unreadable == ["2026-11-19T22-04-05"]
    assert trends(past.runs[-1:]) == []
    assert "Not readable, so not in the trend: 2026-11-19T22-04-05" in overview(folder)


# --- the page


def test_every_link_on_the_page_has_its_target(folder: RunFolder) -> None:
    page = overview(folder)
    targets = re.findall(r'\bid="([^"]+)"', page)
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(targets) == len(set(targets))
    assert set(links) <= set(targets)
    assert {f"sample-{number}" for number in range(1, len(folder.samples) + 1)} <= set(links)


def test_the_page_holds_all_parts_and_needs_nothing_else(folder: RunFolder) -> None:
    page = overview(folder)
    for result_ in RESULTS:
        assert result_.scenario in page
        assert html.escape(result_.why, quote=False).replace('"', "&#34;") in page
    for kill in KILLS:
        assert kill.title in page
    assert "1 / 3" in page
    assert page.count("<svg") == 8
    assert "is &lt;x&gt; gone" not in page
    assert "It should be so that &lt;x&gt; is gone" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "<script" not in page
    assert "url(" not in page


def test_a_run_of_nothing_says_nothing(reports: Path) -> None:
    empty = RunFolder(reports / "2026-11-20T00-00-00")
    empty.path.mkdir(parents=True)
    empty.save_run(Run(name=empty.path.name, kind="bench", started_at=BASE))
    page = overview(empty)
    assert "No scenario ran, so nothing is said" in page
    assert "This run measured no recovery" in page
    assert page.count("not measured") == len(SLOS)

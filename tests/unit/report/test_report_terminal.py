"""The report: the terminal and the command."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from report_runs import KILLS, make_run, result
from rich.console import Console, RenderableType

from neuroscale.cli.report import chosen, report
from neuroscale.errors import UsageError
from neuroscale.report import Benchmark, benchmarks, summary
from neuroscale.results import RunFolder

# --- the terminal and the command


def printed(renderable: RenderableType) -> str:
    stream = io.StringIO()
    Console(file=stream, width=160).print(renderable)
    return stream.getvalue()


def test_the_summary_has_verdicts_slos_mutants_and_the_place(folder: RunFolder) -> None:
    text = printed(summary(folder, folder.path / "report.html", "a note"))
    assert "5 scenarios ran" in text
    assert re.search(r"3 passed +1 failed +1 not run", text)
    assert "2 of 3 measured series kept" in text
    assert "first drift" not in text
    assert re.search(r"drift-heal +repeated drift +4 .*> 2 min 00 s +1 +20 s +not kept", text)
    assert re.search(r"prune-off .* survived", text)
    assert "a note" in text
    assert "self-heal-off" not in text
    assert "1 of 3 mutants killed" in text
    assert "report.html" in text


def test_without_a_written_report_the_summary_says_how_to_write_it(folder: RunFolder) -> None:
    assert "Report: neuroscale report 2026-11-20T22-04-05 writes it" in printed(summary(folder))


def test_however_much_went_wrong_the_summary_fits_a_screen(reports: Path) -> None:
    run = make_run(reports, "2026-11-20T22-04-05")
    failed = [result(f"Scenario {number}", "failed", "it is gone " * 200, "Then it is back") for number in range(40)]
    restarts = [f"Scenario {number}: argocd/repo-server" for number in range(40)]
    run.save_run(run.run.model_copy(update={"results": failed, "restarts": restarts}))
    run.save_kills(KILLS * 20)
    lines = printed(summary(run, run.path / "report.html")).splitlines()
    assert len(lines) <= 50
    assert any(line.startswith("and 35 more under “Not passed” in the report") for line in lines)
    assert "report.html" in lines[-1]


def test_text_from_the_platform_is_not_taken_for_markup(reports: Path) -> None:
    odd = make_run(reports, "2026-11-20T22-04-05")
    odd.save_run(
        odd.run.model_copy(update={"results": [result("[bold]x[/]", "failed", "list [/oops] ended", "Then [y]")]})
    )
    text = printed(summary(odd))
    assert "[bold]x[/]" in text
    assert "list [/oops] ended" in text


def test_bench_shows_the_spread_and_only_the_worst_run_decides() -> None:
    numbers = [
        Benchmark("second up", 5, [3, 4, 5.5]),
        Benchmark("disk", 3, [2.5], "GB"),
        Benchmark("fast tier", 60, []),
    ]
    text = printed(benchmarks(numbers))
    assert re.search(r"second up +3 +3 s +4 s +5\.50 s +5 s +not kept", text)
    assert re.search(r"disk +1 +2\.50 GB +2\.50 GB +2\.50 GB +3\.00 GB +kept", text)
    assert re.search(r"fast tier +0 +– +– +– +1 min 00 s +not measured", text)


def test_the_command_takes_the_latest_run_and_writes_its_report(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    report()
    assert (folder.path / "report.html").exists()
    assert "conformance 2026-11-20T22-04-05" in capsys.readouterr().out


def test_an_unknown_run_is_answered_with_those_there_are(folder: RunFolder, reports: Path) -> None:
    assert chosen("2026-11-18T22-04-05").path.name == "2026-11-18T22-04-05"
    with pytest.raises(UsageError, match="2026-11-20T22-04-05"):
        chosen("yesterday")
    shutil.rmtree(reports)
    with pytest.raises(UsageError, match="make conformance"):
        chosen(None)


def test_a_damaged_run_is_refused_and_left_as_it_is(folder: RunFolder) -> None:
    (folder.path / "recovery.json").write_text('[{"claim": 1}]', encoding="utf-8")
    with pytest.raises(UsageError, match="is damaged"):
        report("2026-11-20T22-04-05")
    assert json.loads((folder.path / "recovery.json").read_text(encoding="utf-8")) == [{"claim": 1}]

"""Folders with runs to report on."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_runs import KILLS, make_run

from neuroscale.results import RunFolder


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEUROSCALE_REPORTS", str(tmp_path / "reports"))
    return tmp_path / "reports"


@pytest.fixture
def folder(reports: Path) -> RunFolder:
    """The latest of three runs, with everything a run can have."""
    make_run(reports, "2026-11-18T22-04-05", 0.3)
    make_run(reports, "2026-11-19T22-04-05", 1.1)
    latest = make_run(reports, "2026-11-20T22-04-05")
    latest.save_kills(KILLS)
    evidence = latest.path / "evidence" / "a-removed-manifest-is-pruned"
    evidence.mkdir(parents=True)
    (evidence / "index.md").write_text("# It should be so that <x> is gone\n", encoding="utf-8")
    return latest

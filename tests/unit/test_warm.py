"""Processes that are forked from a warm one are as good as fresh ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import warm

from neuroscale.settings import ROOT
from suite import ending

_ASKS = "import sys; print(sorted({name.partition('.')[0] for name in sys.modules} & {'neuroscale', 'pytest'}))"


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, True),
        ({"PYTHONPATH": ""}, True),
        ({"PYTHONPATH": f"{ROOT}{os.pathsep}/nowhere"}, True),
        ({"PYTHONPATH": "elsewhere"}, False),
        ({"NEUROSCALE_CLUSTER": "another"}, False),
    ],
)
def test_the_library_is_imported_anew_where_it_would_be_another(
    change: dict[str, str], *, kept: bool, tmp_path: Path
) -> None:
    (tmp_path / "asks.py").write_text(_ASKS, encoding="utf-8")
    (tmp_path / "elsewhere" / "neuroscale").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | change
    if change.get("PYTHONPATH") == "elsewhere":
        environment["PYTHONPATH"] = str(tmp_path / "elsewhere")
    known = ["neuroscale", "pytest"] if kept else ["pytest"]
    assert warm.run("asks", folder=tmp_path, environment=environment) == (0, f"{known}\n")


def test_nothing_stays_that_knows_what_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner would not know the library's errors by their new classes: an unknown mutant ended with 6, not 2."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    assert {"neuroscale.errors", ending.__name__} <= sys.modules.keys()
    warm.forget_ours()
    assert {name.partition(".")[0] for name in sys.modules}.isdisjoint({"neuroscale", "suite", "steps"})

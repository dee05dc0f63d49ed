"""Names and places."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest
import yaml

from neuroscale import git_server, settings
from neuroscale.settings import BUDGETS, ROOT, cache_dir, reports_dir, state_dir


@pytest.mark.parametrize(("variable", "place"), [("STATE", state_dir), ("CACHE", cache_dir), ("REPORTS", reports_dir)])
def test_places_can_be_moved(variable: str, place: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"NEUROSCALE_{variable}", str(tmp_path))
    assert callable(place)
    assert tmp_path in [place(), place().parent]


@pytest.mark.parametrize("place", [state_dir, cache_dir])
def test_an_empty_variable_is_an_unset_one(place: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("STATE", "CACHE"):
        monkeypatch.setenv(f"NEUROSCALE_{variable}", "")
    assert callable(place)
    assert Path.home() in place().parents


def test_the_fast_tier_sees_nothing_of_this_machine() -> None:
    for place in (state_dir(), cache_dir(), reports_dir()):
        assert Path.home() not in place.parents
        assert ROOT not in place.parents


def test_budgets_are_positive() -> None:
    assert all(seconds > 0 for seconds in astuple(BUDGETS))


def test_names_agree_with_the_manifests() -> None:
    root = yaml.safe_load((ROOT / "bootstrap/root-app.yaml").read_text(encoding="utf-8"))
    assert root["metadata"] == {"name": settings.ROOT_APPLICATION, "namespace": settings.ARGOCD}
    assert root["spec"]["source"]["repoURL"] == git_server.IN_CLUSTER_URL
    assert root["spec"]["source"]["targetRevision"] == git_server.BRANCH

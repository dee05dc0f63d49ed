"""Names and places."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest
import warm
import yaml

from neuroscale import git_server, settings
from neuroscale.errors import ExitCode, HostError, SupplyError, UsageError
from neuroscale.settings import BUDGETS, ROOT, cache_dir, places, reports_dir, state_dir
from neuroscale.supply.installed import pip_install


@pytest.mark.parametrize(("variable", "place"), [("STATE", state_dir), ("CACHE", cache_dir), ("REPORTS", reports_dir)])
def test_places_can_be_moved(variable: str, place: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"NEUROSCALE_{variable}", str(tmp_path))
    assert callable(place)
    assert tmp_path in [place(), place().parent]


@pytest.mark.parametrize(("said", "where"), [("~/x", Path.home() / "x"), ("x/../y", Path.cwd() / "x/../y")])
def test_places_are_absolute_also_for_programs_that_run_elsewhere(
    said: str, where: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("STATE", "CACHE", "REPORTS"):
        monkeypatch.setenv(f"NEUROSCALE_{variable}", said)
    monkeypatch.chdir(tmp_path)
    assert [state_dir("a").parent, cache_dir(), reports_dir()] == [where] * 3
    assert places() == {f"NEUROSCALE_{name}": str(where) for name in ("CACHE", "STATE", "REPORTS")}


def test_a_home_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: str) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("NEUROSCALE_STATE")
    monkeypatch.setattr(settings.platformdirs, "user_state_path", homeless)
    with pytest.raises(HostError, match=r"This user should have a home, but: could.*Next: NEUROSCALE_STATE=/a/folder"):
        state_dir("a")


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


def test_the_fast_tier_installs_nothing(tmp_path: Path) -> None:
    with pytest.raises(SupplyError, match="No matching distribution"):
        pip_install(["six"], tmp_path / "packages")


def test_budgets_are_positive() -> None:
    assert all(seconds > 0 for seconds in astuple(BUDGETS))


def test_names_agree_with_the_manifests() -> None:
    root = yaml.safe_load((ROOT / "bootstrap/root-app.yaml").read_text(encoding="utf-8"))
    assert root["metadata"] == {"name": settings.ROOT_APPLICATION, "namespace": settings.ARGOCD}
    assert root["spec"]["source"]["repoURL"] == git_server.IN_CLUSTER_URL
    assert root["spec"]["source"]["targetRevision"] == git_server.BRANCH


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".", "..", "/tmp/x", "A", "a_b", "a b", "-a", "a-", "a" * 33, "a\n", "ä", ""]
)
def test_a_name_that_is_no_label_is_refused_before_it_becomes_a_path(name: str) -> None:
    with pytest.raises(UsageError, match="at most 32 lower-case letters") as caught:
        state_dir(name)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("name", ["a", "a1", "1-a", "a" * 32, "neuroscale"])
def test_a_label_is_a_name(name: str) -> None:
    assert state_dir(name).name == name


@pytest.mark.parametrize(("name", "code"), [("../victim", ExitCode.USAGE), ("", ExitCode.NOT_RUN)])
def test_no_command_reaches_out_of_the_state_folder(name: str, code: ExitCode, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    files = [victim / one for one in ("state.json", "kubeconfig", "journal.jsonl")]
    for file in files:
        file.write_text("somebody else's", encoding="utf-8")
    environment = {**os.environ, "NEUROSCALE_CLUSTER": name, "NEUROSCALE_STATE": str(tmp_path / "state")}
    ended_with, said = warm.run("neuroscale", "status", folder=ROOT, environment=environment)
    assert ended_with == code, said
    assert [file.read_text(encoding="utf-8") for file in files] == ["somebody else's"] * 3
    assert "Traceback" not in said


def test_outside_of_a_checkout_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    """As from an installed package: the library lies elsewhere, and the current directory is no checkout."""
    library = tmp_path / "site-packages"
    shutil.copytree(ROOT / "neuroscale", library / "neuroscale")
    environment = {**os.environ, "PYTHONPATH": str(library)}
    code, said = warm.run("neuroscale", "gate", folder=tmp_path, environment=environment)
    assert code == ExitCode.NOT_RUN, said
    assert said.startswith("HostError: The command should run in a checkout of the NeuroScale repository, but ")
    code, said = warm.run("neuroscale", "--help", folder=tmp_path, environment=environment)
    assert code == ExitCode.PASSED, said


def test_an_installed_package_works_in_the_checkout_around_it(tmp_path: Path) -> None:
    library = tmp_path / "site-packages"
    shutil.copytree(ROOT / "neuroscale", library / "neuroscale")
    program = "from neuroscale.settings import ROOT; print(ROOT)"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "docs",
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == str(ROOT)

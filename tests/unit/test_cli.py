"""Commands on an adopted cluster: what was broken there is put back before it is forgotten."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from apiserver import NONCE, ApiServer, kubeconfig_for
from fakes import DEPLOYMENTS, FAULTS, populate
from typer.testing import CliRunner

from neuroscale import components
from neuroscale.chaos.faults import ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.cli import app
from neuroscale.cli import platform as platform_commands
from neuroscale.cluster.guard import MARKER_PATH
from neuroscale.cluster.state import ClusterState, kubeconfig_file, load_state
from neuroscale.errors import ExitCode, RevertFailed
from neuroscale.platform import connect
from neuroscale.results import RunFolder


@pytest.fixture
def adopted(api: ApiServer, state: ClusterState) -> ClusterState:
    """A cluster of the user's, remembered."""
    populate(api)
    adopted = state.model_copy(update={"adopted": True, "forge_url": api.url})
    adopted.save()
    kubeconfig_file().write_text(yaml.safe_dump(kubeconfig_for(api.url)))
    return adopted


def left_open(world: ApiServer) -> None:
    """A killed run scaled the workload away."""
    fault, platform = FAULTS["scaled-to"], connect()
    assert isinstance(fault, ScaledTo)
    snapshot = fault.snapshot(platform)
    Journal.of(NONCE).open(fault, snapshot)
    fault.inject(platform, snapshot)
    assert world.objects[f"{DEPLOYMENTS}/nginx-test"]["spec"]["replicas"] == 0


def test_an_adopted_cluster_is_healed_before_it_is_forgotten(api: ApiServer, adopted: ClusterState) -> None:
    left_open(api)
    done = CliRunner().invoke(app, ["down"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "undoing what a killed run left behind" in done.output
    assert "no longer marked, and forgotten" in done.output
    assert api.objects[f"{DEPLOYMENTS}/nginx-test"]["spec"]["replicas"] == 1
    assert MARKER_PATH not in api.objects
    assert load_state() is None


def test_an_adopted_cluster_that_cannot_be_healed_is_not_forgotten(api: ApiServer, adopted: ClusterState) -> None:
    left_open(api)
    api.answers[f"PATCH {DEPLOYMENTS}/nginx-test"] = (403, b'{"reason": "Forbidden"}', {})
    with pytest.raises(RevertFailed):
        CliRunner().invoke(app, ["down"], catch_exceptions=False)
    assert load_state() == adopted
    assert len(Journal.of(NONCE).unfinished()) == 1


def test_an_adopted_cluster_has_one_known_address(api: ApiServer, adopted: ClusterState) -> None:
    done = CliRunner().invoke(app, ["endpoints"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"{api.url}  answers" in done.output
    assert "all answer" in done.output


@pytest.mark.parametrize(("old", "new", "says"), [("ports", "endpoints", "answer"), ("heal", "rollback", "1 fault")])
def test_an_old_name_says_the_new_one_and_still_works(
    old: str, new: str, says: str, api: ApiServer, adopted: ClusterState
) -> None:
    left_open(api)
    done = CliRunner().invoke(app, [old], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"`neuroscale {old}` is now `neuroscale {new}`" in done.stderr
    assert says in done.stdout
    offered = CliRunner().invoke(app, ["--help"]).stdout
    assert f"│ {new} " in offered
    assert f"│ {old} " not in offered


@pytest.mark.parametrize(("options", "expected"), [([], True), (["--no-install"], False)])
def test_up_is_what_may_install_system_packages(
    options: list[str], monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    asked: dict[str, object] = {}

    def up(milestones: object, **how: object) -> SimpleNamespace:
        asked.update(how)
        return SimpleNamespace(how="reused")

    monkeypatch.setattr(platform_commands.bootstrap, "up", up)
    assert CliRunner().invoke(app, ["up", *options], catch_exceptions=False).exit_code == 0
    assert asked["install"] is expected


@pytest.mark.parametrize(("options", "installed"), [([], ["chromium"]), (["--no-install"], [])])
def test_a_supply_that_is_built_is_all_that_scenarios_without_a_cluster_need(
    options: list[str], installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    built: list[object] = []
    supply = SimpleNamespace(name="source", reason="asked for", build=built.append)
    # The name in its package is the command.
    monkeypatch.setattr(importlib.import_module("neuroscale.cli.supply"), "choose", lambda *_, **__: supply)
    monkeypatch.setattr(components, "packages", SimpleNamespace(offer=lambda names, purpose: asked.extend(names) or []))
    done = CliRunner().invoke(app, ["supply", "build", "--milestones", "c", *options], catch_exceptions=False)
    assert done.exit_code == 0
    assert asked == installed
    assert built == [components.demands(["c"])]


@pytest.mark.parametrize("options", [[], ["--record"]])
def test_a_platform_that_is_up_leaves_no_run_behind(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    during: list[str] = []

    def up(milestones: object, **how: object) -> SimpleNamespace:
        during.extend(folder.run.outcome for folder in RunFolder.all())
        return SimpleNamespace(how="reused")

    monkeypatch.setattr(platform_commands.bootstrap, "up", up)
    assert CliRunner().invoke(app, ["up", *options], catch_exceptions=False).exit_code == 0
    assert during == ["nothing was run"] * len(options)
    assert RunFolder.all() == []


def test_adopt_prints_what_a_shell_takes(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "my 'own' [bold]config"
    kubeconfig.touch()
    asked = ["adopt", "--kubeconfig", str(kubeconfig), "--context", "a; rm -rf $HOME"]
    done = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert done.exit_code == ExitCode.REFUSED
    *words, nonce = shlex.split(done.output.strip().splitlines()[-1])
    assert words == ["neuroscale", *asked]
    assert re.fullmatch(r"--allow-destructive=[0-9a-f]{32}", nonce)

"""The ledger of last kills, and what makes one stale."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neuroscale.results import Kill, RunFolder
from neuroscale.settings import ROOT
from steps import gitops
from suite import freshness, kill_matrix
from suite.freshness import digest, digests, enter, inputs_of, ledger, stale
from suite.mutants import MODULES, MUTANTS, by_slug

SLUG = MUTANTS["a"][0].slug


def kill(verdict: str = "killed", day: int = 1, **inputs: str) -> Kill:
    return Kill.model_validate(
        {
            "mutant": SLUG, "title": "t", "scenario": "s", "verdict": verdict, "expected_step": "x",
            "expected_reason": "y", "step": "x", "reason": "y", "seconds": 1.0,
            "at": datetime(2026, 11, day, tzinfo=UTC), "inputs": inputs,
        }
    )  # fmt: skip


# --- what a kill is made of


def test_a_kill_is_made_of_its_scenario_its_steps_its_mutant_and_its_components() -> None:
    feature = ROOT / "features" / "milestone_a_gitops" / "drift_is_healed.feature"
    step = next(value for value in vars(gitops).values() if getattr(value, "__module__", "") == gitops.__name__)
    found = {str(path.relative_to(ROOT)) for path in inputs_of(by_slug(SLUG), feature, [step], {"gitops", "smoke"})}
    mutants = MODULES[SLUG].replace(".", "/") + ".py"
    assert {"steps/gitops.py", mutants, "neuroscale/chaos/faults.py", "bootstrap", "apps/test-app"} <= found
    assert str(feature.relative_to(ROOT)) in found
    assert "infrastructure/kyverno" not in found


def test_a_function_that_a_mutant_exchanges_is_part_of_it() -> None:
    mutant = by_slug("gate-leaves-folders-out")
    found = {str(path.relative_to(ROOT)) for path in inputs_of(mutant, ROOT / "features" / "README.md", [], ())}
    assert {"neuroscale/gate/render.py", "suite/mutants/gate_speed.py"} <= found


def test_a_digest_tells_content_names_and_absence_apart(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, name, content in ((one, "a", "1"), (other, "b", "1")):
        (folder / "x").mkdir(parents=True)
        (folder / "x" / name).write_text(content, encoding="utf-8")
    before = digest(one)
    seen = {before, digest(other), digest(one / "x" / "a"), digest(tmp_path / "nowhere")}
    (one / "__pycache__").mkdir()
    (one / "__pycache__" / "made.pyc").write_bytes(b"x")
    assert digest(one) == before
    (one / "x" / "a").write_text("2", encoding="utf-8")
    assert len({*seen, digest(one)}) == 5


# --- the ledger


@pytest.mark.parametrize(
    ("later", "day"),
    [
        (kill("killed", 2), 2),
        (kill("void", 2), 1),
        (kill("survived", 2), None),
        (kill("wrong reason", 2), None),
        (kill("killed", 2).model_copy(update={"at": None}), 1),
    ],
    ids=["killed anew", "nothing learned", "survived", "wrong reason", "of before this was kept"],
)
def test_what_became_of_a_mutant_later_counts(later: Kill, day: int | None) -> None:
    known = enter({}, [kill()])
    entered = enter(known, [later])
    assert entered.get(SLUG) == (None if day is None else kill("killed", day))
    assert known == {SLUG: kill()}
    if day == 2:
        assert enter(entered, [kill()]) == entered, "an older kill does not take a newer one's place"


def test_a_kill_is_stale_once_what_it_is_made_of_changes() -> None:
    mutant, of_now = by_slug(SLUG), digests([ROOT / "pytest.ini", ROOT / "bootstrap"])
    assert stale([mutant], {SLUG: kill(**of_now)}) == []
    [changed] = stale([mutant], {SLUG: kill(**{**of_now, "bootstrap": "0"})})
    assert changed.why == "changed since: bootstrap"
    [gone] = stale([mutant], {SLUG: kill(nowhere=digest(ROOT / "pytest.ini"))})
    assert gone.changed == ["nowhere"]
    [never] = stale([mutant], {})
    assert never.why == "no kill is on record"


def test_a_later_run_speaks_before_the_ledger_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSCALE_REPORTS", str(tmp_path))
    monkeypatch.setattr(freshness, "LEDGER", tmp_path / "kills.json")
    old, _ = RunFolder.begin("kill matrix", "neuroscale kill-matrix")
    old.save_kills([kill(day=1)])
    monkeypatch.setattr("sys.argv", ["freshness", "--from", str(old.path)])
    freshness.main()
    new, _ = RunFolder.begin("kill matrix", "neuroscale kill-matrix")
    new.save_kills([kill("survived", 3)])
    assert freshness.LEDGER.read_text(encoding="utf-8").count("2026-11-01") == 1
    assert ledger() == {}


def test_only_stale_mutants_are_tried(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fresh, *others = MUTANTS["a"]
    monkeypatch.setattr(kill_matrix, "ledger", lambda: {fresh.slug: kill()})
    asked: list[str] = []

    def runner(*arguments: str, environment: dict[str, str] | None = None) -> int:
        asked.extend(argument for argument in arguments if argument.startswith("--mutant="))
        return 7

    assert kill_matrix.run(["a"], [], runner, only_stale=True) == 7
    assert asked == [f"--mutant={mutant.slug}" for mutant in others]
    assert f"{len(others)} of {len(MUTANTS['a'])} mutants are stale" in capsys.readouterr().out
    asked.clear()
    assert kill_matrix.run([], [fresh.slug], runner, only_stale=True) == 0
    assert not asked


def test_the_ledger_of_the_checkout_can_be_read() -> None:
    assert set(freshness.ledger()) <= set(MODULES)

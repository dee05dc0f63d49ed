"""Pull requests of strangers: what is to be seen of them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apiserver import NONCE
from repository import git

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.commit_statuses import Found
from neuroscale.golden_path.proposals import evaluate_refused, evaluate_status, propose_behind, rebase
from neuroscale.platform import Platform

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (None, "pending"),
        (Found("pending", "gate-watch", NOW, "the gate will judge it"), "pending"),
        (Found("failure", "gate", NOW, "apps/x: no owner [labels]"), "met"),
        (Found("failure", "gate", NOW, "apps/x: something else"), "pending"),
        (Found("success", "gate", NOW, "no owner was missed"), "unrecoverable"),
        (Found("error", "gate-watch", NOW, "no verdict came"), "pending"),
    ],
)
def test_a_verdict_is_the_one_that_is_expected_for_its_reason(found: Found | None, verdict: str) -> None:
    assert evaluate_status(found, "failure", "no owner").state == verdict


def test_an_error_may_still_come_after_a_forged_success() -> None:
    """It stands until who watches has looked; the gate's own word stands for good."""
    assert evaluate_status(Found("success", "mallory", NOW, "trust me"), "error", "may not").state == "pending"
    assert evaluate_status(Found("success", "gate", NOW, "nothing found"), "error", "may not").state == "unrecoverable"
    assert evaluate_status(Found("error", "gate-watch", NOW, "mallory may not"), "error", "may not").state == "met"


@pytest.mark.parametrize(
    ("got", "same", "told"),
    [(405, True, ""), (200, False, "a writer: merge: 200, and main changed"), (409, True, "a writer: merge: 409")],
)
def test_an_attempt_is_answered_so_and_changes_nothing(got: int, same: bool, told: str) -> None:
    verdict = evaluate_refused(
        [("a site administrator", "merge by force", 405, 405, True), ("a writer", "merge", 405, got, same)]
    )
    assert (verdict.state, told in verdict.observed) == ("unrecoverable" if told else "met", True)


def test_a_right_answer_does_not_excuse_a_changed_main() -> None:
    assert (
        evaluate_refused([("a writer", "merge", 405, 405, False)]).observed == "a writer: merge: 405, and main changed"
    )


def test_where_nobody_tried_nothing_is_proven() -> None:
    assert evaluate_refused([]).state == "unrecoverable"


def test_a_branch_behind_main_conflicts_until_it_is_rebased(
    toy_platform: Platform, repository: Path, tmp_path: Path
) -> None:
    server, teams = toy_platform.git_server, "backstage/catalog/org.yaml"
    server.commit({teams: "description: Serves models\n", "apps/kept/a.yaml": "a: 1\n"}, "Name the teams")

    def conflicts(branch: str) -> bool:
        try:
            git("-C", str(repository), "merge-tree", "--write-tree", "main", branch)
        except subprocess.CalledProcessError:
            return True
        return False

    with Breakage(toy_platform, Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
        proposed = propose_behind(breakage)
        assert set(server.proposed(proposed.branch)) == {
            teams, f"apps/{proposed.name}/inference-service.yaml", f"apps/{proposed.name}/catalog-info.yaml",
        }  # fmt: skip
        assert conflicts(proposed.branch)
        rebase(proposed, toy_platform)
        assert not conflicts(proposed.branch)
        assert len(server.proposed(proposed.branch)) == 2
        assert server.read(teams) == "description: Serves all models\n"
    assert server.read(teams) == "description: Serves models\n"
    assert server.branch_head(proposed.branch) is None

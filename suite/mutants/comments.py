"""Mutants of the gate's comment on pull requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.comment_scenarios.runs import Ended, Reviewed, run_of_latest
from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import ConditionTimeout
from neuroscale.polling import Verdict, met
from neuroscale.pull_request_checks.report import report
from neuroscale.sticky_comments import MARKER, Proposal, StickyComment
from suite.mutants.mutant import Mutant


class _PostedAnew(StickyComment):
    """What is there already is not looked for."""

    def publish(self) -> str:
        self._change("POST", self._comments, self._body)
        return "posted"


class _OnlyEdited(StickyComment):
    """What is not there is not made."""

    def _write(self, ours: list[dict[str, Any]]) -> Verdict:
        return super()._write(ours) if ours else met("there is nothing to edit")


class _NeverFailing(StickyComment):
    """What the forge says is not listened to."""

    def publish(self) -> str:
        try:
            return super().publish()
        except ConditionTimeout as error:
            return str(error)


class _Unsettled(StickyComment):
    """Whoever looks again at what it wrote does not find it."""

    def settle(self) -> str:
        raise ConditionTimeout("The comment should still be there, but nobody looked.")


def unsettled(*arguments: Any) -> StickyComment:
    """A run whose comment is there fails nevertheless."""
    return _Unsettled(*arguments)


def token_that_outlives_its_end(reviewed: Reviewed) -> Ended:
    """The Git server still takes a token that was revoked."""
    return run_of_latest(reviewed)


def posted_anew(*arguments: Any) -> StickyComment:
    """Each run posts a comment."""
    return _PostedAnew(*arguments)


def only_edited(*arguments: Any) -> StickyComment:
    """A comment that was deleted stays so."""
    return _OnlyEdited(*arguments)


def never_failing(*arguments: Any) -> StickyComment:
    """A comment that the forge did not take is as good as one that it took."""
    return _NeverFailing(*arguments)


def green_without_comment(
    statuses: Statuses, proposal: Proposal, status: CommitStatus, comment: Callable[[], StickyComment] | None
) -> list[str]:
    """A good verdict is enough: that there is no comment is passed over."""
    if comment is None:
        statuses.approve(*proposal)
        statuses.set(proposal.sha, status)
        return []
    return report(statuses, proposal, status, comment)


def nothing_newer(pull: Mapping[str, Any], proposal: Proposal) -> str:
    """Each run takes its own commit for the latest."""
    return ""


def ours_by_marker(comment: Mapping[str, Any], author: str) -> bool:
    """Whoever writes the marker is taken for the gate."""
    return str(comment["body"]).startswith(MARKER)


def _patched(wire: str, replacement: str) -> tuple[FunctionPatched]:
    return (FunctionPatched(wire=f"neuroscale.{wire}", replacement=f"suite.mutants.comments:{replacement}"),)


_MADE = "comment_scenarios.runs:StickyComment"
_AT_ONCE = "Twenty runs at once and out of order leave one comment, of the latest commit"
_PUSHED = "20 commits are pushed to it, and the gate's runs end out of order"
_ONE = "it has one comment of the gate, of its latest commit"
_JUDGED = "the gate judges it"
_TWICE, _JUDGED_TWICE = "A second run over the same commit leaves one comment", "the gate judges it twice"
_FAILS = "Where the gate cannot comment, its run fails and nothing is green"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "older-run-overwrites-a-newer",
        "A run does not ask whether its commit is still the latest",
        scenario=_AT_ONCE,
        before=_PUSHED,
        faults=_patched("sticky_comments:moved_on", "nothing_newer"),
        red_step=_ONE,
        reason=r"should be of the latest commit \w{8}, but is .*Of \w{40}",
    ),
    Mutant(
        "comment-posted-twice",
        "A run does not look for a comment of an earlier one",
        scenario=_TWICE,
        before=_JUDGED_TWICE,
        faults=_patched(_MADE, "posted_anew"),
        red_step=_ONE,
        reason=r"should have one comment of the gate, but has [234]\b",
    ),
    Mutant(
        "run-fails-behind-its-comment",
        "A run looks again at its comment, and fails though it is there",
        scenario=_TWICE,
        before=_JUDGED_TWICE,
        faults=_patched(_MADE, "unsettled"),
        red_step="each run has ended well",
        reason=r"2 runs should end well, but [12] failed, first: The comment should still be there",
    ),
    Mutant(
        "stranger-taken-for-the-gate",
        "Whoever writes the marker is taken for the gate",
        scenario="A stranger's comment that looks like the gate's is left alone",
        before=_JUDGED,
        faults=_patched("sticky_comments:is_ours", "ours_by_marker"),
        red_step="the stranger's comment is as it was",
        reason=r"should be as it was, but there is \[.*Resource and cost delta",
    ),
    Mutant(
        "deleted-comment-stays-away",
        "A run edits a comment, and makes none",
        scenario="A comment that was deleted by hand is made again",
        before=_JUDGED,
        faults=_patched(_MADE, "only_edited"),
        red_step=_ONE,
        reason=r"should have one comment of the gate, but has 0\b",
    ),
    Mutant(
        "comment-that-fails-is-green",
        "A comment that the Git server did not take is as good as one that it took",
        scenario=_FAILS,
        before="the gate judges it while the Git server knows nothing of comments",
        faults=_patched(_MADE, "never_failing"),
        red_step="the run has failed within 60 s, its commit's status is error, and nothing is green",
        reason=r"the status is success, approved: True, error: none",
        example="knows nothing of comments",
    ),
    Mutant(
        "missing-comment-is-green",
        "A good verdict is reported whether there is something to comment with or not",
        scenario=_FAILS,
        before="the gate judges it and has left nothing to comment with",
        faults=_patched("comment_scenarios.runs:report", "green_without_comment"),
        red_step="the run has failed within 60 s, its commit's status is error, and nothing is green",
        reason=r"the status is success, approved: True, error: none",
        example="and has left nothing to comment with",
    ),
    Mutant(
        "revoked-token-still-taken",
        "The Git server takes a token that was revoked, and the run ends well",
        scenario=_FAILS,
        before="the gate judges it with a token that was revoked",
        faults=_patched("comment_scenarios.runs:run_with_revoked_token", "token_that_outlives_its_end"),
        red_step="the run has failed within 60 s, its commit's status is none, and nothing is green",
        reason=r"with the status none and no approval, .* the status is success, approved: True, error: none",
        example="with a token that was revoked",
    ),
)

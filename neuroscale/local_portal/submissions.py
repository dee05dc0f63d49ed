"""Forms that are handed in for good: task, branch, pull request; and what must have come of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from neuroscale.backstage_client import TEMPLATE, Backstage, Task
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.gate import assertions
from neuroscale.git_server import GitServer, PullRequest
from neuroscale.golden_path.form import evaluate_proposal, filled_in
from neuroscale.golden_path.journey import evaluate_taken
from neuroscale.local_portal.form_rules import completed
from neuroscale.local_portal.generated_forms import Form
from neuroscale.local_portal.process import NEXT
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.polling import Verdict, met, pending, wait_until
from neuroscale.probes.backstage import heard

#: Measured: one takes 1 s of two idle cores, nearly all of it Gitea's hooks; others may be at work on this machine.
_ENDED_WITHIN = 60.0
_OFFERED_WITHIN = 60.0
_AT_ONCE = 4
_TASKS = "backstage_plugin_scaffolder"


class Portal(Protocol):
    """A portal and the Git server at which its pull requests are, here or in a cluster."""

    @property
    def backstage(self) -> Backstage:
        """The portal."""
        ...

    @property
    def git_server(self) -> GitServer:
        """The Git server."""
        ...

    @property
    def pages(self) -> str:
        """Where the Git server's pages are for those who read them."""
        ...


@dataclass(frozen=True)
class Submission:
    """A form, and the end of its task."""

    values: Mapping[str, str | int]
    task: Task

    @property
    def branch(self) -> str:
        """Of the pull request."""
        return f"model-{self.values['name']}"


@dataclass(frozen=True)
class Handed:
    """What was handed in, and which branches the Git server had before."""

    submissions: tuple[Submission, ...]
    before: frozenset[str]


def wait_until_offered(portal: LocalPortal) -> None:
    """The catalog has the template.

    Raises:
        ConditionTimeout: It has not in time.
    """

    def ask() -> Verdict:
        return met("it is there") if portal.backstage.entity(TEMPLATE) else pending("it is not there")

    wait_until(lambda: heard(ask), "the portal offers its form", NEXT, within=_OFFERED_WITHIN)


def submit(portal: Portal, forms: Sequence[Form]) -> Handed:
    """Hand forms in, a few at once, and wait for the ends of their tasks.

    Raises:
        BackstageError: One was refused.
        ConditionTimeout: A task has no end.
    """
    before, made = frozenset(portal.git_server.branches()), list[Submission]()
    for first in range(0, len(forms), _AT_ONCE):
        together = forms[first : first + _AT_ONCE]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            tasks = list(pool.map(portal.backstage.create_task, map(dict, together)))
        ends = wait_for_ends(portal.backstage, tasks)
        made += [Submission(completed(form), end) for form, end in zip(together, ends, strict=True)]
    return Handed(tuple(made), before)


def wait_for_ends(backstage: Backstage, tasks: Sequence[str]) -> list[Task]:
    """The ends of tasks, which one after the other are waited for.

    Raises:
        ConditionTimeout: One has no end.
    """
    ended: list[Task] = []

    def ask() -> Verdict:
        # One after the other: to ask for all of them again and again would keep the portal from its work.
        for task in tasks[len(ended) :]:
            if not (seen := backstage.task(task)).ended:
                return pending(f"{task} is {seen.status}, {len(ended)} have ended")
            ended.append(seen)
        return met("each has")

    wait_until(ask, f"{len(tasks)} tasks end", NEXT, within=_ENDED_WITHIN, every=0.1)
    return ended


def submit_one(portal: LocalPortal) -> Handed:
    """Hand one form in."""
    return submit(portal, [dict(filled_in())])


def submit_same_form(portal: LocalPortal, times: int) -> Handed:
    """Hand one form in several times at once."""
    return submit(portal, [dict(filled_in())] * times)


def submit_overlooked(portal: LocalPortal) -> Handed:
    """Hand a form in twice, of which the worker is told once only, and wait for the ends of both tasks.

    Raises:
        PreconditionFailed: The first task was over before it could be copied.
        ConditionTimeout: A task has no end.
    """
    form, before = filled_in(), frozenset(portal.git_server.branches())
    told = portal.backstage.create_task(form)
    tasks = [told, overlook(portal, told)]
    ends = wait_for_ends(portal.backstage, tasks)
    return Handed(tuple(Submission(form, end) for end in ends), before)


def overlook(portal: LocalPortal, task: str, created: str = "now()") -> str:
    """Add the same task once more where the portal keeps them, and tell no worker; returns its ID.

    Raises:
        PreconditionFailed: It is over, and has lost what it needs to run.
    """
    copied = f"SELECT gen_random_uuid(), spec, 'open', {created}, created_by, secrets FROM tasks WHERE id = '{task}'"  # noqa: S608
    added = portal.database.execute(
        _TASKS,
        f"INSERT INTO tasks (id, spec, status, created_at, created_by, secrets) {copied} AND secrets IS NOT NULL "
        "RETURNING id",
    )
    if not added:
        raise PreconditionFailed(f"The task {task} should run when it is copied, but has ended. Next: {NEXT}")
    return added


def submit_rivals(portal: LocalPortal) -> Handed:
    """Hand in two forms at once that want one name for different models."""
    form: Form = dict(filled_in())
    return submit(portal, [form, {**form, "costCenter": "cc-demo"}])


def assert_exact(handed: Handed, portal: Portal) -> None:
    """Each form became one pull request with its files, its title and its text; and nothing else came about.

    Raises:
        ConditionTimeout: One did not, or something else did.
    """
    # First: of a task that failed nothing else is as it should be, and it alone says why.
    if lost := [one.task for one in handed.submissions if one.task.status != "completed"]:
        raise ConditionTimeout(
            f"Each of {len(handed.submissions)} tasks should be completed, but {len(lost)} are not: {lost[0].status}, "
            f"{lost[0].error}. Next: {NEXT}"
        )
    pulls = assert_proposed({one.branch: one.values for one in handed.submissions}, handed.before, portal)
    verdicts = [evaluate_link(one, f"{portal.pages}{pulls[one.branch].path}") for one in handed.submissions]
    if wrong := [verdict.observed for verdict in verdicts if not verdict]:
        raise ConditionTimeout(
            f"Each task should give its user the link, but {len(wrong)} do not: {wrong[0]}. Next: {NEXT}"
        )


def assert_proposed(
    wanted: Mapping[str, Mapping[str, str | int]], before: frozenset[str], portal: Portal
) -> dict[str, PullRequest]:
    """The Git server has these branches more than before, each with one open pull request of a form, and no other.

    Returns:
        Branch -> pull request.

    Raises:
        ConditionTimeout: It has less, more or others.
    """
    if stood := sorted(set(wanted) & before):
        raise ConditionTimeout(f"Each form should be for a new name, but before it there were {stood}. Next: {NEXT}")
    new = portal.git_server.branches() - before
    if new != set(wanted):
        raise ConditionTimeout(
            f"These branches should be there and are not: {sorted(set(wanted) - new)}, and these are there and should "
            f"not be: {sorted(new - set(wanted))}. Next: {NEXT}"
        )
    pulls = [pull for pull in portal.git_server.pull_requests() if pull.branch not in before]
    expected, found = Counter(list(wanted)), Counter(pull.branch for pull in pulls)
    if found != expected:
        raise ConditionTimeout(
            f"Each of {len(wanted)} branches should have one pull request, but missing are {dict(expected - found)}, "
            f"and too many {dict(found - expected)}. Next: {NEXT}"
        )
    proposed = portal.git_server.all_proposed(wanted)
    for pull in pulls:
        verdict = evaluate_pull_request(pull, proposed[pull.branch], wanted[pull.branch])
        if not verdict:
            raise ConditionTimeout(
                f"Pull request #{pull.number} should be as asked, but {verdict.observed}. Next: {NEXT}"
            )
    return {pull.branch: pull for pull in pulls}


def evaluate_pull_request(
    pull: PullRequest, proposed: Mapping[str, str | None], values: Mapping[str, str | int]
) -> Verdict:
    """Its files, title and text are those of a form."""
    if (verdict := evaluate_proposal(proposed, values)).state != "met":
        return verdict
    title, body = f"Serve the model {values['name']}", _body(values)
    if (pull.title, pull.body.strip()) != (title, body):
        return pending(f"it says {(pull.title, pull.body)} and not {(title, body)}")
    return met(f"#{pull.number}: {verdict.observed}")


def evaluate_link(submission: Submission, url: str) -> Verdict:
    """A task leads its user to the pull request."""
    links = [link["url"] for link in submission.task.output.get("links", [])]
    return met(url) if links == [url] else pending(f"it leads to {links} and not to {url}")


def assert_passes_gate(handed: Handed, portal: LocalPortal) -> None:
    """The gate finds nothing to reject in the tree that is proposed, and has seen the model in it.

    Raises:
        ConditionTimeout: It has, or it did not look there.
    """
    (submission,) = handed.submissions
    with TemporaryDirectory(prefix="neuroscale-proposed-") as name:
        folder = Path(name) / "tree"
        portal.git_server.check_out(submission.branch, folder)
        answer = assertions.ask(portal.parts.tools, folder)
    assertions.is_green(answer)
    assertions.each_policy_judged(answer)
    objects = answer.result.places.get(f"apps/{submission.values['name']}", [])
    if [obj["kind"] for obj in objects] != ["InferenceService"]:
        raise ConditionTimeout(f"The gate should judge the proposed model, but judged {objects}. Next: {NEXT}")


def assert_one_won(handed: Handed, portal: LocalPortal) -> None:
    """Of several forms for one name one became a pull request; the others' tasks failed, and name it.

    Raises:
        ConditionTimeout: It is not so.
    """
    won = [one for one in handed.submissions if one.task.status == "completed"]
    if len(won) != 1:
        ends = [(one.task.status, one.task.error) for one in handed.submissions]
        raise ConditionTimeout(f"One of the forms should win the name, but they ended {ends}. Next: {NEXT}")
    assert_exact(Handed(tuple(won), handed.before), portal)
    pull = portal.git_server.pull_request(won[0].branch)
    for lost in handed.submissions:
        verdict = evaluate_taken(lost.task, f"#{pull.number}" if pull else "none")
        if lost is not won[0] and not verdict:
            raise ConditionTimeout(f"Who lost should learn to whom, but {verdict.observed}. Next: {NEXT}")


def _body(values: Mapping[str, str | int]) -> str:
    rows = {"owner": values["owner"], "cost center": values["costCenter"], "model": values["storageUri"]}
    table = "\n".join(["| | |", "|---|---|", *(f"| {name} | `{value}` |" for name, value in rows.items())])
    return f"Asked for by user:default/guest in the portal.\n\n{table}"

"""Forms that are handed in for good: task, branch, pull request; and what must have come of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.backstage_client import TEMPLATE, BackstageError, Task
from neuroscale.errors import ConditionTimeout
from neuroscale.gate import assertions
from neuroscale.git_server import PullRequest
from neuroscale.golden_path.form import evaluate_proposal, filled_in
from neuroscale.golden_path.journey import evaluate_taken
from neuroscale.local_portal.form_rules import completed
from neuroscale.local_portal.generated_forms import Form
from neuroscale.local_portal.process import NEXT
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.polling import Verdict, met, pending, wait_until

#: Measured on two cores that others use as well: 50 tasks take 65 s, nearly all of it Gitea's hooks.
_ENDED_WITHIN = 240.0
_OFFERED_WITHIN = 60.0
_AT_ONCE = 4


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
        try:
            return met("it is there") if portal.backstage.entity(TEMPLATE) else pending("it is not there")
        except BackstageError as error:
            return pending(str(error))

    wait_until(ask, "the portal offers its form", NEXT, within=_OFFERED_WITHIN)


def submit(portal: LocalPortal, forms: Sequence[Form]) -> Handed:
    """Hand forms in, some at a time, and wait for the ends of their tasks.

    Raises:
        BackstageError: One was refused.
        ConditionTimeout: A task has no end.
    """
    backstage, before = portal.backstage, frozenset(portal.git_server.branches())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tasks = list(pool.map(backstage.create_task, map(dict, forms)))
    ended: dict[str, Task] = {}

    def ask() -> Verdict:
        for task in tasks:
            if task not in ended and (seen := backstage.task(task)).ended:
                ended[task] = seen
        left = len(tasks) - len(ended)
        return pending(f"{left} have not") if left else met("each has")

    wait_until(ask, f"the tasks of {len(tasks)} forms end", NEXT, within=_ENDED_WITHIN)
    made = [Submission(completed(form), ended[task]) for form, task in zip(forms, tasks, strict=True)]
    return Handed(tuple(made), before)


def submit_one(portal: LocalPortal) -> Handed:
    """Hand one form in."""
    return submit(portal, [dict(filled_in())])


def submit_same_form(portal: LocalPortal, times: int) -> Handed:
    """Hand one form in several times at once."""
    return submit(portal, [dict(filled_in())] * times)


def submit_rivals(portal: LocalPortal) -> Handed:
    """Hand in two forms at once that want one name for different models."""
    form = dict(filled_in())
    return submit(portal, [form, {**form, "costCenter": "cc-demo"}])


def assert_exact(handed: Handed, portal: LocalPortal) -> None:
    """Each form became one pull request with its files, its title and its text; and nothing else came about.

    Raises:
        ConditionTimeout: One did not, or something else did.
    """
    assert_proposed({one.branch: one.values for one in handed.submissions}, handed.before, portal)
    if wrong := [one for one in handed.submissions if evaluate_completed(one, portal).state != "met"]:
        first = evaluate_completed(wrong[0], portal).observed
        raise ConditionTimeout(
            f"Each task should give its user the link, but {len(wrong)} do not: {first}. Next: {NEXT}"
        )


def assert_proposed(wanted: Mapping[str, Mapping[str, str | int]], before: frozenset[str], portal: LocalPortal) -> None:
    """The Git server has these branches more than before, each with one open pull request of a form, and no other.

    Raises:
        ConditionTimeout: It has less, more or others.
    """
    new = portal.git_server.branches() - before
    if new != set(wanted):
        raise ConditionTimeout(
            f"The branches {sorted(wanted)} should be made, but these are there and should not: {sorted(new - set(wanted))}, "
            f"and these are not: {sorted(set(wanted) - new)}. Next: {NEXT}"
        )
    pulls = [pull for pull in portal.git_server.pull_requests() if pull.branch not in before]
    if (found := Counter(pull.branch for pull in pulls)) != Counter(list(wanted)):
        raise ConditionTimeout(
            f"Each of {sorted(wanted)} should have one pull request, but it is {found}. Next: {NEXT}"
        )
    proposed = portal.git_server.all_proposed(wanted)
    for pull in pulls:
        verdict = evaluate_pull_request(pull, proposed[pull.branch], wanted[pull.branch])
        if not verdict:
            raise ConditionTimeout(
                f"Pull request #{pull.number} should be as asked, but {verdict.observed}. Next: {NEXT}"
            )


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


def evaluate_completed(submission: Submission, portal: LocalPortal) -> Verdict:
    """A task is completed, and leads its user to the pull request."""
    task = submission.task
    if task.status != "completed":
        return pending(f"the task of {submission.values['name']} is {task.status}: {task.error}")
    links = [link["url"] for link in task.output.get("links", [])]
    numbers = [pull.number for pull in portal.git_server.pull_requests() if pull.branch == submission.branch]
    expected = [f"{portal.git_server.url}/neuroscale/platform/pulls/{number}" for number in numbers]
    return met(str(links)) if links == expected else pending(f"it leads to {links} and not to {expected}")


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

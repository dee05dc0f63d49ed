"""Pull requests as strangers open them: what the gate says of them, and who gets them into ``main`` all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import (
    Committed,
    Fault,
    FieldsEdited,
    MemberAdded,
    PullRequestMerged,
    PullRequestProposed,
    ScaledTo,
)
from neuroscale.commit_statuses import CommitStatus, Found, Statuses
from neuroscale.errors import PreconditionFailed
from neuroscale.fresh_names import fresh_name
from neuroscale.git_server import Files, PullRequest
from neuroscale.git_server_members import Role
from neuroscale.golden_path.form import expected_objects, filled_in
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, consistently, eventually, met, pending, unrecoverable
from neuroscale.probes import argo, pull_requests
from neuroscale.probes.knative_resources import inference_service
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.settings import BUDGETS, GATE_REPORTER, GATE_STATUS

#: A verdict: the Job is made, its pod starts, the gate judges.
JUDGED_WITHIN = 90.0
#: From the proposal on, whatever is away.
_ERROR_WITHIN = 60.0
#: The Git server looks for conflicts in the background, and merges nothing before it has.
_MERGEABLE_WITHIN = 15.0
#: As long as a merge that was not refused would take to be seen.
_UNCHANGED_FOR = 3.0
#: Where Argo CD shows what admission says.
_REJECTIONS = ("SyncError", "OperationFailed", "SyncFailed")
_NOT_FOR_ARGO_CD = "# +argocd:skip-file-rendering\n"
_POLICIES = "infrastructure/kyverno/policies"
_LABELS = f"{_POLICIES}/require-standard-labels-inferenceservice.yaml"
#: What a pull request and main may change at once without any harm.
_TEAMS, _TEAM = "backstage/catalog/org.yaml", "Serves models"
#: A form of a merge by its name -> Gitea's words for it.
_FORMS: Mapping[str, Mapping[str, object]] = {
    "merge": {"Do": "merge"},
    "squash": {"Do": "squash"},
    "rebase": {"Do": "rebase"},
    "merge by force": {"Do": "merge", "force_merge": True},
    "merge once all statuses are good": {"Do": "merge", "merge_when_checks_succeed": True},
}


@dataclass(frozen=True)
class Proposed:
    """A pull request that is open.

    Attributes:
        branch: Its branch.
        name: Of the model that it would add.
    """

    branch: str
    name: str


def propose(what: str, breakage: Breakage) -> Proposed:
    """Open a pull request for a new model, good or bad as ``what`` says.

    Raises:
        FaultHadNoEffect: The Git server did not list it.
    """
    values = filled_in()
    name = str(values["name"])
    files = _CONTENTS[what](values, breakage.platform)
    fault = PullRequestProposed(branch=fresh_name("proposal"), title=f"Add the model {name}", files=dict(files))
    breakage.inject(fault)
    return Proposed(fault.branch, name)


def propose_behind(breakage: Breakage) -> Proposed:
    """Open a pull request whose branch lacks the latest commit of ``main``; both change the same line.

    Raises:
        FaultHadNoEffect: The Git server did not list it, or ``main`` has no such line.
    """
    server, values = breakage.platform.git_server, filled_in()
    name, teams = str(values["name"]), server.read(_TEAMS) or ""
    breakage.inject(Committed(message="Describe a team", files={}, replaced={_TEAMS: [(_TEAM, "Serves all models")]}))
    fault = PullRequestProposed(
        branch=fresh_name("proposal"),
        title=f"Add the model {name}, and describe a team otherwise",
        files={**_good(values, breakage.platform), _TEAMS: teams.replace(_TEAM, "Serves our models")},
        behind=1,
    )
    breakage.inject(fault)
    return Proposed(fault.branch, name)


def rebase(proposed: Proposed, platform: Platform) -> None:
    """Begin the branch at ``main`` again, and leave to ``main`` what both had changed."""
    files = {path: text for path, text in platform.git_server.proposed(proposed.branch).items() if path != _TEAMS}
    platform.git_server.push_to(
        proposed.branch, files, f"Add the model {proposed.name}", base=platform.git_server.head()
    )


def wait_for_status(state: str, says: str, proposed: Proposed, platform: Platform) -> None:
    """The gate's status of the commit that is proposed now is this, for this reason.

    Raises:
        ConditionTimeout: There is none in time, or another.
    """
    _wait_for_status(state, says, proposed, platform, JUDGED_WITHIN)


def wait_for_error(proposed: Proposed, platform: Platform) -> None:
    """The commit says that nobody judged it, in time.

    Raises:
        ConditionTimeout: It does not.
    """
    _wait_for_status("error", "no verdict", proposed, platform, _ERROR_WITHIN)


def _wait_for_status(state: str, says: str, proposed: Proposed, platform: Platform, within: float) -> None:
    eventually(status_is(state, says, proposed.branch, platform), platform.cluster, within=within)


def status_is(state: str, says: str, branch: str, platform: Platform) -> ProbeFunction:
    """The gate's status of what a branch proposes at this moment is this, for this reason."""
    statuses = Statuses(platform.git_server.url)

    def evaluate() -> Verdict:
        return evaluate_status(statuses.latest(_pull(branch, platform).head), state, says)

    return ProbeFunction(f"{GATE_STATUS} of {branch} is {state} and says {says!r}", evaluate, pull_requests.AREA)


def evaluate_status(found: Found | None, state: str, says: str) -> Verdict:
    """The state, and the words among those that explain it; another verdict of the gate will not become this one."""
    if found is None:
        return pending("there is no status")
    seen = f"{found.state}: {found.description}"
    if found.state == state and says in found.description:
        return met(seen)
    final = found.creator == GATE_REPORTER and found.state in ("success", "failure") and found.state != state
    return unrecoverable(seen) if final else pending(seen)


def _pull(branch: str, platform: Platform) -> PullRequest:
    pull = platform.git_server.pull_request(branch)
    if pull is None:
        raise PreconditionFailed(f"{branch} should have an open pull request, but has none. Next: neuroscale status")
    return pull


# --- who merges


def assert_refused(attempts: Sequence[tuple[str, str, int]], proposed: Proposed, breakage: Breakage) -> None:
    """Each of these attempts to merge it is answered like this, and ``main`` does not change.

    Args:
        attempts: Who, how, and the HTTP status that they must get.
        proposed: What they try to merge.
        breakage: Takes the people away again.

    Raises:
        ConditionTimeout: One is answered otherwise, or ``main`` changed.
    """
    server, before = breakage.platform.git_server, breakage.platform.git_server.head()
    number = _pull(proposed.branch, breakage.platform).number
    tokens = {who: join(who, breakage) for who in dict.fromkeys(who for who, *_ in attempts)}
    seen = []
    for who, how, wanted in attempts:
        answer = server.try_to_merge(number, _FORMS[how], tokens[who])
        if "merge_when_checks_succeed" in _FORMS[how]:
            server.call_off_merge(number)
        seen.append((who, how, wanted, answer, server.head() == before))
    assert_met("nobody merges it", evaluate_refused(seen), breakage.platform, pull_requests.AREA)
    _assert_main_stays(before, breakage.platform)


def evaluate_refused(seen: Sequence[tuple[str, str, int, int, bool]]) -> Verdict:
    """Each attempt was answered as it must be, and ``main`` was the same after it.

    Args:
        seen: Who, how, the status that they must get, the one that they got, and whether ``main`` was the same.
    """
    wrong = [
        f"{who}: {how}: {got}{'' if same else ', and main changed'}"
        for who, how, wanted, got, same in seen
        if got != wanted or not same
    ]
    if not seen:
        return unrecoverable("nobody tried")
    return unrecoverable("; ".join(wrong)) if wrong else met(f"{len(seen)} attempts, none of which changed main")


def _assert_main_stays(before: str | None, platform: Platform) -> None:
    """What was put off might still be merged."""

    def evaluate() -> Verdict:
        head = platform.git_server.head()
        return met(f"main is at {head}") if head == before else unrecoverable(f"main is at {head}, and was at {before}")

    stays = ProbeFunction("main stays as it was", evaluate, pull_requests.AREA)
    consistently(stays, platform.cluster, lasting=_UNCHANGED_FOR)


def join(who: str, breakage: Breakage) -> str:
    """A token of somebody who may merge by their role: ``a writer``, ``a site administrator``.

    Raises:
        FaultHadNoEffect: The Git server did not take them.
    """
    role: Role = _ROLES[who]
    user = fresh_name(role.replace(" ", "-"))
    breakage.inject(MemberAdded(user=user, role=role))
    return breakage.platform.git_server.token_of(user, ("write:repository",))


_ROLES: Mapping[str, Role] = {
    "a writer": "writer",
    "a repository administrator": "repository administrator",
    "a site administrator": "site administrator",
}


def forge_status(proposed: Proposed, breakage: Breakage) -> None:
    """A writer sets the gate's status of the proposed commit to success.

    Raises:
        NeuroscaleError: The Git server did not take it.
    """
    platform, head = breakage.platform, _pull(proposed.branch, breakage.platform).head
    token = join("a writer", breakage)
    platform.cluster.assert_writable(f"POST of a status to {platform.git_server.url}")
    Statuses(platform.git_server.url, token).set(head, CommitStatus("success", "trust me"))


def push_more(proposed: Proposed, platform: Platform) -> None:
    """Push another commit to what is proposed."""
    note = f"apps/{proposed.name}/note.yaml"
    platform.git_server.push_to(proposed.branch, {note: yaml.safe_dump(_note(proposed.name))}, "Add a note")


def merge(branch: str, files: Sequence[str], breakage: Breakage) -> tuple[Effect, str]:
    """Merge the pull request of a branch as soon as the Git server finds it mergeable.

    Args:
        branch: Its branch.
        files: What it changes.
        breakage: Takes it back.

    Returns:
        When it was seen, and the commit on ``main``.

    Raises:
        ConditionTimeout: It never does.
        NeuroscaleError: The Git server refused.
    """
    platform = breakage.platform

    def evaluate() -> Verdict:
        pull = platform.git_server.pull_request(branch)
        if pull is None:
            return pending("no pull request is open")
        return met(f"#{pull.number}") if pull.mergeable else pending(f"#{pull.number} is not found mergeable")

    mergeable = ProbeFunction(f"the pull request of {branch} can be merged", evaluate, pull_requests.AREA)
    eventually(mergeable, platform.cluster, within=_MERGEABLE_WITHIN)
    effect = breakage.inject(PullRequestMerged(branch=branch, files=sorted(files)))
    commit = platform.git_server.head()
    if commit is None:
        raise PreconditionFailed("main should have a commit after a merge, but has none. Next: neuroscale status")
    return effect, commit


def merge_by_force(proposed: Proposed, breakage: Breakage) -> None:
    """A site administrator gets it into ``main``, whatever the gate says.

    Raises:
        NeuroscaleError: The Git server refused, so that nothing can be said about what comes of it.
    """
    files = sorted(breakage.platform.git_server.proposed(proposed.branch))
    breakage.inject(PullRequestMerged(branch=proposed.branch, files=files, force=True))


def assert_not_admitted(proposed: Proposed, platform: Platform) -> None:
    """Argo CD shows that admission rejects the model, which is not there.

    Raises:
        ConditionTimeout: It does not, or it is.
    """
    ref = argo.application(proposed.name)

    def evaluate() -> Verdict:
        return argo.evaluate_error_shown(platform.cluster.get(ref), _REJECTIONS, "require-standard-labels")

    shown = ProbeFunction(f"the Application {proposed.name} shows that its model is rejected", evaluate, "guardrails")
    eventually(shown, platform.cluster, within=BUDGETS.pick_up)
    consistently(argo.Gone(inference_service(proposed.name)), platform.cluster, lasting=_UNCHANGED_FOR)


def take_away(what: str, breakage: Breakage) -> None:
    """Take away what a verdict needs: the controller that makes the gate's Jobs, or the token that they speak with.

    Raises:
        FaultHadNoEffect: It is still there.
    """
    for fault in _AWAY[what]:
        breakage.inject(fault)


# --- what is proposed


def _good(values: Mapping[str, str | int], _: Platform) -> Files:
    return _files(expected_objects(values))


def _without_owner(values: Mapping[str, str | int], _: Platform) -> Files:
    objects = expected_objects(values)
    (service,) = (obj for obj in objects.values() if obj["kind"] == "InferenceService")
    del service["metadata"]["labels"]["owner"]
    return _files(objects)


def _files(objects: Mapping[str, Object]) -> Files:
    # The portal's entity is no object of the cluster.
    marks = {path: _NOT_FOR_ARGO_CD for path in objects if path.endswith("catalog-info.yaml")}
    return {path: marks.get(path, "") + yaml.safe_dump(obj) for path, obj in objects.items()}


def _with_weaker_policy(values: Mapping[str, str | int], platform: Platform) -> Files:
    policy = platform.git_server.read(_LABELS) or ""
    weaker = policy.replace("['owner', 'cost-center'].filter(key", "['cost-center'].filter(key")
    if weaker == policy:
        raise PreconditionFailed(f"{_LABELS} should ask for an owner, but does not. Next: neuroscale gate")
    return {**_without_owner(values, platform), _LABELS: weaker}


def _unreadable(values: Mapping[str, str | int], _: Platform) -> Files:
    return {f"apps/{values['name']}/inference-service.yaml": "kind: [InferenceService\n"}


def _note(name: str) -> Object:
    labels = {"owner": "ml-platform", "cost-center": "cc-ml"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-note", "labels": labels}}


_CONTENTS: Mapping[str, Callable[[Mapping[str, str | int], Platform], Files]] = {
    "a model with everything it needs": _good,
    "a model without an owner": _without_owner,
    "a model without an owner, and a policy that asks for none": _with_weaker_policy,
    "a file that is no YAML": _unreadable,
}
_AWAY: Mapping[str, Sequence[Fault]] = {
    "who makes its Jobs": (ScaledTo(target=argo.APPLICATION_SET_CONTROLLER, replicas=0),),
    # As it is when somebody revoked it: the Git server knows it no longer.
    "the token of its Jobs": (
        FieldsEdited(target=pull_requests.token(GATE_REPORTER), patch={"data": {"TOKEN": "cmV2b2tlZA=="}}),
    ),
}

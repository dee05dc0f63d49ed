"""Changes of ``main`` and of what is proposed for it: commits, forms of the portal, pull requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from neuroscale.backstage_client import BackstageError, portal
from neuroscale.browser.chromium import opened
from neuroscale.browser.portal_form import walk
from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.chaos.leaving_pods import end_leaving_pods
from neuroscale.chaos.objects import end_operation
from neuroscale.cluster.watch import WatchEvent
from neuroscale.errors import FaultHadNoEffect
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.knative_resources import MODEL_LABEL
from neuroscale.settings import ARGOCD

#: How many files of a commit are named, and seconds that a removed folder may take.
_NAMED, _FOLDER = 5, 1.0


class _MainChanged(FaultModel):
    """``main`` gets another commit; taken back by a further one."""

    @property
    def target(self) -> None:
        """No single object."""
        return

    @property
    def paths(self) -> list[str]:
        """What the commit may change."""
        raise NotImplementedError

    def snapshot(self, platform: Platform) -> Snapshot:
        """Head and the files as they are."""
        return {
            "head": platform.git_server.head(),
            "before": {path: platform.git_server.read(path) for path in self.paths},
        }

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The Git server's ``main`` moved."""
        head = platform.git_server.head()
        return met(f"main is at {head}") if head != snapshot["head"] else unrecoverable(f"main is still at {head}")

    @property
    def description(self) -> str:
        """The deed."""
        raise NotImplementedError

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Commit the old files; nothing happens when they are back already."""
        platform.git_server.commit(snapshot["before"], self.undoing)

    @property
    def undoing(self) -> str:
        """The message of the commit that takes it back."""
        raise NotImplementedError

    def continue_rollback(self, platform: Platform, snapshot: Snapshot) -> None:
        """End the operations of Applications that are being deleted, and give their models' pods no more time.

        *Measured* with Argo CD 3.2.1: one whose sync is retried is not deleted until its operation ends, which it does
        not by itself when it is retried for ever and its folder is gone.
        """
        for application in self._left(platform, snapshot):
            if application["metadata"].get("deletionTimestamp"):
                name = application["metadata"]["name"]
                end_operation(platform.cluster, Ref("Application", name, ARGOCD))
                end_leaving_pods(platform.cluster, f"{MODEL_LABEL}={name}")

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:
        """The Applications of folders that it had added are gone."""
        left = [application["metadata"]["name"] for application in self._left(platform, snapshot)]
        return pending(f"Applications left: {', '.join(left)}") if left else met("no Application is left")

    def _left(self, platform: Platform, snapshot: Snapshot) -> list[Object]:
        """Applications generated of folders that it had added, and that are gone from Git."""
        added = {
            path.split("/")[1] for path, before in snapshot["before"].items() if before is None and _is_of_app(path)
        }
        gone = added - set(platform.git_server.folders("apps") if added else ())
        found = platform.cluster.list("Application", ARGOCD) if gone else []
        # One that was made by hand did not come of the commit, and does not go with it.
        return [
            application
            for application in found
            if application["metadata"]["name"] in gone and application["metadata"].get("ownerReferences")
        ]


class Committed(_MainChanged):
    """A commit on ``main``.

    Attributes:
        files: Path -> its whole content; a file with content ``None`` is removed.
        lines: Path -> a line that the file has on ``main``, and the line to add below it.
        replaced: Path -> pairs of a text that the file has once on ``main``, and what stands there afterwards.
    """

    kind: Literal["committed"] = "committed"
    message: str
    files: dict[str, str | None]
    lines: dict[str, tuple[str, str]] = Field(default_factory=dict)
    replaced: dict[str, list[tuple[str, str]]] = Field(default_factory=dict)

    @property
    def description(self) -> str:
        """The deed."""
        more = f" and {len(self.paths) - _NAMED} more" if len(self.paths) > _NAMED else ""
        return f'the commit "{self.message}" is pushed ({", ".join(self.paths[:_NAMED])}{more})'

    @property
    def extra_rollback_seconds(self) -> float:
        """The Application of each folder that it added takes its objects with it."""
        return _FOLDER * len(self.paths)

    @property
    def paths(self) -> list[str]:
        """What the commit may change."""
        return [*self.files, *self.lines, *self.replaced]

    @property
    def undoing(self) -> str:
        """The message of the commit that takes it back."""
        return f'Undo "{self.message}"'

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Commit and push."""
        platform.git_server.commit(self.contents(snapshot["before"]), self.message)

    def contents(self, before: Mapping[str, str | None]) -> dict[str, str | None]:
        """Path -> what the file holds after the commit, given what each held before.

        Raises:
            FaultHadNoEffect: A file has what is to be replaced nowhere, or more than once.
        """
        changed = {
            path: (before[path] or "").replace(f"{line}\n", f"{line}\n{added}\n", 1)
            for path, (line, added) in self.lines.items()
        }
        return {**self.files, **changed, **{path: self._replaced(path, before[path] or "") for path in self.replaced}}

    def _replaced(self, path: str, text: str) -> str:
        for old, new in self.replaced[path]:
            if text.count(old) != 1:
                raise FaultHadNoEffect(
                    f"{path} on main should hold {old!r} once, but holds it {text.count(old)} times, so "
                    f'"{self.message}" would be another change. Next: git diff'
                )
            text = text.replace(old, new)
        return text


class FormSubmitted(FaultModel):
    """Somebody asks the portal for a model; proven by the pull request that comes of it.

    Attributes:
        values: What the form holds.
        whatever_comes: The end of its task is the proof, as well when it failed.
        in_browser: By a person's way and not by API; how it went is in the snapshot, under ``walk``.
        on_record: That it has a task is the proof.
    """

    kind: Literal["form-submitted"] = "form-submitted"
    values: dict[str, str | int]
    whatever_comes: bool = False
    in_browser: bool = False
    on_record: bool = False

    @property
    def target(self) -> None:
        """No single object."""
        return

    @property
    def branch(self) -> str:
        """As the template names it."""
        return f"model-{self.values['name']}"

    @property
    def description(self) -> str:
        """The deed."""
        return f"the model {self.values['name']} is asked for in the portal"

    def snapshot(self, platform: Platform) -> Snapshot:
        """Whether there is such a branch."""
        return {"before": platform.git_server.branch_head(self.branch)}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Hand the form in."""
        platform.cluster.assert_writable(f"a form to {portal().url}")
        if self.in_browser:
            with opened(_names(platform)) as tab:
                snapshot["walk"] = walk(tab, self.values, portal().url)
            snapshot["task"] = snapshot["walk"].task
        else:
            snapshot["task"] = portal().create_task(dict(self.values))

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """A pull request of the branch is open; or why not."""
        if snapshot["before"] is not None:
            return unrecoverable(f"there was a branch {self.branch} before")
        if self.on_record:
            return met(f"its task is {snapshot['task']}")
        if not self.whatever_comes and (pull := platform.git_server.pull_request(self.branch)):
            return met(f"pull request #{pull.number} is open")
        task = portal().task(snapshot["task"])
        if self.whatever_comes:
            return met(f"the task has {task.status}") if task.ended else pending(f"the task is {task.status}")
        return unrecoverable(f"the task failed: {task.error}") if task.status == "failed" else pending("none is open")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Close the pull request and remove the branch."""
        if snapshot["before"] is None:
            platform.git_server.discard_branch(self.branch)

    def continue_rollback(self, platform: Platform, snapshot: Snapshot) -> None:
        """What a task opened that went on meanwhile."""
        self.revert(platform, snapshot)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:
        """No task of this form goes on, which might open the pull request yet, and no branch is left."""
        try:
            going_on = [task.id for task in portal().tasks(self.values) if not task.ended]
        except BackstageError as error:
            return pending(str(error))
        if going_on:
            return pending(f"task {going_on[0]} goes on")
        left = snapshot["before"] is None and platform.git_server.branch_head(self.branch)
        return pending(f"branch {self.branch} is there again") if left else met("no task goes on, no branch is left")


class PullRequestMerged(_MainChanged):
    """The pull request of a branch is merged into ``main``.

    Attributes:
        files: Paths that it changes.
        force: Whatever protects ``main``, where that lets administrators through.
    """

    kind: Literal["pull-request-merged"] = "pull-request-merged"
    branch: str
    files: list[str]
    force: bool = False

    @property
    def description(self) -> str:
        """The deed."""
        return f"the pull request of {self.branch} is merged"

    @property
    def paths(self) -> list[str]:
        """What the commit may change."""
        return self.files

    @property
    def undoing(self) -> str:
        """The message of the commit that takes it back."""
        return f"Undo the merge of {self.branch}"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Merge it, as the Git server does it."""
        platform.git_server.merge(self.branch, force=self.force)


class PullRequestProposed(_MainChanged):
    """Somebody proposes a change of ``main``; what of it was merged is taken back as well.

    Attributes:
        branch: A new one.
        files: Path -> its whole content; a file with content ``None`` is removed.
        behind: Of how many commits of ``main`` the branch knows nothing.
    """

    kind: Literal["pull-request-proposed"] = "pull-request-proposed"
    behind: int = 0
    branch: str
    title: str
    files: dict[str, str | None]

    @property
    def description(self) -> str:
        """The deed."""
        return f'the pull request "{self.title}" is opened'

    @property
    def paths(self) -> list[str]:
        """What a merge would change."""
        return list(self.files)

    @property
    def undoing(self) -> str:
        """The message of the commit that takes a merge back."""
        return f'Undo "{self.title}"'

    def snapshot(self, platform: Platform) -> Snapshot:
        """The files as they are on ``main``, and whether there is such a branch."""
        return {**super().snapshot(platform), "branch": platform.git_server.branch_head(self.branch)}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Push the branch and open the pull request."""
        if snapshot["branch"] is None:
            platform.git_server.propose(self.branch, self.files, self.title, behind=self.behind)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The Git server lists it."""
        if snapshot["branch"] is not None:
            return unrecoverable(f"there was a branch {self.branch} before")
        pull = platform.git_server.pull_request(self.branch)
        return met(f"pull request #{pull.number} is open") if pull else pending("none is open")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Close it, remove the branch, and take back what of it is on ``main``."""
        if snapshot["branch"] is None:
            platform.git_server.discard_branch(self.branch)
            super().revert(platform, snapshot)


def _names(platform: Platform) -> dict[str, str]:
    """Where a browser of this machine finds the portal and, by the name that it has in the cluster, the Git server."""
    here = urlsplit(portal().url).netloc
    return {here: here, urlsplit(IN_CLUSTER_URL).netloc: urlsplit(platform.git_server.url).netloc}


def _is_of_app(path: str) -> bool:
    return path.startswith("apps/") and path.count("/") > 1

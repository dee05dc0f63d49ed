"""The Git server: Gitea in the cluster, with the repository ``platform`` that Argo CD reconciles.

Repositories are made through its API, commits through real ``git push``: that is how a GitOps platform is acted upon.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from neuroscale.errors import ClusterUnreachable, NeuroscaleError, ProgramFailed
from neuroscale.git_server_api import API, BOT, BRANCH, OWNER, REPOSITORY, SERVICE_URL, Keeper
from neuroscale.git_server_members import GitServerMembers
from neuroscale.host import direct, fingerprint
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import CLUSTER_NAME, GIT_SERVER, state_dir

#: What Argo CD clones; also in the manifests under bootstrap/ and infrastructure/.
IN_CLUSTER_URL = f"{SERVICE_URL}/{OWNER}/{REPOSITORY}.git"
#: Application -> the file of which the suite commits new versions; not part of what a bootstrap sets back.
EPOCH_FILES = {"test-app": "apps/test-app/epoch.yaml", "neuroscale-infrastructure": "infrastructure/apps/epoch.yaml"}
_GIT_SECONDS = 60
#: The most that Gitea puts on a page, by its default.
_PAGE = 50

#: Files of a change: path in the repository -> new content, or ``None`` to remove it.
Files = Mapping[str, str | None]


@dataclass(frozen=True)
class PullRequest:
    """An open pull request into ``main``.

    Attributes:
        head: The commit that it would merge.
        mergeable: Whether the Git server found no conflict; it says no until it has looked.
    """

    number: int
    branch: str
    head: str
    title: str
    body: str
    mergeable: bool

    @property
    def path(self) -> str:
        """Of its page."""
        return f"/{OWNER}/{REPOSITORY}/pulls/{self.number}"

    @classmethod
    def of(cls, said: Object) -> PullRequest:
        """As Gitea describes it."""
        head = said["head"]
        return cls(said["number"], head["ref"], head["sha"], said["title"], said["body"], bool(said["mergeable"]))


class GitServer(GitServerMembers):
    """The repository, from outside the cluster.

    Args:
        cluster: Where the Git server runs.
        url: Where this machine reaches it.
        cluster_name: Whose state the clone is part of.
        clone: Where the clone is, if it is no cluster's.
    """

    def __init__(
        self, cluster: Keeper, url: str, cluster_name: str = CLUSTER_NAME, *, clone: Path | None = None
    ) -> None:
        super().__init__(cluster, url)
        self._clone = clone or state_dir(cluster_name) / "platform"
        self._refreshed = ""

    # --- the repository itself

    def ensure_repository(self) -> None:
        """Create organisation and repository unless they are there.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        with self._api() as api:
            if api.get(API).is_success:
                return
            self._cluster.assert_writable(f"POST to {self.url}/api/v1")
            for path, body in (
                ("/api/v1/orgs", {"username": OWNER, "visibility": "public"}),
                (f"/api/v1/orgs/{OWNER}/repos", {"name": REPOSITORY, "default_branch": BRANCH, "private": False}),
            ):
                answer = api.post(path, json=body, auth=(BOT, self._password))
                if answer.status_code not in (201, 409, 422):  # the last two say that it exists
                    raise NeuroscaleError(
                        f"The Git server at {self.url} should create {body}, but answered {answer.status_code}: "
                        f"{answer.text[:300]}. Next: kubectl -n {GIT_SERVER} logs deploy/gitea"
                    )

    def head(self) -> str | None:
        """Commit of ``main`` at the Git server, or ``None`` when the repository is empty."""
        return self.branch_head(BRANCH)

    def fill(self, tree: Path, message: str) -> bool:
        """Make ``main`` equal to a folder, but for the epoch files that it already has.

        Returns:
            Whether that needed a commit.
        """
        self._refresh()
        epochs = {file: file.read_bytes() for path in EPOCH_FILES.values() if (file := self._clone / path).exists()}
        for entry in self._clone.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(tree, self._clone, dirs_exist_ok=True)
        for file, content in epochs.items():
            file.write_bytes(content)
        return self._commit_and_push(message) is not None

    # --- what is proposed

    def pull_request(self, branch: str) -> PullRequest | None:
        """The open pull request of a branch into ``main``, or ``None``.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        return next((pull for pull in self.pull_requests() if pull.branch == branch), None)

    def pull_requests(self) -> list[PullRequest]:
        """The open pull requests into ``main``, latest first.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        path, found = f"{API}/pulls", list[PullRequest]()
        with self._api() as api:
            for page in count(1):
                wanted: dict[str, str | int] = {"state": "open", "base_branch": BRANCH, "limit": _PAGE, "page": page}
                answer = api.get(path, params=wanted)
                if not answer.is_success:
                    raise self._unexpected("list", path, answer)
                listed = answer.json()
                found += [PullRequest.of(pull) for pull in listed]
                if len(listed) < _PAGE:
                    break
        return found

    def comments(self, number: int) -> list[Object]:
        """The comments on a pull request, oldest first.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        path = f"{API}/issues/{number}/comments"
        with self._api() as api:
            answer = api.get(path)
        if not answer.is_success:
            raise self._unexpected("list", path, answer)
        return sorted(answer.json(), key=lambda one: int(one["id"]))

    def remove_comment(self, number: int) -> None:
        """Remove a comment by its own number.

        Raises:
            NeuroscaleError: The Git server refused.
        """
        self._administer("DELETE", f"{API}/issues/comments/{number}", None)

    def branches(self) -> set[str]:
        """Names of all branches."""
        listed = self._git("ls-remote", "--heads", self._remote).splitlines()
        return {line.partition("refs/heads/")[2] for line in listed}

    def branch_head(self, branch: str) -> str | None:
        """Commit of a branch, or ``None``."""
        listed = self._git("ls-remote", self._remote, f"refs/heads/{branch}")
        return listed.split()[0] if listed else None

    def proposed(self, branch: str) -> dict[str, str | None]:
        """What a branch changes since it left ``main``: path -> new content, or ``None`` for a file that it removes."""
        return self.all_proposed([branch])[branch]

    def all_proposed(self, branches: Iterable[str]) -> dict[str, dict[str, str | None]]:
        """The same of several branches, which are fetched at once."""
        here = {branch: f"refs/proposed/{branch}" for branch in branches}
        self._refresh()
        refs = [f"+refs/heads/{branch}:{ref}" for branch, ref in here.items()]
        self._git("fetch", "--quiet", "--no-auto-gc", self._remote, *refs)
        return {branch: self._changed(ref) for branch, ref in here.items()}

    def _changed(self, ref: str) -> dict[str, str | None]:
        base = self._git("merge-base", ref, "HEAD")
        listed = self._git("diff", "--name-status", "--no-renames", "-z", base, ref).split("\0")
        changed = zip(listed[1::2], listed[::2], strict=False)
        return {
            path: None if status == "D" else self._git("cat-file", "blob", f"{ref}:{path}") for path, status in changed
        }

    def push_to(self, branch: str, files: Files, message: str, *, base: str | None = None) -> str:
        """Commit a change on a branch and push it; returns the commit.

        Args:
            branch: Begins at ``main`` if it is new.
            files: The change.
            message: Of the commit.
            base: A commit of ``main`` that it begins at instead, whatever the branch held.
        """
        self._refresh()
        if base:
            self._git("checkout", "--quiet", "--force", "--detach", base)
        elif head := self.branch_head(branch):
            self._git("fetch", "--quiet", "--force", self._remote, f"refs/heads/{branch}")
            self._git("checkout", "--quiet", "--force", "--detach", head)
        self._write(files)
        self._git("add", "--all", "--force")
        self._git("commit", "--quiet", "--message", message)
        return self._push(branch, force=base is not None)

    def propose(self, branch: str, files: Files, title: str, *, behind: int = 0) -> None:
        """Push a change to a new branch and open a pull request for it.

        Args:
            branch: A new one.
            files: The change.
            title: Of the pull request, and of the commit.
            behind: Of how many commits of ``main`` the branch knows nothing.

        Raises:
            NeuroscaleError: The Git server refused.
        """
        self._refresh()
        base = self._git("rev-parse", "--verify", f"HEAD~{behind}") if behind else None
        self.push_to(branch, files, title, base=base)
        self._administer("POST", f"{API}/pulls", {"head": branch, "base": BRANCH, "title": title})

    def check_out(self, branch: str, folder: Path) -> str:
        """A clone of its own, of a branch and of ``main``, as somebody who reviews it makes; returns its commit."""
        self._git("clone", "--quiet", "--branch", branch, self._remote, str(folder))
        return self._git("-C", str(folder), "rev-parse", "HEAD")

    def merge(self, branch: str, *, force: bool = False) -> None:
        """Merge the pull request of a branch as it is now.

        Args:
            branch: Its branch.
            force: Without what protects ``main``, where that lets administrators through.

        Raises:
            NeuroscaleError: There is none, or the Git server refused.
        """
        pull = self.pull_request(branch)
        if pull is None:
            raise NeuroscaleError(f"{branch} should have an open pull request, but has none. Next: neuroscale status")
        body = {"Do": "merge", "head_commit_id": pull.head} | ({"force_merge": True} if force else {})
        self._administer("POST", f"{API}/pulls/{pull.number}/merge", body)

    def discard_branch(self, branch: str) -> None:
        """Close a branch's pull request and remove the branch; nothing happens where there is none.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        if pull := self.pull_request(branch):
            self._administer("PATCH", f"{API}/pulls/{pull.number}", {"state": "closed"})
        self._administer("DELETE", f"{API}/branches/{branch}", None, may=(404,))

    # --- changes

    def read(self, path: str) -> str | None:
        """Content of a file on ``main``, or ``None``."""
        self._refresh()
        file = self._clone / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def folders(self, parent: str) -> list[str]:
        """Names of the folders below a folder of ``main``."""
        self._refresh()
        return sorted(entry.name for entry in (self._clone / parent).iterdir() if entry.is_dir())

    def files(self, folder: str) -> dict[str, str]:
        """Every file below a folder of ``main``: path in the repository -> content."""
        self._refresh()
        root = self._clone / folder
        found = sorted(entry for entry in root.rglob("*") if entry.is_file())
        return {str(entry.relative_to(self._clone)): entry.read_text(encoding="utf-8") for entry in found}

    def same_folder(self, folder: str, one: str, other: str) -> bool:
        """Whether two commits of ``main`` have a folder with the same content; one that is unknown has not."""
        self._refresh()
        try:
            trees = self._git("rev-parse", "--verify", f"{one}:{folder}"), self._git("rev-parse", f"{other}:{folder}")
        except NeuroscaleError:
            return False
        return trees[0] == trees[1]

    def commit(self, files: Files, message: str) -> str | None:
        """Commit a change to ``main`` and push it.

        Returns:
            The new commit, or ``None`` when ``main`` looked like this already.
        """
        self._refresh()
        self._write(files)
        return self._commit_and_push(message)

    def _write(self, files: Files) -> None:
        for path, content in files.items():
            file = self._clone / path
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, encoding="utf-8")

    def revert(self, commit: str) -> str:
        """``git revert`` a commit and push; returns the reverting commit."""
        self._refresh()
        self._git("revert", "--no-edit", commit)
        return self._push()

    # --- git

    def _commit_and_push(self, message: str) -> str | None:
        self._git("add", "--all", "--force")
        if not self._git("status", "--porcelain"):
            return None
        self._git("commit", "--quiet", "--message", message)
        return self._push()

    def _push(self, branch: str = BRANCH, *, force: bool = False) -> str:
        self._cluster.assert_writable(f"git push to {self._remote}")
        self._git("push", "--quiet", self._remote, f"{'+' * force}HEAD:refs/heads/{branch}", credentials=True)
        return self._git("rev-parse", "HEAD")

    def _refresh(self) -> None:
        """Bring the local clone to exactly what the Git server has; what a killed run left in it is dropped."""
        if not (self._clone / ".git").is_dir():
            self._git("init", "--quiet", "--template", "", "--initial-branch", BRANCH)
        if head := self.head():
            if head != self._known():
                self._git("fetch", "--quiet", "--force", self._remote, f"refs/heads/{BRANCH}")
            elif self._looks() == self._refreshed:
                return
            self._git("checkout", "--quiet", "--force", "-B", BRANCH, head)
            self._git("clean", "--quiet", "-ffdx")
            self._refreshed = self._looks()
        else:
            # A repository that is empty, as after the cluster was recreated, shares no history with the clone.
            self._git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
            self._git("update-ref", "-d", f"refs/heads/{BRANCH}")

    def _looks(self) -> str:
        """The clone's files, and what git has checked out and staged, as one word."""
        files = (entry for entry in sorted(self._clone.iterdir()) if entry.name != ".git")
        return fingerprint.of(self._clone / ".git" / "HEAD", self._clone / ".git" / "index", *files)

    def _known(self) -> str:
        """Commit that the clone has as ``main``; empty when git keeps it elsewhere, or there is none."""
        branch = self._clone / ".git" / "refs" / "heads" / BRANCH
        return branch.read_text(encoding="ascii").strip() if branch.is_file() else ""

    @property
    def _remote(self) -> str:
        return f"{self.url}/{OWNER}/{REPOSITORY}.git"

    def _git(self, *arguments: str, credentials: bool = False) -> str:
        self._clone.mkdir(parents=True, exist_ok=True)
        settings = {
            "user.name": BOT,
            "user.email": f"{BOT}@{GIT_SERVER}.local",
            "commit.gpgSign": "false",
            "core.hooksPath": os.devnull,
        }
        # Anybody may read; and a Git server takes its time over a password, since it hashes it slowly on purpose.
        if credentials:
            # Through the environment: a command line and a remote URL can be read by others.
            token = base64.b64encode(f"{BOT}:{self._password}".encode()).decode()
            settings["http.extraHeader"] = f"Authorization: Basic {token}"
        environment = {
            **{key: value for key, value in direct.cluster_environment().items() if not key.startswith("GIT_")},
            # Nor what somebody set for other repositories: a proxy, line ends, signatures, other addresses.
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_TERMINAL_PROMPT": "0",
        }
        for index, (key, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        try:
            return output(["git", *arguments], within=_GIT_SECONDS, env=environment, folder=self._clone).strip()
        except ProgramFailed as error:
            kind = ClusterUnreachable if error.code is None else NeuroscaleError
            raise kind(
                f"git {arguments[0]} at {self.url} should succeed, but {error}. Next: neuroscale status"
            ) from error

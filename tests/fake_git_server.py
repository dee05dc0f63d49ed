"""A Git server on paper, for tests that are not about git: a commit is a new state of all files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from neuroscale.cluster.client import Cluster
from neuroscale.git_server import Files, GitServer
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform


class FakeGitServer:
    """Answers as :class:`neuroscale.git_server.GitServer` does; where it is, the fake API server answers for it."""

    def __init__(self, files: Mapping[str, str], url: str) -> None:
        self.url = url
        self.states: list[dict[str, str]] = [dict(files)]

    def head(self) -> str:
        return f"{len(self.states):040x}"

    def read(self, path: str) -> str | None:
        return self.states[-1].get(path)

    def files(self, folder: str) -> dict[str, str]:
        return {path: text for path, text in self.states[-1].items() if path.startswith(f"{folder}/")}

    def push_hook(self) -> Object:
        return {"id": 1, "active": True}

    def same_folder(self, folder: str, one: str, other: str) -> bool:
        """It remembers no older one."""
        return one == other

    def folders(self, parent: str) -> list[str]:
        below = (path.removeprefix(f"{parent}/") for path in self.files(parent))
        return sorted({path.split("/")[0] for path in below if "/" in path})

    def commit(self, files: Files, message: str) -> str | None:
        changed = {**self.states[-1], **files}
        state = {path: text for path, text in changed.items() if text is not None}
        if state == self.states[-1]:
            return None
        self.states.append(state)
        return self.head()

    def revert(self, commit: str) -> str:
        """Of the latest commit; older ones would take a merge."""
        assert commit == self.head()
        self.states.append(self.states[-2])
        return self.head()


def fake_platform(cluster: Cluster, files: Mapping[str, str] | None = None) -> Platform:
    """A platform whose forge is on paper."""
    return Platform(cluster, cast("GitServer", FakeGitServer(files or {}, cluster.server)))

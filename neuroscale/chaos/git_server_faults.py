"""What is changed at the Git server beside its commits: who may merge, and what protects ``main``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.git_server_api import PROTECTION
from neuroscale.git_server_members import Role
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable


class _AtGitServer(FaultModel):
    """A change that no object of the cluster shows."""

    @property
    def target(self) -> None:
        """No object of the cluster."""
        return


class MemberAdded(_AtGitServer):
    """Somebody else may merge.

    Attributes:
        user: Who was not there before.
        role: What lets them.
    """

    kind: Literal["member-added"] = "member-added"
    user: str
    role: Role

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.user} becomes a {self.role} at the Git server"

    def snapshot(self, platform: Platform) -> Snapshot:
        """Whether there is such a user."""
        return {"before": platform.git_server.member(self.user)}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Add them."""
        platform.git_server.add_member(self.user, self.role)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The Git server knows them, and did not before."""
        if snapshot["before"]:
            return unrecoverable(f"{self.user} was there before")
        return met("they are there") if platform.git_server.member(self.user) else pending("they are not there")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Remove them."""
        if not snapshot["before"]:
            platform.git_server.remove_member(self.user)


class ProtectionChanged(_AtGitServer):
    """``main`` is protected otherwise than the bootstrap has it.

    Attributes:
        changed: Fields of Gitea's rule.
    """

    kind: Literal["protection-changed"] = "protection-changed"
    changed: dict[str, bool | int | list[str]]

    @property
    def description(self) -> str:
        """The deed."""
        return (
            f"the protection of main is changed: {', '.join(f'{key} {value}' for key, value in self.changed.items())}"
        )

    def snapshot(self, platform: Platform) -> Snapshot:
        """The fields as they are."""
        rule = platform.git_server.protection() or PROTECTION
        return {"before": {key: rule[key] for key in self.changed}}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Change them."""
        platform.git_server.protect_main(**self.changed)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The Git server says so."""
        rule = platform.git_server.protection() or {}
        found = {key: rule.get(key) for key in self.changed}
        return met("it says so") if found == self.changed else pending(f"it says {found}")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Change them back."""
        platform.git_server.protect_main(**snapshot["before"])

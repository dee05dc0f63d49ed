"""The hook by which the Git server tells Argo CD of pushes, switched off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending


class PushHookSwitchedOff(FaultModel):
    """The Git server no longer tells Argo CD of pushes; what is left to it is to poll."""

    kind: Literal["push-hook-switched-off"] = "push-hook-switched-off"

    @property
    def target(self) -> None:
        """No object of the cluster."""
        return

    @property
    def description(self) -> str:
        """The deed."""
        return "the Git server's push hook is switched off"

    def snapshot(self, platform: Platform) -> Snapshot:
        """Whether it was on."""
        hook = platform.git_server.push_hook()
        return {"active": bool(hook and hook["active"])}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Switch it off."""
        platform.git_server.switch_push_hook(active=False)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The Git server says so."""
        hook = platform.git_server.push_hook()
        return pending(f"hook {hook['id']} is active") if hook and hook["active"] else met("it is off")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Switch it on, if it was."""
        if snapshot["active"]:
            platform.git_server.switch_push_hook(active=True)

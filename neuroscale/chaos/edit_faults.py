"""Objects that somebody edits by hand; ``patch`` is a JSON merge patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import ObjectFault, Snapshot
from neuroscale.chaos.objects import begin_sync, end_operation
from neuroscale.cluster.watch import WatchEvent
from neuroscale.kubernetes.merge_patch import contains, flat, inverse
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.workloads import evaluate_workload

_RESTARTED = "neuroscale.io/restarted"
#: Whoever sets it asks Argo CD to compare an Application, and Argo CD removes it when that is done.
_REFRESH = "argocd.argoproj.io/refresh"


def is_asked_to_refresh(app: Object) -> bool:
    """Whether somebody, Argo CD's own webhook for one, has asked Argo CD to compare an Application."""
    return _REFRESH in (app["metadata"].get("annotations") or {})


class _Edited(ObjectFault):
    patch: Object

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} is edited by hand: {', '.join(flat(self.patch))}"

    @property
    def sent(self) -> Object:
        """All that is patched."""
        return self.patch

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Patch it."""
        platform.cluster.patch(self.target, self.sent)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The edited values were seen in the object."""
        if snapshot["before"] is None:
            return unrecoverable(f"{self.target} does not exist")
        if contains(snapshot["before"], self.patch):
            return unrecoverable("the object looked like this before, so nothing was edited")
        if any(contains(event.obj, self.patch) for event in seen):
            return met("the edited values are there")
        return pending("the object has its old values")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Put back the values that the patch touched, and no others."""
        now = platform.cluster.get(self.target)
        if snapshot["before"] is not None and now is not None:
            back = inverse(self.sent, snapshot["before"])
            if not contains(now, back):
                platform.cluster.patch(self.target, back)


class FieldsEdited(_Edited):
    """Somebody edits an object."""

    kind: Literal["fields-edited"] = "fields-edited"


class SecretEdited(_Edited):
    """Somebody edits a Secret or a ConfigMap and restarts who reads it: what it holds is read at the start, or late.

    Attributes:
        reader: The workload that has them; proven once its new pods have taken over.
    """

    kind: Literal["secret-edited"] = "secret-edited"
    reader: Ref

    def snapshot(self, platform: Platform) -> Snapshot:
        """Keep the workload's pod template as well."""
        return {**super().snapshot(platform), "reader": platform.cluster.get(self.reader)}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Patch it, and restart."""
        super().inject(platform, snapshot)
        platform.cluster.patch(self.reader, self._restart)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:
        """The edited values were seen, and the workload has new pods only."""
        there = super().verify_injected(platform, snapshot, seen)
        if not there:
            return there
        reader = platform.cluster.get(self.reader)
        if reader is None or not contains(reader, self._restart):
            return unrecoverable(f"{self.reader} is not restarted")
        verdict = evaluate_workload(reader, ())
        return met(f"{self.reader} has restarted") if verdict else pending(f"{self.reader}: {verdict.observed}")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Put the values back first, and restart again."""
        super().revert(platform, snapshot)
        now = platform.cluster.get(self.reader)
        if snapshot["reader"] is not None and now is not None:
            back = inverse(self._restart, snapshot["reader"])
            if not contains(now, back):
                platform.cluster.patch(self.reader, back)

    @property
    def _restart(self) -> Object:
        """The pod template of the old pods has no such annotation, so that taking it away restarts as well."""
        return {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: "with another Secret"}}}}}


class ApplicationEdited(_Edited):
    """Somebody edits an Application, and goes on once Argo CD acts by what it says now.

    *Measured* with Argo CD 3.2.1: it reads an Application when it begins to compare it, and what it then does about a
    difference follows what the Application said at that moment. An edit made while the comparison is under way does not
    keep it from mending what somebody breaks right after that edit.
    """

    kind: Literal["application-edited"] = "application-edited"

    @property
    def sent(self) -> Object:
        """With a comparison asked for."""
        meta = self.patch.get("metadata", {})
        return {
            **self.patch,
            "metadata": {**meta, "annotations": {**meta.get("annotations", {}), _REFRESH: "normal"}},
        }

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:
        """The edited values were seen, and then that Argo CD had compared since."""
        there = super().verify_injected(platform, snapshot, seen)
        if not there:
            return there
        heeded = any(contains(event.obj, self.patch) and not is_asked_to_refresh(event.obj) for event in seen)
        return met("Argo CD has compared it since") if heeded else pending("Argo CD has not compared it since")

    def continue_rollback(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """End the sync that goes on by what the edit said; begin another one where it has failed.

        *Measured* with Argo CD 3.2.1: a sync that is retried keeps the options that it began with.
        """
        phase, _ = self._outdated_sync(platform)
        if phase in ("Failed", "Error"):
            begin_sync(platform.cluster, self.target)
        elif phase:
            end_operation(platform.cluster, self.target)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:  # noqa: ARG002
        """No sync goes on, or was the last one and failed, by options that only the edit had."""
        phase, began_with = self._outdated_sync(platform)
        if not phase:
            return met("no sync goes on by what it said")
        return pending(f"a sync with {', '.join(began_with) or 'no options'} is {phase}")

    def _outdated_sync(self, platform: Platform) -> tuple[str, list[str]]:
        """Phase and options of a sync that began with other options than the Application has; no phase: none did."""
        now = platform.cluster.get(self.target) or {}
        state = (now.get("status") or {}).get("operationState") or {}
        began_with = (((state.get("operation") or {}).get("sync")) or {}).get("syncOptions") or []
        wanted = ((now.get("spec") or {}).get("syncPolicy") or {}).get("syncOptions") or []
        outdated = state.get("phase") in ("Running", "Terminating", "Failed", "Error") and began_with != wanted
        return (state["phase"] if outdated else ""), began_with

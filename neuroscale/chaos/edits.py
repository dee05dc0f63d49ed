"""Objects that somebody edits by hand; ``patch`` is a JSON merge patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fields import contains, flat, inverse
from neuroscale.chaos.model import ObjectFault, Receipt
from neuroscale.chaos.objects import begin_sync, end_operation
from neuroscale.cluster.refs import Object
from neuroscale.cluster.watch import Sighting
from neuroscale.platform import Platform
from neuroscale.waiting import Verdict, hopeless, met, pending

#: Whoever sets it asks Argo CD to compare an Application, and Argo CD removes it when that is done.
_REFRESH = "argocd.argoproj.io/refresh"


class _Edited(ObjectFault):
    patch: Object

    @property
    def says(self) -> str:
        """The deed."""
        return f"{self.target} is edited by hand: {', '.join(flat(self.patch))}"

    @property
    def sent(self) -> Object:
        """All that is patched."""
        return self.patch

    def inject(self, platform: Platform, receipt: Receipt) -> None:  # noqa: ARG002
        """Patch it."""
        platform.cluster.patch(self.target, self.sent)

    def took_effect(self, platform: Platform, receipt: Receipt, seen: Sequence[Sighting]) -> Verdict:  # noqa: ARG002
        """The edited values were seen in the object."""
        if receipt["before"] is None:
            return hopeless(f"{self.target} does not exist")
        if contains(receipt["before"], self.patch):
            return hopeless("the object looked like this before, so nothing was edited")
        if any(contains(sighting.obj, self.patch) for sighting in seen):
            return met("the edited values are there")
        return pending("the object has its old values")

    def revert(self, platform: Platform, receipt: Receipt) -> None:
        """Put back the values that the patch touched, and no others."""
        now = platform.cluster.get(self.target)
        if receipt["before"] is not None and now is not None:
            back = inverse(self.sent, receipt["before"])
            if not contains(now, back):
                platform.cluster.patch(self.target, back)


class FieldsEdited(_Edited):
    """Somebody edits an object."""

    kind: Literal["fields-edited"] = "fields-edited"


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

    def took_effect(self, platform: Platform, receipt: Receipt, seen: Sequence[Sighting]) -> Verdict:
        """The edited values were seen, and then that Argo CD had compared since."""
        there = super().took_effect(platform, receipt, seen)
        if not there:
            return there
        heeded = any(
            contains(sighting.obj, self.patch) and _REFRESH not in (sighting.obj["metadata"].get("annotations") or {})
            for sighting in seen
        )
        return met("Argo CD has compared it since") if heeded else pending("Argo CD has not compared it since")

    def undone(self, platform: Platform, receipt: Receipt) -> Verdict:  # noqa: ARG002
        """No sync goes on, or was the last one and failed, by options that only the edit had.

        *Measured* with Argo CD 3.2.1: a sync that is retried keeps the options that it began with.
        """
        now = platform.cluster.get(self.target) or {}
        state = (now.get("status") or {}).get("operationState") or {}
        began_with = (((state.get("operation") or {}).get("sync")) or {}).get("syncOptions") or []
        wanted = ((now.get("spec") or {}).get("syncPolicy") or {}).get("syncOptions") or []
        if state.get("phase") not in ("Running", "Terminating", "Failed", "Error") or began_with == wanted:
            return met("no sync goes on by what it said")
        if state["phase"] in ("Failed", "Error"):
            begin_sync(platform.cluster, self.target)
        else:
            end_operation(platform.cluster, self.target)
        return pending(f"a sync with {', '.join(began_with) or 'no options'} is {state['phase']}")

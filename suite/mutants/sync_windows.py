"""Argo CD compares, and may not apply anything."""

from __future__ import annotations

from neuroscale.chaos.faults import FieldsEdited
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from neuroscale.settings import ARGOCD

#: In force at all times: each minute it begins again, for an hour.
_CLOSED = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": [serving.APPLICATION]}
#: For the Application of the serving stack.
SYNC_FORBIDDEN = FieldsEdited(
    target=Ref("AppProject", "neuroscale-platform", ARGOCD), patch={"spec": {"syncWindows": [_CLOSED]}}
)

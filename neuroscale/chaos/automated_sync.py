"""Disable the automated sync of one Application, so that what an operator changes by hand stays changed."""

from __future__ import annotations

from neuroscale.chaos.faults import ApplicationEdited
from neuroscale.probes import argo
from neuroscale.settings import ROOT_APPLICATION


def disable_automated_sync(application: str) -> tuple[ApplicationEdited, ApplicationEdited]:
    """Automated sync is off: of the root Application first, which would turn it on again, then of this one.

    The whole of ``automated`` goes, and not just self-heal: at a commit that was never synced the ordinary automated
    sync would mend the first drift (decision 0011).
    """
    patch = {"spec": {"syncPolicy": {"automated": None}}}
    root, child = argo.application(ROOT_APPLICATION), argo.application(application)
    return ApplicationEdited(target=root, patch=patch), ApplicationEdited(target=child, patch=patch)

"""The ApplicationSet of the app folders, changed where nobody puts that right."""

from __future__ import annotations

import yaml

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Fault, FieldsEdited
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.settings import ROOT, ROOT_APPLICATION

_MANIFEST = ROOT / "infrastructure" / "apps" / "model-endpoints-appset.yaml"


def without(folders: str) -> tuple[Fault, ...]:
    """It makes no Applications of some folders any more.

    Args:
        folders: A pattern: ``apps/many-*``.
    """
    found = _manifest()
    (generator,) = found["spec"]["generators"]
    generator["git"]["directories"].append({"path": folders, "exclude": True})
    return _edited(found, {"generators": [generator]})


def keeping_what_was_deployed() -> tuple[Fault, ...]:
    """Its Applications have no finalizer: one that goes leaves its objects behind."""
    # It adds the finalizer by itself where the template has none, unless it is told to preserve.
    patch = {"syncPolicy": {"preserveResourcesOnDeletion": True}, "template": {"metadata": {"finalizers": None}}}
    return _edited(_manifest(), patch)


def _manifest() -> Object:
    found: Object = yaml.safe_load(_MANIFEST.read_text(encoding="utf-8"))
    return found


def _edited(applicationset: Object, spec: Object) -> tuple[Fault, ...]:
    edited = FieldsEdited(target=Ref.to(applicationset), patch={"spec": spec})
    return disable_automated_sync(ROOT_APPLICATION)[0], edited

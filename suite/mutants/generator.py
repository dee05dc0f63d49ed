"""The ApplicationSet of the app folders, narrowed."""

from __future__ import annotations

import yaml

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Fault, FieldsEdited
from neuroscale.kubernetes.refs import Ref
from neuroscale.settings import ROOT, ROOT_APPLICATION

_MANIFEST = ROOT / "infrastructure" / "apps" / "model-endpoints-appset.yaml"


def without(folders: str) -> tuple[Fault, ...]:
    """It makes no Applications of some folders any more, and nobody puts that right.

    Args:
        folders: A pattern: ``apps/many-*``.
    """
    found = yaml.safe_load(_MANIFEST.read_text(encoding="utf-8"))
    (generator,) = found["spec"]["generators"]
    generator["git"]["directories"].append({"path": folders, "exclude": True})
    return (
        disable_automated_sync(ROOT_APPLICATION)[0],
        FieldsEdited(target=Ref.to(found), patch={"spec": {"generators": [generator]}}),
    )

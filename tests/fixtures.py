"""Objects as a real API server sent them; ``tests/data/README.md`` says when and why they looked like that."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from apiserver import merge

from neuroscale.kubernetes.refs import Object

DATA = Path(__file__).parent / "data"


def captured(name: str, change: Object | None = None) -> Object:
    """One of them, a fresh copy at each call; ``change`` is a merge patch for what no capture shows."""
    obj: Object = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return merge(obj, change) if change else obj


def having(obj: Object, **meta: Any) -> Object:
    """A copy with other metadata."""
    return merge(copy.deepcopy(obj), {"metadata": meta})  # type: ignore[no-any-return]


def uncomparable(why: str) -> Object:
    """The Application of a repository that Argo CD cannot make manifests from, in its own words but for the last."""
    condition = captured("application-path-missing")["status"]["conditions"][0]
    frame, desc, _ = condition["message"].partition("desc = ")
    return captured(
        "application-uncomparable", {"status": {"conditions": [{**condition, "message": f"{frame}{desc}{why}"}]}}
    )


def refused(why: str) -> Object:
    """An Application one of whose objects the API server refused, about to be tried again."""
    message = f"one or more objects failed to apply, reason: {why}. Retrying attempt #1 at 6:38AM."
    return captured("application-syncing", {"status": {"operationState": {"message": message, "retryCount": 1}}})

"""Changes that are priced before they are merged: a model that its runtime sizes, and one of many."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from neuroscale.delta.compare import Delta
from neuroscale.delta.demand import ZERO
from neuroscale.delta.written import Format, written
from neuroscale.errors import ConditionTimeout
from neuroscale.gate import many_folders
from neuroscale.gate.difference import difference
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import named
from neuroscale.host.programs import output
from neuroscale.kubernetes.quantities import quantity, readable
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import duration

_MODEL, _RUNTIME = "model-without-resources", "infrastructure/kserve/sklearn-runtime.yaml"
#: One at rest, so that what it asks for is no nothing.
_AT_REST = ("minReplicas: 0", "minReplicas: 1\n    maxReplicas: 1")
_RESOURCES = ("cpu", "memory")
_SAID = tuple(f"{bound}.{key}" for bound in ("requests", "limits") for key in _RESOURCES)
_DASH = "–"
_BASE = "main"
_NEXT = "Next: neuroscale delta --base main"
_WITHIN = 60
#: Who commits.
_IDENTITY = ("-c", "user.name=gate", "-c", "user.email=gate@forge.local", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Proposed:
    """A change of a repository, which has left ``main``.

    Attributes:
        repository: With both, and the working tree of the change.
        names: Models that it changes.
    """

    repository: Path
    names: tuple[str, ...]


@dataclass(frozen=True)
class Priced:
    """What was said of a change.

    Attributes:
        delta: What it asks for.
        text: The same, for a pull request.
        seconds: How long that took.
    """

    delta: Delta
    text: str
    seconds: float = 0.0


def propose_model(copy: Path) -> Proposed:
    """A model that declares no resources, as a change of a copy of a checkout."""
    commit(copy, "Begin")
    folder = named(_MODEL).put(copy / "apps")
    (file,) = folder.glob("*.yaml")
    file.write_text(file.read_text(encoding="utf-8").replace(*_AT_REST), encoding="utf-8")
    commit(copy, "Add a model")
    return Proposed(copy, (_MODEL,))


def propose_in_many(copy: Path, more: int) -> Proposed:
    """A commit gives a model more CPU, and one more adds a model, beside so many more app folders than there are."""
    places = many_folders.add_folders(copy, more)
    commit(copy, "Begin")
    changed = copy / places[more // 2] / many_folders.FILE
    changed.write_text(changed.read_text(encoding="utf-8").replace("cpu: 100m", "cpu: 200m"), encoding="utf-8")
    commit(copy, "Give a model more CPU")
    new = copy / "apps" / "one-more"
    new.mkdir()
    text = (copy / places[0] / many_folders.FILE).read_text(encoding="utf-8")
    (new / many_folders.FILE).write_text(text.replace(Path(places[0]).name, new.name), encoding="utf-8")
    commit(copy, "Add a model")
    return Proposed(copy, tuple(sorted((changed.parent.name, new.name))))


def price(tools: Tools, proposed: Proposed) -> Priced:
    """Say what a change costs.

    Raises:
        Inconclusive: It cannot be said.
    """
    start = time.monotonic()
    found = difference(tools, _BASE, "HEAD", proposed.repository)
    text = written(found, Format.MARKDOWN)
    return Priced(found, text, time.monotonic() - start)


# --- what must have come of it


def declared(obj: Object) -> tuple[str, ...]:
    """A row of the reference platform's table: what a manifest itself requests, and a dash where it is silent."""
    spec = obj.get("spec") or {}
    predictor = spec.get("predictor") or {}
    pod = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    requests: Mapping[str, Any] = ((predictor.get("model") or (pod or [{}])[0]).get("resources") or {}).get(
        "requests"
    ) or {}
    return tuple(str(requests.get(resource, _DASH)) for resource in _RESOURCES)


def table_is_empty(proposed: Proposed) -> None:
    """E2's symptom: a table of what manifests declare has nothing for the model.

    Raises:
        ConditionTimeout: It has.
    """
    (name,) = proposed.names
    (file,) = (proposed.repository / "apps" / name).glob("*.yaml")
    row = declared(yaml.safe_load(file.read_text(encoding="utf-8")))
    if set(row) != {_DASH}:
        raise ConditionTimeout(f"A table of E2 should have dashes for {name}, but has {' and '.join(row)}. {_NEXT}")


def has_what_its_runtime_requests(tools: Tools, proposed: Proposed, priced: Priced) -> None:
    """E2's remedy: the model is priced as one that writes out what its runtime says, and something stands beside it.

    Args:
        tools: With which the other one is priced.
        proposed: The model; its manifest is changed.
        priced: What was said of it.

    Raises:
        ConditionTimeout: It is not there, has another price, or asks for no more than its container.
    """
    wanted = _write_out(proposed)
    row, other = (_only_row(one, proposed) for one in (priced, price(tools, proposed)))
    if row != other or any(row.get(f"requests.{key}", ZERO) <= quantity(text) for key, text in wanted.items()):
        said, meant = ({key: readable(key, one.get(key, ZERO)) for key in _SAID} for one in (row, other))
        raise ConditionTimeout(
            f"The delta should have {proposed.names[0]} with more than its runtime's {wanted}, as of a model that "
            f"writes them out: {meant}; but has {said}. {_NEXT}"
        )


def _write_out(proposed: Proposed) -> Mapping[str, str]:
    """Let the model declare what its runtime says; returns what that requests."""
    runtime = yaml.safe_load((proposed.repository / _RUNTIME).read_text(encoding="utf-8"))
    (container,) = runtime["spec"]["containers"]
    (file,) = (proposed.repository / "apps" / proposed.names[0]).glob("*.yaml")
    model = yaml.safe_load(file.read_text(encoding="utf-8"))
    model["spec"]["predictor"]["model"]["resources"] = container["resources"]
    file.write_text(yaml.safe_dump(model), encoding="utf-8")
    commit(proposed.repository, "Write out what the runtime says")
    return {key: container["resources"]["requests"][key] for key in _RESOURCES}


def _only_row(priced: Priced, proposed: Proposed) -> Mapping[str, Decimal]:
    """What the one model asks for more; nothing where it is not alone, or not in the text."""
    rows = {one.workload.name: one.by.least for one in priced.delta.changes}
    (name,) = proposed.names
    return rows[name] if [*rows] == [name] and f"{name} |" in priced.text else {}


def says_what_changed(proposed: Proposed, priced: Priced) -> None:
    """The models that a change is about have their rows, and no other has one.

    Raises:
        ConditionTimeout: It is not so.
    """
    rows = sorted(one.workload.name for one in priced.delta.changes)
    if tuple(rows) != proposed.names or not all(f"{name} |" in priced.text for name in proposed.names):
        raise ConditionTimeout(
            f"The delta should have rows for {' and '.join(proposed.names)}, but has {len(rows)}: "
            f"{', '.join(rows[:3]) or 'none'}. {_NEXT}"
        )


def was_quick(priced: Priced, at_most: float) -> None:
    """It is said of each commit that is proposed.

    Raises:
        ConditionTimeout: It took longer.
    """
    if priced.seconds > at_most:
        raise ConditionTimeout(
            f"The delta should take at most {duration(at_most)}, but took {duration(priced.seconds)}. {_NEXT}"
        )


def commit(copy: Path, message: str) -> None:
    """All that is there: in the first commit of ``main``, or in one more of the change."""
    git, first = ["git", "-C", str(copy), *_IDENTITY], not (copy / ".git").exists()
    if first:
        output([*git, "init", "--quiet", f"--initial-branch={_BASE}"], within=_WITHIN)
    output([*git, "add", "--all", "--force"], within=_WITHIN)
    output([*git, "commit", "--quiet", "--message", message], within=_WITHIN)
    if first:
        output([*git, "switch", "--quiet", "--create", "change"], within=_WITHIN)

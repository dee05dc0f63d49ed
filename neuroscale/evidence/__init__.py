"""Evidence: what can be known about a failure, written down before anything is undone.

At most 10 s and 5 MB. Every part is best effort: a dead API server still leaves the error, the timelines and what the
suite itself knows. Nothing reaches the disk except through :meth:`_Dossier.write`, which redacts secrets first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from neuroscale.cluster.client import Cluster
from neuroscale.components import Component
from neuroscale.evidence.difference import differences
from neuroscale.evidence.redaction import Redactor, without_secrets
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Timeline, duration
from neuroscale.settings import APPS_NAMESPACE

MOST_SECONDS, MOST_BYTES = 10.0, 5_000_000
# Objects, Secrets, events and pods; then logs. What is left of the ten seconds is for redacting and writing.
_LOOK_SECONDS, _LOG_SECONDS = 4.0, 3.0
_INDEX_BYTES, _PART_BYTES, _LOG_FETCH_BYTES = 200_000, 400_000, 1_000_000
#: Event times have whole seconds only.
_EVENT_GRAIN_SECONDS = 1.0

Task = Callable[[], Any]


def collect(  # noqa: PLR0913 - each part of the evidence comes from another hand
    platform: Platform,
    into: Path,
    *,
    since: datetime,
    refs: Collection[Ref],
    timelines: Sequence[Timeline],
    error: str,
    command: str,
    versions: Mapping[str, str],
    snapshots: Mapping[Ref, Object],
    components: Collection[Component],
) -> Path:
    """Write down what can be known, within :data:`MOST_SECONDS` and :data:`MOST_BYTES`.

    Args:
        platform: Where to look; it is only read.
        into: The folder; made if need be. Files in it are replaced.
        since: Wall clock of the fault; older events and log lines are left out.
        refs: The objects that the scenario was about.
        timelines: What its waits saw.
        error: Why it failed.
        command: How to run it again.
        versions: Component -> version.
        snapshots: Objects as they were before the fault.
        components: Those that the scenario needs: their events, conditions and logs are kept.

    Returns:
        The folder, with ``index.md`` to start from.

    Raises:
        OSError: The folder cannot be written.
    """
    gathering = _Gathering(platform.cluster, since, tuple(dict.fromkeys([*refs, *snapshots])), tuple(components))
    gathering.check()
    secrets = [*gathering.secrets, *(obj for obj in snapshots.values() if obj.get("kind") == "Secret")]
    dossier = _Dossier(into, Redactor(secrets))
    dossier.write("timeline.txt", "".join(map(_told, timelines)) or "Nothing was waited for.\n", keep="end")
    _write_objects(dossier, gathering, snapshots)
    if gathering.events is not None:
        dossier.write("events.txt", gathering.events or "No event since the fault.\n", keep="end")
    if gathering.conditions:
        dossier.write("conditions.txt", gathering.conditions)
    for name, log in gathering.logs.items():
        dossier.write(f"logs/{name}.txt", log or "Nothing since the fault.\n", keep="end")
    dossier.close(_index(error, command, versions, since, gathering.gaps))
    return into


@dataclass
class _Gathering:
    """What the cluster tells. Parts that fail or come too late are named in ``gaps``."""

    cluster: Cluster
    since: datetime
    refs: tuple[Ref, ...]
    components: tuple[Component, ...]
    objects: dict[Ref, Object | None] = field(default_factory=dict)
    secrets: list[Object] = field(default_factory=list)
    events: str | None = None
    conditions: str = ""
    logs: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Ask for everything at once, then for the logs of the pods that were found."""
        own = {name for component in self.components for name in component.namespaces}
        namespaces = sorted({APPS_NAMESPACE} | own | {ref.namespace for ref in self.refs if ref.namespace})
        tasks: dict[tuple[str, Any], Task] = {("object", ref): _call(self.cluster.get, ref) for ref in self.refs}
        for kind in ("Secret", "Event", "Pod"):
            tasks |= {(kind, name): _call(self.cluster.list, kind, name) for name in namespaces}
        for version, kind in dict.fromkeys(one for part in self.components for one in part.evidence.kinds):
            tasks["conditions of", kind] = _call(self.cluster.list, kind, api_version=version)
        found = self._all(tasks, _LOOK_SECONDS)
        self.objects = {ref: answer for (what, ref), answer in found.items() if what == "object"}
        self.secrets = _joined(found, "Secret")
        if any(what == "Event" for what, _ in found):
            self.events = "".join(_events(_joined(found, "Event"), self.since))
        self.conditions = "".join(map(_conditions, _joined(found, "conditions of")))
        missing = [name for name in namespaces if ("Secret", name) not in found]
        if missing:
            where = ", ".join(missing)
            self.gaps.append(f"Secrets of {where} are not known, so there only what looks like a secret was redacted")
        self._read_logs(_joined(found, "Pod"))

    def _read_logs(self, pods: list[Object]) -> None:
        seconds = int((datetime.now(UTC) - self.since).total_seconds()) + 2
        tasks: dict[tuple[str, Any], Task] = {}
        heard = {ref for component in self.components for ref in component.evidence.logs}
        for pod in pods:
            if workload_of(pod) not in heard and not _troubled(pod):
                continue
            ref = Ref.to(pod)
            for container in _containers(pod):
                call = _call(self.cluster.logs, ref, container, since_seconds=seconds, limit_bytes=_LOG_FETCH_BYTES)
                tasks["log", f"{ref.namespace}.{ref.name}.{container}"] = call
        for (_, name), log in self._all(tasks, _LOG_SECONDS).items():
            whole = len(log.encode()) < _LOG_FETCH_BYTES
            # A log that was cut by the server may end in the middle of a secret.
            self.logs[name] = log if whole else log.rpartition("\n")[0]

    def _all(self, tasks: Mapping[tuple[str, Any], Task], seconds: float) -> dict[tuple[str, Any], Any]:
        """Answers of the tasks that gave one in time. Nothing waits for the others; each ends with its own timeout."""
        pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="evidence")
        running: dict[tuple[str, Any], Future[Any]] = {what: pool.submit(task) for what, task in tasks.items()}
        done, _ = wait(running.values(), timeout=seconds)
        pool.shutdown(wait=False, cancel_futures=True)
        answers = {}
        for (what, which), future in running.items():
            if future not in done:
                self.gaps.append(f"{what} {which}: no answer within {duration(seconds)}")
            elif failure := future.exception():
                self.gaps.append(f"{what} {which}: {type(failure).__name__}: {failure}")
            else:
                answers[what, which] = future.result()
        return answers


@dataclass
class _Dossier:
    """The only way to the disk: redacts, then keeps to the size."""

    folder: Path
    redact: Redactor
    left: int = MOST_BYTES - _INDEX_BYTES
    files: list[str] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)

    def write(self, name: str, text: str, *, keep: Literal["start", "end"] = "start") -> None:
        """Write a file; what is too long loses its end, or its start when the end is what matters."""
        path = self.folder / re.sub(r"[^\w./-]", "_", name)
        most = min(_PART_BYTES, self.left)
        whole = len(text.encode())
        data = self._redacted(text, most, keep)
        if len(data) < whole and whole > most:
            self.cuts.append(f"- `{name}`: its {keep} kept, {len(data):,} of {whole:,} bytes")
        self.left -= len(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files.append(f"- `{path.relative_to(self.folder)}` ({len(data):,} bytes)")

    def _redacted(self, text: str, most: int, keep: Literal["start", "end"]) -> bytes:
        """So many bytes of a text at most, without secrets and without half a character."""
        if keep == "end" and len(text.encode()) > most:
            # Between lines, so that no secret is cut in half before it is redacted; megabytes would take too long.
            text = text[-most:].partition("\n")[2] if most else ""
        data = self.redact(text).encode()
        kept = data[:most] if keep == "start" else data[max(0, len(data) - most) :]
        return kept.decode(errors="ignore").encode()

    def close(self, index: Iterable[str]) -> None:
        """Write ``index.md``, which says what there is and what was cut."""
        # Part by part: a private key that does not end takes the rest of its text with it.
        parts = [*map(self.redact, index), "## Files\n\n" + "\n".join(self.files)]
        if self.cuts:
            parts.append("## Cut\n\n" + "\n".join(self.cuts))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.md").write_bytes("\n\n".join([*parts, ""]).encode()[:_INDEX_BYTES])


def _write_objects(dossier: _Dossier, gathering: _Gathering, snapshots: Mapping[Ref, Object]) -> None:
    """First what differs, which is short and tells most, then the objects whole."""

    def shown(obj: Object | None) -> Object | None:
        return obj and dossier.redact.tree(without_secrets(obj))

    told = []
    for ref, found in gathering.objects.items():
        told.append(f"## {ref}\n\n{_difference(shown(snapshots.get(ref)), shown(found))}\n")
    if told:
        dossier.write("difference.txt", "\n".join(told))
    for ref, found in gathering.objects.items():
        name = f"{ref.kind}.{ref.namespace or ''}.{ref.name}".replace("..", ".")
        for when, obj in (("now", found), ("before", snapshots.get(ref))):
            if obj is not None:
                text = yaml.dump(shown(obj), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10_000)
                dossier.write(f"objects/{name}.{when}.yaml", text)


def _difference(before: Object | None, now: Object | None) -> str:
    if now is None:
        return "It does not exist now." if before is None else "It existed before the fault and does not exist now."
    if before is None:
        return "There is no snapshot from before the fault to compare with."
    return "\n".join(difference.text for difference in differences(before, now)) or "It is as it was before the fault."


def _told(timeline: Timeline) -> str:
    lines = [f"{timeline.description}: {timeline.checks} checks in {duration(timeline.seconds)}"]
    lines += [
        f"  {check.at:%H:%M:%S.%f} +{check.after:8.3f} s  {check.verdict.state:<8} {check.verdict.observed}"
        for check in timeline.changes
    ]
    return "\n".join([*lines, "", ""])


def _events(events: list[Object], since: datetime) -> Iterable[str]:
    timed = sorted(((_event_time(event), event) for event in events), key=lambda pair: pair[0])
    for at, event in timed:
        if (since - at).total_seconds() <= _EVENT_GRAIN_SECONDS:
            about = event.get("involvedObject") or {}
            what = f"{event.get('type')} {event.get('reason')} (x{event.get('count') or 1})"
            subject = f"{about.get('kind')} {about.get('namespace', '')}/{about.get('name')}"
            yield f"{at:%H:%M:%S} {what} {subject}: {event.get('message')}\n"


def _event_time(event: Object) -> datetime:
    series = event.get("series") or {}
    created = event["metadata"].get("creationTimestamp")
    newest = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or created
    return datetime.fromisoformat(newest) if newest else datetime.max.replace(tzinfo=UTC)


def _conditions(obj: Object) -> str:
    """What an object says of itself, one line for each condition."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    lines = [
        f"  {one.get('type')}={one.get('status', '')} {one.get('reason', '')}: {one.get('message', '')}".rstrip(": ")
        for one in conditions
    ]
    return "\n".join([str(Ref.to(obj)), *(lines or ["  no condition"]), ""])


def workload_of(pod: Object) -> Ref | None:
    """The Deployment or StatefulSet that a pod belongs to."""
    owner: Object = next(iter(pod["metadata"].get("ownerReferences") or []), {})
    namespace = pod["metadata"].get("namespace")
    match owner.get("kind"):
        case "StatefulSet":
            return Ref("StatefulSet", owner["name"], namespace)
        case "ReplicaSet":
            # A Deployment's ReplicaSet bears its name and a hash.
            return Ref("Deployment", owner["name"].rpartition("-")[0], namespace)
        case _:
            return None


def _troubled(pod: Object) -> bool:
    """A pod that is not ready."""
    status = pod.get("status") or {}
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or []}
    return status.get("phase") != "Succeeded" and conditions.get("Ready") != "True"


def _containers(pod: Object) -> list[str]:
    """Containers that have started, so that they have a log."""
    status = pod.get("status") or {}
    all_of_them = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [one["name"] for one in all_of_them if "waiting" not in (one.get("state") or {}) or one.get("restartCount")]


def _index(error: str, command: str, versions: Mapping[str, str], since: datetime, gaps: list[str]) -> list[str]:
    known = [f"- {part}: {version}" for part, version in versions.items()] or ["- not known"]
    parts = [
        f"# What failed\n\n{error}",
        f"The fault was at {since:%H:%M:%S.%f}, the evidence is of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} (UTC).",
        f"## Try\n\n    {command}",
        "## Versions\n\n" + "\n".join(known),
    ]
    if gaps:
        parts.append("## Not collected\n\n" + "\n".join(f"- {' '.join(gap.split())[:600]}" for gap in gaps))
    return parts


def _joined(found: Mapping[tuple[str, Any], Any], kind: str) -> list[Object]:
    return [obj for (what, _), answer in found.items() if what == kind for obj in answer]


def _call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Task:
    return lambda: function(*arguments, **options)

"""Building parts: what is missing, in which order, two at a time, into the store."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import singledispatchmethod
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from rich.console import Console

from neuroscale.errors import HostError, SupplyError
from neuroscale.host import packages
from neuroscale.host.file_lock import exclusive
from neuroscale.screen import Screen
from neuroscale.settings import cache_dir
from neuroscale.supply import node
from neuroscale.supply.artifacts import (
    PARTS,
    Catalogue,
    CProgram,
    DebianRoot,
    ImageArchive,
    PythonPackages,
    SourcePackage,
)
from neuroscale.supply.commands import run_logged
from neuroscale.supply.contract import Plan, PlannedPart
from neuroscale.supply.debian import make_root
from neuroscale.supply.golang import Go, GoProgram, GoPrograms, ModuleFiles, ModuleTree
from neuroscale.supply.images import Image, write_archive
from neuroscale.supply.pins import pins
from neuroscale.supply.progress import Durations, Progress, forecast
from neuroscale.supply.python import install, take
from neuroscale.supply.store import Store, Stored, discard, folder_size

#: While one build downloads or links, which is the work of one core, the other compiles.
WORKERS = 2
_MEGABYTE = 1_000_000
#: What must stay free beside the builds, for the cluster and the user.
_RESERVE = 3000 * _MEGABYTE
#: The Debian package whose version speaks for an image, where no part of the image's own name does.
_SPEAKS_FOR = {
    "node": "k3s",
    "nginx": "nginx-light",
    "redis": "redis-server",
    "klipper-lb": "iptables",
    "postgresql": "postgresql-15",
}


@dataclass(frozen=True)
class _Job:
    """A part that is being made.

    Attributes:
        recipe: The folder of its recipe.
        into: Where it is made; it becomes the part when it is whole.
        log: What compilers and package managers say.
    """

    name: str
    catalogue: Catalogue
    recipe: Path
    into: Path
    log: Path


@dataclass
class Builder:
    """The store and all that fills it.

    Attributes:
        cache: Folder that holds everything.
        console: Where progress is shown.
        may_install: Whether missing build tools may be installed on this machine.
    """

    cache: Path = field(default_factory=cache_dir)
    console: Console = field(default_factory=lambda: Screen(stderr=True))
    may_install: bool = False

    def __post_init__(self) -> None:
        self.store = Store(self.cache / "store")
        self._go = Go(self.cache / "go")
        first = {part: cost.seconds for part, cost in pins().expected.items()}
        self._durations = Durations(self.cache / "durations.json", first)

    def check(self, targets: Iterable[str], *, rehash: bool = False) -> tuple[PlannedPart, ...]:
        """The state of each part that the targets need.

        Args:
            targets: Parts wanted.
            rehash: Read every stored byte, whatever is known of it.
        """
        catalogue = Catalogue(targets, pins())
        return tuple(self._planned(name, catalogue, rehash=rehash) for name in catalogue.order)

    def plan(self, name: str, reason: str, targets: Iterable[str], *, rehash: bool = False) -> Plan:
        """What :meth:`provide` would do.

        Args:
            name: Of the supply that asks.
            reason: Why this supply.
            targets: Parts wanted.
            rehash: Read every stored byte, whatever is known of it.
        """
        parts = self.check(targets, rehash=rehash)
        to_do = [part for part in parts if part.condition != "present"]
        seconds = forecast((), (part.seconds for part in to_do), WORKERS)
        return Plan(name, reason, parts, seconds, self.needed_space(to_do), self.free_space())

    def needed_space(self, parts: Iterable[PlannedPart]) -> int:
        """Bytes of free disk that building these parts takes at its peak; what lies in Go's caches counts."""
        costs = [pins().expected[part.name] for part in parts if part.condition != "present"]
        if not costs:
            return 0
        scratch = sum(cost.scratch for cost in costs) * _MEGABYTE - folder_size(self._go.home)
        return max(scratch, 0) + sum(cost.stored for cost in costs) * _MEGABYTE + _RESERVE

    def free_space(self) -> int:
        """Bytes free where the cache is."""
        folder = self.cache
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def provide(self, targets: Iterable[str]) -> dict[str, Stored]:
        """Build what is missing, outdated or damaged, and hand over every part that the targets need.

        Raises:
            SupplyError: A build failed.
            HostError: The disk is too small, or a build tool is missing.
            Locked: Another process is building.
        """
        catalogue = Catalogue(targets, pins())
        if any(part.condition != "present" for part in self.check(catalogue.order)):
            with exclusive(self.cache / "build.lock", "Building"):
                self._make_missing(catalogue)
        return {name: self.store.get(name, catalogue.recipe[name]) for name in catalogue.order}

    def prune(self, targets: Iterable[str]) -> tuple[list[Path], int]:
        """Remove parts of outdated recipes, unfinished builds and Go's caches.

        Returns:
            What was removed, and the bytes that it took.

        Raises:
            Locked: Another process is building.
        """
        catalogue = Catalogue(targets, pins())
        with exclusive(self.cache / "build.lock", "Pruning"):
            doomed = self.store.leftovers(catalogue.recipe)
            if self._go.home.exists():
                doomed.append(self._go.home)
            size = sum(folder_size(path) for path in doomed)
            for path in doomed:
                discard(path)
        return doomed, size

    def _planned(self, name: str, catalogue: Catalogue, *, rehash: bool) -> PlannedPart:
        finding = self.store.check(name, catalogue.recipe[name], rehash=rehash)
        if finding.condition == "present":
            return PlannedPart(name, "present", 0.0, self.store.get(name, catalogue.recipe[name]).size)
        size = pins().expected[name].stored * _MEGABYTE
        return PlannedPart(name, finding.condition, self._durations.expect(name), size, finding.why)

    def _make_missing(self, catalogue: Catalogue) -> None:
        # Once more, under the lock: another process may just have built it all.
        to_do = [part for part in self.check(catalogue.order) if part.condition != "present"]
        for part in to_do:
            if part.condition == "damaged":
                self.console.print(f"supply: {part.name} is damaged ({part.why}); building it again", highlight=False)
        self._refuse_small_disk(to_do)
        if any(_wants_tools(part.name) for part in to_do):
            for line in packages.ensure(packages.BUILD_TOOLS, "building from source", allow_install=self.may_install):
                self.console.print(f"supply: {line}", highlight=False)
        # A build that finds Go's caches filled says nothing about how long a fresh one takes.
        self._build(catalogue, [part.name for part in to_do], learn=not self._go.home.exists())
        self._go.discard()

    def _refuse_small_disk(self, parts: list[PlannedPart]) -> None:
        needed, free = self.needed_space(parts), self.free_space()
        if free < needed:
            raise HostError(
                f"Building {', '.join(part.name for part in parts)} takes {needed / 1e9:.1f} GB at its peak, "
                f"{_RESERVE / 1e9:.0f} GB to spare included, but only {free / 1e9:.1f} GB are free at {self.cache}. "
                f"Free some space, or point NEUROSCALE_CACHE at a larger disk."
            )

    def _build(self, catalogue: Catalogue, to_do: list[str], *, learn: bool) -> None:
        graph = TopologicalSorter({name: catalogue.needs[name] & set(to_do) for name in to_do})
        graph.prepare()
        ready: list[str] = []
        running: dict[Future[None], str] = {}
        failure: BaseException | None = None
        with Progress(self.console, self._durations, to_do, WORKERS) as progress, ThreadPoolExecutor(WORKERS) as pool:
            while graph.is_active():
                ready = sorted([*ready, *graph.get_ready()], key=to_do.index)
                while ready and len(running) < WORKERS and not failure:
                    name = ready.pop(0)
                    progress.start(name)
                    running[pool.submit(self._try, name, catalogue)] = name
                if not running:
                    break
                finished, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                progress.tick()
                for future in finished:
                    name, error = running.pop(future), future.exception()
                    failure = failure or error
                    if error:
                        progress.failed(name)
                        continue
                    graph.done(name)
                    took = progress.done(name)
                    if learn:
                        self._durations.learn(name, took)
        if failure:
            raise failure

    def _try(self, name: str, catalogue: Catalogue) -> None:
        try:
            self._make(name, catalogue)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise SupplyError(
                f"{name} should have been stored in {self.cache}, but the disk is full. "
                f"Free some space and run the same command again; finished parts are kept."
            ) from error

    def _make(self, name: str, catalogue: Catalogue) -> None:
        log = self.cache / "logs" / f"{name}.log"
        log.unlink(missing_ok=True)
        facts: dict[str, Any] = {}
        with self.store.building(name, catalogue.recipe[name], facts) as into:
            facts.update(self._produce(PARTS[name], _Job(name, catalogue, catalogue.folder(name), into, log)))

    @singledispatchmethod
    def _produce(self, kind: object, job: _Job) -> dict[str, Any]:
        """Make a part of this kind; what is worth knowing of it comes back. A new kind of build is a method below."""
        raise TypeError(f"nobody builds {job.name}, a {type(kind).__name__}")

    @_produce.register
    def _(self, program: GoProgram, job: _Job) -> dict[str, Any]:
        self._go.build(job.name, program, job.recipe, job.into, job.log)
        return {"versions": {job.name: pins().modules[job.name].known_as}}

    @_produce.register
    def _(self, programs: GoPrograms, job: _Job) -> dict[str, Any]:
        self._go.build_several(programs, job.recipe, job.into, job.log)
        return {"versions": {module: pins().modules[module].known_as for module in programs.modules}}

    @_produce.register
    def _(self, files: ModuleFiles, job: _Job) -> dict[str, Any]:
        self._go.take(files, job.recipe, job.into, job.log)
        return {}

    @_produce.register
    def _(self, tree: ModuleTree, job: _Job) -> dict[str, Any]:
        for source, several in tree.recipes:
            for files in several:
                recipe = job.catalogue.recipes / source
                self._go.take(files, recipe, job.into / "manifests" / files.module, job.log)
        return {}

    @_produce.register
    def _(self, _program: CProgram, job: _Job) -> dict[str, Any]:
        source, program = job.recipe / f"{job.name}.c", job.into / job.name
        command = ["gcc", "-O2", "-Wall", "-static", "-s", "-o", str(program), str(source)]
        run_logged(command, job.log, env=os.environ)
        return {}

    @_produce.register
    def _(self, root: DebianRoot, job: _Job) -> dict[str, Any]:
        versions = make_root(root.table, job.recipe, job.into, job.log)
        return {"versions": {package: f"{version} (Debian)" for package, version in versions.items()}}

    @_produce.register
    def _(self, _packages: PythonPackages, job: _Job) -> dict[str, Any]:
        return {"versions": {job.name: install(job.recipe, self._root_with_python(job), job.into, job.log)}}

    @_produce.register
    def _(self, package: SourcePackage, job: _Job) -> dict[str, Any]:
        take(job.recipe, self._root_with_python(job), job.into / package.source, job.log)
        return {}

    @_produce.register
    def _(self, _application: node.NodeApplication, job: _Job) -> dict[str, Any]:
        return {"versions": {job.name: node.build(job.recipe, job.into, job.log)}}

    @_produce.register
    def _(self, archive: ImageArchive, job: _Job) -> dict[str, Any]:
        return {"references": self._write_images(job.name, archive.images, job.catalogue, job.into)}

    def _root_with_python(self, job: _Job) -> Path:
        return self.store.get("debian-python", job.catalogue.recipe["debian-python"]).path / "layer.tar"

    def _write_images(self, name: str, images: tuple[str, ...], catalogue: Catalogue, into: Path) -> dict[str, str]:
        parts = {need: self.store.get(need, catalogue.recipe[need]) for need in catalogue.needs[name]}
        versions = all_versions(parts)
        # The node image bears the hash of its recipe, so that the engine cannot hold an outdated one by that name.
        own = {image: f"docker.io/neuroscale/{image}:{catalogue.recipe[name]}" for image in images}
        references = own if name == "node" else {image: pins().images[image] for image in images}
        write_archive(
            [Image(references[image], catalogue.image_folder(image), _labels(image, versions)) for image in images],
            {need: part.path for need, part in parts.items()},
            into / "images.tar",
        )
        return references


def all_versions(parts: Mapping[str, Stored]) -> dict[str, str]:
    """Component to version, over all parts."""
    return {key: value for part in parts.values() for key, value in part.facts.get("versions", {}).items()}


def _labels(image: str, versions: Mapping[str, str]) -> dict[str, str]:
    labels = {"io.neuroscale.supply": "source"}
    if version := versions.get(_SPEAKS_FOR.get(image, image)):
        labels["org.opencontainers.image.version"] = version
    return labels


def _wants_tools(part: str) -> bool:
    kind = PARTS[part]
    return isinstance(kind, CProgram | DebianRoot) or (isinstance(kind, GoProgram) and kind.cgo)

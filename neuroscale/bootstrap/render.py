"""Turning folders of the checkout into objects, and into the tree that the forge's repository shall hold."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from neuroscale.cluster.state import write_private
from neuroscale.errors import SupplyError
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import GITOPS_FOLDERS, ROOT, cache_dir

_RENDER_SECONDS = 60
#: Renderings of one folder in the cache.
_KEPT = 4

#: What Argo CD shall not find before the milestone whose images it needs: path -> letter. All else is milestone A's.
LATER = {
    "apps/ai-model-alpha": "b",
    "apps/demo-iris-2": "b",
    "infrastructure/apps/kserve-runtimes.yaml": "b",
    "infrastructure/apps/policy-guardrails.yaml": "d",
    "infrastructure/apps/serving-stack.yaml": "b",
    "infrastructure/kserve": "b",
    "infrastructure/kyverno": "d",
    "infrastructure/serving-stack": "b",
}


def kubectl() -> str:
    """The kubectl that came with this Python environment, else the one on PATH.

    Raises:
        SupplyError: There is none.
    """
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        raise SupplyError("kubectl should come with the Python environment, but is missing. Try: make install")
    return found


def kustomize(folder: Path) -> list[Object]:
    """Objects of a kustomization that refers to nothing outside its folder.

    They are kept in the cache folder, by the content of the folder: rendering Argo CD takes a second or two.

    Raises:
        SupplyError: It does not render.
    """
    program = kubectl()
    kept = cache_dir() / "rendered" / folder.name / f"{_fingerprint(folder, program)}.json"
    if (objects := _kept(kept)) is None:
        objects = _render(folder, program)
        _keep(kept, objects)
    return objects


def _fingerprint(folder: Path, program: str) -> str:
    about = Path(program).stat()
    digest = hashlib.sha256(f"{about.st_size} {about.st_mtime_ns}".encode())
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(folder)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _kept(file: Path) -> list[Object] | None:
    """What was kept, or ``None`` when there is nothing, or something damaged."""
    try:
        digest, _, body = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    whole = digest == hashlib.sha256(body.encode()).hexdigest()
    return list(json.loads(body)) if whole else None


def _keep(file: Path, objects: list[Object]) -> None:
    """Keep the latest few: the gate and the fast tier render folders of the same name with other content."""
    body = json.dumps(objects)
    with suppress(OSError):  # a cache that cannot be written costs time and nothing else
        write_private(file, f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}")
        oldest_first = sorted(file.parent.iterdir(), key=lambda kept: kept.stat().st_mtime_ns)
        for old in oldest_first[:-_KEPT]:
            old.unlink()


def _render(folder: Path, program: str) -> list[Object]:
    move = f"Try: kubectl kustomize {folder}"
    rendered = output(
        [program, "kustomize", str(folder)],
        within=_RENDER_SECONDS,
        late=lambda _: SupplyError(f"{folder} should render within {_RENDER_SECONDS} s, but did not. {move}"),
        failed=lambda ended: SupplyError(f"{folder} should render, but: {ended.stderr.strip()}. {move}"),
    )
    return documents(rendered)


def documents(text: str) -> list[Object]:
    """The objects of a YAML stream."""
    # The C loader reads Argo CD's 1.5 MB manifest in a fifth of the time.
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


@contextmanager
def gitops_tree(manifests: Mapping[str, Path], milestones: Collection[str], root: Path | None = None) -> Iterator[Path]:
    """The tree for the forge: a checkout's GitOps folders, plus the upstream manifests where they belong.

    Args:
        manifests: Component -> folder with its upstream manifests, from the supply. A component's manifests go into
            ``upstream/`` of its folder below ``bootstrap/`` or ``infrastructure/``.
        milestones: Letters of those that the cluster is for; what belongs to others is left out.
        root: The checkout; this one, if not said otherwise.
    """
    with TemporaryDirectory(prefix="neuroscale-tree-") as name:
        tree = Path(name)
        for folder in GITOPS_FOLDERS:
            source = (root or ROOT) / folder
            if source.is_dir():
                # Build recipes are not for Argo CD.
                shutil.copytree(source, tree / folder, ignore=shutil.ignore_patterns("images", "upstream"))
        for path, milestone in LATER.items():
            if milestone not in milestones:
                _remove(tree / path)
        for component, source in manifests.items():
            for parent in ("bootstrap", "infrastructure"):
                if (tree / parent / component).is_dir():
                    shutil.copytree(source, tree / parent / component / "upstream")
        yield tree


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

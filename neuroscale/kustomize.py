"""Rendering kustomizations of the checkout into objects, and keeping the renderings."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import yaml

from neuroscale.atomic_write import write_atomically
from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import cache_dir

_RENDER_SECONDS = 60
#: Renderings of one folder in the cache.
_KEPT = 4


def kubectl() -> str:
    """The kubectl that came with this Python environment, else the one on PATH.

    Raises:
        SupplyError: There is none.
    """
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        raise SupplyError("kubectl should come with the Python environment, but is missing. Next: make install")
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
        write_atomically(file, f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}", private=True)
        oldest_first = sorted(file.parent.iterdir(), key=lambda kept: kept.stat().st_mtime_ns)
        for old in oldest_first[:-_KEPT]:
            old.unlink()


def _render(folder: Path, program: str) -> list[Object]:
    try:
        return documents(output([program, "kustomize", str(folder)], within=_RENDER_SECONDS))
    except ProgramFailed as error:
        raise SupplyError(f"{folder} should render, but {error}. Next: kubectl kustomize {folder}") from error


def documents(text: str) -> list[Object]:
    """The objects of a YAML stream."""
    # The C loader reads Argo CD's 1.5 MB manifest in a fifth of the time.
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]

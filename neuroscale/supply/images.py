"""Container images written straight from files, as a docker-archive that Docker and containerd both read.

No engine is needed to make them, the bytes depend on nothing but the content, and a root that several images are laid
upon stands in the archive once.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from neuroscale.errors import SupplyError
from neuroscale.supply.store import sha256

#: The last is what macOS calls it.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Any fixed instant: layers must not differ by when they were packed.
_EPOCH = 1_000_000_000


class ImageRecipe(BaseModel):
    """``image.toml``: what to lay upon which root, and how to run it.

    Attributes:
        root: ``pods`` or ``node``; none for a static binary on an empty image.
        copy_: Path in the image to ``PART/FILE`` in the store, or to ``./FILE`` beside the recipe; folders go whole.
        links: Path in the image to the target of a symbolic link.
        directories: Path in the image to ``UID:GID:MODE``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    root: str | None = None
    user: str = ""
    workdir: str = "/"
    entrypoint: list[str] = Field(default_factory=list)
    command: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    ports: list[str] = Field(default_factory=list)
    volumes: list[str] = Field(default_factory=list)
    copy_: dict[str, str] = Field(default_factory=dict, alias="copy")
    links: dict[str, str] = Field(default_factory=dict)
    directories: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> ImageRecipe:
        """The recipe in a folder of ``infrastructure/images``."""
        return cls.model_validate(tomllib.loads((folder / "image.toml").read_text(encoding="utf-8")))

    @property
    def parts(self) -> set[str]:
        """The parts that files are copied from, and the root."""
        copied = {source.partition("/")[0] for source in self.copy_.values()} - {"."}
        return copied | ({f"debian-{self.root}"} if self.root else set())


@dataclass(frozen=True)
class Image:
    """One image to write.

    Attributes:
        reference: Full reference, registry included.
        folder: Where its recipe is.
        labels: Baked into its configuration.
    """

    reference: str
    folder: Path
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _Layer:
    digest: str
    path: Path


def architecture() -> str:
    """This machine's architecture by the name that images and Go use.

    Raises:
        SupplyError: Nothing here is known to build on it.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise SupplyError(f"Images can be built on {', '.join(_ARCHITECTURES)}; this machine is {machine}.")
    return _ARCHITECTURES[machine]


def write_archive(images: Iterable[Image], parts: Mapping[str, Path], archive: Path) -> dict[str, str]:
    """Write a docker-archive.

    Args:
        images: What to write.
        parts: Folder of each part that a recipe names.
        archive: The file to write; its folder also takes the layers while they are packed.

    Returns:
        Reference to image ID (``sha256:…``).

    Raises:
        SupplyError: A file that a recipe names is not there.
    """
    entries: list[dict[str, Any]] = []
    ids: dict[str, str] = {}
    written: set[str] = set()
    with tarfile.open(archive, "w") as tar:
        for image in images:
            recipe = ImageRecipe.read(image.folder)
            own = archive.with_suffix(".layer")
            layers = [_root(recipe, parts)] if recipe.root else []
            layers += [_pack(recipe, image.folder, parts, own)] if recipe.copy_ or recipe.directories else []
            for layer in layers:
                if layer.digest not in written:
                    tar.add(layer.path, f"{layer.digest}/layer.tar", filter=_anonymous)
                    written.add(layer.digest)
            own.unlink(missing_ok=True)
            config = json.dumps(_config(recipe, image, layers), sort_keys=True).encode()
            digest = hashlib.sha256(config).hexdigest()
            _add_bytes(tar, f"{digest}.json", config)
            files = [f"{layer.digest}/layer.tar" for layer in layers]
            entries.append({"Config": f"{digest}.json", "RepoTags": [image.reference], "Layers": files})
            ids[image.reference] = f"sha256:{digest}"
        _add_bytes(tar, "manifest.json", json.dumps(entries).encode())
    return ids


def _root(recipe: ImageRecipe, parts: Mapping[str, Path]) -> _Layer:
    path = parts[f"debian-{recipe.root}"] / "layer.tar"
    return _Layer(sha256(path), path)


def _pack(recipe: ImageRecipe, folder: Path, parts: Mapping[str, Path], layer: Path) -> _Layer:
    with tarfile.open(layer, "w") as tar:
        for name, owner in recipe.directories.items():
            uid, gid, mode = owner.split(":")
            tar.addfile(_member(name, tarfile.DIRTYPE, mode=int(mode, 8), uid=int(uid), gid=int(gid)))
        for name, where in recipe.copy_.items():
            part, _, rest = where.partition("/")
            source = (folder if part == "." else parts[part]) / rest
            if not source.exists():
                raise SupplyError(f"{folder / 'image.toml'} copies {where}, which does not exist. Correct the recipe.")
            _add_tree(tar, source, name)
        for name, target in recipe.links.items():
            link = _member(name, tarfile.SYMTYPE, mode=0o777)
            link.linkname = target
            tar.addfile(link)
    return _Layer(sha256(layer), layer)


def _add_tree(tar: tarfile.TarFile, source: Path, name: str) -> None:
    if source.is_dir():
        tar.addfile(_member(name, tarfile.DIRTYPE, mode=0o755))
        for child in sorted(source.iterdir()):
            _add_tree(tar, child, f"{name}/{child.name}")
        return
    about = source.stat()
    member = _member(name, tarfile.REGTYPE, mode=0o755 if about.st_mode & 0o100 else 0o644)
    member.size = about.st_size
    with source.open("rb") as file:
        tar.addfile(member, file)


def _member(name: str, kind: bytes, *, mode: int, uid: int = 0, gid: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name.lstrip("/"))
    member.type, member.mode, member.uid, member.gid, member.mtime = kind, mode, uid, gid, _EPOCH
    return member


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = _member(name, tarfile.REGTYPE, mode=0o644)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = _EPOCH
    return member


def _config(recipe: ImageRecipe, image: Image, layers: list[_Layer]) -> dict[str, Any]:
    env = {"PATH": _DEFAULT_PATH, **recipe.env}
    return {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": recipe.user,
            "Env": [f"{key}={value}" for key, value in env.items()],
            "Entrypoint": recipe.entrypoint or None,
            "Cmd": recipe.command or None,
            "WorkingDir": recipe.workdir,
            "Labels": dict(image.labels),
            "ExposedPorts": {port: {} for port in recipe.ports},
            "Volumes": {volume: {} for volume in recipe.volumes},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created_by": f"{image.folder.name}/image.toml"} for _ in layers],
    }

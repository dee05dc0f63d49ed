"""Image archives: what Docker and containerd will read out of them."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from pathlib import Path

import pytest

from neuroscale.errors import SupplyError
from neuroscale.supply.artifacts import PARTS, RECIPES, ImageArchive
from neuroscale.supply.images import Image, ImageRecipe, write_archive

#: k3s and its add-ons; kube-system is none of the policies' business.
_OF_THE_NODE = {"coredns", "klipper-lb", "node"}
_RECIPE = """
root = "pods"
user = "999"
entrypoint = ["/usr/bin/tini", "--"]
env = { HOME = "/home/app" }
ports = ["8080/tcp"]

[directories]
"/home/app" = "999:0:0775"

[copy]
"/usr/bin/program" = "program/program"
"/usr/share/app" = "program/share"
"/etc/app.conf" = "./app.conf"

[links]
"/usr/bin/other" = "program"
"""


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "store" / "program"
    (program / "share").mkdir(parents=True)
    (program / "program").write_bytes(b"\x7fELF")
    (program / "program").chmod(0o755)
    (program / "share" / "text").write_text("text")
    root = tmp_path / "store" / "debian-pods"
    root.mkdir()
    with tarfile.open(root / "layer.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("etc/hostname"))
    return {"program": program, "debian-pods": root}


@pytest.fixture
def image(tmp_path: Path) -> Image:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "image.toml").write_text(_RECIPE)
    (folder / "app.conf").write_text("listen 8080")
    return Image("quay.io/example/app:1", folder, {"io.neuroscale.supply": "source"})


def entries(archive: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar}


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def test_the_archive_names_its_images_and_the_config_describes_them(
    tmp_path: Path, parts: dict[str, Path], image: Image
) -> None:
    archive = tmp_path / "images.tar"
    ids = write_archive([image], parts, archive)
    (entry,) = json.loads(read(archive, "manifest.json"))
    assert entry["RepoTags"] == ["quay.io/example/app:1"]
    config = json.loads(read(archive, entry["Config"]))
    assert ids == {"quay.io/example/app:1": f"sha256:{hashlib.sha256(read(archive, entry['Config'])).hexdigest()}"}
    assert config["config"]["User"] == "999"
    assert "HOME=/home/app" in config["config"]["Env"]
    assert any(variable.startswith("PATH=") for variable in config["config"]["Env"])
    assert config["config"]["Labels"] == {"io.neuroscale.supply": "source"}
    digests = [f"sha256:{hashlib.sha256(read(archive, layer)).hexdigest()}" for layer in entry["Layers"]]
    assert config["rootfs"]["diff_ids"] == digests
    assert len(digests) == 2


def test_the_layer_holds_what_the_recipe_says(tmp_path: Path, parts: dict[str, Path], image: Image) -> None:
    archive = tmp_path / "images.tar"
    write_archive([image], parts, archive)
    (entry,) = json.loads(read(archive, "manifest.json"))
    layer = tmp_path / "layer.tar"
    layer.write_bytes(read(archive, entry["Layers"][1]))
    members = entries(layer)
    assert (members["home/app"].uid, members["home/app"].gid, members["home/app"].mode) == (999, 0, 0o775)
    assert members["usr/bin/program"].mode == 0o755
    assert members["etc/app.conf"].mode == 0o644
    assert members["usr/bin/other"].linkname == "program"
    assert members["usr/share/app/text"].isfile()
    assert all(member.uname == "" and member.mtime == members["home/app"].mtime for member in members.values())


def test_a_shared_root_stands_in_the_archive_once(tmp_path: Path, parts: dict[str, Path], image: Image) -> None:
    archive = tmp_path / "images.tar"
    write_archive([image, Image("quay.io/example/app:2", image.folder, {})], parts, archive)
    first, second = json.loads(read(archive, "manifest.json"))
    assert first["Layers"] == second["Layers"]
    with tarfile.open(archive) as tar:
        assert sum(member.name == first["Layers"][0] for member in tar) == 1


def test_the_same_content_gives_the_same_bytes(tmp_path: Path, parts: dict[str, Path], image: Image) -> None:
    write_archive([image], parts, tmp_path / "one.tar")
    (parts["program"] / "program").touch()
    write_archive([image], parts, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_recipe_that_copies_what_is_not_there_is_refused(
    tmp_path: Path, parts: dict[str, Path], image: Image
) -> None:
    (parts["program"] / "program").unlink()
    with pytest.raises(SupplyError, match=r"image\.toml copies program/program, which does not exist"):
        write_archive([image], parts, tmp_path / "images.tar")


def test_a_misspelt_key_is_refused(image: Image) -> None:
    (image.folder / "image.toml").write_text('usr = "999"')
    with pytest.raises(ValueError, match="usr"):
        ImageRecipe.read(image.folder)


@pytest.mark.parametrize(
    "name", sorted({name for part in PARTS.values() if isinstance(part, ImageArchive) for name in part.images})
)
def test_every_image_of_the_platform_has_a_recipe_with_a_numeric_user(name: str) -> None:
    recipe = ImageRecipe.read(RECIPES / name)
    assert recipe.entrypoint or recipe.command
    # Kubernetes cannot tell that a user known by name only is not root.
    assert re.fullmatch(r"\d+(:\d+)?", recipe.user) or name in _OF_THE_NODE
    for source in recipe.copy_.values():
        assert not source.startswith("./") or (RECIPES / name / source).exists()

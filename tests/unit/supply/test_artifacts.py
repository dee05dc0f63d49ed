"""The catalogue of parts, its hashes, and the pins."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from neuroscale.components import COMPONENTS
from neuroscale.supply.artifacts import PARTS, RECIPES, Catalogue, ImageArchive, PythonPackages, SourcePackage
from neuroscale.supply.golang import GoProgram, GoPrograms, ModuleFiles, ModuleTree
from neuroscale.supply.pins import Pins, pins


def go_modules() -> list[tuple[str, str]]:
    """Every recipe with each module that its ``go.mod`` pins for a part."""
    found: set[tuple[str, str]] = set()
    for name, kind in PARTS.items():
        match kind:
            case GoProgram():
                found.add((name, name))
            case GoPrograms(modules=modules):
                found.update((name, module) for module in modules)
            case ModuleFiles(module=module):
                found.add((module, module))
            case ModuleTree(recipes):
                found.update((recipe, files.module) for recipe, several in recipes for files in several)
    return sorted(found)


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECIPES, tmp_path / "images"))


def hashes(recipes: Path, with_pins: Pins | None = None) -> dict[str, str]:
    return Catalogue(PARTS, with_pins or pins(), recipes).recipe


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(("recipe", "module"), go_modules())
def test_go_mod_requires_the_pinned_version(recipe: str, module: str) -> None:
    pin = pins().modules[module]
    required = re.findall(
        rf"^\s*(?:require )?{re.escape(pin.path)} (\S+)", (RECIPES / recipe / "go.mod").read_text(), re.MULTILINE
    )
    assert required == [pin.version]
    assert f"{pin.path} {pin.version} h1:" in (RECIPES / recipe / "go.sum").read_text()


@pytest.mark.parametrize("recipe", sorted({recipe for recipe, _ in go_modules()}))
def test_no_module_needs_a_newer_go_than_is_asked_for(recipe: str) -> None:
    (wanted,) = re.findall(r"^go (\S+)$", (RECIPES / recipe / "go.mod").read_text(), re.MULTILINE)
    minimum = tuple(map(int, pins().go.minimum.split(".")))
    assert tuple(map(int, wanted.split("."))) <= minimum
    assert tuple(map(int, pins().go.package.partition("==")[2].split("."))) >= minimum


def test_every_image_is_pinned_to_an_exact_tag_of_a_named_registry() -> None:
    for reference in pins().images.values():
        registry, _, rest = reference.partition("/")
        assert "." in registry
        tag = rest.rpartition(":")[2]
        assert re.search(r"\d+\.\d+", tag), reference


def test_each_part_has_an_expected_cost_and_nothing_else_has() -> None:
    assert set(pins().expected) == set(PARTS)


def test_each_part_stands_after_what_it_needs() -> None:
    catalogue = Catalogue(PARTS, pins())
    for name, needs in catalogue.needs.items():
        assert all(catalogue.order.index(need) < catalogue.order.index(name) for need in needs)


def test_what_components_ask_for_exists() -> None:
    for demand in (component.demand for component in COMPONENTS):
        assert {*demand.archives, *demand.not_in_registries} <= set(PARTS)
        assert all(isinstance(PARTS[part], ImageArchive) for part in (*demand.archives, *demand.own_archives))
        assert all(isinstance(PARTS[part], ModuleFiles | ModuleTree) for part in demand.manifests.values())


def test_only_what_the_targets_need_is_in_the_catalogue() -> None:
    assert set(Catalogue(["k3d"], pins()).order) == {"k3d"}
    assert set(Catalogue(["node"], pins()).order) == {"k3s", "runc", "pause", "debian-node", "node"}


def test_hashes_do_not_depend_on_where_the_checkout_is(recipes: Path) -> None:
    assert hashes(recipes) == hashes(RECIPES)


def test_changing_an_images_file_changes_that_archive_and_compiles_nothing(recipes: Path) -> None:
    before = hashes(recipes)
    (recipes / "nginx" / "nginx.conf").write_text("events {}")
    assert changed(before, hashes(recipes)) == {"images-a"}


def test_changing_a_source_file_changes_the_program_and_what_stands_on_it(recipes: Path) -> None:
    before = hashes(recipes)
    (recipes / "coredns" / "main.go").write_text("package main")
    assert changed(before, hashes(recipes)) == {"coredns", "images-a"}


def test_making_a_file_executable_changes_the_hash(recipes: Path) -> None:
    before = hashes(recipes)
    (recipes / "klipper-lb" / "entry").chmod(0o644)
    assert changed(before, hashes(recipes)) == {"images-a"}


def test_changing_a_pin_changes_what_it_pins(recipes: Path) -> None:
    content = json.loads(pins().model_dump_json())
    content["modules"]["gitea"]["version"] = "v1.25.5"
    other = Pins.model_validate(content)
    assert changed(hashes(recipes), hashes(recipes, other)) == {"gitea", "gitea-files", "images-a"}


def test_every_pinned_module_is_used_and_every_one_used_is_pinned() -> None:
    assert {module for _, module in go_modules()} == set(pins().modules)


def test_a_later_milestones_root_leaves_the_first_ones_alone(recipes: Path) -> None:
    before = hashes(recipes)
    (recipes / "root-python" / "root.toml").write_text("[python]")
    python = {name for name, kind in PARTS.items() if isinstance(kind, PythonPackages | SourcePackage)}
    assert changed(before, hashes(recipes)) == {"debian-python", "images-b", "images-gate-own", *python}


def test_a_change_of_the_suite_makes_the_image_with_it_anew_and_no_other(
    recipes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "neuroscale"
    package.mkdir()
    (package / "gate.py").write_text("PASS = True\n", encoding="utf-8")
    monkeypatch.setattr("neuroscale.supply.artifacts.ROOT", tmp_path)
    before = hashes(recipes)
    (package / "gate.py").write_text("PASS = False\n", encoding="utf-8")
    assert changed(before, hashes(recipes)) == {"suite-package", "images-gate-own"}


def test_changing_a_lock_makes_its_packages_anew_and_changing_a_server_only_the_archive(recipes: Path) -> None:
    before = hashes(recipes)
    with (recipes / "sklearnserver" / "server.py").open("a") as server:
        server.write("# changed")
    after = hashes(recipes)
    assert changed(before, after) == {"images-b"}
    with (recipes / "sklearnserver" / "requirements.txt").open("a") as lock:
        lock.write("extra==1.0")
    assert changed(after, hashes(recipes)) == {"sklearnserver", "images-b"}


def test_changing_a_pin_of_a_shared_go_mod_changes_all_that_is_made_of_it(recipes: Path) -> None:
    content = json.loads(pins().model_dump_json())
    content["modules"]["serving"]["release"] = "v1.21.1"
    other = Pins.model_validate(content)
    assert changed(hashes(recipes), hashes(recipes, other)) == {"knative", "serving-stack-files", "images-b"}


def test_what_tools_leave_beside_a_recipe_changes_nothing(recipes: Path) -> None:
    """Whoever runs a server's tests has its compiled form there, with another date each time."""
    before = hashes(recipes)
    compiled = recipes / "sklearnserver" / "__pycache__" / "server.cpython-311.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"compiled")
    assert hashes(recipes) == before


def test_an_application_is_built_anew_when_its_lock_changes(
    recipes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroscale.supply.artifacts.ROOT", tmp_path)
    app = tmp_path / "backstage" / "app"
    (app / "node_modules" / "left").mkdir(parents=True)
    (app / "yarn.lock").write_text("one", encoding="utf-8")
    before = hashes(recipes)
    (app / "node_modules" / "left" / "index.js").write_text("installed", encoding="utf-8")
    assert hashes(recipes) == before
    (app / "yarn.lock").write_text("two", encoding="utf-8")
    assert changed(before, hashes(recipes)) == {"backstage", "images-c-own"}


def test_our_own_images_are_told_apart_from_upstreams() -> None:
    own = {image for image, reference in pins().images.items() if reference.startswith("docker.io/neuroscale/")}
    archives = {part for component in COMPONENTS for part in component.demand.own_archives}
    kinds = [PARTS[archive] for archive in archives]
    assert {image for kind in kinds if isinstance(kind, ImageArchive) for image in kind.images} == own
    assert {c.name: c.demand.own_archives for c in COMPONENTS if c.demand.own_archives} == {
        "serving": ("images-own",), "backstage": ("images-c-own",), "pull_requests": ("images-gate-own",)
    }  # fmt: skip


def test_every_image_is_pinned_and_either_built_or_asked_for() -> None:
    built = {image for kind in PARTS.values() if isinstance(kind, ImageArchive) for image in kind.images}
    pulled = {image for component in COMPONENTS for image in component.demand.pulled}
    assert not built & pulled
    assert built | pulled == set(pins().images)

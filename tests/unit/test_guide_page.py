"""The guide to a cloud: each block is tried as its mark says, and a bad one of each sort is seen."""

from __future__ import annotations

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import hcl2
import kubernetes_validate
import pytest
import yaml

from neuroscale.bootstrap.profile import APPLICATIONS, BY_HAND, promote
from neuroscale.errors import UsageError
from neuroscale.gate.schema import kubernetes
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.host import programs
from neuroscale.settings import ROOT
from suite import guide_page
from suite.guide_page import TRIED, Block

TEXT = guide_page.PAGE.read_text(encoding="utf-8")
BLOCKS = guide_page.blocks(TEXT)
_WITHIN = 30


def of(mark: str) -> list[Block]:
    return [one for one in BLOCKS if one.mark == mark]


def mistake(block: Block) -> str:
    """What is wrong with a block by its mark; nothing: it is as the mark says."""
    try:
        _try(block)
    except Exception as error:  # noqa: BLE001 - whatever a parser says
        return f"{type(error).__name__}: {error}"
    return ""


def _try(block: Block) -> None:
    match block.mark, block.language:
        case "hcl", "hcl":
            assert hcl2.load(StringIO(block.text)), "nothing is declared"
        case "schema", "yaml":
            for one in _objects(block.text):
                kubernetes_validate.validate(one, kubernetes(), strict=True)
        case "parse", "yaml":
            assert all(one["apiVersion"] and one["kind"] and one["metadata"]["name"] for one in _objects(block.text))
        case "parse", "json":
            assert json.loads(block.text)
        case (("syntax" | "run"), "bash"):
            done = programs.run(["bash", "-n"], within=_WITHIN, stdin=block.text)
            assert done.returncode == 0, done.stderr
        case _:
            pytest.fail(f"nobody can try {block}")


def _objects(text: str) -> list[dict[str, dict[str, str]]]:
    found = list(yaml.safe_load_all(text))
    assert found
    assert all(found)
    return found


def test_the_table_is_up_to_date() -> None:
    assert guide_page.renewed(TEXT) == TEXT, "Next: make docs"
    assert TEXT.count("```") == 2 * len(BLOCKS), "a block that was not found"


def test_each_way_of_trying_is_used() -> None:
    assert {one.mark for one in BLOCKS} == set(TRIED)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_each_block_is_as_its_mark_says(block: Block) -> None:
    assert mistake(block) == ""


@pytest.mark.parametrize(
    ("mark", "language", "text"),
    [
        ("hcl", "hcl", 'module "cluster" {\n'),
        ("schema", "yaml", "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {typ: LoadBalancer}}"),
        ("schema", "yaml", "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {port: 1}}"),
        ("parse", "yaml", "{apiVersion: v1, metadata: {name: a}}"),
        ("parse", "json", "{,}"),
        ("syntax", "bash", "for one in a; do"),
        ("schema", "bash", "true"),
    ],
)
def test_a_bad_block_is_seen(mark: str, language: str, text: str) -> None:
    assert _outcome(Block("Section", language, mark, text))


def _outcome(block: Block) -> str:
    try:
        return mistake(block)
    except pytest.fail.Exception as error:
        return str(error)


@pytest.mark.parametrize("mark", ["", "<!-- validated-by: hope -->\n"])
def test_a_block_without_a_mark_is_seen(mark: str) -> None:
    with pytest.raises(UsageError, match="Each block should say how it is tried, but 'Section'"):
        guide_page.blocks(f"## Section\n\n{mark}```bash\ntrue\n```\n")


# --- what is run


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """What production's repository is made of."""
    for folder in ("bootstrap", "infrastructure/apps", "production"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("upstream"))
    return tmp_path


def run(block: Block, folder: Path) -> None:
    done = programs.run(["bash", "-euo", "pipefail", "-c", block.text], within=_WITHIN, folder=folder)
    assert done.returncode == 0, done.stderr


def content(folder: Path) -> dict[str, list[object]]:
    """Every manifest, by its place."""
    files = [file for top in ("bootstrap", "infrastructure") for file in (folder / top).rglob("*.yaml")]
    return {str(file.relative_to(folder)): list(yaml.safe_load_all(file.read_text(encoding="utf-8"))) for file in files}


def test_the_first_commit_makes_the_profile_that_is_judged(
    fork: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    by_program = tmp_path_factory.mktemp("promoted") / "fork"
    shutil.copytree(fork, by_program)
    before = content(fork)
    promote(by_program, ROOT / APPLICATIONS)
    run(of("run")[0], fork)
    assert content(fork) == content(by_program) != before
    changed = {place for place, objects in content(fork).items() if objects != before[place]}
    assert changed == {
        str(BY_HAND / "kustomization.yaml"),
        *(f"infrastructure/apps/{file.name}" for file in (ROOT / APPLICATIONS).glob("*.yaml")),
    }


def test_the_second_commit_names_another_git_server_everywhere(fork: Path) -> None:
    here, there = IN_CLUSTER_URL, "https://git.example.org/neuroscale/platform.git"
    run(of("run")[0], fork)
    before = json.dumps(content(fork))
    run(of("run")[1], fork)
    assert json.dumps(content(fork)) == before.replace(here, there)
    assert before.count(here) >= 10


# --- what is said of this platform


def test_the_clusters_are_of_the_version_that_manifests_are_checked_for() -> None:
    text = "".join(one.text for one in of("hcl"))
    assert text.count(f'"{kubernetes()}"') == 2


def test_the_portals_secret_has_all_that_its_values_ask_for() -> None:
    values = (ROOT / "infrastructure/backstage/values-prod.yaml").read_text(encoding="utf-8")
    (secret,) = (
        one for block in of("schema") for one in _objects(block.text) if one["metadata"]["name"] == "backstage"
    )
    assert set(secret["stringData"]) == set(re.findall(r"\$\{([A-Z_]+)\}", values))

"""A small repository with all that the gate looks at, and a stand-in for the CLI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import fake_engine
import fake_kyverno
import pytest
from repository import git
from small_tree import commit, policy, write
from stages import DEFINITIONS, definition, python_program

from neuroscale.gate.engine import Engine
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import specimens
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

COPIED = (
    "apps/test-app",
    "infrastructure/namespaces/default",
    "infrastructure/apps/model-endpoints-appset.yaml",
    "infrastructure/apps/default-namespace-resources.yaml",
    "bootstrap/projects.yaml",
    "bootstrap/root-app.yaml",
    "infrastructure/prices.toml",
)
_OPEN: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one app, one commit on ``main``; what tests change is a copy of it."""
    root = tmp_path_factory.mktemp("committed")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, root / name)
    argo = [definition("argoproj.io", "v1alpha1", kind, _OPEN) for kind in ("AppProject", "ApplicationSet")]
    write(root / "bootstrap/definitions/definitions.yaml", *DEFINITIONS, *argo)
    write(root / "bootstrap/policies/policies.yaml", *map(policy, POLICIES))
    git("init", "--quiet", "--template", "", "--initial-branch", "main", str(root))
    commit(root)
    return root


@pytest.fixture
def checkout(committed: Path, tmp_path: Path) -> Path:
    """A repository of the test's own with one app, one commit on ``main``."""
    return Path(shutil.copytree(committed, tmp_path / "checkout", symlinks=True))


@dataclass(frozen=True)
class QuickEngine(Engine):
    """The stand-in within this process, as long as nobody has touched its program: to start one takes longer."""

    text: str = ""

    def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
        whole = self.program.is_file() and self.program.read_text(encoding="utf-8") == self.text
        if not whole or self.program.with_name("mode").exists():
            return super().ask(what, request)
        return json.loads(json.dumps(fake_engine.answer(what, json.loads(json.dumps(request)), self.program.parent)))


@pytest.fixture(scope="session")
def verdicts() -> str:
    """For the stand-ins: which specimen of the corpus which rule rejects."""
    told = [one for one in specimens() if one.stage == "policy" or one.needs == "gate-engine"]
    return json.dumps({one.name: one.rule for one in told})


@pytest.fixture
def tools(tmp_path: Path, verdicts: str) -> Tools:
    """The stand-ins, as programs; a tree without upstream's manifests."""
    engine, cli = tmp_path / "bin" / "gate-engine", tmp_path / "bin" / "kyverno-cli"
    engine.parent.mkdir()
    for program, toy in ((engine, fake_engine), (cli, fake_kyverno)):
        python_program(program, Path(str(toy.__file__)).read_text(encoding="utf-8"))
    engine.with_name("verdicts").write_text(verdicts, encoding="utf-8")
    quick = QuickEngine(engine, text=engine.read_text(encoding="utf-8"))
    return Tools(quick, quick, {}, Path("/nonexistent/helm"), lambda: cli)

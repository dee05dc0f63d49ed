"""A revert of ``main`` as incident F12 was one: a tree that is right in itself, and lacks what others depend on."""

from __future__ import annotations

import shutil
from pathlib import Path

from neuroscale.errors import ConditionTimeout, ExitCode, Inconclusive
from neuroscale.gate import assertions
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.priced_changes import commit
from neuroscale.gate.removals import FILE
from neuroscale.gate.tools import Tools

_MODELS = ("apps/ai-model-alpha", "apps/demo-iris-2")
_NAMESPACE = Path("infrastructure", "namespaces", "default")
_QUOTA, _NAME = "resource-quota.yaml", "ResourceQuota default-namespace-quota"


def revert(copy: Path) -> Path:
    """Take both models and the quota out of a copy of a checkout, whose last commit still has them.

    Raises:
        Inconclusive: One of them was not there.
    """
    kustomization = copy / _NAMESPACE / "kustomization.yaml"
    text = kustomization.read_text(encoding="utf-8")
    missing = [folder for folder in _MODELS if not (copy / folder).is_dir()]
    if missing or _QUOTA not in text:
        raise Inconclusive(f"The checkout should have {', '.join(missing) or _QUOTA}. Next: a full checkout")
    commit(copy, "Begin")
    for folder in _MODELS:
        shutil.rmtree(copy / folder)
    kustomization.write_text(text.replace(f"  - {_QUOTA}\n", ""), encoding="utf-8")
    (copy / _NAMESPACE / _QUOTA).unlink()
    return copy


def say_so(copy: Path) -> None:
    """Name what goes, in the change itself."""
    (copy / FILE).write_text("\n".join(("# Meant", *_MODELS, _NAME, "")), encoding="utf-8")


def ask(tools: Tools, copy: Path) -> GateOutput:
    """Let the gate judge it as a change of the last commit."""
    return assertions.ask(tools, copy, "HEAD")


def is_refused(answer: GateOutput) -> None:
    """For the quota; the models alone might go.

    Raises:
        ConditionTimeout: It is not, or for something else.
    """
    rules = {(one.stage, one.rule) for one in answer.result.findings}
    said = [one for one in answer.result.findings if _NAME.split()[1] in one.where]
    if answer.code != ExitCode.FAILED or rules != {("removal", "holds-others")} or not said:
        raise ConditionTimeout(
            f"The gate should reject a revert for the {_NAME} that it removes, but ended with {answer}. "
            "Next: neuroscale gate --base main"
        )
